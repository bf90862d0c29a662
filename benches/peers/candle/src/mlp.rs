//! A perceptron of three layers.

use crate::Forward;
use crate::train::{Loss, classes};
use candle_core::{Device, Module, Result, Tensor};
use candle_nn::{VarBuilder, linear, loss::cross_entropy};

/// 784 → 512 → 256 → 10.
pub fn net(vb: VarBuilder) -> Result<Forward> {
    let (a, b, c) =
        (linear(784, 512, vb.pp("1"))?, linear(512, 256, vb.pp("2"))?, linear(256, 10, vb.pp("3"))?);
    Ok(Box::new(move |x| c.forward(&b.forward(&a.forward(x)?.relu()?)?.relu()?)))
}

/// On 64 images.
pub fn loss(vb: VarBuilder) -> Result<Loss> {
    let (net, x) = (net(vb)?, Tensor::randn(0f32, 1.0, (64, 784), &Device::Cpu)?);
    let y = classes(&[64], 10)?;
    Ok(Box::new(move || cross_entropy(&net(&x)?, &y)))
}
