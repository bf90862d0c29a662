//! Transformers: an encoder of 6 layers, a training step of a GPT of 2, and one token through a cache.
//!
//! All are made of the library's layers. The zoo's BERT and GPT-2 do other work than the peers: a mask, other activations.

use crate::workload::{SMOOTH, SetUp, classes, inference, training};
use kiln::nn::encoder_layer_norm_first;
use kiln::prelude::*;

/// Six layers of 384 dims and 12 heads.
#[params]
pub struct Encoder {
    layers: [TransformerEncoderLayer<384, 12, 1536>; 6],
}

/// A layer with its norms behind the sums, and GELU.
#[model(inline)]
fn encoded(layer: &TransformerEncoderLayer<384, 12, 1536>, x: Tensor<1, 128, 384>) -> Tensor<1, 128, 384> {
    let x = layer.norm1.forward(x + layer.self_attn.forward(x, false));
    layer.norm2.forward(x + layer.linear2.forward(layer.linear1.forward(x).gelu()))
}

#[model]
fn encoder_b1(net: &Encoder, x: Tensor<1, 128, 384>) -> Tensor<1, 128, 384> {
    let mut x = x;
    for layer in &net.layers {
        x = encoded(layer, x);
    }
    x
}

/// Two layers of 128 dims and 4 heads over 64 characters of 65.
#[params]
pub struct Gpt {
    tok: Tensor<65, 128>,
    pos: Tensor<64, 128>,
    layers: [TransformerEncoderLayer<128, 4, 512>; 2],
    norm: LayerNorm<128>,
    head: LinearNoBias<128, 65>,
}

#[model]
fn gpt_loss(net: &Gpt, ids: Tensor<i64, 8, 64>, y: Tensor<i64, 8, 64>) -> Tensor {
    let mut x = net.tok.embedding(ids) + net.pos;
    for layer in &net.layers {
        x = encoder_layer_norm_first(layer, x, true);
    }
    cross_entropy(net.head.forward(net.norm.forward(x)).reshape([512, 65]), y.reshape([512]))
}

#[model]
fn gpt_step(net: &mut Gpt, opt: &mut Adam<Gpt>, ids: Tensor<i64, 8, 64>, y: Tensor<i64, 8, 64>) -> Tensor {
    let (loss, grads) = value_and_grad(gpt_loss)(net, ids, y);
    opt.step(net, grads);
    loss
}

/// Six layers of 384 dims and 6 heads, and what they have seen of 128 positions.
#[params]
pub struct Decoder {
    layers: [TransformerEncoderLayer<384, 6, 1536>; 6],
    k: Tensor<6, 6, 128, 64>,
    v: Tensor<6, 6, 128, 64>,
}

#[model(inline)]
fn stepped(
    layer: &TransformerEncoderLayer<384, 6, 1536>,
    keys: Tensor<6, 128, 64>,
    values: Tensor<6, 128, 64>,
    x: Tensor<1, 384>,
) -> Tensor<1, 384> {
    let attn = &layer.self_attn;
    let qkv = layer.norm1.forward(x).linear(attn.in_proj_weight, Some(attn.in_proj_bias));
    let qkv = qkv.reshape([3, 6, 1, 64]);
    let k = cat([keys.narrow(1, 1, 127), qkv.select(0, 1)], 1);
    let v = cat([values.narrow(1, 1, 127), qkv.select(0, 2)], 1);
    let a = (qkv.select(0, 0).matmul(k.transpose(-1, -2)) * 0.125).softmax(-1).matmul(v);
    let x = x + a.reshape([1, 384]).linear(attn.out_weight, Some(attn.out_bias));
    x + layer.linear2.forward(layer.linear1.forward(layer.norm2.forward(x)).gelu())
}

#[model]
fn decode_b1(net: &Decoder, x: Tensor<1, 384>) -> Tensor<1, 384> {
    let mut x = x;
    for i in 0..6 {
        x = stepped(&net.layers[i], net.k.select(0, i), net.v.select(0, i), x);
    }
    x
}

/// 128 positions a call.
pub const ENCODER: SetUp = inference!(encoder_b1, Encoder, 10_646_784, [1, 128, 384]);

/// Forward, backward and Adam a call.
pub const GPT: SetUp = training!(gpt_step, Gpt, 421_632, SMOOTH, |rng: &mut Rng| (
    classes(rng, [8, 64], 65),
    classes(rng, [8, 64], 65)
));

/// A token a call.
pub const DECODE: SetUp = inference!(decode_b1, Decoder, 11_236_608, [1, 384]);
