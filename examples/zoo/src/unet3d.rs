//! 3D U-Net: Çiçek et al., *3D U-Net: learning dense volumetric segmentation from sparse annotation* (2016): four resolutions down
//! and up again, each joined with what was there on the way down.

use kiln::nn::batch_norm3d_train;
use kiln::prelude::*;

/// Two convolutions, each with a norm and ReLU.
#[params]
pub struct Double<const I: usize, const C: usize, const O: usize> {
    #[name("0")]
    conv1: Conv3d<I, C, 3, 1, 1>,
    #[name("1")]
    norm1: BatchNorm3d<C>,
    #[name("3")]
    conv2: Conv3d<C, O, 3, 1, 1>,
    #[name("4")]
    norm2: BatchNorm3d<O>,
}

/// [`Double`] of a volume: if it trains by the batch's own means and variances, which the running ones follow.
#[model(inline)]
pub fn double_in<const I: usize, const C: usize, const O: usize>(
    d: &mut Double<I, C, O>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let x = d.conv1.forward(x);
    let x = if train { batch_norm3d_train(&mut d.norm1, x) } else { d.norm1.forward(x) };
    let x = d.conv2.forward(x.relu());
    let x = if train { batch_norm3d_train(&mut d.norm2, x) } else { d.norm2.forward(x) };
    x.relu()
}

/// Twice the sides, by kernels of 2 × 2 × 2 without offsets.
#[params(forward = up)]
pub struct Up<const C: usize> {
    weight: Tensor<C, C, 2, 2, 2>,
}

#[model(inline)]
fn up<const C: usize>(u: &Up<C>, x: Tensor) -> Tensor {
    conv_transpose3d_with(x, u.weight, None, 2, 0, 0, 1, 1)
}

/// Of volumes of IN channels to OUT classes; with three of each 19,069,955 parameters and those of the norms.
#[params]
pub struct UNet3d<const IN: usize, const OUT: usize> {
    #[name("enc.0")]
    down1: Double<IN, 32, 64>,
    #[name("enc.1")]
    down2: Double<64, 64, 128>,
    #[name("enc.2")]
    down3: Double<128, 128, 256>,
    #[name("enc.3")]
    lowest: Double<256, 256, 512>,
    #[name("up.2")]
    to3: Up<512>,
    #[name("dec.2")]
    up3: Double<768, 256, 256>,
    #[name("up.1")]
    to2: Up<256>,
    #[name("dec.1")]
    up2: Double<384, 128, 128>,
    #[name("up.0")]
    to1: Up<128>,
    #[name("dec.0")]
    up1: Double<192, 64, 64>,
    out: Conv3d<64, OUT, 1>,
}

/// Scores of the classes for each voxel; sides are multiples of 8.
#[model]
pub fn unet3d<const N: usize, const D: usize, const H: usize, const W: usize>(
    net: &UNet3d<3, 3>,
    x: Tensor<N, 3, { 8 * D }, { 8 * H }, { 8 * W }>,
) -> Tensor<N, 3, { 8 * D }, { 8 * H }, { 8 * W }> {
    let mut net = net.clone();
    unet3d_in(&mut net, x, false)
}

/// `unet3d` that also trains.
#[model(inline)]
pub fn unet3d_in<const N: usize, const D: usize, const H: usize, const W: usize>(
    net: &mut UNet3d<3, 3>,
    x: Tensor<N, 3, { 8 * D }, { 8 * H }, { 8 * W }>,
    train: bool,
) -> Tensor<N, 3, { 8 * D }, { 8 * H }, { 8 * W }> {
    let one = double_in(&mut net.down1, x, train);
    let two = double_in(&mut net.down2, max_pool3d(one, 2), train);
    let three = double_in(&mut net.down3, max_pool3d(two, 2), train);
    let x = double_in(&mut net.lowest, max_pool3d(three, 2), train);
    let x = double_in(&mut net.up3, cat([three, net.to3.forward(x)], 1), train);
    let x = double_in(&mut net.up2, cat([two, net.to2.forward(x)], 1), train);
    net.out.forward(double_in(&mut net.up1, cat([one, net.to1.forward(x)], 1), train))
}
