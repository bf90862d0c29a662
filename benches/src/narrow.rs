//! One token through a cache, as in `transformers`, with weights stored as bf16.

use crate::workload::{SetUp, inference};
use kiln::prelude::*;

/// A dense layer whose weight is stored as bf16.
#[params(forward = narrow_linear)]
pub struct NarrowLinear<const I: usize, const O: usize> {
    weight: Tensor<bf16, O, I>,
    bias: Tensor<O>,
}

#[model(inline)]
fn narrow_linear<const I: usize, const O: usize>(layer: &NarrowLinear<I, O>, x: Tensor) -> Tensor {
    x.linear(layer.weight.to(f32), Some(layer.bias))
}

/// Attention and two dense layers.
#[params]
pub struct Block {
    qkv: NarrowLinear<384, 1152>,
    o: NarrowLinear<384, 384>,
    n1: LayerNorm<384>,
    n2: LayerNorm<384>,
    up: NarrowLinear<384, 1536>,
    down: NarrowLinear<1536, 384>,
}

/// Six layers of 384 dims and 6 heads, and what they have seen of 128 positions.
#[params]
pub struct Decoder {
    blocks: [Block; 6],
    k: Tensor<6, 6, 128, 64>,
    v: Tensor<6, 6, 128, 64>,
}

#[model(inline)]
fn stepped(
    block: &Block,
    keys: Tensor<6, 128, 64>,
    values: Tensor<6, 128, 64>,
    x: Tensor<1, 384>,
) -> Tensor<1, 384> {
    let qkv = block.qkv.forward(block.n1.forward(x)).reshape([3, 6, 1, 64]);
    let k = cat([keys.narrow(1, 1, 127), qkv.select(0, 1)], 1);
    let v = cat([values.narrow(1, 1, 127), qkv.select(0, 2)], 1);
    let a = (qkv.select(0, 0).matmul(k.transpose(-1, -2)) * 0.125).softmax(-1).matmul(v);
    let x = x + block.o.forward(a.reshape([1, 384]));
    x + block.down.forward(block.up.forward(block.n2.forward(x)).gelu())
}

#[model]
fn decode_b1_bf16(net: &Decoder, x: Tensor<1, 384>) -> Tensor<1, 384> {
    let mut x = x;
    for i in 0..6 {
        x = stepped(&net.blocks[i], net.k.select(0, i), net.v.select(0, i), x);
    }
    x
}

/// A token a call.
pub const DECODE: SetUp = inference!(decode_b1_bf16, Decoder, 11_236_608, [1, 384]);
