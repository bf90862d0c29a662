//! Transformers: an encoder of 6 layers, and one token through a cache.

use crate::graph::{Attribute, Graph};

/// `weights(q kᵀ) v` over the last two axes.
fn attend(g: &mut Graph, q: &str, keys: &str, v: &str, scale: f32) -> String {
    let scale = g.floats(&[], &[scale]);
    let scores = g.op("MatMul", &[q, keys], &[]);
    let scores = g.op("Mul", &[&scores, &scale], &[]);
    let weights = g.op("Softmax", &[&scores], &[("axis", Attribute::Int(-1))]);
    g.op("MatMul", &[&weights, v], &[])
}

/// Dense layers by which dims go up to four times as many, and down again; what came in is added.
fn feed(g: &mut Graph, x: &str, h: &str, d: usize) -> String {
    let h = g.dense(h, d, 4 * d);
    let h = g.op("Gelu", &[&h], &[]);
    let h = g.dense(&h, 4 * d, d);
    g.op("Add", &[x, &h], &[])
}

/// Six layers of 384 dims and 12 heads.
pub fn encoder(g: &mut Graph) -> String {
    let mut x = "x0".to_owned();
    for _ in 0..6 {
        let qkv = g.dense(&x, 384, 1152);
        let qkv = g.reshape(&qkv, &[1, 128, 3, 12, 32]);
        let qkv = g.transpose(&qkv, &[2, 0, 3, 1, 4]);
        let (q, k, v) = (g.select(&qkv, 0), g.select(&qkv, 1), g.select(&qkv, 2));
        let keys = g.transpose(&k, &[0, 1, 3, 2]);
        let seen = attend(g, &q, &keys, &v, 32f32.sqrt().recip());
        let seen = g.transpose(&seen, &[0, 2, 1, 3]);
        let seen = g.reshape(&seen, &[1, 128, 384]);
        let seen = g.dense(&seen, 384, 384);
        let h = g.op("Add", &[&x, &seen], &[]);
        let h = g.layer_norm(&h, 384);
        let h = feed(g, &h, &h, 384);
        x = g.layer_norm(&h, 384);
    }
    x
}

/// What a layer has seen of 128 positions, the oldest being dropped for what it sees now.
fn over(g: &mut Graph, now: &str) -> String {
    let (from, to, axis) = (g.ints(&[1]), g.ints(&[128]), g.ints(&[1]));
    let cache = g.weight(&[6, 128, 64], 1);
    let kept = g.op("Slice", &[&cache, &from, &to, &axis], &[]);
    g.op("Concat", &[&kept, now], &[("axis", Attribute::Int(1))])
}

/// A token through six layers of 384 dims and 6 heads.
pub fn decoder(g: &mut Graph) -> String {
    let mut x = "x0".to_owned();
    for _ in 0..6 {
        let h = g.layer_norm(&x, 384);
        let qkv = g.gemm(&h, 384, 1152);
        let qkv = g.reshape(&qkv, &[3, 6, 1, 64]);
        let (q, k, v) = (g.select(&qkv, 0), g.select(&qkv, 1), g.select(&qkv, 2));
        let (k, v) = (over(g, &k), over(g, &v));
        let keys = g.transpose(&k, &[0, 2, 1]);
        let seen = attend(g, &q, &keys, &v, 0.125);
        let seen = g.reshape(&seen, &[1, 384]);
        let seen = g.gemm(&seen, 384, 384);
        let h = g.op("Add", &[&x, &seen], &[]);
        let n = g.layer_norm(&h, 384);
        x = feed(g, &h, &n, 384);
    }
    x
}
