//! Sums, maxima and their places.

use kiln_ir::Reduction;

use super::layout::permuted;
use super::map::Num;
use super::view::{Value, View, walk};
use crate::Element;

pub(super) fn reduce(kind: Reduction, axes: &[usize], x: &Value) -> Value {
    if axes.is_empty() {
        return x.clone();
    }
    match x {
        Value::F32(x) => Value::F32(reduced(kind, axes, x)),
        Value::F64(x) => Value::F64(reduced(kind, axes, x)),
        Value::I64(x) => Value::I64(reduced(kind, axes, x)),
        Value::I32(x) => Value::I32(reduced(kind, axes, x)),
        Value::U8(x) => Value::U8(reduced(kind, axes, x)),
        _ => unreachable!("infer refuses bools, and what is narrow is reduced in f32"),
    }
}

fn reduced<T: Num>(kind: Reduction, axes: &[usize], x: &View<T>) -> View<T> {
    match kind {
        Reduction::Sum => folded(axes, x, T::ZERO, T::plus),
        Reduction::Max => folded(axes, x, T::LEAST, T::larger),
    }
}

/// The elements along the axes combined by `f`, which is associative and commutative up to rounding.
fn folded<T: Num>(axes: &[usize], x: &View<T>, start: T, f: impl Fn(T, T) -> T + Copy) -> View<T> {
    let kept: Vec<usize> = (0..x.shape.len()).filter(|a| !axes.contains(a)).collect();
    let shape: Vec<usize> = kept.iter().map(|&a| x.shape[a]).collect();
    // Rows of what is combined follow each other in memory, or rows of what stays do.
    let nearest = (0..x.shape.len()).filter(|a| x.shape[*a] > 1).min_by_key(|a| x.strides[*a]);
    if nearest.is_none_or(|a| axes.contains(&a)) {
        let inner = permuted(x, axes);
        return View::written(shape.clone(), &mut |out| {
            let outer: Vec<usize> = kept.iter().map(|&a| x.strides[a]).collect();
            let mut at = 0;
            walk(&shape, [&outer], [x.offset], &mut |[from], n, [stride]| {
                for i in 0..n {
                    out[at] = combined(&inner, from + i * stride, start, f);
                    at += 1;
                }
            });
        });
    }
    let (over, stay) = (permuted(x, axes), permuted(x, &kept));
    View::written(shape, &mut |out| {
        out.fill(start);
        walk(&over.shape, [&over.strides], [x.offset], &mut |[from], n, [stride]| {
            (0..n).for_each(|i| join(&stay, from + i * stride, out, f));
        });
    })
}

/// All elements of a view from `offset` on, combined.
fn combined<T: Num>(x: &View<T>, offset: usize, start: T, f: impl Fn(T, T) -> T + Copy) -> T {
    let mut total = start;
    walk(&x.shape, [&x.strides], [offset], &mut |[from], n, [stride]| {
        total = match stride {
            1 => f(total, lanes(&x.data[from..from + n], start, f)),
            _ => (0..n).fold(total, |t, i| f(t, x.data[from + i * stride])),
        };
    });
    total
}

/// A slice combined in eight lanes: faster than one after the other, and its sum no less exact.
fn lanes<T: Num>(x: &[T], start: T, f: impl Fn(T, T) -> T + Copy) -> T {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut acc = [start; 8];
    for chunk in chunks {
        for (a, x) in acc.iter_mut().zip(chunk) {
            *a = f(*a, *x);
        }
    }
    let tail = rest.iter().fold(start, |t, x| f(t, *x));
    acc.into_iter().fold(tail, f)
}

/// Combines each element of `out` with that of the view from `offset` on.
fn join<T: Num>(x: &View<T>, offset: usize, out: &mut [T], f: impl Fn(T, T) -> T + Copy) {
    let mut at = 0;
    walk(&x.shape, [&x.strides], [offset], &mut |[from], n, [stride]| {
        let out = &mut out[at..at + n];
        match stride {
            1 => out.iter_mut().zip(&x.data[from..from + n]).for_each(|(o, x)| *o = f(*o, *x)),
            _ => out.iter_mut().enumerate().for_each(|(i, o)| *o = f(*o, x.data[from + i * stride])),
        }
        at += n;
    });
}

/// The place of the first maximum along an axis; a NaN counts as one. 0 over nothing.
pub(super) fn argmax<T: Element + PartialOrd>(x: &View<T>, axis: usize) -> View<i64> {
    let (n, stride) = (x.shape[axis], x.strides[axis]);
    let (mut shape, mut strides) = (x.shape.clone(), x.strides.clone());
    shape.remove(axis);
    strides.remove(axis);
    View::written(shape.clone(), &mut |out| {
        out.fill(0);
        if n == 0 {
            return;
        }
        let mut at = 0;
        walk(&shape, [&strides], [x.offset], &mut |[from], rows, [step]| {
            for row in 0..rows {
                out[at] = first_max(n, |i| x.data[from + row * step + i * stride]) as i64;
                at += 1;
            }
        });
    })
}

fn first_max<T: PartialOrd + Copy>(n: usize, of: impl Fn(usize) -> T) -> usize {
    let nan = |x: T| x.partial_cmp(&x).is_none();
    let mut best = 0;
    for i in 1..n {
        let (x, top) = (of(i), of(best));
        if x > top || (nan(x) && !nan(top)) {
            best = i;
        }
    }
    best
}
