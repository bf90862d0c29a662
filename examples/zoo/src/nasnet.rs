//! NASNet-A mobile: Zoph et al., *Learning transferable architectures for scalable image recognition* (2017), its cells found by
//! search, under the names of the usual port (`pretrainedmodels`). A cell takes what came in, and what came in one cell before.

use crate::convolutions::normed_in;
use kiln::prelude::*;

/// Each channel by itself, then all of them together.
#[params(forward = separable)]
pub struct Separable<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize> {
    #[name("depthwise_conv2d")]
    each: GroupedConv2dNoBias<I, 1, 1, K, S, P>,
    #[name("pointwise_conv2d")]
    all: Conv2dNoBias<I, O, 1>,
}

#[model(inline)]
fn separable<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    s: &Separable<I, O, K, S, P>,
    x: Tensor,
) -> Tensor {
    s.all.forward(s.each.forward(x))
}

/// A norm of the port: its eps, and how far a step moves what it has seen.
#[model(inline)]
fn norm<const C: usize>(n: &mut BatchNorm2d<C>, x: Tensor, train: bool) -> Tensor {
    normed_in(n, x, 1e-3, 0.1, train)
}

/// Two of them, the first of padding Q, each behind a ReLU and with a norm.
#[params]
pub struct Branch<
    const I: usize,
    const O: usize,
    const K: usize,
    const P: usize,
    const S: usize = 1,
    const Q: usize = 1,
> {
    separable_1: Separable<I, O, K, S, Q>,
    bn_sep_1: BatchNorm2d<O>,
    separable_2: Separable<O, O, K, 1, P>,
    bn_sep_2: BatchNorm2d<O>,
}

#[model(inline)]
fn branch<const I: usize, const O: usize, const K: usize, const P: usize, const S: usize, const Q: usize>(
    b: &mut Branch<I, O, K, P, S, Q>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let h = norm(&mut b.bn_sep_1, b.separable_1.forward(x.relu()), train);
    norm(&mut b.bn_sep_2, b.separable_2.forward(h.relu()), train)
}

/// To as many channels as the cell has.
#[params]
pub struct Squeeze<const I: usize, const O: usize> {
    conv: Conv2dNoBias<I, O, 1>,
    bn: BatchNorm2d<O>,
}

#[model(inline)]
fn squeeze<const I: usize, const O: usize>(s: &mut Squeeze<I, O>, x: Tensor, train: bool) -> Tensor {
    norm(&mut s.bn, s.conv.forward(x.relu()), train)
}

/// To half the sides and as many channels as the cell has, half of them from every second pixel, half from those between.
#[params]
pub struct Shrink<const I: usize, const H: usize, const O: usize> {
    #[name("path_1.conv")]
    even: Conv2dNoBias<I, H, 1, 2>,
    #[name("path_2.conv")]
    odd: Conv2dNoBias<I, H, 1, 2>,
    #[name("final_path_bn")]
    bn: BatchNorm2d<O>,
}

/// `side` is how many rows and columns there are.
#[model(inline)]
fn shrink<const I: usize, const H: usize, const O: usize>(
    s: &mut Shrink<I, H, O>,
    x: Tensor,
    side: usize,
    train: bool,
) -> Tensor {
    let x = x.relu();
    let between = x.pad([0, 1, 0, 1], 0.0).narrow(2, 1, side).narrow(3, 1, side);
    norm(&mut s.bn, cat([s.even.forward(x), s.odd.forward(between)], 1), train)
}

/// What a normal cell adds up.
#[params]
pub struct Sums<const C: usize> {
    comb_iter_0_left: Branch<C, C, 5, 2, 1, 2>,
    comb_iter_0_right: Branch<C, C, 3, 1>,
    comb_iter_1_left: Branch<C, C, 5, 2, 1, 2>,
    comb_iter_1_right: Branch<C, C, 3, 1>,
    comb_iter_4_left: Branch<C, C, 3, 1>,
}

#[model(inline)]
fn near(x: Tensor) -> Tensor {
    avg_pool2d_with(x, 3, 1, 1, false, false)
}

#[model(inline)]
fn sums<const C: usize>(s: &mut Sums<C>, left: Tensor, right: Tensor, train: bool) -> Tensor {
    let a = branch(&mut s.comb_iter_0_left, right, train) + branch(&mut s.comb_iter_0_right, left, train);
    let b = branch(&mut s.comb_iter_1_left, left, train) + branch(&mut s.comb_iter_1_right, left, train);
    let (c, d) = (near(right) + left, near(left) + near(left));
    let e = branch(&mut s.comb_iter_4_left, right, train) + right;
    cat([left, a, b, c, d, e], 1)
}

/// A cell that keeps the sides.
#[params]
pub struct Normal<const BEFORE: usize, const I: usize, const C: usize> {
    conv_prev_1x1: Squeeze<BEFORE, C>,
    conv_1x1: Squeeze<I, C>,
    #[name("")]
    sums: Sums<C>,
}

#[model(inline)]
fn normal<const BEFORE: usize, const I: usize, const C: usize>(
    c: &mut Normal<BEFORE, I, C>,
    x: Tensor,
    before: Tensor,
    train: bool,
) -> Tensor {
    let left = squeeze(&mut c.conv_prev_1x1, before, train);
    let right = squeeze(&mut c.conv_1x1, x, train);
    sums(&mut c.sums, left, right, train)
}

/// A normal cell behind a reduction: what came before has twice the sides.
#[params]
pub struct First<const BEFORE: usize, const H: usize, const I: usize, const C: usize> {
    #[name("")]
    shrink: Shrink<BEFORE, H, C>,
    conv_1x1: Squeeze<I, C>,
    #[name("")]
    sums: Sums<C>,
}

#[model(inline)]
fn first<const BEFORE: usize, const H: usize, const I: usize, const C: usize>(
    c: &mut First<BEFORE, H, I, C>,
    x: Tensor,
    before: Tensor,
    side: usize,
    train: bool,
) -> Tensor {
    let left = shrink(&mut c.shrink, before, side, train);
    let right = squeeze(&mut c.conv_1x1, x, train);
    sums(&mut c.sums, left, right, train)
}

/// What a cell that halves the sides adds up. Its windows lie about every second pixel, beginning with number 1.
#[params]
pub struct Halves<const C: usize> {
    comb_iter_0_left: Branch<C, C, 5, 2, 2, 0>,
    comb_iter_0_right: Branch<C, C, 7, 3, 2, 0>,
    comb_iter_1_right: Branch<C, C, 7, 3, 2, 0>,
    comb_iter_2_right: Branch<C, C, 5, 2, 2, 0>,
    comb_iter_4_left: Branch<C, C, 3, 1>,
}

#[model(inline)]
fn halves<const C: usize>(s: &mut Halves<C>, left: Tensor, right: Tensor, train: bool) -> Tensor {
    let seven = left.pad([2, 3, 2, 3], 0.0);
    let five = right.pad([1, 2, 1, 2], 0.0);
    let a = branch(&mut s.comb_iter_0_left, five, train) + branch(&mut s.comb_iter_0_right, seven, train);
    let most = max_pool2d_with(right, 3, 2, 0, 1, true);
    let mean = avg_pool2d_with(right, 3, 2, 0, true, false);
    let b = most + branch(&mut s.comb_iter_1_right, seven, train);
    let c = mean + branch(&mut s.comb_iter_2_right, left.pad([1, 2, 1, 2], 0.0), train);
    let d = branch(&mut s.comb_iter_4_left, a, train) + most;
    cat([b, c, near(a) + b, d], 1)
}

/// A cell that halves the sides.
#[params]
pub struct Reduction<const I: usize, const C: usize> {
    conv_prev_1x1: Squeeze<I, C>,
    conv_1x1: Squeeze<I, C>,
    #[name("")]
    halves: Halves<C>,
}

#[model(inline)]
fn reduction<const I: usize, const C: usize>(
    c: &mut Reduction<I, C>,
    x: Tensor,
    before: Tensor,
    train: bool,
) -> Tensor {
    let left = squeeze(&mut c.conv_prev_1x1, before, train);
    let right = squeeze(&mut c.conv_1x1, x, train);
    halves(&mut c.halves, left, right, train)
}

/// The first cell, which halves sides that are odd.
#[params]
pub struct Stem0 {
    conv_1x1: Squeeze<32, 11>,
    comb_iter_0_left: Branch<11, 11, 5, 2, 2, 2>,
    comb_iter_0_right: Branch<32, 11, 7, 3, 2, 3>,
    comb_iter_1_right: Branch<32, 11, 7, 3, 2, 3>,
    comb_iter_2_right: Branch<32, 11, 5, 2, 2, 2>,
    comb_iter_4_left: Branch<11, 11, 3, 1>,
}

#[model(inline)]
fn stem0(s: &mut Stem0, x: Tensor, train: bool) -> Tensor {
    let narrow = squeeze(&mut s.conv_1x1, x, train);
    let a = branch(&mut s.comb_iter_0_left, narrow, train) + branch(&mut s.comb_iter_0_right, x, train);
    let most = max_pool2d_with(narrow, 3, 2, 1, 1, false);
    let mean = avg_pool2d_with(narrow, 3, 2, 1, false, false);
    let b = most + branch(&mut s.comb_iter_1_right, x, train);
    let c = mean + branch(&mut s.comb_iter_2_right, x, train);
    let d = branch(&mut s.comb_iter_4_left, a, train) + most;
    cat([b, c, near(a) + b, d], 1)
}

/// The second cell, over the first one and what that was made of.
#[params]
pub struct Stem1 {
    conv_1x1: Squeeze<44, 22>,
    #[name("")]
    shrink: Shrink<32, 11, 22>,
    #[name("")]
    halves: Halves<22>,
}

/// 5,289,978 parameters.
#[params]
pub struct NasNetMobile {
    #[name("conv0.conv")]
    conv0: Conv2dNoBias<3, 32, 3, 2>,
    #[name("conv0.bn")]
    bn0: BatchNorm2d<32>,
    cell_stem_0: Stem0,
    cell_stem_1: Stem1,
    cell_0: First<44, 22, 88, 44>,
    cell_1: Normal<88, 264, 44>,
    #[name("cell_2", "cell_3")]
    cells_44: [Normal<264, 264, 44>; 2],
    reduction_cell_0: Reduction<264, 88>,
    cell_6: First<264, 44, 352, 88>,
    cell_7: Normal<352, 528, 88>,
    #[name("cell_8", "cell_9")]
    cells_88: [Normal<528, 528, 88>; 2],
    reduction_cell_1: Reduction<528, 176>,
    cell_12: First<528, 88, 704, 176>,
    cell_13: Normal<704, 1056, 176>,
    #[name("cell_14", "cell_15")]
    cells_176: [Normal<1056, 1056, 176>; 2],
    last_linear: Linear<1056, 1000>,
}

/// Scores of 1,000 classes.
#[model]
pub fn nasnet_mobile<const N: usize>(net: &NasNetMobile, x: Tensor<N, 3, 224, 224>) -> Tensor<N, 1000> {
    let mut net = net.clone();
    nasnet_mobile_in(&mut net, x, false)
}

/// `nasnet_mobile` that also trains.
#[model(inline)]
pub fn nasnet_mobile_in<const N: usize>(
    net: &mut NasNetMobile,
    x: Tensor<N, 3, 224, 224>,
    train: bool,
) -> Tensor<N, 1000> {
    let start = norm(&mut net.bn0, net.conv0.forward(x), train);
    let stem = stem0(&mut net.cell_stem_0, start, train);
    let s = &mut net.cell_stem_1;
    let left = shrink(&mut s.shrink, start, 111, train);
    let right = squeeze(&mut s.conv_1x1, stem, train);
    let mut before = halves(&mut s.halves, left, right, train);
    let zeroth = first(&mut net.cell_0, before, stem, 56, train);
    let mut x = normal(&mut net.cell_1, zeroth, before, train);
    before = zeroth;
    for cell in &mut net.cells_44 {
        let next = normal(cell, x, before, train);
        before = x;
        x = next;
    }
    let half = reduction(&mut net.reduction_cell_0, x, before, train);
    before = first(&mut net.cell_6, half, x, 28, train);
    x = normal(&mut net.cell_7, before, half, train);
    for cell in &mut net.cells_88 {
        let next = normal(cell, x, before, train);
        before = x;
        x = next;
    }
    let half = reduction(&mut net.reduction_cell_1, x, before, train);
    before = first(&mut net.cell_12, half, x, 14, train);
    x = normal(&mut net.cell_13, before, half, train);
    for cell in &mut net.cells_176 {
        let next = normal(cell, x, before, train);
        before = x;
        x = next;
    }
    net.last_linear.forward(x.relu().mean_dim([2, 3]))
}
