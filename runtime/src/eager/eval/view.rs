//! Strided views: what operations that only move elements yield, without moving any.

use std::array;

use kiln_ir::{DType, Literal};

use super::super::Any;
use crate::storage::Storage;
use crate::{Element, Result, Shape, Tensor, bf16, f16};

/// Elements under a shape: `(i, j, …)` is `data[offset + i·strides[0] + j·strides[1] + …]`.
#[derive(Clone)]
pub(super) struct View<T: Element> {
    pub data: Storage<T>,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
    pub offset: usize,
}

/// A view of any element type.
#[derive(Clone)]
pub(super) enum Value {
    F32(View<f32>),
    F64(View<f64>),
    BF16(View<bf16>),
    F16(View<f16>),
    I64(View<i64>),
    I32(View<i32>),
    U8(View<u8>),
    Bool(View<bool>),
}

/// An expression for the view of a value, whatever its type.
macro_rules! each {
    ($value:expr, |$view:ident| $body:expr) => {
        match $value {
            Value::F32($view) => $body,
            Value::F64($view) => $body,
            Value::BF16($view) => $body,
            Value::F16($view) => $body,
            Value::I64($view) => $body,
            Value::I32($view) => $body,
            Value::U8($view) => $body,
            Value::Bool($view) => $body,
        }
    };
}
/// A value of the same type, from an expression for the view of a value.
macro_rules! same {
    ($value:expr, |$view:ident| $body:expr) => {
        match $value {
            Value::F32($view) => Value::F32($body),
            Value::F64($view) => Value::F64($body),
            Value::BF16($view) => Value::BF16($body),
            Value::F16($view) => Value::F16($body),
            Value::I64($view) => Value::I64($body),
            Value::I32($view) => Value::I32($body),
            Value::U8($view) => Value::U8($body),
            Value::Bool($view) => Value::Bool($body),
        }
    };
}
pub(super) use {each, same};

/// Strides of rows that follow each other.
pub(super) fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i].max(1);
    }
    strides
}

impl<T: Element> View<T> {
    /// Elements in row-major order.
    pub fn rows(data: Storage<T>, shape: Vec<usize>) -> Self {
        View { strides: row_major(&shape), data, shape, offset: 0 }
    }

    /// A new view whose elements `write` sets, all of them. It is called once, and not known by its type, so that this is compiled
    /// once for each type of elements.
    pub fn written(shape: Vec<usize>, write: &mut dyn FnMut(&mut [T])) -> Self {
        let mut data = Storage::recycled(shape.iter().product());
        write(data.make_mut());
        View::rows(data, shape)
    }

    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether every index leads to the same element.
    pub fn is_splat(&self) -> bool {
        self.len() > 0 && self.shape.iter().zip(&self.strides).all(|(n, s)| *n == 1 || *s == 0)
    }

    /// The elements, if they follow each other in row-major order.
    pub fn slice(&self) -> Option<&[T]> {
        let len = self.len();
        let mut next = 1;
        for (n, s) in self.shape.iter().zip(&self.strides).rev() {
            if *n != 1 && *s != next && len > 0 {
                return None;
            }
            next *= n;
        }
        Some(if len == 0 { &[] } else { &self.data[self.offset..][..len] })
    }

    /// The same elements in row-major order, copied unless they are so already.
    pub fn contiguous(&self) -> Self {
        if self.slice().is_some() {
            return View { strides: row_major(&self.shape), ..self.clone() };
        }
        View::written(self.shape.clone(), &mut |out| self.copy_to(out))
    }

    /// Writes the elements in row-major order.
    pub fn copy_to(&self, out: &mut [T]) {
        let mut at = 0;
        walk(&self.shape, [&self.strides], [self.offset], &mut |[from], n, [stride]| {
            let out = &mut out[at..at + n];
            match stride {
                1 => out.copy_from_slice(&self.data[from..from + n]),
                0 => out.fill(self.data[from]),
                _ => out.iter_mut().enumerate().for_each(|(i, o)| *o = self.data[from + i * stride]),
            }
            at += n;
        });
    }

    /// The elements as a tensor, copied only if they aren't all of a storage in row-major order.
    fn tensor(&self) -> Result<Tensor<T>> {
        let shape = Shape::new(&self.shape)?;
        let whole = self.slice().is_some() && self.data.len() == self.len();
        let data = if whole { self.data.clone() } else { self.written_out() };
        Ok(Tensor::stored(shape, data))
    }

    fn written_out(&self) -> Storage<T> {
        let mut data = Storage::recycled(self.len());
        self.copy_to(data.make_mut());
        data
    }

    /// A function of each element, which is given as one of slices of equal length. One element under many indices stays one.
    pub fn mapped<U: Element>(&self, f: &dyn Fn(&[T], &mut [U])) -> View<U> {
        if self.is_splat() {
            let mut one = [U::ZERO];
            f(&self.data[self.offset..][..1], &mut one);
            return View::splat(&self.shape, one[0]);
        }
        let source = self.contiguous();
        View::written(self.shape.clone(), &mut |out| f(source.slice().unwrap_or(&[]), out))
    }

    /// One element under every index.
    pub fn splat(shape: &[usize], value: T) -> Self {
        View {
            data: Storage::new(vec![value]),
            shape: shape.to_vec(),
            strides: vec![0; shape.len()],
            offset: 0,
        }
    }

    fn converted<U: Element>(&self, f: impl Fn(T) -> U) -> View<U> {
        self.mapped(&|from, to| {
            for (to, x) in to.iter_mut().zip(from) {
                *to = f(*x);
            }
        })
    }
}

impl Value {
    /// The elements of a tensor, shared.
    pub fn of(tensor: &Any) -> Value {
        fn view<T: Element>(t: &Tensor<T>) -> View<T> {
            View::rows(t.storage().clone(), t.shape().to_vec())
        }
        match tensor {
            Any::F32(t) => Value::F32(view(t)),
            Any::F64(t) => Value::F64(view(t)),
            Any::BF16(t) => Value::BF16(view(t)),
            Any::F16(t) => Value::F16(view(t)),
            Any::I64(t) => Value::I64(view(t)),
            Any::I32(t) => Value::I32(view(t)),
            Any::U8(t) => Value::U8(view(t)),
            Any::Bool(t) => Value::Bool(view(t)),
        }
    }

    pub fn tensor(&self) -> Result<Any> {
        Ok(match self {
            Value::F32(v) => Any::F32(v.tensor()?),
            Value::F64(v) => Any::F64(v.tensor()?),
            Value::BF16(v) => Any::BF16(v.tensor()?),
            Value::F16(v) => Any::F16(v.tensor()?),
            Value::I64(v) => Any::I64(v.tensor()?),
            Value::I32(v) => Any::I32(v.tensor()?),
            Value::U8(v) => Any::U8(v.tensor()?),
            Value::Bool(v) => Any::Bool(v.tensor()?),
        })
    }

    pub fn constant(literal: Literal, dtype: DType) -> Value {
        let float = literal.value();
        let int = match literal {
            Literal::Int(i) => i,
            _ => float as i64,
        };
        Value::from_fn(vec![], dtype, |_| (float, int))
    }

    pub fn iota(len: usize, dtype: DType) -> Value {
        Value::from_fn(vec![len], dtype, |i| (i as f64, i as i64))
    }

    /// No elements, under a shape that has none.
    pub fn empty(dtype: DType, shape: Vec<usize>) -> Value {
        Value::from_fn(shape, dtype, |_| (0.0, 0))
    }

    /// Elements from their places: as a float, and as an integer.
    fn from_fn(shape: Vec<usize>, dtype: DType, of: impl Fn(usize) -> (f64, i64)) -> Value {
        fn made<T: Element>(shape: Vec<usize>, of: impl Fn(usize) -> T) -> View<T> {
            let data = (0..shape.iter().product()).map(of).collect();
            View::rows(Storage::new(data), shape)
        }
        match dtype {
            DType::F32 => Value::F32(made(shape, |i| of(i).0 as f32)),
            DType::F64 => Value::F64(made(shape, |i| of(i).0)),
            DType::BF16 => Value::BF16(made(shape, |i| (of(i).0 as f32).into())),
            DType::F16 => Value::F16(made(shape, |i| (of(i).0 as f32).into())),
            DType::I64 => Value::I64(made(shape, |i| of(i).1)),
            DType::I32 => Value::I32(made(shape, |i| of(i).1 as i32)),
            DType::U8 => Value::U8(made(shape, |i| of(i).1 as u8)),
            DType::Bool => Value::Bool(made(shape, |i| of(i).0 != 0.0)),
        }
    }

    /// What is f32 in another type, or itself.
    fn into_type(self, dtype: DType) -> Value {
        if dtype == DType::F32 { self } else { self.cast(dtype) }
    }

    /// The elements in another type: truncated and saturated as Rust's `as`; a bool is `x != 0`.
    pub fn cast(&self, dtype: DType) -> Value {
        macro_rules! to {
            ($view:expr, $from:ty, $truth:expr) => {
                match dtype {
                    DType::F32 => Value::F32($view.converted(|x: $from| x as f32)),
                    DType::F64 => Value::F64($view.converted(|x: $from| x as f64)),
                    DType::BF16 => Value::BF16($view.converted(|x: $from| bf16::from_f32(x as f32))),
                    DType::F16 => Value::F16($view.converted(|x: $from| f16::from_f32(x as f32))),
                    DType::I64 => Value::I64($view.converted(|x: $from| x as i64)),
                    DType::I32 => Value::I32($view.converted(|x: $from| x as i32)),
                    DType::U8 => Value::U8($view.converted(|x: $from| x as u8)),
                    DType::Bool => Value::Bool($view.converted($truth)),
                }
            };
        }
        match self {
            Value::F32(v) => to!(v, f32, |x| x != 0.0),
            Value::F64(v) => to!(v, f64, |x| x != 0.0),
            Value::BF16(v) => Value::F32(v.converted(bf16::to_f32)).into_type(dtype),
            Value::F16(v) => Value::F32(v.converted(f16::to_f32)).into_type(dtype),
            Value::I64(v) => to!(v, i64, |x| x != 0),
            Value::I32(v) => to!(v, i32, |x| x != 0),
            Value::U8(v) => to!(v, u8, |x| x != 0),
            Value::Bool(v) => {
                let bytes = v.converted(u8::from);
                if dtype == DType::Bool { self.clone() } else { Value::U8(bytes).cast(dtype) }
            }
        }
    }
}

/// Calls `f` with the offsets, length and strides of each innermost row of views of one shape, in row-major order.
/// Axes that are one in memory for all views are walked as one. `f` isn't known by its type, so that this is compiled once for each
/// number of views.
pub(super) fn walk<const K: usize>(
    shape: &[usize],
    strides: [&[usize]; K],
    mut offsets: [usize; K],
    f: &mut dyn FnMut([usize; K], usize, [usize; K]),
) {
    if shape.contains(&0) {
        return;
    }
    let (shape, strides) = merged(shape, strides);
    let (inner, outer) = match shape.split_last() {
        Some((inner, outer)) => (*inner, outer),
        None => (1, &[][..]),
    };
    let step: [usize; K] = array::from_fn(|k| strides.last().map_or(0, |s| s[k]));
    let mut index = vec![0; outer.len()];
    loop {
        f(offsets, inner, step);
        let mut axis = outer.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            (0..K).for_each(|k| offsets[k] += strides[axis][k]);
            if index[axis] < outer[axis] {
                break;
            }
            (0..K).for_each(|k| offsets[k] -= strides[axis][k] * outer[axis]);
            index[axis] = 0;
        }
    }
}

/// The shape without axes of length 1, and with axes merged that every view walks as one.
fn merged<const K: usize>(shape: &[usize], strides: [&[usize]; K]) -> (Vec<usize>, Vec<[usize; K]>) {
    let mut lengths: Vec<usize> = Vec::with_capacity(shape.len());
    let mut steps: Vec<[usize; K]> = Vec::with_capacity(shape.len());
    for (axis, &n) in shape.iter().enumerate().filter(|(_, n)| **n != 1) {
        let step = array::from_fn(|k| strides[k][axis]);
        match (lengths.last_mut(), steps.last_mut()) {
            (Some(length), Some(last)) if (0..K).all(|k| last[k] == step[k] * n) => {
                *length *= n;
                *last = step;
            }
            _ => {
                lengths.push(n);
                steps.push(step);
            }
        }
    }
    (lengths, steps)
}
