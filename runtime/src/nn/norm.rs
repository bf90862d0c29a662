//! Norms: over channels, with running statistics or by groups, and over the last dim.

use crate::{model, params};

/// A batch norm for inputs of so many dims: evaluation by what was seen, training by the batch.
macro_rules! batch_norms {
    ($($norm:ident $forward:ident $train:ident $shape:literal $ones:tt;)*) => {$(
        #[doc = concat!("`y = (x − mean) / √(var + eps) · weight + bias` for each channel: `torch.nn.", stringify!($norm), "`, eps 1e-5, ")]
        /// momentum 0.1. Ioffe and Szegedy, *Batch normalization* (2015).
        ///
        #[doc = concat!("`.forward(x)` takes `", $shape, "` to the same shape by the running statistics, as PyTorch does in evaluation; ")]
        #[doc = concat!("[`", stringify!($train), "`]`(&mut layer, x)` by the batch's, towards which it moves the running ones. PyTorch's")]
        /// `num_batches_tracked`, which says nothing where there is a momentum, is passed over in files.
        ///
        /// ```
        /// use kiln::prelude::*;
        ///
        #[doc = concat!("let mut layer = ", stringify!($norm), "::<2>::init(&mut Rng::seed(0));")]
        #[doc = concat!("let x = Tensor::full(", stringify!($ones), ", 3.0);")]
        /// assert_eq!((layer.param_count(), layer.running_var.as_slice()), (4, &[1.0; 2][..]));
        /// assert!((layer.forward(&x).as_slice()[0] - 3.0).abs() < 1e-4);
        #[doc = concat!("let y = kiln::nn::", stringify!($train), "::eager(&mut layer, &x);")]
        /// assert_eq!(y.as_slice()[0], 0.0);
        /// assert_eq!((layer.running_mean.to_string(), layer.running_var.to_string()), ("[0.3, 0.3]".into(), "[0.9, 0.9]".into()));
        /// ```
        #[params(forward = $forward)]
        pub struct $norm<const C: usize> {
            /// Factors, `[C]`.
            #[init(ones())]
            pub weight: Tensor<C>,
            /// Offsets, `[C]`.
            pub bias: Tensor<C>,
            /// Mean of what passed in training, `[C]`; not trained.
            #[buffer]
            pub running_mean: Tensor<C>,
            /// Variance of what passed in training, `[C]`; not trained.
            #[buffer]
            #[init(ones())]
            pub running_var: Tensor<C>,
        }

        #[doc = concat!("`.forward(x)` of [`", stringify!($norm), "`]: evaluation.")]
        #[model(inline)]
        pub fn $forward<const C: usize>(layer: &$norm<C>, x: Tensor) -> Tensor {
            kiln::batch_norm(x, layer.running_mean, layer.running_var, Some(layer.weight), Some(layer.bias), 1e-5)
        }

        #[doc = concat!("[`", stringify!($norm), "`] in training: by the batch's statistics, towards which the running ones move.")]
        #[model(inline)]
        pub fn $train<const C: usize>(layer: &mut $norm<C>, x: Tensor) -> Tensor {
            let (weight, bias) = (Some(layer.weight), Some(layer.bias));
            let (y, mean, var) =
                kiln::batch_norm_train(x, layer.running_mean, layer.running_var, weight, bias, 0.1, 1e-5);
            layer.running_mean = mean;
            layer.running_var = var;
            y
        }
    )*};
}

batch_norms! {
    BatchNorm1d batch_norm1d_forward batch_norm1d_train "[N, C] or [N, C, L]" [5, 2];
    BatchNorm2d batch_norm2d_forward batch_norm2d_train "[N, C, H, W]" [5, 2, 3, 1];
    BatchNorm3d batch_norm3d_forward batch_norm3d_train "[N, C, D, H, W]" [5, 2, 3, 1, 1];
}

/// Each of GROUPS groups of channels freed of its mean and scaled to variance 1, then scaled and shifted by channel:
/// `torch.nn.GroupNorm`, eps 1e-5. Wu and He, *Group normalization* (2018).
///
/// `.forward(x)` takes `[N, C, …]` to the same shape; GROUPS must divide C.
///
/// ```
/// use kiln::prelude::*;
///
/// let norm = GroupNorm::<2, 4>::init(&mut Rng::seed(0));
/// let y = norm.forward([[1.0, 3.0, -10.0, 10.0]]);
/// assert!(y.as_slice().iter().all(|y| (y.abs() - 1.0).abs() < 1e-4));
/// ```
#[params(forward = group_norm_forward)]
pub struct GroupNorm<const GROUPS: usize, const C: usize> {
    /// Factors, `[C]`.
    #[init(ones())]
    pub weight: Tensor<C>,
    /// Offsets, `[C]`.
    pub bias: Tensor<C>,
}

/// `.forward(x)` of [`GroupNorm`].
#[model(inline)]
pub fn group_norm_forward<const GROUPS: usize, const C: usize>(
    layer: &GroupNorm<GROUPS, C>,
    x: Tensor,
) -> Tensor {
    kiln::group_norm(x, GROUPS, Some(layer.weight), Some(layer.bias), 1e-5)
}

/// Each channel of each example freed of its mean and scaled to variance 1, then scaled and shifted:
/// `torch.nn.InstanceNorm2d(C, affine=True)` and its like, eps 1e-5. Ulyanov et al., *Instance normalization* (2016).
///
/// `.forward(x)` takes `[N, C, …]` to the same shape. Without parameters it is [`instance_norm`](crate::functional::instance_norm).
///
/// ```
/// use kiln::prelude::*;
///
/// let norm = InstanceNorm::<1>::init(&mut Rng::seed(0));
/// assert!((norm.forward([[[1.0, 3.0]]]).as_slice()[1] - 1.0).abs() < 1e-4);
/// ```
#[params(forward = instance_norm_forward)]
pub struct InstanceNorm<const C: usize> {
    /// Factors, `[C]`.
    #[init(ones())]
    pub weight: Tensor<C>,
    /// Offsets, `[C]`.
    pub bias: Tensor<C>,
}

/// `.forward(x)` of [`InstanceNorm`].
#[model(inline)]
pub fn instance_norm_forward<const C: usize>(layer: &InstanceNorm<C>, x: Tensor) -> Tensor {
    kiln::instance_norm(x, Some(layer.weight), Some(layer.bias), 1e-5)
}

/// `x / √(mean x² + eps) · weight` over the last dim: `torch.nn.RMSNorm`, eps 2⁻²³, PyTorch's for f32. Zhang and Sennrich, *Root
/// mean square layer normalization* (2019).
///
/// `.forward(x)` takes `[.., D]` to the same shape.
///
/// ```
/// use kiln::prelude::*;
///
/// let norm = RmsNorm::<2>::init(&mut Rng::seed(0));
/// assert!((norm.forward([2.0, -2.0]).as_slice()[1] + 1.0).abs() < 1e-5);
/// ```
#[params(forward = rms_norm_forward)]
pub struct RmsNorm<const D: usize> {
    /// Factors, `[D]`.
    #[init(ones())]
    pub weight: Tensor<D>,
}

/// `.forward(x)` of [`RmsNorm`].
#[model(inline)]
pub fn rms_norm_forward<const D: usize>(layer: &RmsNorm<D>, x: Tensor) -> Tensor {
    kiln::rms_norm(x, [D], Some(layer.weight), 1.1920929e-7)
}
