//! NASNet-A mobile: Zoph et al., *Learning transferable architectures for scalable image recognition* (2017), its cells found by
//! search, under the names of the usual port (`pretrainedmodels`). A cell takes what came in, and what came in one cell before.

use crate::convolutions::normed;
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

/// Two of them, the first of padding Q, each behind a ReLU and with a norm.
#[params(forward = branch)]
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
    b: &Branch<I, O, K, P, S, Q>,
    x: Tensor,
) -> Tensor {
    let h = normed(&b.bn_sep_1, b.separable_1.forward(x.relu()), 1e-3);
    normed(&b.bn_sep_2, b.separable_2.forward(h.relu()), 1e-3)
}

/// To as many channels as the cell has.
#[params(forward = squeeze)]
pub struct Squeeze<const I: usize, const O: usize> {
    conv: Conv2dNoBias<I, O, 1>,
    bn: BatchNorm2d<O>,
}

#[model(inline)]
fn squeeze<const I: usize, const O: usize>(s: &Squeeze<I, O>, x: Tensor) -> Tensor {
    normed(&s.bn, s.conv.forward(x.relu()), 1e-3)
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
    s: &Shrink<I, H, O>,
    x: Tensor,
    side: usize,
) -> Tensor {
    let x = x.relu();
    let between = x.pad([0, 1, 0, 1], 0.0).narrow(2, 1, side).narrow(3, 1, side);
    normed(&s.bn, cat([s.even.forward(x), s.odd.forward(between)], 1), 1e-3)
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
fn sums<const C: usize>(s: &Sums<C>, left: Tensor, right: Tensor) -> Tensor {
    let a = s.comb_iter_0_left.forward(right) + s.comb_iter_0_right.forward(left);
    let b = s.comb_iter_1_left.forward(left) + s.comb_iter_1_right.forward(left);
    let (c, d) = (near(right) + left, near(left) + near(left));
    cat([left, a, b, c, d, s.comb_iter_4_left.forward(right) + right], 1)
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
    c: &Normal<BEFORE, I, C>,
    x: Tensor,
    before: Tensor,
) -> Tensor {
    sums(&c.sums, c.conv_prev_1x1.forward(before), c.conv_1x1.forward(x))
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
    c: &First<BEFORE, H, I, C>,
    x: Tensor,
    before: Tensor,
    side: usize,
) -> Tensor {
    sums(&c.sums, shrink(&c.shrink, before, side), c.conv_1x1.forward(x))
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
fn halves<const C: usize>(s: &Halves<C>, left: Tensor, right: Tensor) -> Tensor {
    let seven = left.pad([2, 3, 2, 3], 0.0);
    let a = s.comb_iter_0_left.forward(right.pad([1, 2, 1, 2], 0.0)) + s.comb_iter_0_right.forward(seven);
    let most = max_pool2d_with(right, 3, 2, 0, 1, true);
    let mean = avg_pool2d_with(right, 3, 2, 0, true, false);
    let b = most + s.comb_iter_1_right.forward(seven);
    let c = mean + s.comb_iter_2_right.forward(left.pad([1, 2, 1, 2], 0.0));
    cat([b, c, near(a) + b, s.comb_iter_4_left.forward(a) + most], 1)
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
fn reduction<const I: usize, const C: usize>(c: &Reduction<I, C>, x: Tensor, before: Tensor) -> Tensor {
    halves(&c.halves, c.conv_prev_1x1.forward(before), c.conv_1x1.forward(x))
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
fn stem0(s: &Stem0, x: Tensor) -> Tensor {
    let narrow = s.conv_1x1.forward(x);
    let a = s.comb_iter_0_left.forward(narrow) + s.comb_iter_0_right.forward(x);
    let most = max_pool2d_with(narrow, 3, 2, 1, 1, false);
    let b = most + s.comb_iter_1_right.forward(x);
    let c = avg_pool2d_with(narrow, 3, 2, 1, false, false) + s.comb_iter_2_right.forward(x);
    cat([b, c, near(a) + b, s.comb_iter_4_left.forward(a) + most], 1)
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
    let start = normed(&net.bn0, net.conv0.forward(x), 1e-3);
    let stem = stem0(&net.cell_stem_0, start);
    let s = &net.cell_stem_1;
    let mut before = halves(&s.halves, shrink(&s.shrink, start, 111), s.conv_1x1.forward(stem));
    let zeroth = first(&net.cell_0, before, stem, 56);
    let mut x = normal(&net.cell_1, zeroth, before);
    before = zeroth;
    for cell in &net.cells_44 {
        let next = normal(cell, x, before);
        before = x;
        x = next;
    }
    let half = reduction(&net.reduction_cell_0, x, before);
    before = first(&net.cell_6, half, x, 28);
    x = normal(&net.cell_7, before, half);
    for cell in &net.cells_88 {
        let next = normal(cell, x, before);
        before = x;
        x = next;
    }
    let half = reduction(&net.reduction_cell_1, x, before);
    before = first(&net.cell_12, half, x, 14);
    x = normal(&net.cell_13, before, half);
    for cell in &net.cells_176 {
        let next = normal(cell, x, before);
        before = x;
        x = next;
    }
    net.last_linear.forward(x.relu().mean_dim([2, 3]))
}
