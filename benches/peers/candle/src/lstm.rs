//! An LSTM over 64 steps of 64 features, 128 wide, with a linear head on the last state.

use crate::Forward;
use crate::train::Loss;
use candle_core::{Device, Module, Result, Tensor};
use candle_nn::rnn::{LSTMConfig, RNN, lstm};
use candle_nn::{VarBuilder, linear, loss::mse};

/// Of `[B, 64, 64]`.
pub fn net(vb: VarBuilder) -> Result<Forward> {
    let (cell, head) = (lstm(64, 128, LSTMConfig::default(), vb.pp("rnn"))?, linear(128, 1, vb.pp("head"))?);
    Ok(Box::new(move |x| {
        let states = cell.seq(x)?;
        head.forward(states.last().expect("64 steps").h())
    }))
}

/// On 32 sequences.
pub fn loss(vb: VarBuilder) -> Result<Loss> {
    let (net, x) = (net(vb)?, Tensor::randn(0f32, 1.0, (32, 64, 64), &Device::Cpu)?);
    let y = Tensor::randn(0f32, 1.0, (32, 1), &Device::Cpu)?;
    Ok(Box::new(move || mse(&net(&x)?, &y)))
}
