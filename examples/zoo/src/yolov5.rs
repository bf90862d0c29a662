//! YOLOv5s: Jocher et al., *ultralytics/yolov5* (2020), version 6, under its names: a backbone of CSP blocks (`C3`), pooling at
//! several scales (`SPPF`), and a PANet that joins three resolutions, on each of which three shapes of boxes are predicted.

use crate::convolutions::normed_in;
use kiln::prelude::*;

/// Classes of COCO.
pub const CLASSES: usize = 80;
/// Boxes of a picture: three a place of each resolution.
pub const BOXES: usize = 3 * (80 * 80 + 40 * 40 + 20 * 20);

/// A convolution, the norm of its channels, SiLU.
#[params]
pub struct Conv<const I: usize, const O: usize, const K: usize, const S: usize = 1, const P: usize = 0> {
    conv: Conv2dNoBias<I, O, K, S, P>,
    bn: BatchNorm2d<O>,
}

/// [`Conv`] of an image: if it trains by the batch's own mean and variance, which the running ones follow.
#[model(inline)]
pub fn conv_in<const I: usize, const O: usize, const K: usize, const S: usize, const P: usize>(
    c: &mut Conv<I, O, K, S, P>,
    x: Tensor,
    train: bool,
) -> Tensor {
    normed_in(&mut c.bn, c.conv.forward(x), 1e-3, 0.03, train).silu()
}

/// Two convolutions.
#[params]
pub struct Bottleneck<const C: usize> {
    cv1: Conv<C, C, 1>,
    cv2: Conv<C, C, 3, 1, 1>,
}

/// Half of the channels go through a row of bottlenecks, half around it: C is either half, J both.
#[params]
pub struct C3<const I: usize, const C: usize, const J: usize, const O: usize, const DEPTH: usize = 1> {
    cv1: Conv<I, C, 1>,
    cv2: Conv<I, C, 1>,
    cv3: Conv<J, O, 1>,
    m: [Bottleneck<C>; DEPTH],
}

/// [`C3`] of an image; `add` says whether what a bottleneck makes is added to what came in.
#[model(inline)]
pub fn c3_in<const I: usize, const C: usize, const J: usize, const O: usize, const DEPTH: usize>(
    c: &mut C3<I, C, J, O, DEPTH>,
    x: Tensor,
    add: bool,
    train: bool,
) -> Tensor {
    let mut deep = conv_in(&mut c.cv1, x, train);
    for b in &mut c.m {
        let h = conv_in(&mut b.cv1, deep, train);
        let y = conv_in(&mut b.cv2, h, train);
        deep = if add { deep + y } else { y };
    }
    let beside = conv_in(&mut c.cv2, x, train);
    conv_in(&mut c.cv3, cat([deep, beside], 1), train)
}

/// Pools of 5, 9 and 13 side by side, each a pool of 5 over the one before: of I channels, H in each, J in all.
#[params]
pub struct Sppf<const I: usize, const H: usize, const J: usize, const O: usize> {
    cv1: Conv<I, H, 1>,
    cv2: Conv<J, O, 1>,
}

#[model(inline)]
fn pooled(x: Tensor) -> Tensor {
    let five = max_pool2d_with(x, 5, 1, 2, 1, false);
    let nine = max_pool2d_with(five, 5, 1, 2, 1, false);
    cat([x, five, nine, max_pool2d_with(nine, 5, 1, 2, 1, false)], 1)
}

/// [`Sppf`] of an image.
#[model(inline)]
pub fn sppf_in<const I: usize, const H: usize, const J: usize, const O: usize>(
    s: &mut Sppf<I, H, J, O>,
    x: Tensor,
    train: bool,
) -> Tensor {
    let x = conv_in(&mut s.cv1, x, train);
    conv_in(&mut s.cv2, pooled(x), train)
}

/// YOLOv5 at any width: for pictures of I channels, with A channels at half their resolution, B = 2 A at a quarter, C = 2 B, D = 2 C
/// and E = 2 D farther down, F = 2 E side by side in [`Sppf`], and ROWS numbers for three boxes a place.
#[params]
pub struct YoloV5<
    const I: usize,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
    const F: usize,
    const ROWS: usize,
> {
    #[name("0")]
    stem: Conv<I, A, 6, 2, 2>,
    #[name("1")]
    to_4: Conv<A, B, 3, 2, 1>,
    #[name("2")]
    at_4: C3<B, A, B, B>,
    #[name("3")]
    to_8: Conv<B, C, 3, 2, 1>,
    #[name("4")]
    at_8: C3<C, B, C, C, 2>,
    #[name("5")]
    to_16: Conv<C, D, 3, 2, 1>,
    #[name("6")]
    at_16: C3<D, C, D, D, 3>,
    #[name("7")]
    to_32: Conv<D, E, 3, 2, 1>,
    #[name("8")]
    at_32: C3<E, D, E, E>,
    #[name("9")]
    sppf: Sppf<E, D, F, E>,
    #[name("10")]
    narrow_32: Conv<E, D, 1>,
    #[name("13")]
    up_16: C3<E, C, D, D>,
    #[name("14")]
    narrow_16: Conv<D, C, 1>,
    #[name("17")]
    out_8: C3<D, B, C, C>,
    #[name("18")]
    down_16: Conv<C, C, 3, 2, 1>,
    #[name("20")]
    out_16: C3<D, C, D, D>,
    #[name("21")]
    down_32: Conv<D, D, 3, 2, 1>,
    #[name("23")]
    out_32: C3<E, D, E, E>,
    /// Widths and heights of the boxes, by resolution, in its steps.
    #[name("24.anchors")]
    #[buffer]
    pub anchors: Tensor<3, 3, 2>,
    #[name("24.m.0")]
    /// Of a place of 8 pixels.
    pub head_8: Conv2d<C, ROWS, 1>,
    #[name("24.m.1")]
    /// Of a place of 16 pixels.
    pub head_16: Conv2d<D, ROWS, 1>,
    #[name("24.m.2")]
    /// Of a place of 32 pixels.
    pub head_32: Conv2d<E, ROWS, 1>,
}

/// What the heads say of steps of 8, 16 and 32 pixels of a picture whose sides are multiples of 32: ROWS channels, for each of three
/// boxes x, y, width, height, whether there is an object, and of which class.
#[model(inline)]
pub fn heads_in<
    const I: usize,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
    const F: usize,
    const ROWS: usize,
    const N: usize,
    const H: usize,
    const W: usize,
>(
    net: &mut YoloV5<I, A, B, C, D, E, F, ROWS>,
    x: Tensor<N, I, H, W>,
    train: bool,
) -> (Tensor, Tensor, Tensor) {
    let x = conv_in(&mut net.stem, x, train);
    let x = conv_in(&mut net.to_4, x, train);
    let x = c3_in(&mut net.at_4, x, true, train);
    let x = conv_in(&mut net.to_8, x, train);
    let at_8 = c3_in(&mut net.at_8, x, true, train);
    let x = conv_in(&mut net.to_16, at_8, train);
    let at_16 = c3_in(&mut net.at_16, x, true, train);
    let x = conv_in(&mut net.to_32, at_16, train);
    let x = c3_in(&mut net.at_32, x, true, train);
    let x = sppf_in(&mut net.sppf, x, train);

    let narrow_32 = conv_in(&mut net.narrow_32, x, train);
    let x = cat([narrow_32.interpolate_nearest([H / 16, W / 16]), at_16], 1);
    let x = c3_in(&mut net.up_16, x, false, train);
    let narrow_16 = conv_in(&mut net.narrow_16, x, train);
    let x = cat([narrow_16.interpolate_nearest([H / 8, W / 8]), at_8], 1);
    let out_8 = c3_in(&mut net.out_8, x, false, train);
    let x = conv_in(&mut net.down_16, out_8, train);
    let out_16 = c3_in(&mut net.out_16, cat([x, narrow_16], 1), false, train);
    let x = conv_in(&mut net.down_32, out_16, train);
    let out_32 = c3_in(&mut net.out_32, cat([x, narrow_32], 1), false, train);
    (net.head_8.forward(out_8), net.head_16.forward(out_16), net.head_32.forward(out_32))
}

/// What a head says of each box, in the order of [`boxes`]: C numbers.
#[model(inline)]
pub fn by_box<const N: usize, const C: usize, const S: usize>(
    head: Tensor<N, { 3 * C }, S, S>,
) -> Tensor<N, { 3 * S * S }, C> {
    head.reshape([N, 3, C, S, S]).permute([0, 1, 3, 4, 2]).reshape([N, 3 * S * S, C])
}

/// Boxes of a head whose places are so many pixels apart: centre and size in pixels, then probabilities of an object and of each
/// class. `anchors` are widths and heights of three boxes in such steps.
#[model(inline)]
pub fn boxes<const N: usize, const C: usize, const S: usize>(
    head: Tensor<N, { 3 * C }, S, S>,
    anchors: Tensor<3, 2>,
    step: f64,
) -> Tensor<N, { 3 * S * S }, C> {
    let p = head.reshape([N, 3, C, S, S]).permute([0, 1, 3, 4, 2]).sigmoid();
    let places = arange(S).to(f32);
    let grid = stack([places.unsqueeze(0).expand([S, S]), places.unsqueeze(1).expand([S, S])], -1);
    let centre = (p.narrow(-1, 0, 2) * 2.0 - 0.5 + grid) * step;
    let size = (p.narrow(-1, 2, 2) * 2.0).square() * (anchors * step).reshape([1, 3, 1, 1, 2]);
    cat([centre, size, p.narrow(-1, 4, C - 4)], -1).reshape([N, 3 * S * S, C])
}

/// All boxes of three heads, those of fine steps first.
#[model(inline)]
pub fn decoded_in(anchors: Tensor<3, 3, 2>, fine: Tensor, middle: Tensor, coarse: Tensor) -> Tensor {
    let fine = boxes(fine, anchors.select(0, 0), 8.0);
    let middle = boxes(middle, anchors.select(0, 1), 16.0);
    cat([fine, middle, boxes(coarse, anchors.select(0, 2), 32.0)], 1)
}

/// 7,235,389 parameters.
#[params]
pub struct YoloV5s {
    /// The net.
    pub model: YoloV5<3, 32, 64, 128, 256, 512, 1024, 255>,
}

/// [`heads_in`] of pictures of 640 × 640 pixels.
#[model]
pub fn heads<const N: usize>(
    net: &YoloV5s,
    x: Tensor<N, 3, 640, 640>,
) -> (Tensor<N, 255, 80, 80>, Tensor<N, 255, 40, 40>, Tensor<N, 255, 20, 20>) {
    let mut net = net.clone();
    heads_in(&mut net.model, x, false)
}

/// All boxes of a picture of 640 × 640 pixels.
#[model]
pub fn yolov5s<const N: usize>(net: &YoloV5s, x: Tensor<N, 3, 640, 640>) -> Tensor<N, BOXES, 85> {
    let (fine, middle, coarse) = heads(net, x);
    decoded_in(net.model.anchors, fine, middle, coarse)
}
