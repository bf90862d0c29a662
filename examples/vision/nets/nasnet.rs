//! NASNet-A's plan (Zoph et al., 2017): cells that add up what search has paired, of what came in and what came in before.

use super::trains;
use kiln::prelude::*;
use kiln_zoo::convolutions::{ConvNorm, conv_norm_in, norm_in};
use kiln_zoo::nasnet::Separable;

/// Half of the zoo's branch: one separable convolution behind a ReLU, and a norm.
#[params]
pub struct Branch<const C: usize, const K: usize, const P: usize> {
    separable: Separable<C, C, K, 1, P>,
    norm: BatchNorm2d<C>,
}

#[model(inline)]
fn branch<const C: usize, const K: usize, const P: usize>(
    b: &mut Branch<C, K, P>,
    x: Tensor,
    train: bool,
) -> Tensor {
    norm_in(&mut b.norm, b.separable.forward(x.relu()), train)
}

/// A cell that keeps the sides.
#[params]
pub struct Cell<const BEFORE: usize, const I: usize, const C: usize> {
    before: ConvNorm<BEFORE, C, 1>,
    here: ConvNorm<I, C, 1>,
    five1: Branch<C, 5, 2>,
    three1: Branch<C, 3, 1>,
    five2: Branch<C, 5, 2>,
    three2: Branch<C, 3, 1>,
    three3: Branch<C, 3, 1>,
}

/// `[N, I, …]` to `[N, 6 C, …]`.
#[model(inline)]
fn cell<const BEFORE: usize, const I: usize, const C: usize>(
    c: &mut Cell<BEFORE, I, C>,
    x: Tensor,
    before: Tensor,
    train: bool,
) -> Tensor {
    let before = conv_norm_in(&mut c.before, before.relu(), train);
    let here = conv_norm_in(&mut c.here, x.relu(), train);
    let a = branch(&mut c.five1, here, train) + branch(&mut c.three1, before, train);
    let b = branch(&mut c.five2, before, train) + branch(&mut c.three2, before, train);
    let near = avg_pool2d_with(here, 3, 1, 1, false, false) + before;
    let far = avg_pool2d_with(before, 3, 1, 1, false, false) * 2.0;
    let d = branch(&mut c.three3, here, train) + here;
    cat(&[before, a, b, near, far, d], 1)
}

/// The net.
#[params]
pub struct NasNet {
    first: ConvNorm<1, 16, 3, 2, 1>,
    cell1: Cell<16, 16, 12>,
    cell2: Cell<16, 72, 12>,
    half: ConvNorm<72, 72, 3, 2, 1>,
    cell3: Cell<72, 72, 24>,
    cell4: Cell<72, 144, 24>,
    fc: Linear<144, 10>,
}

#[model(inline)]
fn scores<const N: usize>(
    net: &mut NasNet,
    x: Tensor<N, 1, 28, 28>,
    rng: &mut Rng,
    train: bool,
) -> Tensor<N, 10> {
    let first = conv_norm_in(&mut net.first, x, train);
    let one = cell(&mut net.cell1, first, first, train);
    let two = cell(&mut net.cell2, one, first, train);
    let half = conv_norm_in(&mut net.half, two.relu(), train);
    let three = cell(&mut net.cell3, half, half, train);
    let mut h = cell(&mut net.cell4, three, half, train).relu().mean_dim([2, 3]);
    if train {
        h = dropout(h, 0.2, rng);
    }
    net.fc.forward(h)
}

trains!(NasNet);
