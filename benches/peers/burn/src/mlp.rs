//! A perceptron of three layers.

use crate::run::{self, classes, normal};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use clock::{Outcome, Run};

/// 784 → 512 → 256 → 10.
#[derive(Module, Debug)]
pub struct Mlp {
    a: Linear,
    b: Linear,
    c: Linear,
}

impl Mlp {
    pub fn new(device: &Device) -> Mlp {
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        Mlp { a: linear(784, 512), b: linear(512, 256), c: linear(256, 10) }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.c.forward(relu(self.b.forward(relu(self.a.forward(x)))))
    }
}

/// On 64 images.
pub fn train() -> Outcome<Run> {
    let device = Device::flex().autodiff();
    let (x, y) = (normal([64, 784], &device), classes([64], 10, &device));
    let criterion = CrossEntropyLossConfig::new().init(&device);
    run::train(Mlp::new(&device), move |net| criterion.forward(net.forward(x.clone()), y.clone()))
}
