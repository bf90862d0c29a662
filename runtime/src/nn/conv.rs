//! Convolutions of 1 to 3 dims, in groups and transposed.
//!
//! The sizes stand in PyTorch's order: channels in and out, the kernel's side, stride, padding, dilation; what is left out
//! is 1, 0 and 1. Kernels with sides of several sizes, and strides that differ by dim, are functions:
//! [`conv2d_with`](crate::functional::conv2d_with).

use crate::{model, params};

/// A convolution with and without bias, each plain and in groups, and their models.
macro_rules! convolutions {
    ($(
        $conv:ident $plain:ident $groups:ident $plain_groups:ident $up:ident
        ($forward:ident $plain_forward:ident $groups_forward:ident $plain_groups_forward:ident $up_forward:ident)
        $call:ident $up_call:ident [$($k:ident)*] $in:literal $out:literal $kernel:literal $zeros:tt $got:tt $up_got:tt;
    )*) => {$(
        #[doc = concat!("`y = Σ x·weight + bias` over channels and windows: `torch.nn.", stringify!($conv), "`. LeCun et al., ")]
        /// *Gradient-based learning applied to document recognition* (1998).
        ///
        /// `weight` and `bias` start uniform over ±1/√(channels in · elements of the kernel), as PyTorch's do.
        #[doc = concat!("`.forward(x)` takes `[N, IN, ", $in, "]` to `[N, OUT, ", $out, "]`, where o = ⌊(i + 2·PADDING − DILATION·(K − 1) − 1) / STRIDE⌋ + 1.")]
        ///
        /// ```
        /// use kiln::prelude::*;
        ///
        #[doc = concat!("let layer = ", stringify!($conv), "::<3, 8, 3, 2, 1>::init(&mut Rng::seed(0));")]
        #[doc = concat!("let y = layer.forward(Tensor::zeros(", stringify!($zeros), "));")]
        #[doc = concat!("assert_eq!(y.shape(), ", stringify!($got), ");")]
        /// ```
        #[params(forward = $forward)]
        pub struct $conv<
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize = 1,
            const PADDING: usize = 0,
            const DILATION: usize = 1,
        > {
            #[doc = concat!("Factors, `[OUT, IN, ", $kernel, "]`.")]
            pub weight: Tensor<OUT, IN, $($k),*>,
            /// Offsets, `[OUT]`.
            #[init(fan_uniform(IN $(* $k)*))]
            pub bias: Tensor<OUT>,
        }

        #[doc = concat!("`.forward(x)` of [`", stringify!($conv), "`].")]
        #[model(inline)]
        pub fn $forward<
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize,
            const PADDING: usize,
            const DILATION: usize,
        >(layer: &$conv<IN, OUT, K, STRIDE, PADDING, DILATION>, x: Tensor) -> Tensor {
            kiln::$call(x, layer.weight, Some(layer.bias), STRIDE, PADDING, DILATION, 1)
        }

        #[doc = concat!("[`", stringify!($conv), "`] without offsets: `bias=False`.")]
        ///
        /// ```
        /// use kiln::prelude::*;
        ///
        #[doc = concat!("let layer = ", stringify!($plain), "::<3, 8, 3, 2, 1>::init(&mut Rng::seed(0));")]
        #[doc = concat!("let y = layer.forward(Tensor::zeros(", stringify!($zeros), "));")]
        #[doc = concat!("assert_eq!((y.shape(), layer.named_leaves().len()), (&", stringify!($got), "[..], 1));")]
        /// ```
        #[params(forward = $plain_forward)]
        pub struct $plain<
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize = 1,
            const PADDING: usize = 0,
            const DILATION: usize = 1,
        > {
            #[doc = concat!("Factors, `[OUT, IN, ", $kernel, "]`.")]
            pub weight: Tensor<OUT, IN, $($k),*>,
        }

        #[doc = concat!("`.forward(x)` of [`", stringify!($plain), "`].")]
        #[model(inline)]
        pub fn $plain_forward<
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize,
            const PADDING: usize,
            const DILATION: usize,
        >(layer: &$plain<IN, OUT, K, STRIDE, PADDING, DILATION>, x: Tensor) -> Tensor {
            kiln::$call(x, layer.weight, None, STRIDE, PADDING, DILATION, 1)
        }

        #[doc = concat!("GROUPS convolutions side by side, each of IN channels to OUT: `torch.nn.", stringify!($conv), "` of GROUPS·IN ")]
        /// channels to GROUPS·OUT with `groups=GROUPS`. With IN = 1 each channel is convolved by itself, as MobileNet does (Howard et
        /// al., 2017).
        ///
        /// `weight` and `bias` start uniform over ±1/√(IN · elements of the kernel), as PyTorch's do.
        ///
        /// ```
        /// use kiln::prelude::*;
        ///
        #[doc = concat!("let layer = ", stringify!($groups), "::<3, 1, 2, 3, 2, 1>::init(&mut Rng::seed(0));")]
        #[doc = concat!("let y = layer.forward(Tensor::zeros(", stringify!($zeros), "));")]
        /// assert_eq!((y.shape()[1], &layer.weight.shape()[..2]), (6, &[6, 1][..]));
        /// ```
        #[params(forward = $groups_forward)]
        pub struct $groups<
            const GROUPS: usize,
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize = 1,
            const PADDING: usize = 0,
            const DILATION: usize = 1,
        > {
            #[doc = concat!("Factors, `[GROUPS·OUT, IN, ", $kernel, "]`.")]
            pub weight: Tensor<{ GROUPS * OUT }, IN, $($k),*>,
            /// Offsets, `[GROUPS·OUT]`.
            #[init(fan_uniform(IN $(* $k)*))]
            pub bias: Tensor<{ GROUPS * OUT }>,
        }

        #[doc = concat!("`.forward(x)` of [`", stringify!($groups), "`].")]
        #[model(inline)]
        pub fn $groups_forward<
            const GROUPS: usize,
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize,
            const PADDING: usize,
            const DILATION: usize,
        >(layer: &$groups<GROUPS, IN, OUT, K, STRIDE, PADDING, DILATION>, x: Tensor) -> Tensor {
            kiln::$call(x, layer.weight, Some(layer.bias), STRIDE, PADDING, DILATION, GROUPS)
        }

        #[doc = concat!("[`", stringify!($groups), "`] without offsets: `bias=False`.")]
        ///
        /// ```
        /// use kiln::prelude::*;
        ///
        #[doc = concat!("let layer = ", stringify!($plain_groups), "::<3, 1, 2, 3, 2, 1>::init(&mut Rng::seed(0));")]
        #[doc = concat!("let y = layer.forward(Tensor::zeros(", stringify!($zeros), "));")]
        /// assert_eq!((y.shape()[1], layer.named_leaves().len()), (6, 1));
        /// ```
        #[params(forward = $plain_groups_forward)]
        pub struct $plain_groups<
            const GROUPS: usize,
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize = 1,
            const PADDING: usize = 0,
            const DILATION: usize = 1,
        > {
            #[doc = concat!("Factors, `[GROUPS·OUT, IN, ", $kernel, "]`.")]
            pub weight: Tensor<{ GROUPS * OUT }, IN, $($k),*>,
        }

        #[doc = concat!("`.forward(x)` of [`", stringify!($plain_groups), "`].")]
        #[model(inline)]
        pub fn $plain_groups_forward<
            const GROUPS: usize,
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize,
            const PADDING: usize,
            const DILATION: usize,
        >(layer: &$plain_groups<GROUPS, IN, OUT, K, STRIDE, PADDING, DILATION>, x: Tensor) -> Tensor {
            kiln::$call(x, layer.weight, None, STRIDE, PADDING, DILATION, GROUPS)
        }

        #[doc = concat!("The adjoint of a convolution: `torch.nn.", stringify!($up), "`. Zeiler et al., *Deconvolutional networks* (2010).")]
        ///
        /// `weight` and `bias` start uniform over ±1/√(OUT · elements of the kernel), as PyTorch's do.
        #[doc = concat!("`.forward(x)` takes `[N, IN, ", $in, "]` to `[N, OUT, ", $out, "]`, where o = (i − 1)·STRIDE − 2·PADDING + K + MORE; MORE is ")]
        /// PyTorch's `output_padding`.
        ///
        /// ```
        /// use kiln::prelude::*;
        ///
        #[doc = concat!("let layer = ", stringify!($up), "::<3, 8, 3, 2, 1, 1>::init(&mut Rng::seed(0));")]
        #[doc = concat!("let y = layer.forward(Tensor::zeros(", stringify!($zeros), "));")]
        #[doc = concat!("assert_eq!(y.shape(), ", stringify!($up_got), ");")]
        /// ```
        #[params(forward = $up_forward)]
        pub struct $up<
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize = 1,
            const PADDING: usize = 0,
            const MORE: usize = 0,
        > {
            #[doc = concat!("Factors, `[IN, OUT, ", $kernel, "]`.")]
            pub weight: Tensor<IN, OUT, $($k),*>,
            /// Offsets, `[OUT]`.
            #[init(fan_uniform(OUT $(* $k)*))]
            pub bias: Tensor<OUT>,
        }

        #[doc = concat!("`.forward(x)` of [`", stringify!($up), "`].")]
        #[model(inline)]
        pub fn $up_forward<
            const IN: usize,
            const OUT: usize,
            const K: usize,
            const STRIDE: usize,
            const PADDING: usize,
            const MORE: usize,
        >(layer: &$up<IN, OUT, K, STRIDE, PADDING, MORE>, x: Tensor) -> Tensor {
            kiln::$up_call(x, layer.weight, Some(layer.bias), STRIDE, PADDING, MORE, 1, 1)
        }
    )*};
}

convolutions! {
    Conv1d Conv1dNoBias GroupedConv1d GroupedConv1dNoBias ConvTranspose1d
    (conv1d_forward conv1d_no_bias_forward grouped_conv1d_forward grouped_conv1d_no_bias_forward conv_transpose1d_forward)
    conv1d_with conv_transpose1d_with [K] "i" "o" "K" [2, 3, 9] [2, 8, 5] [2, 8, 18];
    Conv2d Conv2dNoBias GroupedConv2d GroupedConv2dNoBias ConvTranspose2d
    (conv2d_forward conv2d_no_bias_forward grouped_conv2d_forward grouped_conv2d_no_bias_forward conv_transpose2d_forward)
    conv2d_with conv_transpose2d_with [K K] "i, i'" "o, o'" "K, K" [2, 3, 9, 7] [2, 8, 5, 4] [2, 8, 18, 14];
    Conv3d Conv3dNoBias GroupedConv3d GroupedConv3dNoBias ConvTranspose3d
    (conv3d_forward conv3d_no_bias_forward grouped_conv3d_forward grouped_conv3d_no_bias_forward conv_transpose3d_forward)
    conv3d_with conv_transpose3d_with [K K K] "i, i', i''" "o, o', o''" "K, K, K" [2, 3, 9, 7, 5] [2, 8, 5, 4, 3] [2, 8, 18, 14, 10];
}
