//! Compiled functions against their meaning: each case is compiled by the build script and compared with the
//! evaluation of its unfused graph in f64.

pub mod cases;

use kiln_ir::{DType, ops::Array};

/// A compiled case: from the size of N and the inputs to the outputs, each as a line of elements.
pub type Call = fn(usize, &[Array]) -> Vec<Array>;

/// An element type of arrays.
pub trait Element: Copy {
    /// From the f64 of an array.
    fn of(x: f64) -> Self;
    /// An array of them.
    fn array(data: &[Self]) -> Array;
    /// What marks memory that was not written.
    const POISON: Self;
}

macro_rules! elements {
    ($($t:ty, $dtype:ident, $poison:expr, $array:expr;)*) => {$(
        impl Element for $t {
            fn of(x: f64) -> $t {
                x as $t
            }
            fn array(data: &[$t]) -> Array {
                $array(DType::$dtype, vec![data.len()], data.iter().map(|x| (*x).into()).collect())
            }
            const POISON: $t = $poison;
        }
    )*};
}
elements! {
    f32, F32, f32::NAN, Array::rounded;
    f64, F64, f64::NAN, Array::rounded;
    i64, I64, i64::MIN + 77, whole;
    i32, I32, i32::MIN + 77, whole;
    u8, U8, 177, whole;
}

fn whole(dtype: DType, shape: Vec<usize>, numbers: Vec<i64>) -> Array {
    Array::whole(dtype, shape, &numbers)
}

macro_rules! narrow {
    ($($t:ty, $dtype:ident;)*) => {$(
        impl Element for $t {
            fn of(x: f64) -> $t {
                <$t>::from_f32(x as f32)
            }
            fn array(data: &[$t]) -> Array {
                Array::rounded(DType::$dtype, vec![data.len()], data.iter().map(|x| (*x).into()).collect())
            }
            const POISON: $t = <$t>::from_bits(u16::MAX);
        }
    )*};
}
narrow!(kiln::bf16, BF16; kiln::f16, F16;);

impl Element for bool {
    fn of(x: f64) -> bool {
        x != 0.0
    }
    fn array(data: &[bool]) -> Array {
        Array::rounded(DType::Bool, vec![data.len()], data.iter().map(|x| (*x).into()).collect())
    }
    const POISON: bool = true;
}

/// The elements of an array.
pub fn typed<T: Element>(array: &Array) -> Vec<T> {
    array.data.iter().map(|x| T::of(*x)).collect()
}

/// The elements of each layer.
pub fn layers<T: Element>(array: &Array) -> Vec<Vec<T>> {
    let all = typed(array);
    let len = all.len() / array.shape[0];
    (0..array.shape[0]).map(|at| all[at * len..(at + 1) * len].to_vec()).collect()
}

/// Where layers lie.
pub fn places<T>(layers: &mut [Vec<T>]) -> Vec<&mut [T]> {
    layers.iter_mut().map(Vec::as_mut_slice).collect()
}

/// Elements that mark memory that was not written.
pub fn poisoned<T: Element>(dims: &[usize]) -> Vec<T> {
    vec![T::POISON; dims.iter().product()]
}

include!(concat!(env!("OUT_DIR"), "/compiled.rs"));
