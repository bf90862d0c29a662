//! Elements picked and added by index.

use kiln_ir::DType;

use super::map::Num;
use super::view::{Value, View, row_major, same, walk};
use crate::Element;

/// `x` at an index along an axis, 0 where it lies outside.
pub(super) fn gather(x: &Value, index: &Value, axis: usize, shape: Vec<usize>) -> Value {
    let index = places(index);
    same!(x, |x| picked(x, &index, axis, shape))
}

/// The elements of `x` added where an index along an axis says, over zeros.
pub(super) fn scatter_add(x: &Value, index: &Value, axis: usize, shape: Vec<usize>) -> Value {
    let index = places(index);
    match x {
        Value::F32(x) => Value::F32(added(x, &index, axis, shape)),
        Value::F64(x) => Value::F64(added(x, &index, axis, shape)),
        Value::I64(x) => Value::I64(added(x, &index, axis, shape)),
        Value::I32(x) => Value::I32(added(x, &index, axis, shape)),
        Value::U8(x) => Value::U8(added(x, &index, axis, shape)),
        _ => unreachable!("infer refuses bools, and what is narrow is added in f32"),
    }
}

/// `x` written over `base` along an axis from a start on; what lies outside is dropped.
pub(super) fn update(base: &Value, x: &Value, start: &Value, axis: usize) -> Value {
    let start = places(start);
    let start = start.data[start.offset];
    match (base, x) {
        (Value::F32(base), Value::F32(x)) => Value::F32(replaced(base, x, start, axis)),
        (Value::F64(base), Value::F64(x)) => Value::F64(replaced(base, x, start, axis)),
        (Value::BF16(base), Value::BF16(x)) => Value::BF16(replaced(base, x, start, axis)),
        (Value::F16(base), Value::F16(x)) => Value::F16(replaced(base, x, start, axis)),
        (Value::I64(base), Value::I64(x)) => Value::I64(replaced(base, x, start, axis)),
        (Value::I32(base), Value::I32(x)) => Value::I32(replaced(base, x, start, axis)),
        (Value::U8(base), Value::U8(x)) => Value::U8(replaced(base, x, start, axis)),
        (Value::Bool(base), Value::Bool(x)) => Value::Bool(replaced(base, x, start, axis)),
        _ => unreachable!("infer has seen that both are of one type"),
    }
}

fn replaced<T: Element>(base: &View<T>, x: &View<T>, start: i64, axis: usize) -> View<T> {
    let row: usize = base.shape[axis + 1..].iter().product();
    let (len, given) = (base.shape[axis], x.shape[axis]);
    let x = x.contiguous();
    View::written(base.shape.clone(), &mut |out| {
        base.copy_to(out);
        let Some(x) = x.slice().filter(|x| !x.is_empty()) else { return };
        for (n, from) in x.chunks(row).enumerate() {
            if let Some(place) = within(start.saturating_add((n % given) as i64), len) {
                let at = (n / given * len + place) * row;
                out[at..at + row].copy_from_slice(from);
            }
        }
    })
}

fn places(index: &Value) -> View<i64> {
    match index.cast(DType::I64) {
        Value::I64(view) => view,
        _ => unreachable!("a cast yields its type"),
    }
}

/// Strides with none along an axis, and the stride that was there.
fn fixed(strides: &[usize], axis: usize) -> (Vec<usize>, usize) {
    let mut rest = strides.to_vec();
    let step = std::mem::replace(&mut rest[axis], 0);
    (rest, step)
}

/// The place, if it is one of `len`.
fn within(place: i64, len: usize) -> Option<usize> {
    usize::try_from(place).ok().filter(|p| *p < len)
}

fn picked<T: Element>(x: &View<T>, index: &View<i64>, axis: usize, shape: Vec<usize>) -> View<T> {
    let (from, step) = fixed(&x.strides, axis);
    let to = row_major(&shape);
    View::written(shape.clone(), &mut |out| {
        let strides = [&from[..], &index.strides, &to];
        walk(&shape, strides, [x.offset, index.offset, 0], &mut |[from, at, to], n, [dx, di, dy]| {
            for i in 0..n {
                let place = within(index.data[at + i * di], x.shape[axis]);
                out[to + i * dy] = place.map_or(T::ZERO, |p| x.data[from + i * dx + p * step]);
            }
        });
    })
}

fn added<T: Num>(x: &View<T>, index: &View<i64>, axis: usize, shape: Vec<usize>) -> View<T> {
    let len = shape[axis];
    let (to, step) = fixed(&row_major(&shape), axis);
    View::written(shape, &mut |out| {
        out.fill(T::ZERO);
        let strides = [&x.strides[..], &index.strides, &to];
        walk(&x.shape, strides, [x.offset, index.offset, 0], &mut |[from, at, to], n, [dx, di, dy]| {
            for i in 0..n {
                if let Some(place) = within(index.data[at + i * di], len) {
                    let there = &mut out[to + i * dy + place * step];
                    *there = there.plus(x.data[from + i * dx]);
                }
            }
        });
    })
}
