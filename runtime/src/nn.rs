//! Layers: parameters with PyTorch's names, layouts and initial values.

use crate::params;

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
#[params]
pub struct Linear<const I: usize, const O: usize> {
    /// Factors, `[O, I]`.
    pub weight: Tensor<O, I>,
    /// Offsets, `[O]`.
    #[init(fan_uniform(I))]
    pub bias: Tensor<O>,
}

/// `y = x·weightᵀ`: `torch.nn.Linear(…, bias=False)`.
///
/// ```
/// use kiln::prelude::*;
///
/// assert_eq!(LinearNoBias::<3, 2>::init(&mut Rng::seed(0)).weight.shape(), [2, 3]);
/// ```
#[params]
pub struct LinearNoBias<const I: usize, const O: usize> {
    /// Factors, `[O, I]`.
    pub weight: Tensor<O, I>,
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
#[params]
pub struct LayerNorm<const D: usize> {
    /// Factors, `[D]`.
    #[init(ones())]
    pub weight: Tensor<D>,
    /// Offsets, `[D]`.
    pub bias: Tensor<D>,
}
