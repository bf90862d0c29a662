//! Layers: parameters with PyTorch's names, layouts and initial values, and the models that they are.

mod attention;
mod conv;
mod dropped;
mod embedding;
mod masked;
mod norm;
mod recurrent;
mod stacked;

use crate::{model, params};
pub use attention::*;
pub use conv::*;
pub use dropped::*;
pub use embedding::{Embedding, embedding_forward};
pub use masked::*;
pub use norm::*;
pub use recurrent::*;
pub use stacked::*;

/// `y = x·weightᵀ + bias`: `torch.nn.Linear`.
///
/// `weight` and `bias` start uniform over ±1/√I, which is what PyTorch's Kaiming initialization with a = √5 comes to.
/// `.forward(x)` takes `[.., I]` to `[.., O]`, in a model and outside.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = Linear::<784, 128>::init(&mut Rng::seed(0));
/// assert_eq!((layer.weight.shape(), layer.bias.shape()), (&[128, 784][..], &[128][..]));
/// assert!(layer.bias.as_slice().iter().all(|b| b.abs() <= 1.0 / 28.0));
/// assert_eq!(layer.forward(Tensor::zeros([5, 784])), layer.bias.expand([5, 128]));
/// ```
#[params(forward = linear_forward)]
pub struct Linear<const I: usize, const O: usize> {
    /// Factors, `[O, I]`.
    pub weight: Tensor<O, I>,
    /// Offsets, `[O]`.
    #[init(fan_uniform(I))]
    pub bias: Tensor<O>,
}

/// `.forward(x)` of [`Linear`].
#[model(inline)]
pub fn linear_forward<const I: usize, const O: usize>(layer: &Linear<I, O>, x: Tensor) -> Tensor {
    kiln::linear(x, layer.weight, Some(layer.bias))
}

/// `y = x·weightᵀ`: `torch.nn.Linear(…, bias=False)`.
///
/// `.forward(x)` takes `[.., I]` to `[.., O]`.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = LinearNoBias::<3, 2>::init(&mut Rng::seed(0));
/// assert_eq!(layer.weight.shape(), [2, 3]);
/// assert_eq!(layer.forward([0.0; 3]), Tensor::zeros([2]));
/// ```
#[params(forward = linear_no_bias_forward)]
pub struct LinearNoBias<const I: usize, const O: usize> {
    /// Factors, `[O, I]`.
    pub weight: Tensor<O, I>,
}

/// `.forward(x)` of [`LinearNoBias`].
#[model(inline)]
pub fn linear_no_bias_forward<const I: usize, const O: usize>(
    layer: &LinearNoBias<I, O>,
    x: Tensor,
) -> Tensor {
    kiln::linear(x, layer.weight, None)
}

/// Each row freed of its mean and scaled to variance 1, then scaled and shifted by dim: `torch.nn.LayerNorm`, eps 1e-5.
/// Ba, Kiros and Hinton, *Layer Normalization* (2016).
///
/// `.forward(x)` takes `[.., D]` to the same shape.
///
/// ```
/// use kiln::prelude::*;
///
/// let norm = LayerNorm::<4>::init(&mut Rng::seed(0));
/// assert_eq!((norm.weight.as_slice(), norm.bias.as_slice()), (&[1.0; 4][..], &[0.0; 4][..]));
/// assert!((norm.forward([[1.0, 3.0, 1.0, 3.0]]).as_slice()[1] - 1.0).abs() < 1e-5);
/// ```
#[params(forward = layer_norm_forward)]
pub struct LayerNorm<const D: usize> {
    /// Factors, `[D]`.
    #[init(ones())]
    pub weight: Tensor<D>,
    /// Offsets, `[D]`.
    pub bias: Tensor<D>,
}

/// `.forward(x)` of [`LayerNorm`].
#[model(inline)]
pub fn layer_norm_forward<const D: usize>(layer: &LayerNorm<D>, x: Tensor) -> Tensor {
    kiln::layer_norm(x, [D], Some(layer.weight), Some(layer.bias), 1e-5)
}
