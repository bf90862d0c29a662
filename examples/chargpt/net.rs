//! A small GPT over characters (Radford et al., 2019): the whole text at once to learn from, and a character at a time over a
//! cache of keys and values to write with. 128 wide, with 4 heads of 32.

use kiln::prelude::*;

/// Characters that the net sees.
pub const T: usize = 64;
/// Characters that there are.
pub const VOCAB: usize = 61;
/// Blocks.
pub const LAYERS: usize = 3;

/// Attention, and two dense layers, a norm before each.
#[params(forward = block)]
pub struct Block {
    ln_1: LayerNorm<128>,
    qkv: Linear<128, 384>,
    proj: Linear<128, 128>,
    ln_2: LayerNorm<128>,
    fc: Linear<128, 512>,
    out: Linear<512, 128>,
}

/// The net.
#[params]
pub struct Gpt {
    #[init(normal(0.0, 0.02))]
    wte: Tensor<VOCAB, 128>,
    #[init(normal(0.0, 0.02))]
    wpe: Tensor<T, 128>,
    blocks: [Block; LAYERS],
    ln_f: LayerNorm<128>,
    head: LinearNoBias<128, VOCAB>,
}

/// A character sees those before it.
#[model]
pub fn block<const N: usize>(b: &Block, x: Tensor<N, T, 128>) -> Tensor<N, T, 128> {
    let parts = b.qkv.forward(b.ln_1.forward(x)).reshape([N, T, 3, 4, 32]).permute([2, 0, 3, 1, 4]);
    let (q, k, v) = (parts.select(0, 0), parts.select(0, 1), parts.select(0, 2));
    let seen = scaled_dot_product_attention_with(q, k, v, None, true, 0.17677669529663687);
    let x = x + b.proj.forward(seen.transpose(1, 2).reshape([N, T, 128]));
    x + b.out.forward(b.fc.forward(b.ln_2.forward(x)).gelu_tanh())
}

/// Scores of what comes behind each character.
#[model]
pub fn scores<const N: usize>(net: &Gpt, ids: Tensor<i64, N, T>) -> Tensor<N, T, VOCAB> {
    let mut h = net.wte.embedding(ids) + net.wpe;
    for b in &net.blocks {
        h = b.forward(h);
    }
    net.head.forward(net.ln_f.forward(h))
}

/// Nats that a character takes.
#[model]
pub fn loss<const N: usize>(net: &Gpt, ids: Tensor<i64, N, T>, next: Tensor<i64, N, T>) -> Tensor {
    cross_entropy(scores(net, ids).flatten(0, 1), next.flatten(0, 1))
}

/// Forward, backward, clip and AdamW in one function.
#[model]
pub fn train_step<const N: usize>(
    net: &mut Gpt,
    opt: &mut AdamW<Gpt>,
    ids: Tensor<i64, N, T>,
    next: Tensor<i64, N, T>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, ids, next);
    opt.step(net, grads.clip_norm(1.0));
    loss
}

/// Keys and values of a block for all characters so far.
#[params]
pub struct Seen {
    #[buffer]
    k: Tensor<4, T, 32>,
    #[buffer]
    v: Tensor<4, T, 32>,
}

/// Keys and values of all blocks.
#[params]
pub struct Cache {
    blocks: [Seen; LAYERS],
}

/// A block for the character at a place, `x: [1, 128]`; `later` is −10⁹ behind the place.
#[model]
fn block_step(
    b: &Block,
    seen: &mut Seen,
    x: Tensor<1, 128>,
    at: Tensor<i64>,
    later: Tensor<1, T>,
) -> Tensor<1, 128> {
    let parts = b.qkv.forward(b.ln_1.forward(x)).reshape([3, 4, 1, 32]);
    let (q, k, v) = (parts.select(0, 0), parts.select(0, 1), parts.select(0, 2));
    seen.k = seen.k.update_at(1, at, k);
    seen.v = seen.v.update_at(1, at, v);
    let heads = scaled_dot_product_attention_with(q, seen.k, seen.v, Some(later), false, 0.17677669529663687);
    let x = x + b.proj.forward(heads.reshape([1, 128]));
    x + b.out.forward(b.fc.forward(b.ln_2.forward(x)).gelu_tanh())
}

/// Scores of what comes behind the character at a place, whose keys and values are put into the cache.
#[model]
pub fn step(net: &Gpt, cache: &mut Cache, id: Tensor<i64, 1>, at: Tensor<i64, 1>) -> Tensor<VOCAB> {
    let later = arange(T).gt(at).to(f32).unsqueeze(0) * -1e9;
    let mut h = net.wte.embedding(id) + net.wpe.embedding(at);
    for i in 0..LAYERS {
        h = block_step(&net.blocks[i], &mut cache.blocks[i], h, at.squeeze(0), later);
    }
    net.head.forward(net.ln_f.forward(h)).squeeze(0)
}
