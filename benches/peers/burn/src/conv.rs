//! Convolutional nets with PyTorch's shapes: ResNet-18, ResNet-20, MobileNetV2 and VGG16.

use crate::run::{self, classes, normal};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, relu6};
use burn::tensor::{Device, Tensor};
use clock::{Outcome, Run};

fn padding(p: usize) -> PaddingConfig2d {
    PaddingConfig2d::Explicit(p, p, p, p)
}

/// A convolution without offsets, and the norm of its channels.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    /// Channels in and out, the window's side, its step, groups.
    fn new(i: usize, o: usize, k: usize, s: usize, groups: usize, device: &Device) -> ConvNorm {
        let conv = Conv2dConfig::new([i, o], [k, k]).with_stride([s, s]).with_padding(padding(k / 2));
        ConvNorm {
            conv: conv.with_groups(groups).with_bias(false).init(device),
            norm: BatchNormConfig::new(o).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

/// Two convolutions and the input.
#[derive(Module, Debug)]
pub struct Basic {
    a: ConvNorm,
    b: ConvNorm,
    skip: Option<ConvNorm>,
}

impl Basic {
    fn new(i: usize, o: usize, s: usize, device: &Device) -> Basic {
        Basic {
            a: ConvNorm::new(i, o, 3, s, 1, device),
            b: ConvNorm::new(o, o, 3, 1, 1, device),
            skip: (s != 1 || i != o).then(|| ConvNorm::new(i, o, 1, s, 1, device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = self.b.forward(relu(self.a.forward(x.clone())));
        let to = match &self.skip {
            Some(skip) => skip.forward(x),
            None => x,
        };
        relu(h + to)
    }
}

/// Blocks that add to what comes in.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Basic>,
    head: Linear,
    pooled: bool,
}

impl ResNet {
    /// Stages of so many blocks, of so many channels, the first of a step.
    fn new(stem: ConvNorm, stages: &[(usize, usize)], n: usize, head: Linear, device: &Device) -> ResNet {
        let (mut i, mut blocks) = (stages[0].0, Vec::new());
        for &(o, s) in stages {
            for block in 0..n {
                blocks.push(Basic::new(i, o, if block == 0 { s } else { 1 }, device));
                i = o;
            }
        }
        ResNet { pooled: stages.len() == 4, stem, blocks, head }
    }

    pub fn of18(device: &Device) -> ResNet {
        let stages = [(64, 1), (128, 2), (256, 2), (512, 2)];
        let head = LinearConfig::new(512, 1000).init(device);
        ResNet::new(ConvNorm::new(3, 64, 7, 2, 1, device), &stages, 2, head, device)
    }

    fn of20(device: &Device) -> ResNet {
        let stages = [(16, 1), (32, 2), (64, 2)];
        let head = LinearConfig::new(64, 10).init(device);
        ResNet::new(ConvNorm::new(3, 16, 3, 1, 1, device), &stages, 3, head, device)
    }

    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = relu(self.stem.forward(x));
        if self.pooled {
            let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(padding(1));
            x = pool.init().forward(x);
        }
        for block in &self.blocks {
            x = block.forward(x);
        }
        self.head.forward(averaged(x))
    }
}

/// The mean of each channel.
fn averaged(x: Tensor<4>) -> Tensor<2> {
    let [n, c, h, w] = x.dims();
    x.reshape([n, c, h * w]).mean_dim(2).reshape([n, c])
}

/// ResNet-20 on 32 images.
pub fn train() -> Outcome<Run> {
    let device = Device::flex().autodiff();
    let (x, y) = (normal([32, 3, 32, 32], &device), classes([32], 10, &device));
    let criterion = CrossEntropyLossConfig::new().init(&device);
    run::train(ResNet::of20(&device), move |net| criterion.forward(net.forward(x.clone()), y.clone()))
}

/// Expand, filter each channel, project.
#[derive(Module, Debug)]
pub struct Inverted {
    expand: Option<ConvNorm>,
    depth: ConvNorm,
    project: ConvNorm,
    adds: bool,
}

impl Inverted {
    fn new(i: usize, o: usize, s: usize, t: usize, device: &Device) -> Inverted {
        let h = i * t;
        Inverted {
            expand: (t != 1).then(|| ConvNorm::new(i, h, 1, 1, 1, device)),
            depth: ConvNorm::new(h, h, 3, s, h, device),
            project: ConvNorm::new(h, o, 1, 1, 1, device),
            adds: s == 1 && i == o,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = match &self.expand {
            Some(expand) => relu6(expand.forward(x.clone())),
            None => x.clone(),
        };
        let y = self.project.forward(relu6(self.depth.forward(h)));
        if self.adds { y + x } else { y }
    }
}

/// MobileNetV2 of width 1.
#[derive(Module, Debug)]
pub struct MobileNet {
    stem: ConvNorm,
    blocks: Vec<Inverted>,
    last: ConvNorm,
    head: Linear,
}

impl MobileNet {
    pub fn new(device: &Device) -> MobileNet {
        let (mut i, mut blocks) = (32, Vec::new());
        let rows = [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ];
        for (t, o, n, s) in rows {
            for block in 0..n {
                blocks.push(Inverted::new(i, o, if block == 0 { s } else { 1 }, t, device));
                i = o;
            }
        }
        MobileNet {
            stem: ConvNorm::new(3, 32, 3, 2, 1, device),
            blocks,
            last: ConvNorm::new(320, 1280, 1, 1, 1, device),
            head: LinearConfig::new(1280, 1000).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(relu6(self.stem.forward(x)), |x, block| block.forward(x));
        self.head.forward(averaged(relu6(self.last.forward(x))))
    }
}

/// Convolutions of each stage of VGG16.
const STAGES: [usize; 5] = [2, 2, 3, 3, 3];

/// VGG of 16 layers.
#[derive(Module, Debug)]
pub struct Vgg {
    convs: Vec<Conv2d>,
    dense: Vec<Linear>,
}

impl Vgg {
    pub fn new(device: &Device) -> Vgg {
        let sizes = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
        let conv = |i, o| Conv2dConfig::new([i, o], [3, 3]).with_padding(padding(1)).init(device);
        Vgg {
            convs: sizes.windows(2).map(|pair| conv(pair[0], pair[1])).collect(),
            dense: [[25088, 4096], [4096, 4096], [4096, 1000]]
                .map(|[i, o]| LinearConfig::new(i, o).init(device))
                .into(),
        }
    }

    pub fn forward(&self, mut x: Tensor<4>) -> Tensor<2> {
        let (mut convs, pool) = (self.convs.iter(), MaxPool2dConfig::new([2, 2]).init());
        for n in STAGES {
            x = convs.by_ref().take(n).fold(x, |x, conv| relu(conv.forward(x)));
            x = pool.forward(x);
        }
        let x: Tensor<2> = x.flatten(1, 3);
        self.dense[2].forward(relu(self.dense[1].forward(relu(self.dense[0].forward(x)))))
    }
}
