//! Transformers: an encoder of 6 layers, a training step of a GPT of 2, and one token through a cache.

use crate::Forward;
use crate::train::{Loss, classes};
use candle_core::{D, Device, Module, Result, Tensor};
use candle_nn::ops::{layer_norm_slow, softmax, softmax_last_dim};
use candle_nn::{
    LayerNorm, Linear, VarBuilder, embedding, layer_norm, linear, linear_no_bias, loss::cross_entropy,
};

/// Attention and two dense layers.
struct Block {
    qkv: Linear,
    o: Linear,
    n1: LayerNorm,
    n2: LayerNorm,
    up: Linear,
    down: Linear,
    heads: usize,
}

fn block(d: usize, heads: usize, vb: VarBuilder) -> Result<Block> {
    Ok(Block {
        qkv: linear(d, 3 * d, vb.pp("qkv"))?,
        o: linear(d, d, vb.pp("o"))?,
        n1: layer_norm(d, 1e-5, vb.pp("n1"))?,
        n2: layer_norm(d, 1e-5, vb.pp("n2"))?,
        up: linear(d, 4 * d, vb.pp("up"))?,
        down: linear(4 * d, d, vb.pp("down"))?,
        heads,
    })
}

fn blocks(n: usize, d: usize, heads: usize, vb: VarBuilder) -> Result<Vec<Block>> {
    (0..n).map(|i| block(d, heads, vb.pp(format!("blocks.{i}")))).collect()
}

impl Block {
    /// What each place takes of those that it sees, `weigh` making weights of scores.
    fn attend(&self, x: &Tensor, weigh: impl Fn(Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let (b, t, d) = x.dims3()?;
        let e = d / self.heads;
        let qkv =
            self.qkv.forward(x)?.reshape((b, t, 3, self.heads, e))?.permute((2, 0, 3, 1, 4))?.contiguous()?;
        let (q, k, v) = (qkv.get(0)?, qkv.get(1)?, qkv.get(2)?);
        let scores = (q.matmul(&k.t()?)? * (e as f64).powf(-0.5))?;
        let seen = weigh(scores)?.matmul(&v)?;
        self.o.forward(&seen.transpose(1, 2)?.reshape((b, t, d))?)
    }

    fn feed(&self, x: &Tensor) -> Result<Tensor> {
        self.down.forward(&self.up.forward(x)?.gelu_erf()?)
    }
}

/// Six layers of 384 dims and 12 heads.
pub fn encoder(vb: VarBuilder) -> Result<Forward> {
    let blocks = blocks(6, 384, 12, vb)?;
    Ok(Box::new(move |x| {
        blocks.iter().try_fold(x.clone(), |x, block| {
            let x = block.n1.forward(&(block.attend(&x, |scores| softmax_last_dim(&scores))? + &x)?)?;
            block.n2.forward(&(block.feed(&x)? + &x)?)
        })
    }))
}

/// A norm that has a gradient.
fn normed(norm: &LayerNorm, x: &Tensor) -> Result<Tensor> {
    layer_norm_slow(x, norm.weight(), norm.bias().expect("it has offsets"), norm.eps() as f32)
}

/// Two layers of 128 dims and 4 heads over 64 characters of 65, 8 texts at a time.
pub fn gpt_loss(vb: VarBuilder) -> Result<Loss> {
    let (tok, pos) = (embedding(65, 128, vb.pp("tok"))?, embedding(64, 128, vb.pp("pos"))?);
    let blocks = blocks(2, 128, 4, vb.clone())?;
    let (norm, head) = (layer_norm(128, 1e-5, vb.pp("norm"))?, linear_no_bias(128, 65, vb.pp("head"))?);
    let (x, y) = (classes(&[8, 64], 65)?, classes(&[512], 65)?);
    let later: Vec<f32> =
        (0..64 * 64).map(|at| if at % 64 > at / 64 { f32::NEG_INFINITY } else { 0.0 }).collect();
    let later = Tensor::from_vec(later, (64, 64), &Device::Cpu)?;
    Ok(Box::new(move || {
        let x = tok.forward(&x)?.broadcast_add(pos.embeddings())?;
        let x = blocks.iter().try_fold(x, |x, block| {
            let weigh = |scores: Tensor| softmax(&scores.broadcast_add(&later)?, D::Minus1);
            let x = (&x + block.attend(&normed(&block.n1, &x)?, weigh)?)?;
            &x + block.feed(&normed(&block.n2, &x)?)?
        })?;
        cross_entropy(&head.forward(&normed(&norm, &x)?)?.reshape((512, 65))?, &y)
    }))
}

/// A token through six layers of 384 dims and 6 heads, and what they have seen of 128 positions.
pub fn decoder(vb: VarBuilder) -> Result<Forward> {
    let blocks = blocks(6, 384, 6, vb.clone())?;
    let cache = |name| vb.get_with_hints((6, 6, 128, 64), name, candle_nn::init::DEFAULT_KAIMING_NORMAL);
    let (keys, values) = (cache("keys")?, cache("values")?);
    Ok(Box::new(move |x| {
        blocks.iter().enumerate().try_fold(x.clone(), |x, (i, block)| {
            let qkv = block.qkv.forward(&block.n1.forward(&x)?)?.reshape((3, 6, 1, 64))?;
            let over =
                |cache: &Tensor, new| Tensor::cat(&[cache.get(i)?.narrow(1, 1, 127)?, qkv.get(new)?], 1);
            let (k, v) = (over(&keys, 1)?, over(&values, 2)?);
            let seen = softmax_last_dim(&(qkv.get(0)?.matmul(&k.t()?)? * 0.125)?)?.matmul(&v)?;
            let x = (&x + block.o.forward(&seen.reshape((1, 384))?)?)?;
            &x + block.feed(&block.n2.forward(&x)?)?
        })
    }))
}
