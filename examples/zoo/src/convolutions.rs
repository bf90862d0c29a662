//! Blocks that nets of images share: a convolution and the norm of its channels. What has a `train` goes by the batch's own mean and
//! variance if it is true, which the running ones follow, and by the running ones otherwise.

use kiln::nn::batch_norm2d_train;
use kiln::prelude::*;

/// A convolution without offsets, and the norm of its channels: torchvision's `Conv2dNormActivation`.
#[params]
pub struct ConvNorm<const I: usize, const O: usize, const K: usize, const S: usize = 1, const P: usize = 0> {
    #[name("0")]
    conv: Conv2dNoBias<I, O, K, S, P>,
    #[name("1")]
    norm: BatchNorm2d<O>,
}

/// [`ConvNorm`] of each channel by itself, 3 × 3.
#[params]
pub struct DepthNorm<const C: usize, const S: usize> {
    #[name("0")]
    conv: GroupedConv2dNoBias<C, 1, 1, 3, S, 1>,
    #[name("1")]
    norm: BatchNorm2d<C>,
}

/// A norm of channels.
#[model(inline)]
pub fn norm_in<const C: usize>(norm: &mut BatchNorm2d<C>, x: Tensor, train: bool) -> Tensor {
    if train { batch_norm2d_train(norm, x) } else { norm.forward(x) }
}

/// A norm whose eps isn't 1e-5, or whose running mean and variance move by a momentum other than 0.1.
#[model(inline)]
pub fn normed_in<const C: usize>(
    norm: &mut BatchNorm2d<C>,
    x: Tensor,
    eps: f64,
    momentum: f64,
    train: bool,
) -> Tensor {
    let (weight, bias) = (Some(norm.weight), Some(norm.bias));
    if train {
        let (y, mean, var) =
            batch_norm_train(x, norm.running_mean, norm.running_var, weight, bias, momentum, eps);
        norm.running_mean = mean;
        norm.running_var = var;
        y
    } else {
        x.batch_norm(norm.running_mean, norm.running_var, weight, bias, eps)
    }
}

/// [`ConvNorm`] of an image.
#[model(inline)]
pub fn conv_norm_in<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    c: &mut ConvNorm<I, O, K, S, P>,
    x: Tensor,
    train: bool,
) -> Tensor {
    norm_in(&mut c.norm, c.conv.forward(x), train)
}

/// [`DepthNorm`] of an image.
#[model(inline)]
pub fn depth_norm_in<const C: usize, const S: usize>(
    c: &mut DepthNorm<C, S>,
    x: Tensor,
    train: bool,
) -> Tensor {
    norm_in(&mut c.norm, c.conv.forward(x), train)
}
