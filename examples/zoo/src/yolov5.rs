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

/// 7,235,389 parameters.
#[params]
pub struct YoloV5s {
    #[name("model.0")]
    stem: Conv<3, 32, 6, 2, 2>,
    #[name("model.1")]
    to_4: Conv<32, 64, 3, 2, 1>,
    #[name("model.2")]
    at_4: C3<64, 32, 64, 64>,
    #[name("model.3")]
    to_8: Conv<64, 128, 3, 2, 1>,
    #[name("model.4")]
    at_8: C3<128, 64, 128, 128, 2>,
    #[name("model.5")]
    to_16: Conv<128, 256, 3, 2, 1>,
    #[name("model.6")]
    at_16: C3<256, 128, 256, 256, 3>,
    #[name("model.7")]
    to_32: Conv<256, 512, 3, 2, 1>,
    #[name("model.8")]
    at_32: C3<512, 256, 512, 512>,
    #[name("model.9")]
    sppf: Sppf<512, 256, 1024, 512>,
    #[name("model.10")]
    narrow_32: Conv<512, 256, 1>,
    #[name("model.13")]
    up_16: C3<512, 128, 256, 256>,
    #[name("model.14")]
    narrow_16: Conv<256, 128, 1>,
    #[name("model.17")]
    out_8: C3<256, 64, 128, 128>,
    #[name("model.18")]
    down_16: Conv<128, 128, 3, 2, 1>,
    #[name("model.20")]
    out_16: C3<256, 128, 256, 256>,
    #[name("model.21")]
    down_32: Conv<256, 256, 3, 2, 1>,
    #[name("model.23")]
    out_32: C3<512, 256, 512, 512>,
    /// Widths and heights of the boxes, by resolution, in its steps.
    #[name("model.24.anchors")]
    #[buffer]
    anchors: Tensor<3, 3, 2>,
    #[name("model.24.m.0")]
    head_8: Conv2d<128, 255, 1>,
    #[name("model.24.m.1")]
    head_16: Conv2d<256, 255, 1>,
    #[name("model.24.m.2")]
    head_32: Conv2d<512, 255, 1>,
}

/// What the heads say of steps of 8, 16 and 32 pixels: 255 channels, for each of three boxes x, y, width, height, whether there is
/// an object, and of which class.
#[model]
pub fn heads<const N: usize>(
    net: &YoloV5s,
    x: Tensor<N, 3, 640, 640>,
) -> (Tensor<N, 255, 80, 80>, Tensor<N, 255, 40, 40>, Tensor<N, 255, 20, 20>) {
    let mut net = net.clone();
    heads_in(&mut net, x, false)
}

/// `heads` that also train.
#[model(inline)]
pub fn heads_in<const N: usize>(
    net: &mut YoloV5s,
    x: Tensor<N, 3, 640, 640>,
    train: bool,
) -> (Tensor<N, 255, 80, 80>, Tensor<N, 255, 40, 40>, Tensor<N, 255, 20, 20>) {
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
    let x = cat([narrow_32.interpolate_nearest([40, 40]), at_16], 1);
    let x = c3_in(&mut net.up_16, x, false, train);
    let narrow_16 = conv_in(&mut net.narrow_16, x, train);
    let x = cat([narrow_16.interpolate_nearest([80, 80]), at_8], 1);
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

/// All boxes of a picture of 640 × 640, those of fine steps first.
#[model]
pub fn yolov5s<const N: usize>(net: &YoloV5s, x: Tensor<N, 3, 640, 640>) -> Tensor<N, BOXES, 85> {
    let (fine, middle, coarse) = heads(net, x);
    let fine = boxes(fine, net.anchors.select(0, 0), 8.0);
    let middle = boxes(middle, net.anchors.select(0, 1), 16.0);
    cat([fine, middle, boxes(coarse, net.anchors.select(0, 2), 32.0)], 1)
}
