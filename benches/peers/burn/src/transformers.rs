//! Transformers: an encoder of 6 layers, a training step of a GPT of 2, and one token through a cache.

use crate::run::{self, classes, normal};
use burn::module::{Module, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Device, Int, Tensor};
use clock::{Outcome, Run};

/// Attention and two dense layers.
#[derive(Module, Debug)]
pub struct Block {
    qkv: Linear,
    o: Linear,
    n1: LayerNorm,
    n2: LayerNorm,
    up: Linear,
    down: Linear,
    heads: usize,
}

impl Block {
    fn new(d: usize, heads: usize, device: &Device) -> Block {
        let linear = |i, o| LinearConfig::new(i, o).init(device);
        let norm = || LayerNormConfig::new(d).init(device);
        let (qkv, o, up, down) = (linear(d, 3 * d), linear(d, d), linear(d, 4 * d), linear(4 * d, d));
        Block { qkv, o, n1: norm(), n2: norm(), up, down, heads }
    }

    /// What each place takes of those that it sees.
    fn attend(&self, x: Tensor<3>, is_causal: bool) -> Tensor<3> {
        let [b, t, d] = x.dims();
        let qkv = self.qkv.forward(x).reshape([b, t, 3, self.heads, d / self.heads]).permute([2, 0, 3, 1, 4]);
        let part = |at: usize| -> Tensor<4> { qkv.clone().narrow(0, at, 1).squeeze_dim(0) };
        let options = AttentionModuleOptions { is_causal, ..Default::default() };
        let seen = attention(part(0), part(1), part(2), None, None, options);
        self.o.forward(seen.swap_dims(1, 2).reshape([b, t, d]))
    }

    fn feed<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.down.forward(gelu(self.up.forward(x)))
    }
}

fn blocks(n: usize, d: usize, heads: usize, device: &Device) -> Vec<Block> {
    (0..n).map(|_| Block::new(d, heads, device)).collect()
}

/// Six layers of 384 dims and 12 heads.
#[derive(Module, Debug)]
pub struct Encoder {
    blocks: Vec<Block>,
}

impl Encoder {
    pub fn new(device: &Device) -> Encoder {
        Encoder { blocks: blocks(6, 384, 12, device) }
    }

    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.blocks.iter().fold(x, |x, block| {
            let x = block.n1.forward(x.clone() + block.attend(x, false));
            block.n2.forward(x.clone() + block.feed(x))
        })
    }
}

/// Two layers of 128 dims and 4 heads over 64 characters of 65.
#[derive(Module, Debug)]
pub struct Gpt {
    tok: Embedding,
    pos: Embedding,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
}

impl Gpt {
    fn new(device: &Device) -> Gpt {
        Gpt {
            tok: EmbeddingConfig::new(65, 128).init(device),
            pos: EmbeddingConfig::new(64, 128).init(device),
            blocks: blocks(2, 128, 4, device),
            norm: LayerNormConfig::new(128).init(device),
            head: LinearConfig::new(128, 65).with_bias(false).init(device),
        }
    }

    fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let x = self.tok.forward(ids) + self.pos.weight.val().unsqueeze::<3>();
        let x = self.blocks.iter().fold(x, |x, block| {
            let x = x.clone() + block.attend(block.n1.forward(x), true);
            x.clone() + block.feed(block.n2.forward(x))
        });
        self.head.forward(self.norm.forward(x))
    }
}

/// 8 texts at a time.
pub fn train() -> Outcome<Run> {
    let device = Device::flex().autodiff();
    let (x, y) = (classes([8, 64], 65, &device), classes([512], 65, &device));
    let criterion = CrossEntropyLossConfig::new().init(&device);
    run::train(Gpt::new(&device), move |net| {
        criterion.forward(net.forward(x.clone()).reshape([512, 65]), y.clone())
    })
}

/// A token through six layers of 384 dims and 6 heads, and what they have seen of 128 positions.
#[derive(Module, Debug)]
pub struct Decoder {
    blocks: Vec<Block>,
    keys: Param<Tensor<4>>,
    values: Param<Tensor<4>>,
}

impl Decoder {
    pub fn new(device: &Device) -> Decoder {
        let cache = || Param::from_tensor(normal([6, 6, 128, 64], device));
        Decoder { blocks: blocks(6, 384, 6, device), keys: cache(), values: cache() }
    }

    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.blocks.iter().enumerate().fold(x, |x, (i, block)| {
            let qkv = block.qkv.forward(block.n1.forward(x.clone())).reshape([3, 6, 1, 64]);
            let part = |at: usize| -> Tensor<3> { qkv.clone().narrow(0, at, 1).squeeze_dim(0) };
            let over = |cache: &Param<Tensor<4>>, new| {
                let old: Tensor<3> = cache.val().narrow(0, i, 1).squeeze_dim(0);
                Tensor::cat(vec![old.narrow(1, 1, 127), new], 1)
            };
            let (k, v) = (over(&self.keys, part(1)), over(&self.values, part(2)));
            let seen = softmax(part(0).matmul(k.swap_dims(1, 2)) * 0.125, 2).matmul(v);
            let x = x + block.o.forward(seen.reshape([1, 384]));
            x.clone() + block.feed(block.n2.forward(x))
        })
    }
}
