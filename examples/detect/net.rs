//! The zoo's YOLOv5 at a quarter of YOLOv5s's width, for grey pictures of 128 × 128 and ten classes: its loss and its training step.

use kiln::prelude::*;
use kiln_zoo::yolov5::{YoloV5, by_box, decoded_in, heads_in};

/// Pixels of a picture's side.
pub const SIDE: usize = 128;
/// What can be in a picture.
pub const CLASSES: usize = 10;
/// Numbers of a box: centre, size, whether there is an object, and of which class.
pub const ROW: usize = 5 + CLASSES;
/// Boxes of a picture: three a place of each resolution.
pub const BOXES: usize = 3 * (16 * 16 + 8 * 8 + 4 * 4);
/// Pixels between the places of each resolution.
pub const STEPS: [usize; 3] = [8, 16, 32];
/// Widths and heights of the boxes of each resolution, in pixels: digits are higher than wide.
pub const ANCHORS: [[[f32; 2]; 3]; 3] = [
    [[5.0, 14.0], [10.0, 15.0], [14.0, 20.0]],
    [[8.0, 26.0], [17.0, 26.0], [24.0, 32.0]],
    [[12.0, 40.0], [26.0, 40.0], [36.0, 50.0]],
];

/// The net.
#[params]
pub struct Yolo {
    model: YoloV5<1, 8, 16, 32, 64, 128, 256, 45>,
}

/// A net of random weights that expects an object in one of a hundred boxes.
pub fn begin(rng: &mut Rng) -> Yolo {
    let mut net = Yolo::init(rng);
    let sizes = ANCHORS
        .iter()
        .zip(STEPS)
        .flat_map(|(anchors, step)| anchors.iter().flatten().map(move |size| size / step as f32));
    net.model.anchors.as_mut_slice().iter_mut().zip(sizes).for_each(|(to, size)| *to = size);
    for bias in [&mut net.model.head_8.bias, &mut net.model.head_16.bias, &mut net.model.head_32.bias] {
        bias.as_mut_slice().iter_mut().skip(4).step_by(ROW).for_each(|b| *b = -(99f32.ln()));
    }
    net
}

/// All boxes of the heads, those of fine steps first: centre and size in pixels, then probabilities.
#[model]
pub fn decoded<const N: usize>(
    anchors: Tensor<3, 3, 2>,
    fine: Tensor<N, 45, 16, 16>,
    middle: Tensor<N, 45, 8, 8>,
    coarse: Tensor<N, 45, 4, 4>,
) -> Tensor<N, 1008, 15> {
    decoded_in(anchors, fine, middle, coarse)
}

/// All boxes of pictures.
#[model]
pub fn found<const N: usize>(net: &mut Yolo, x: Tensor<N, 1, 128, 128>) -> Tensor<N, 1008, 15> {
    let (fine, middle, coarse) = heads_in(&mut net.model, x, false);
    decoded(net.model.anchors, fine, middle, coarse)
}

/// How far boxes, centre and size, are the same: 1 if they are, less the less they share, the farther their centres are apart and
/// the more their shapes differ. Zheng et al., *Distance-IoU loss* (2020), where the weight of the shapes has no gradient.
#[model]
pub fn complete_iou<const N: usize, const B: usize>(
    a: Tensor<N, B, 4>,
    b: Tensor<N, B, 4>,
) -> (Tensor<N, B>, Tensor<N, B>) {
    let (at, size) = (a.narrow(-1, 0, 2), a.narrow(-1, 2, 2));
    let (to, wanted) = (b.narrow(-1, 0, 2), b.narrow(-1, 2, 2));
    let (low, high) = (at - size * 0.5, at + size * 0.5);
    let (first, last) = (to - wanted * 0.5, to + wanted * 0.5);
    let sides = (high.minimum(last) - low.maximum(first)).clamp_min(0.0);
    let shared = sides.select(-1, 0) * sides.select(-1, 1);
    let area = size.select(-1, 0) * size.select(-1, 1) + wanted.select(-1, 0) * wanted.select(-1, 1);
    let iou = shared / (area - shared + 1e-7);
    let around = (high.maximum(last) - low.minimum(first)).square().sum_dim([-1]);
    let apart = (at - to).square().sum_dim([-1]) / (around + 1e-7);
    let angle =
        wanted.select(-1, 0).atan2(wanted.select(-1, 1)) - size.select(-1, 0).atan2(size.select(-1, 1));
    let shape = angle.square() * 0.405_284_734_569_351_1;
    let weight = (shape / (shape - iou + 1.0 + 1e-7)).detach();
    (iou, iou - apart - weight * shape)
}

/// The loss of objectness of a range of boxes.
#[model(inline)]
fn object_loss(said: Tensor, want: Tensor, from: usize, count: usize) -> Tensor {
    binary_cross_entropy_with_logits(said.narrow(1, from, count), want.narrow(1, from, count))
}

/// The boxes' loss, that of objects and that of classes. `want` has for each box centre and size of the digit that it is to find, and
/// 1 behind them, or 0 where it is to find none; `class` which digit that is.
#[model]
pub fn loss<const N: usize>(
    net: &mut Yolo,
    x: Tensor<N, 1, 128, 128>,
    want: Tensor<N, 1008, 5>,
    class: Tensor<i64, N, 1008>,
) -> Tensor {
    let (fine, middle, coarse) = heads_in(&mut net.model, x, true);
    let said = cat([by_box(fine), by_box(middle), by_box(coarse)], 1);
    let boxes = decoded(net.model.anchors, fine, middle, coarse).narrow(-1, 0, 4);
    let matched = want.select(-1, 4);
    let count = matched.sum().clamp_min(1.0);
    let (iou, complete) = complete_iou(boxes, want.narrow(-1, 0, 4));
    let box_loss = ((1.0 - complete) * matched).sum() / count;
    // An object is there as far as its box is right.
    let there = iou.detach() * matched;
    let object = said.select(-1, 4);
    let object_loss = object_loss(object, there, 0, 768) * 4.0
        + object_loss(object, there, 768, 192)
        + object_loss(object, there, 960, 48) * 0.4;
    let classes = one_hot(class, 10).to(f32);
    let each = binary_cross_entropy_with_logits_with(said.narrow(-1, 5, 10), classes, None, None, "none");
    let class_loss = (each.sum_dim([-1]) * matched).sum() / count;
    box_loss * 0.15 + object_loss + class_loss * 0.1
}

/// Forward, backward, clip and AdamW.
#[model]
pub fn train_step<const N: usize>(
    net: &mut Yolo,
    opt: &mut AdamW<Yolo>,
    x: Tensor<N, 1, 128, 128>,
    want: Tensor<N, 1008, 5>,
    class: Tensor<i64, N, 1008>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, want, class);
    opt.step(net, grads.clip_norm(10.0));
    loss
}
