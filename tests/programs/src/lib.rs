//! Random programs in Rust, each compiled and run eagerly: `tests/programs.rs` compares the two.

use kiln::{Element, Result, Tensor};

/// The elements of each result by name.
pub type Results = Vec<(&'static str, Vec<f64>)>;

/// Runs a program for a size of N, eagerly or compiled.
pub type Run = fn(usize, bool) -> Result<Results>;

/// A program in f64 and in f32.
pub struct Program {
    /// What it was made of.
    pub seed: u64,
    /// In f64.
    pub double: Run,
    /// In f32.
    pub single: Run,
    /// Its text in f64.
    pub text: &'static str,
}

/// An element type that inputs have.
pub trait Real: Element + Into<f64> {
    /// From a number that it holds exactly.
    fn of(x: f64) -> Self;
}

impl Real for f32 {
    fn of(x: f64) -> f32 {
        x as f32
    }
}

impl Real for f64 {
    fn of(x: f64) -> f64 {
        x
    }
}

/// Odd multiples of a 512th between −2 and 2, so that f32 holds them exactly and few are equal.
fn input<T: Real>(shape: &[usize], seed: usize) -> Tensor<T> {
    let at = |i: usize| T::of(((i * 739 + seed * 331 + 97) % 1024) as f64 / 256.0 - 2.0 + 1.0 / 512.0);
    let data = (0..shape.iter().product()).map(at).collect();
    Tensor::from_vec(shape, data).expect("as many elements")
}

/// The elements, if there was no fault.
fn elements<T: Real>(tensor: Tensor<T>) -> Result<Vec<f64>> {
    Ok(tensor.ok()?.as_slice().iter().map(|x| (*x).into()).collect())
}

include!(concat!(env!("OUT_DIR"), "/programs.rs"));
