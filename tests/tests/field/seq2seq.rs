//! A recurrent net that reads, and one that writes with attention: a loop over a free number of steps.

use kiln::nn::gru_from;
use kiln::prelude::*;
pub const V: usize = 50;
pub const H: usize = 32;
#[params]
pub struct Enc {
    embed: Embedding<V, H>,
    rnn: Gru<H, H>,
}
#[params]
pub struct Dec {
    embed: Embedding<V, H>,
    cell: GruCell<{ 2 * H }, H>,
    query: LinearNoBias<H, H>,
    out: Linear<{ 2 * H }, V>,
}
#[params]
pub struct Seq {
    enc: Enc,
    dec: Dec,
}

#[model]
pub fn attend<const T: usize, const B: usize>(
    d: &Dec,
    h: Tensor<B, H>,
    memory: Tensor<T, B, H>,
) -> Tensor<B, H> {
    let scores = (memory * d.query.forward(h).unsqueeze(0)).sum_dim(2); // [T, B]
    let w = scores.softmax(0);
    (w.unsqueeze(2) * memory).sum_dim(0)
}
#[model]
pub fn seq_loss<const S: usize, const T: usize, const B: usize>(
    net: &Seq,
    src: Tensor<i64, S, B>,
    tgt: Tensor<i64, T, B>,
) -> Tensor {
    let (memory, mut h) = gru_from(&net.enc.rnn, net.enc.embed.forward(src), zeros([B, H]));
    let mut prev = zeros([B]).to(i64);
    let mut logits = Vec::new();
    for t in 0..T {
        let e = net.dec.embed.forward(prev);
        let c = attend(&net.dec, h, memory);
        h = net.dec.cell.forward(cat([e, c], 1), h);
        logits.push(net.dec.out.forward(cat([h, c], 1)));
        prev = tgt.select(0, t);
    }
    let logits = stack(&logits, 0);
    cross_entropy(logits.reshape([T * B, V]), tgt.reshape([T * B]))
}
