//! One pass over each of 1024 rows, and square products.

use crate::run::normal;
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor, activation};
use clock::{Outcome, Run};

/// `gelu(layer_norm(x)) + x`.
#[derive(Module, Debug)]
pub struct NormGelu {
    norm: LayerNorm,
}

impl NormGelu {
    pub fn new(device: &Device) -> NormGelu {
        NormGelu { norm: LayerNormConfig::new(1024).init(device) }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        activation::gelu(self.norm.forward(x.clone())) + x
    }
}

/// Softmax of each row.
#[derive(Module, Debug)]
pub struct Softmax;

impl Softmax {
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        activation::softmax(x, 1)
    }
}

/// One product of two `[n, n]` matrices a call.
pub fn product(n: usize) -> Outcome<Run> {
    let device = Device::flex();
    let (a, b) = (normal([n, n], &device), normal([n, n], &device));
    Ok(Box::new(move || {
        drop(a.clone().matmul(b.clone()));
        Ok(())
    }))
}
