//! An LSTM over 64 steps of 64 features, 128 wide, with a linear head on the last state.

use crate::run::{self, normal};
use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, Lstm, LstmConfig};
use burn::tensor::{Device, Tensor};
use clock::{Outcome, Run};

#[derive(Module, Debug)]
pub struct Net {
    lstm: Lstm,
    head: Linear,
}

impl Net {
    pub fn new(device: &Device) -> Net {
        Net {
            lstm: LstmConfig::new(64, 128, true).init(device),
            head: LinearConfig::new(128, 1).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        self.head.forward(self.lstm.forward(x, None).1.hidden)
    }
}

/// On 32 sequences.
pub fn train() -> Outcome<Run> {
    let device = Device::flex().autodiff();
    let (x, y) = (normal([32, 64, 64], &device), normal([32, 1], &device));
    run::train(Net::new(&device), move |net| {
        MseLoss::new().forward(net.forward(x.clone()), y.clone(), Reduction::Mean)
    })
}
