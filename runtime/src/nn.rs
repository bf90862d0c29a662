//! Layers: parameters with PyTorch's names, layouts and initial values.

use crate::builtins::layer_norm;
use crate::{model, params};

/// `y = x·weightᵀ + bias`: `torch.nn.Linear`.
///
/// `weight` and `bias` start uniform over ±1/√I, which is what PyTorch's Kaiming initialization with a = √5 comes to.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = Linear::<784, 128>::init(&mut Rng::seed(0));
/// assert_eq!((layer.weight.shape(), layer.bias.shape()), (&[128, 784][..], &[128][..]));
/// assert!(layer.bias.as_slice().iter().all(|b| b.abs() <= 1.0 / 28.0));
/// ```
#[params(forward = linear_forward)]
pub struct Linear<const I: usize, const O: usize> {
    /// Factors, `[O, I]`.
    pub weight: Tensor<O, I>,
    /// Offsets, `[O]`.
    #[init(fan_uniform(I))]
    pub bias: Tensor<O>,
}

/// What [`Linear`] computes, over the last dim of `x`.
#[model(inline)]
pub fn linear_forward<const I: usize, const O: usize>(layer: &Linear<I, O>, x: Tensor) -> Tensor {
    x.linear(layer.weight, Some(layer.bias))
}

/// `y = x·weightᵀ`: `torch.nn.Linear(…, bias=False)`.
///
/// ```
/// use kiln::prelude::*;
///
/// assert_eq!(LinearNoBias::<3, 2>::init(&mut Rng::seed(0)).weight.shape(), [2, 3]);
/// ```
#[params(forward = linear_no_bias_forward)]
pub struct LinearNoBias<const I: usize, const O: usize> {
    /// Factors, `[O, I]`.
    pub weight: Tensor<O, I>,
}

/// What [`LinearNoBias`] computes, over the last dim of `x`.
#[model(inline)]
pub fn linear_no_bias_forward<const I: usize, const O: usize>(
    layer: &LinearNoBias<I, O>,
    x: Tensor,
) -> Tensor {
    x.linear(layer.weight, None)
}

/// Each row freed of its mean and scaled to variance 1, then scaled and shifted by dim: `torch.nn.LayerNorm`.
/// Ba, Kiros and Hinton, *Layer Normalization* (2016).
///
/// ```
/// use kiln::prelude::*;
///
/// let norm = LayerNorm::<4>::init(&mut Rng::seed(0));
/// assert_eq!((norm.weight.as_slice(), norm.bias.as_slice()), (&[1.0; 4][..], &[0.0; 4][..]));
/// ```
#[params(forward = layer_norm_forward)]
pub struct LayerNorm<const D: usize> {
    /// Factors, `[D]`.
    #[init(ones())]
    pub weight: Tensor<D>,
    /// Offsets, `[D]`.
    pub bias: Tensor<D>,
}

/// What [`LayerNorm`] computes, over the last dim of `x`.
#[model(inline)]
pub fn layer_norm_forward<const D: usize>(norm: &LayerNorm<D>, x: Tensor) -> Tensor {
    layer_norm(x, [D], Some(norm.weight), Some(norm.bias), 1e-5)
}
