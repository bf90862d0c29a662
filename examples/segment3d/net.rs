//! The zoo's 3D U-Net at a quarter of its width, its loss and its training step.

use kiln::prelude::*;
use kiln_zoo::unet3d::{Double, Up, double_in};

/// One channel in, one score a voxel out: 2 × 2 × 2 voxels are the channels of one place, which takes an eighth of the time.
#[params]
pub struct Net {
    down1: Double<8, 8, 16>,
    down2: Double<16, 16, 32>,
    down3: Double<32, 32, 64>,
    lowest: Double<64, 64, 128>,
    to3: Up<128>,
    up3: Double<192, 64, 64>,
    to2: Up<64>,
    up2: Double<96, 32, 32>,
    to1: Up<32>,
    up1: Double<48, 16, 16>,
    out: Conv3d<16, 8, 1>,
}

/// How likely it is that a voxel lies inside, as the logarithm of the odds.
#[model(inline)]
fn scores<const N: usize, const S: usize>(
    net: &mut Net,
    x: Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }>,
    train: bool,
) -> Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }> {
    let apart = x.reshape([N, 8 * S, 2, 8 * S, 2, 8 * S, 2]).permute([0, 2, 4, 6, 1, 3, 5]);
    let one = double_in(&mut net.down1, apart.reshape([N, 8, 8 * S, 8 * S, 8 * S]), train);
    let two = double_in(&mut net.down2, max_pool3d(one, 2), train);
    let three = double_in(&mut net.down3, max_pool3d(two, 2), train);
    let x = double_in(&mut net.lowest, max_pool3d(three, 2), train);
    let x = double_in(&mut net.up3, cat([three, net.to3.forward(x)], 1), train);
    let x = double_in(&mut net.up2, cat([two, net.to2.forward(x)], 1), train);
    let x = net.out.forward(double_in(&mut net.up1, cat([one, net.to1.forward(x)], 1), train));
    let apart = x.reshape([N, 2, 2, 2, 8 * S, 8 * S, 8 * S]).permute([0, 4, 1, 5, 2, 6, 3]);
    apart.reshape([N, 1, 16 * S, 16 * S, 16 * S])
}

/// What isn't shared of what is inside and what is taken for it (Milletari et al., *V-Net*, 2016), and the cross-entropy of each
/// voxel, which has a gradient where there is no overlap yet.
#[model]
pub fn loss<const N: usize, const S: usize>(
    net: &mut Net,
    x: Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }>,
    inside: Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }>,
) -> Tensor {
    let scores = scores(net, x, true);
    let p = scores.sigmoid();
    let shared = (p * inside).sum_dim([1, 2, 3, 4]);
    let both = p.sum_dim([1, 2, 3, 4]) + inside.sum_dim([1, 2, 3, 4]);
    let dice = (shared * 2.0 + 1.0) / (both + 1.0);
    1.0 - dice.mean() + binary_cross_entropy_with_logits(scores, inside)
}

/// Forward, backward and Adam.
#[model]
pub fn train_step<const N: usize, const S: usize>(
    net: &mut Net,
    opt: &mut Adam<Net>,
    x: Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }>,
    inside: Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, inside);
    opt.step(net, grads);
    loss
}

/// The probability that a voxel lies inside.
#[model]
pub fn segment<const N: usize, const S: usize>(
    net: &mut Net,
    x: Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }>,
) -> Tensor<N, 1, { 16 * S }, { 16 * S }, { 16 * S }> {
    scores(net, x, false).sigmoid()
}
