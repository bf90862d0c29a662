//! A small GPT over characters (Radford et al., 2019), of the blocks of the zoo's GPT-2: the whole text at once to learn from, and a
//! character at a time over a cache of keys and values to write with. 128 wide, with 4 heads of 32.

use kiln::prelude::*;
use kiln_zoo::gpt2::{Block, Seen, block, block_step};

/// Characters that the net sees.
pub const T: usize = 64;
/// Characters that there are.
pub const VOCAB: usize = 61;
/// Blocks.
pub const LAYERS: usize = 3;
const HEADS: usize = 4;

/// The net.
#[params]
pub struct Gpt {
    #[init(normal(0.0, 0.02))]
    wte: Tensor<VOCAB, 128>,
    #[init(normal(0.0, 0.02))]
    wpe: Tensor<T, 128>,
    blocks: [Block<128, 384, 512>; LAYERS],
    ln_f: LayerNorm<128>,
    head: LinearNoBias<128, VOCAB>,
}

/// Scores of what comes behind each character.
#[model]
pub fn scores<const N: usize>(net: &Gpt, ids: Tensor<i64, N, T>) -> Tensor<N, T, VOCAB> {
    let mut h = net.wte.embedding(ids) + net.wpe;
    for b in &net.blocks {
        h = block(b, h, HEADS);
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

/// Keys and values of all blocks.
#[params]
pub struct Cache {
    blocks: [Seen<HEADS, T, 32>; LAYERS],
}

/// Scores of what comes behind the character at a place, whose keys and values are put into the cache.
#[model]
pub fn step(net: &Gpt, cache: &mut Cache, id: Tensor<i64, 1, 1>, at: Tensor<i64, 1>) -> Tensor<VOCAB> {
    let later = arange(T).gt(at).to(f32).unsqueeze(0) * -1e30;
    let mut h = net.wte.embedding(id) + net.wpe.embedding(at);
    for (b, seen) in net.blocks.iter().zip(&mut cache.blocks) {
        h = block_step(b, seen, h, at.squeeze(0), later, HEADS);
    }
    net.head.forward(net.ln_f.forward(h)).reshape([VOCAB])
}
