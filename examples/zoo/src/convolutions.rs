//! Blocks that nets of images share: a convolution and the norm of its channels.

use kiln::nn::batch_norm2d_train;
use kiln::prelude::*;

/// A convolution without offsets, and the norm of its channels: torchvision's `Conv2dNormActivation`.
#[params(forward = conv_norm)]
pub struct ConvNorm<const I: usize, const O: usize, const K: usize, const S: usize = 1, const P: usize = 0> {
    #[name("0")]
    conv: Conv2dNoBias<I, O, K, S, P>,
    #[name("1")]
    norm: BatchNorm2d<O>,
}

/// `.forward(x)` of [`ConvNorm`].
#[model(inline)]
pub fn conv_norm<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    c: &ConvNorm<I, O, K, S, P>,
    x: Tensor,
) -> Tensor {
    c.norm.forward(c.conv.forward(x))
}

/// [`ConvNorm`] of each channel by itself, 3 × 3.
#[params(forward = depth_norm)]
pub struct DepthNorm<const C: usize, const S: usize> {
    #[name("0")]
    conv: GroupedConv2dNoBias<C, 1, 1, 3, S, 1>,
    #[name("1")]
    norm: BatchNorm2d<C>,
}

/// `.forward(x)` of [`DepthNorm`].
#[model(inline)]
pub fn depth_norm<const C: usize, const S: usize>(c: &DepthNorm<C, S>, x: Tensor) -> Tensor {
    c.norm.forward(c.conv.forward(x))
}

/// A norm whose eps isn't 1e-5.
#[model(inline)]
pub fn normed<const C: usize>(norm: &BatchNorm2d<C>, x: Tensor, eps: f64) -> Tensor {
    x.batch_norm(norm.running_mean, norm.running_var, Some(norm.weight), Some(norm.bias), eps)
}

/// A norm that also trains: then by the batch's own mean and variance, which the running ones follow.
#[model(inline)]
pub fn norm_in<const C: usize>(norm: &mut BatchNorm2d<C>, x: Tensor, train: bool) -> Tensor {
    if train { batch_norm2d_train(norm, x) } else { norm.forward(x) }
}

/// [`normed`] that also trains: the running mean and variance then move by the momentum.
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

/// [`conv_norm`] that also trains.
#[model(inline)]
pub fn conv_norm_in<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    c: &mut ConvNorm<I, O, K, S, P>,
    x: Tensor,
    train: bool,
) -> Tensor {
    norm_in(&mut c.norm, c.conv.forward(x), train)
}

/// [`depth_norm`] that also trains.
#[model(inline)]
pub fn depth_norm_in<const C: usize, const S: usize>(
    c: &mut DepthNorm<C, S>,
    x: Tensor,
    train: bool,
) -> Tensor {
    norm_in(&mut c.norm, c.conv.forward(x), train)
}
