//! GPT-2 small: Radford et al., *Language models are unsupervised multitask learners* (2019), under Hugging Face's names: the whole
//! text at once, and a token at a time over a cache of keys and values.

use crate::attention::{joined, split};
use kiln::prelude::*;

/// Tokens that there are.
pub const VOCABULARY: usize = 50257;
/// Tokens that the net sees.
pub const LONGEST: usize = 1024;
const HEADS: usize = 12;
const LAYERS: usize = 12;

/// A dense layer whose factors lie `[I, O]`: Hugging Face's `Conv1D`.
#[params(forward = dense)]
pub struct Dense<const I: usize, const O: usize> {
    #[init(normal(0.0, 0.02))]
    weight: Tensor<I, O>,
    bias: Tensor<O>,
}

#[model(inline)]
fn dense<const I: usize, const O: usize>(layer: &Dense<I, O>, x: Tensor) -> Tensor {
    x.matmul(layer.weight) + layer.bias
}

/// A token over those before it, then two dense layers; a norm before each.
#[params]
pub struct Block<const D: usize, const QKV: usize, const FF: usize> {
    ln_1: LayerNorm<D>,
    #[name("attn.c_attn")]
    qkv: Dense<D, QKV>,
    #[name("attn.c_proj")]
    seen: Dense<D, D>,
    ln_2: LayerNorm<D>,
    #[name("mlp.c_fc")]
    up: Dense<D, FF>,
    #[name("mlp.c_proj")]
    down: Dense<FF, D>,
}

/// 124,439,808 parameters; the last layer is the table of tokens once more.
#[params]
pub struct Gpt2 {
    #[init(normal(0.0, 0.02))]
    #[name("wte.weight")]
    tokens: Tensor<VOCABULARY, 768>,
    #[init(normal(0.0, 0.02))]
    #[name("wpe.weight")]
    places: Tensor<LONGEST, 768>,
    h: [Block<768, 2304, 3072>; LAYERS],
    ln_f: LayerNorm<768>,
}

/// What follows the attention in a block.
#[model(inline)]
fn after<const D: usize, const QKV: usize, const FF: usize>(
    b: &Block<D, QKV, FF>,
    x: Tensor,
    seen: Tensor,
) -> Tensor {
    let x = x + b.seen.forward(seen);
    x + b.down.forward(b.up.forward(b.ln_2.forward(x)).gelu_tanh())
}

/// A block for the whole text.
#[model(inline)]
pub fn block<const N: usize, const T: usize, const D: usize, const QKV: usize, const FF: usize>(
    b: &Block<D, QKV, FF>,
    x: Tensor<N, T, D>,
    heads: usize,
) -> Tensor<N, T, D> {
    let [q, k, v] = b.qkv.forward(b.ln_1.forward(x)).chunk(3, -1);
    let (q, k, v) = (split(q, heads), split(k, heads), split(v, heads));
    let scale = ((D / heads) as f64).powf(-0.5);
    after(b, x, joined(scaled_dot_product_attention_with(q, k, v, None, true, scale)))
}

/// Scores of what comes behind each token.
#[model]
pub fn gpt2<const N: usize, const T: usize>(net: &Gpt2, ids: Tensor<i64, N, T>) -> Tensor<N, T, VOCABULARY> {
    let mut x = net.tokens.embedding(ids) + net.places.narrow(0, 0, T);
    for b in &net.h {
        x = block(b, x, HEADS);
    }
    net.ln_f.forward(x).linear(net.tokens, None)
}

/// Keys and values of a block for all tokens so far: H heads of E dims, L places.
#[params]
pub struct Seen<const H: usize, const L: usize, const E: usize> {
    #[buffer]
    keys: Tensor<1, H, L, E>,
    #[buffer]
    values: Tensor<1, H, L, E>,
}

/// Those of all blocks.
#[params]
pub struct Cache {
    h: [Seen<HEADS, LONGEST, 64>; LAYERS],
}

/// A block for the token at a place; `later` is −10³⁰ behind it.
#[model(inline)]
pub fn block_step<
    const D: usize,
    const QKV: usize,
    const FF: usize,
    const H: usize,
    const L: usize,
    const E: usize,
>(
    b: &Block<D, QKV, FF>,
    seen: &mut Seen<H, L, E>,
    x: Tensor<1, 1, D>,
    at: Tensor<i64>,
    later: Tensor<1, L>,
    heads: usize,
) -> Tensor<1, 1, D> {
    let [q, k, v] = b.qkv.forward(b.ln_1.forward(x)).chunk(3, -1);
    seen.keys = seen.keys.update_at(2, at, split(k, heads));
    seen.values = seen.values.update_at(2, at, split(v, heads));
    let scale = (E as f64).powf(-0.5);
    let q = split(q, heads);
    after(
        b,
        x,
        joined(scaled_dot_product_attention_with(q, seen.keys, seen.values, Some(later), false, scale)),
    )
}

/// Scores of what comes behind the token at a place, whose keys and values are put into the cache.
#[model]
pub fn gpt2_step(
    net: &Gpt2,
    cache: &mut Cache,
    id: Tensor<i64, 1, 1>,
    at: Tensor<i64, 1>,
) -> Tensor<VOCABULARY> {
    let later = arange(LONGEST).gt(at).to(f32).unsqueeze(0) * -1e30;
    let mut x = net.tokens.embedding(id) + net.places.embedding(at);
    for (b, seen) in net.h.iter().zip(&mut cache.h) {
        x = block_step(b, seen, x, at.squeeze(0), later, HEADS);
    }
    net.ln_f.forward(x).linear(net.tokens, None).reshape([VOCABULARY])
}
