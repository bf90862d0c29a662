//! One pass over each of 1024 rows, and square products.

use crate::Forward;
use candle_core::{Device, Module, Result, Tensor};
use candle_nn::{VarBuilder, layer_norm, ops};
use clock::{Outcome, Run};

/// `gelu(layer_norm(x)) + x`.
pub fn norm_gelu(vb: VarBuilder) -> Result<Forward> {
    let norm = layer_norm(1024, 1e-5, vb)?;
    Ok(Box::new(move |x| norm.forward(x)?.gelu_erf()? + x))
}

/// Softmax of each row.
pub fn softmax(_: VarBuilder) -> Result<Forward> {
    Ok(Box::new(ops::softmax_last_dim))
}

/// One product of two `[n, n]` matrices a call.
pub fn product(n: usize) -> Outcome<Run> {
    let random = || Tensor::randn(0f32, 1.0, (n, n), &Device::Cpu);
    let (a, b) = (random()?, random()?);
    Ok(Box::new(move || Ok(drop(a.matmul(&b)?))))
}
