//! Transformers: an encoder of 6 layers, a training step of a GPT of 2, and one token through a cache.

use std::hint::black_box;

use kiln::prelude::*;

/// Attention and two dense layers: `E` is `3 D`, `F` is `4 D`.
#[params]
pub struct Block<const D: usize, const E: usize, const F: usize> {
    qkv: Linear<D, E>,
    o: Linear<D, D>,
    n1: LayerNorm<D>,
    n2: LayerNorm<D>,
    up: Linear<D, F>,
    down: Linear<F, D>,
}

#[model(inline)]
fn feed<const D: usize, const E: usize, const F: usize>(block: &Block<D, E, F>, x: Tensor) -> Tensor {
    block.down.forward(block.up.forward(x).gelu())
}

/// Six layers of 384 dims and 12 heads.
#[params]
pub struct Encoder {
    blocks: [Block<384, 1152, 1536>; 6],
}

#[model(inline)]
fn encoded(block: &Block<384, 1152, 1536>, x: Tensor<1, 128, 384>) -> Tensor<1, 128, 384> {
    let qkv = block.qkv.forward(x).reshape([1, 128, 3, 12, 32]).permute([2, 0, 3, 1, 4]);
    let a = scaled_dot_product_attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
    let x = block.n1.forward(x + block.o.forward(a.transpose(1, 2).reshape([1, 128, 384])));
    block.n2.forward(x + feed(block, x))
}

#[model]
fn encoder_b1(net: &Encoder, x: Tensor<1, 128, 384>) -> Tensor<1, 128, 384> {
    let mut x = x;
    for block in &net.blocks {
        x = encoded(block, x);
    }
    x
}

/// Two layers of 128 dims and 4 heads over 64 characters of 65.
#[params]
pub struct Gpt {
    tok: Tensor<65, 128>,
    pos: Tensor<64, 128>,
    blocks: [Block<128, 384, 512>; 2],
    norm: LayerNorm<128>,
    head: LinearNoBias<128, 65>,
}

#[model(inline)]
fn decoded(block: &Block<128, 384, 512>, x: Tensor<8, 64, 128>) -> Tensor<8, 64, 128> {
    let qkv = block.qkv.forward(block.n1.forward(x)).reshape([8, 64, 3, 4, 32]).permute([2, 0, 3, 1, 4]);
    let (q, k, v) = (qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
    let a = scaled_dot_product_attention_with(q, k, v, None, true, 1.0 / 32.0_f32.sqrt());
    let x = x + block.o.forward(a.transpose(1, 2).reshape([8, 64, 128]));
    x + feed(block, block.n2.forward(x))
}

#[model]
fn gpt_loss(net: &Gpt, ids: Tensor<i64, 8, 64>, y: Tensor<i64, 8, 64>) -> Tensor {
    let mut x = net.tok.embedding(ids) + net.pos;
    for block in &net.blocks {
        x = decoded(block, x);
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
    blocks: [Block<384, 1152, 1536>; 6],
    k: Tensor<6, 6, 128, 64>,
    v: Tensor<6, 6, 128, 64>,
}

#[model(inline)]
fn stepped(
    block: &Block<384, 1152, 1536>,
    keys: Tensor<6, 128, 64>,
    values: Tensor<6, 128, 64>,
    x: Tensor<1, 384>,
) -> Tensor<1, 384> {
    let qkv = block.qkv.forward(block.n1.forward(x)).reshape([3, 6, 1, 64]);
    let k = cat([keys.narrow(1, 1, 127), qkv.select(0, 1)], 1);
    let v = cat([values.narrow(1, 1, 127), qkv.select(0, 2)], 1);
    let a = (qkv.select(0, 0).matmul(k.transpose(-1, -2)) * 0.125).softmax(-1).matmul(v);
    let x = x + block.o.forward(a.reshape([1, 384]));
    x + feed(block, block.n2.forward(x))
}

#[model]
fn decode_b1(net: &Decoder, x: Tensor<1, 384>) -> Tensor<1, 384> {
    let mut x = x;
    for i in 0..6 {
        x = stepped(&net.blocks[i], net.k.select(0, i), net.v.select(0, i), x);
    }
    x
}

fn normal(rng: &mut Rng, shape: &[usize]) -> Tensor {
    init::normal(0.0, 1.0).tensor(rng, shape)
}

/// 128 positions a call.
pub fn encoder() -> impl FnMut() {
    let mut rng = Rng::seed(0);
    let net = Encoder::init(&mut rng);
    assert_eq!(net.param_count(), 10_646_784);
    let (net, x) = (encoder_b1::freeze(&net).expect("its own shapes"), normal(&mut rng, &[1, 128, 384]));
    move || drop(black_box(net.run(&x).expect("a sentence")))
}

/// Forward, backward and Adam a call.
pub fn gpt() -> impl FnMut() {
    let mut rng = Rng::seed(0);
    let mut net = Gpt::init(&mut rng);
    let mut opt = Adam::new(&net, 1e-3);
    let mut ids =
        || -> [[i64; 64]; 8] { std::array::from_fn(|_| std::array::from_fn(|_| rng.below(65) as i64)) };
    let (x, y) = (ids(), ids());
    move || drop(black_box(gpt_step(&mut net, &mut opt, x, y).expect("a batch")))
}

/// A token a call.
pub fn decode() -> impl FnMut() {
    let mut rng = Rng::seed(0);
    let net = Decoder::init(&mut rng);
    let (net, x) = (decode_b1::freeze(&net).expect("its own shapes"), normal(&mut rng, &[1, 384]));
    move || drop(black_box(net.run(&x).expect("a token")))
}
