//! BERT: Devlin et al., *BERT: pre-training of deep bidirectional transformers* (2018), in the size of MiniLM-L6 (Wang et al.,
//! *MiniLM*, 2020): 6 layers of 384 dims and 12 heads, of Hugging Face's names. As all-MiniLM-L6-v2 it embeds sentences.

use crate::attention::{joined, split};
use kiln::prelude::*;

/// Word pieces.
pub const VOCABULARY: usize = 30522;
/// Places.
pub const LONGEST: usize = 512;
const HEADS: usize = 12;

/// A layer: each place over all places, then two dense layers; a norm behind each.
#[params]
pub struct Layer<const D: usize, const FF: usize> {
    #[name("attention.self.query")]
    query: Linear<D, D>,
    #[name("attention.self.key")]
    key: Linear<D, D>,
    #[name("attention.self.value")]
    value: Linear<D, D>,
    #[name("attention.output.dense")]
    seen: Linear<D, D>,
    #[name("attention.output.LayerNorm")]
    seen_norm: LayerNorm<D>,
    #[name("intermediate.dense")]
    up: Linear<D, FF>,
    #[name("output.dense")]
    down: Linear<FF, D>,
    #[name("output.LayerNorm")]
    norm: LayerNorm<D>,
}

/// 22,713,216 parameters.
#[params]
pub struct MiniLm {
    #[name("embeddings.word_embeddings")]
    words: Embedding<VOCABULARY, 384>,
    #[name("embeddings.position_embeddings")]
    places: Embedding<LONGEST, 384>,
    #[name("embeddings.token_type_embeddings")]
    types: Embedding<2, 384>,
    #[name("embeddings.LayerNorm")]
    norm: LayerNorm<384>,
    #[name("encoder.layer")]
    layers: [Layer<384, 1536>; 6],
    #[name("pooler.dense")]
    pooler: Linear<384, 384>,
}

#[model(inline)]
fn normed<const D: usize>(norm: &LayerNorm<D>, x: Tensor) -> Tensor {
    x.layer_norm([D], Some(norm.weight), Some(norm.bias), 1e-12)
}

#[model(inline)]
fn layer<const N: usize, const T: usize>(
    l: &Layer<384, 1536>,
    x: Tensor<N, T, 384>,
    hidden: Tensor<N, 1, 1, T>,
) -> Tensor<N, T, 384> {
    let (q, k, v) = (l.query.forward(x), l.key.forward(x), l.value.forward(x));
    let (q, k, v) = (split(q, HEADS), split(k, HEADS), split(v, HEADS));
    let scale = 32f64.sqrt().recip();
    let seen = joined(scaled_dot_product_attention_with(q, k, v, Some(hidden), false, scale));
    let x = normed(&l.seen_norm, l.seen.forward(seen) + x);
    normed(&l.norm, l.down.forward(l.up.forward(x).gelu()) + x)
}

/// What each word piece means; `keep` is 1 for a word piece and 0 for padding behind.
#[model]
pub fn minilm<const N: usize, const T: usize>(
    net: &MiniLm,
    ids: Tensor<i64, N, T>,
    keep: Tensor<N, T>,
) -> Tensor<N, T, 384> {
    let words = net.words.forward(ids) + net.places.weight.narrow(0, 0, T) + net.types.weight.narrow(0, 0, 1);
    let hidden = ((keep - 1.0) * 1e30).reshape([N, 1, 1, T]);
    let mut x = normed(&net.norm, words);
    for l in &net.layers {
        x = layer(l, x, hidden);
    }
    x
}

/// BERT's own summary of a sentence, from its first place.
#[model]
pub fn pooled<const N: usize, const T: usize>(
    net: &MiniLm,
    ids: Tensor<i64, N, T>,
    keep: Tensor<N, T>,
) -> Tensor<N, 384> {
    net.pooler.forward(minilm(net, ids, keep).select(1, 0)).tanh()
}

/// Where sentences lie, of length 1: the mean over their word pieces. The closer two are, the more alike the sentences.
#[model]
pub fn embedded<const N: usize, const T: usize>(
    net: &MiniLm,
    ids: Tensor<i64, N, T>,
    keep: Tensor<N, T>,
) -> Tensor<N, 384> {
    let x = minilm(net, ids, keep);
    let mean = (x * keep.unsqueeze(2)).sum_dim(1) / keep.sum_dim(1).unsqueeze(1);
    mean / mean.square().sum_dim(1).sqrt().unsqueeze(1)
}
