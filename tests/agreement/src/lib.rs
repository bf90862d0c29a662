//! Compiled functions against their meaning: each case is compiled by the build script and compared with the
//! evaluation of its unfused graph in f64.

pub mod cases;

use kiln_ir::ops::Array;

/// A compiled case: from the size of N and the inputs to the outputs.
pub type Call = fn(usize, &[Array]) -> Vec<Vec<f64>>;

/// An element type of arrays.
pub trait Element: Copy {
    /// From the f64 of an array.
    fn of(x: f64) -> Self;
    /// To the f64 of an array.
    fn wide(self) -> f64;
    /// What marks memory that was not written.
    const POISON: Self;
}

macro_rules! elements {
    ($($t:ty, $poison:expr;)*) => {$(
        impl Element for $t {
            fn of(x: f64) -> $t {
                x as $t
            }
            fn wide(self) -> f64 {
                self as f64
            }
            const POISON: $t = $poison;
        }
    )*};
}
elements! {
    f32, f32::NAN;
    f64, f64::NAN;
    i64, i64::MIN + 77;
    i32, i32::MIN + 77;
    u8, 177;
}

macro_rules! narrow {
    ($($t:ty)*) => {$(
        impl Element for $t {
            fn of(x: f64) -> $t {
                <$t>::from_f32(x as f32)
            }
            fn wide(self) -> f64 {
                self.into()
            }
            const POISON: $t = <$t>::from_bits(u16::MAX);
        }
    )*};
}
narrow!(kiln::bf16 kiln::f16);

impl Element for bool {
    fn of(x: f64) -> bool {
        x != 0.0
    }
    fn wide(self) -> f64 {
        self.into()
    }
    const POISON: bool = true;
}

/// The elements of an array.
pub fn typed<T: Element>(array: &Array) -> Vec<T> {
    array.data.iter().map(|x| T::of(*x)).collect()
}

/// Elements that mark memory that was not written.
pub fn poisoned<T: Element>(dims: &[usize]) -> Vec<T> {
    vec![T::POISON; dims.iter().product()]
}

/// The elements as f64.
pub fn wide<T: Element>(data: &[T]) -> Vec<f64> {
    data.iter().map(|x| x.wide()).collect()
}

include!(concat!(env!("OUT_DIR"), "/compiled.rs"));
