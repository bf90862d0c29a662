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
        Value::Bool(_) => unreachable!("infer refuses bools"),
    }
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
    View::written(shape.clone(), |out| {
        let strides = [&from[..], &index.strides, &to];
        walk(&shape, strides, [x.offset, index.offset, 0], |[from, at, to], n, [dx, di, dy]| {
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
    View::written(shape, |out| {
        out.fill(T::ZERO);
        let strides = [&x.strides[..], &index.strides, &to];
        walk(&x.shape, strides, [x.offset, index.offset, 0], |[from, at, to], n, [dx, di, dy]| {
            for i in 0..n {
                if let Some(place) = within(index.data[at + i * di], len) {
                    let there = &mut out[to + i * dy + place * step];
                    *there = there.plus(x.data[from + i * dx]);
                }
            }
        });
    })
}
