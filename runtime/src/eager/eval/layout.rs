//! Reshape, Permute, Broadcast, Slice: strides. Pad, Concat: copies.

use kiln_ir::{Op, PadAxis, SliceAxis, Window};

use super::view::{Value, View, row_major, same, walk};
use crate::{Element, bf16, f16};

/// An operation on one value that moves its elements.
pub(super) fn moved(op: &Op, x: &Value, shape: Vec<usize>) -> Value {
    same!(x, |x| match op {
        Op::Permute(perm) => permuted(x, perm),
        Op::Broadcast(axes) => widened(x, axes.iter().map(|(at, _)| *at), shape),
        Op::Slice(axes) => sliced(x, axes, shape),
        Op::Pad(axes) => padded(x, axes, shape),
        Op::Windows(w) => windows(x, w, shape),
        _ => reshaped(x, shape),
    })
}

pub(super) fn permuted<T: Element>(x: &View<T>, perm: &[usize]) -> View<T> {
    let pick = |of: &[usize]| perm.iter().map(|&a| of[a]).collect();
    View { shape: pick(&x.shape), strides: pick(&x.strides), ..x.clone() }
}

fn widened<T: Element>(x: &View<T>, at: impl Iterator<Item = usize>, shape: Vec<usize>) -> View<T> {
    let mut strides = x.strides.clone();
    at.for_each(|axis| strides.insert(axis, 0));
    View { shape, strides, ..x.clone() }
}

fn literal(d: &kiln_ir::Dim) -> usize {
    usize::try_from(d.literal().unwrap_or(0)).unwrap_or(0)
}

fn sliced<T: Element>(x: &View<T>, axes: &[SliceAxis], shape: Vec<usize>) -> View<T> {
    let offset = axes.iter().zip(&x.strides).map(|(a, s)| literal(&a.start) * s).sum::<usize>();
    let strides = axes.iter().zip(&x.strides).map(|(a, s)| a.step as usize * s).collect();
    View { shape, strides, offset: x.offset + offset, ..x.clone() }
}

fn padded<T: Element>(x: &View<T>, axes: &[PadAxis], shape: Vec<usize>) -> View<T> {
    let rows = row_major(&shape);
    let start = axes.iter().zip(&rows).map(|(a, s)| literal(&a.low) * s).sum();
    let strides: Vec<usize> = axes.iter().zip(&rows).map(|(a, s)| a.step as usize * s).collect();
    View::written(shape, &mut |out| {
        out.fill(T::ZERO);
        scatter(x, out, &strides, start);
    })
}

fn windows<T: Element>(x: &View<T>, w: &Window, shape: Vec<usize>) -> View<T> {
    let mut strides = x.strides.clone();
    let step = strides[w.axis];
    strides.splice(w.axis..=w.axis, [step * w.stride as usize, step * w.dilation as usize]);
    View { shape, strides, ..x.clone() }
}

/// The windows added up again.
pub(super) fn fold(x: &Value, w: &Window, shape: Vec<usize>) -> Value {
    match x {
        Value::F32(x) => Value::F32(folded(x, w, shape, |a, b| a + b)),
        Value::F64(x) => Value::F64(folded(x, w, shape, |a, b| a + b)),
        Value::I64(x) => Value::I64(folded(x, w, shape, i64::wrapping_add)),
        Value::I32(x) => Value::I32(folded(x, w, shape, i32::wrapping_add)),
        Value::U8(x) => Value::U8(folded(x, w, shape, u8::wrapping_add)),
        Value::Bool(x) => Value::Bool(folded(x, w, shape, |a, b| a | b)),
        _ => unreachable!("what is narrow is added in f32"),
    }
}

fn folded<T: Element>(x: &View<T>, w: &Window, shape: Vec<usize>, add: fn(T, T) -> T) -> View<T> {
    let mut strides = row_major(&shape);
    let step = strides[w.axis];
    strides.splice(w.axis..=w.axis, [step * w.stride as usize, step * w.dilation as usize]);
    View::written(shape, &mut |out| {
        out.fill(T::ZERO);
        walk(&x.shape, [&x.strides, &strides], [x.offset, 0], &mut |[from, to], n, [step, stride]| {
            (0..n).for_each(|i| out[to + i * stride] = add(out[to + i * stride], x.data[from + i * step]));
        });
    })
}

/// Writes the elements of `x` to `out` under these strides, from `start` on.
fn scatter<T: Element>(x: &View<T>, out: &mut [T], strides: &[usize], start: usize) {
    walk(&x.shape, [&x.strides, strides], [x.offset, start], &mut |[from, to], n, [step, stride]| match (
        step, stride,
    ) {
        (1, 1) => out[to..to + n].copy_from_slice(&x.data[from..from + n]),
        _ => (0..n).for_each(|i| out[to + i * stride] = x.data[from + i * step]),
    });
}

fn reshaped<T: Element>(x: &View<T>, shape: Vec<usize>) -> View<T> {
    if x.is_splat() {
        return View { strides: vec![0; shape.len()], shape, ..x.clone() };
    }
    let long = |shape: &[usize]| shape.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
    if long(&x.shape) == long(&shape) {
        // Only axes of length 1 come or go.
        let mut kept = x.shape.iter().zip(&x.strides).filter(|(n, _)| **n != 1).map(|(_, s)| *s);
        let strides = shape.iter().map(|n| if *n == 1 { 0 } else { kept.next().unwrap_or(0) }).collect();
        return View { shape, strides, ..x.clone() };
    }
    View { strides: row_major(&shape), shape, ..x.contiguous() }
}

pub(super) fn concat(args: &[&Value], axis: usize, shape: Vec<usize>) -> Value {
    match args[0] {
        Value::F32(_) => Value::F32(joined(args, axis, shape)),
        Value::F64(_) => Value::F64(joined(args, axis, shape)),
        Value::BF16(_) => Value::BF16(joined(args, axis, shape)),
        Value::F16(_) => Value::F16(joined(args, axis, shape)),
        Value::I64(_) => Value::I64(joined(args, axis, shape)),
        Value::I32(_) => Value::I32(joined(args, axis, shape)),
        Value::U8(_) => Value::U8(joined(args, axis, shape)),
        Value::Bool(_) => Value::Bool(joined(args, axis, shape)),
    }
}

fn joined<T: Viewed>(args: &[&Value], axis: usize, shape: Vec<usize>) -> View<T> {
    let rows = row_major(&shape);
    View::written(shape, &mut |out| {
        let mut start = 0;
        for x in args.iter().map(|x| T::view(x)) {
            scatter(x, out, &rows, start * rows[axis]);
            start += x.shape[axis];
        }
    })
}

/// The view of a value whose element type is known from the types of its neighbours.
pub(super) trait Viewed: Element {
    fn view(value: &Value) -> &View<Self>;
}

macro_rules! viewed {
    ($($ty:ty, $variant:ident;)*) => {$(
        impl Viewed for $ty {
            fn view(value: &Value) -> &View<Self> {
                match value {
                    Value::$variant(view) => view,
                    _ => unreachable!("inferred types agree"),
                }
            }
        }
    )*};
}
viewed!(f32, F32; f64, F64; bf16, BF16; f16, F16; i64, I64; i32, I32; u8, U8; bool, Bool;);
