//! Convolutional nets with PyTorch's shapes: ResNet-18, ResNet-20, MobileNetV2 and VGG16.

use crate::Forward;
use crate::train::{Loss, classes};
use candle_core::{Device, Module, ModuleT, Result, Tensor};
use candle_nn::{
    BatchNorm, Conv2d, Conv2dConfig, VarBuilder, batch_norm, conv2d, conv2d_no_bias, linear,
    loss::cross_entropy,
};

/// A convolution and the norm of its channels, which the convolution has absorbed where the net doesn't train.
struct ConvNorm {
    conv: Conv2d,
    norm: Option<BatchNorm>,
}

impl ConvNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.conv.forward(x)?;
        match &self.norm {
            Some(norm) => norm.forward_t(&y, true),
            None => Ok(y),
        }
    }
}

/// Channels in and out, the window's side, its step, groups.
type Sizes = (usize, usize, usize, usize, usize);

fn conv_norm((i, o, k, s, groups): Sizes, train: bool, vb: VarBuilder) -> Result<ConvNorm> {
    let config = Conv2dConfig { padding: k / 2, stride: s, groups, ..Conv2dConfig::default() };
    let (conv, norm) = (conv2d_no_bias(i, o, k, config, vb.pp("conv"))?, batch_norm(o, 1e-5, vb.pp("norm"))?);
    match train {
        true => Ok(ConvNorm { conv, norm: Some(norm) }),
        false => Ok(ConvNorm { conv: conv.absorb_bn(&norm)?, norm: None }),
    }
}

/// Two convolutions and the input.
fn basic(i: usize, o: usize, s: usize, train: bool, vb: VarBuilder) -> Result<Forward> {
    let a = conv_norm((i, o, 3, s, 1), train, vb.pp("a"))?;
    let b = conv_norm((o, o, 3, 1, 1), train, vb.pp("b"))?;
    let skip = match s != 1 || i != o {
        true => Some(conv_norm((i, o, 1, s, 1), train, vb.pp("skip"))?),
        false => None,
    };
    Ok(Box::new(move |x| {
        let h = b.forward(&a.forward(x)?.relu()?)?;
        match &skip {
            Some(skip) => (h + skip.forward(x)?)?.relu(),
            None => (h + x)?.relu(),
        }
    }))
}

/// Stages of so many blocks, of so many channels, the first of a step.
fn stages(stages: &[(usize, usize)], blocks: usize, train: bool, vb: VarBuilder) -> Result<Vec<Forward>> {
    let (mut i, mut all) = (stages[0].0, Vec::new());
    for (stage, &(o, s)) in stages.iter().enumerate() {
        for block in 0..blocks {
            let s = if block == 0 { s } else { 1 };
            all.push(basic(i, o, s, train, vb.pp(format!("{stage}.{block}")))?);
            i = o;
        }
    }
    Ok(all)
}

fn through(layers: &[Forward], x: Tensor) -> Result<Tensor> {
    layers.iter().try_fold(x, |x, layer| layer(&x))
}

/// 18 layers.
pub fn resnet18(vb: VarBuilder) -> Result<Forward> {
    let stem = conv_norm((3, 64, 7, 2, 1), false, vb.pp("stem"))?;
    let blocks = stages(&[(64, 1), (128, 2), (256, 2), (512, 2)], 2, false, vb.pp("blocks"))?;
    let head = linear(512, 1000, vb.pp("head"))?;
    Ok(Box::new(move |x| {
        let x = stem.forward(x)?.relu()?;
        // What is pooled isn't negative, so that zeros around it are what PyTorch's padding is.
        let x = x.pad_with_zeros(2, 1, 1)?.pad_with_zeros(3, 1, 1)?.max_pool2d_with_stride(3, 2)?;
        head.forward(&through(&blocks, x)?.mean((2, 3))?)
    }))
}

/// 20 layers for small images, of which there are 32.
pub fn resnet20_loss(vb: VarBuilder) -> Result<Loss> {
    let stem = conv_norm((3, 16, 3, 1, 1), true, vb.pp("stem"))?;
    let blocks = stages(&[(16, 1), (32, 2), (64, 2)], 3, true, vb.pp("blocks"))?;
    let head = linear(64, 10, vb.pp("head"))?;
    let (x, y) = (Tensor::randn(0f32, 1.0, (32, 3, 32, 32), &Device::Cpu)?, classes(&[32], 10)?);
    Ok(Box::new(move || {
        let x = through(&blocks, stem.forward(&x)?.relu()?)?;
        cross_entropy(&head.forward(&x.mean((2, 3))?)?, &y)
    }))
}

/// Expand, filter each channel, project.
fn inverted(i: usize, o: usize, s: usize, t: usize, vb: VarBuilder) -> Result<Forward> {
    let h = i * t;
    let expand = match t {
        1 => None,
        _ => Some(conv_norm((i, h, 1, 1, 1), false, vb.pp("expand"))?),
    };
    let depth = conv_norm((h, h, 3, s, h), false, vb.pp("depth"))?;
    let project = conv_norm((h, o, 1, 1, 1), false, vb.pp("project"))?;
    Ok(Box::new(move |x| {
        let h = match &expand {
            Some(expand) => expand.forward(x)?.clamp(0f32, 6f32)?,
            None => x.clone(),
        };
        let y = project.forward(&depth.forward(&h)?.clamp(0f32, 6f32)?)?;
        if s == 1 && i == o { y + x } else { Ok(y) }
    }))
}

/// MobileNetV2 of width 1.
pub fn mobilenet_v2(vb: VarBuilder) -> Result<Forward> {
    let stem = conv_norm((3, 32, 3, 2, 1), false, vb.pp("stem"))?;
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
            let s = if block == 0 { s } else { 1 };
            blocks.push(inverted(i, o, s, t, vb.pp(format!("blocks.{}", blocks.len())))?);
            i = o;
        }
    }
    let last = conv_norm((320, 1280, 1, 1, 1), false, vb.pp("last"))?;
    let head = linear(1280, 1000, vb.pp("head"))?;
    Ok(Box::new(move |x| {
        let x = through(&blocks, stem.forward(x)?.clamp(0f32, 6f32)?)?;
        head.forward(&last.forward(&x)?.clamp(0f32, 6f32)?.mean((2, 3))?)
    }))
}

/// VGG of 16 layers.
pub fn vgg16(vb: VarBuilder) -> Result<Forward> {
    let config = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
    let (mut i, mut layers) = (3, Vec::<Forward>::new());
    for (at, o) in
        [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0].into_iter().enumerate()
    {
        if o == 0 {
            layers.push(Box::new(|x| x.max_pool2d(2)));
        } else {
            let conv = conv2d(i, o, 3, config, vb.pp(format!("conv.{at}")))?;
            layers.push(Box::new(move |x| conv.forward(x)?.relu()));
            i = o;
        }
    }
    let dense = |i, o, name: &str| linear(i, o, vb.pp(name));
    let (a, b, c) = (dense(25088, 4096, "fc1")?, dense(4096, 4096, "fc2")?, dense(4096, 1000, "fc3")?);
    Ok(Box::new(move |x| {
        let x = through(&layers, x.clone())?.flatten_from(1)?;
        c.forward(&b.forward(&a.forward(&x)?.relu()?)?.relu()?)
    }))
}
