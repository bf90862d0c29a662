//! Attention and transformer layers, loaded by torch's names, against torch's own numbers.
#![allow(missing_docs)]

#[path = "common/golden.rs"]
mod golden;

use golden::Golden;
use kiln::nn::{
    attention_mask, causal_mask, cross_attention, decoder_layer_masked, decoder_layer_norm_first,
    decoder_layer_train, encoder_layer_masked, encoder_layer_norm_first, encoder_layer_train,
    key_padding_mask, masked_attention,
};
use kiln::prelude::*;

#[model]
fn attend<const N: usize, const T: usize>(
    a: &MultiheadAttention<8, 2>,
    x: Tensor<N, T, 8>,
) -> Tensor<N, T, 8> {
    a.forward(x, false)
}

#[model]
fn attend_causal<const N: usize, const T: usize>(
    a: &MultiheadAttention<6, 3>,
    x: Tensor<N, T, 6>,
) -> Tensor<N, T, 6> {
    a.forward(x, true)
}

#[model]
fn across<const N: usize, const T: usize>(
    a: &MultiheadAttention<8, 2>,
    x: Tensor<N, T, 8>,
) -> Tensor<N, T, 8> {
    cross_attention(a, x, x, false)
}

#[model]
fn encoder<const N: usize, const T: usize>(
    l: &TransformerEncoderLayer<8, 2, 12>,
    x: Tensor<N, T, 8>,
) -> Tensor<N, T, 8> {
    l.forward(x, false)
}

#[model]
fn encoder_first<const N: usize, const T: usize>(
    l: &TransformerEncoderLayer<8, 4, 16>,
    x: Tensor<N, T, 8>,
) -> Tensor<N, T, 8> {
    encoder_layer_norm_first(l, x, false)
}

#[model]
fn decoder<const N: usize, const T: usize, const S: usize>(
    l: &TransformerDecoderLayer<8, 2, 12>,
    x: Tensor<N, T, 8>,
    memory: Tensor<N, S, 8>,
) -> Tensor<N, T, 8> {
    l.forward(x, memory, true)
}

#[model]
fn decoder_first<const N: usize, const T: usize, const S: usize>(
    l: &TransformerDecoderLayer<6, 3, 8>,
    x: Tensor<N, T, 6>,
    memory: Tensor<N, S, 6>,
) -> Tensor<N, T, 6> {
    decoder_layer_norm_first(l, x, memory, true)
}

#[model]
fn attend_padded<const N: usize, const T: usize>(
    a: &MultiheadAttention<8, 4>,
    x: Tensor<N, T, 8>,
    padding: Tensor<bool, N, T>,
) -> Tensor<N, T, 8> {
    masked_attention(a, x, x, key_padding_mask(padding), false)
}

#[model]
fn encoder_masked(
    l: &TransformerEncoderLayer<6, 2, 10>,
    x: Tensor<2, 5, 6>,
    padding: Tensor<bool, 2, 5>,
) -> Tensor<2, 5, 6> {
    encoder_layer_masked(l, x, causal_mask(5) + key_padding_mask(padding), false, true)
}

#[model]
fn encoder_masked_first<const T: usize>(
    l: &TransformerEncoderLayer<8, 4, 16>,
    x: Tensor<2, T, 8>,
    hidden: Tensor<bool, T, T>,
) -> Tensor<2, T, 8> {
    encoder_layer_masked(l, x, attention_mask(hidden), true, true)
}

#[model]
fn decoder_masked<const N: usize, const T: usize, const S: usize>(
    l: &TransformerDecoderLayer<8, 2, 12>,
    x: Tensor<N, T, 8>,
    memory: Tensor<N, S, 8>,
    hidden: Tensor<bool, T, T>,
    padding: Tensor<bool, N, S>,
) -> Tensor<N, T, 8> {
    decoder_layer_masked(l, x, memory, attention_mask(hidden), key_padding_mask(padding), false, false)
}

#[model]
fn decoder_masked_first<const N: usize, const T: usize, const S: usize>(
    l: &TransformerDecoderLayer<6, 3, 8>,
    x: Tensor<N, T, 6>,
    memory: Tensor<N, S, 6>,
    hidden: Tensor<T, T>,
    padding: Tensor<bool, N, S>,
) -> Tensor<N, T, 6> {
    decoder_layer_masked(l, x, memory, hidden, key_padding_mask(padding), true, true)
}

/// The gradient under a mask, of a square so that it hangs on the values.
#[model]
fn masked_loss(a: &MultiheadAttention<8, 4>, x: Tensor<2, 6, 8>, mask: Tensor<6, 6>) -> Tensor {
    masked_attention(a, x, x, mask, false).square().sum()
}

#[test]
fn multihead_attention_is_torchs() {
    let golden = Golden::read("multi_head_attention--self");
    let (layer, x) = (golden.params(), golden.tensor("in.x"));
    golden.check(attend(&layer, &x), &attend::eager(&layer, &x));
    golden.check(across(&layer, &x), &across::eager(&layer, &x));
    let golden = Golden::read("multi_head_attention--causal");
    let (layer, x) = (golden.params(), golden.tensor("in.x"));
    golden.check(attend_causal(&layer, &x), &attend_causal::eager(&layer, &x));
}

#[test]
fn encoder_layers_are_torchs() {
    let golden = Golden::read("transformer_encoder_layer--post");
    let (layer, x) = (golden.params(), golden.tensor("in.x"));
    golden.check(encoder(&layer, &x), &encoder::eager(&layer, &x));
    let golden = Golden::read("transformer_encoder_layer--pre");
    let (layer, x) = (golden.params(), golden.tensor("in.x"));
    golden.check(encoder_first(&layer, &x), &encoder_first::eager(&layer, &x));
}

#[test]
fn decoder_layers_are_torchs() {
    let golden = Golden::read("transformer_decoder_layer--post");
    let (layer, x, memory) = (golden.params(), golden.tensor("in.x"), golden.tensor("in.memory"));
    golden.check(decoder(&layer, &x, &memory), &decoder::eager(&layer, &x, &memory));
    let golden = Golden::read("transformer_decoder_layer--pre");
    let (layer, x, memory) = (golden.params(), golden.tensor("in.x"), golden.tensor("in.memory"));
    golden.check(decoder_first(&layer, &x, &memory), &decoder_first::eager(&layer, &x, &memory));
}

/// The bools above the diagonal: what a causal mask hides.
fn later(t: usize) -> Tensor<bool> {
    let data = (0..t * t).map(|i| i % t > i / t).collect();
    Tensor::from_vec([t, t], data).expect("as many truth values")
}

fn none(n: usize, s: usize) -> Tensor<bool> {
    Tensor::from_vec([n, s], vec![false; n * s]).expect("as many truth values")
}

#[test]
fn masks_are_torchs() {
    let golden = Golden::read("multi_head_attention--padding");
    let (layer, x, padding) = (golden.params(), golden.tensor("in.x"), golden.bools("in.key_padding_mask"));
    golden.check(attend_padded(&layer, &x, &padding), &attend_padded::eager(&layer, &x, &padding));
    let golden = Golden::read("transformer_encoder_layer--masked");
    let (layer, x, padding) = (golden.params(), golden.tensor("in.x"), golden.bools("in.key_padding_mask"));
    golden.check(encoder_masked(&layer, &x, &padding), &encoder_masked::eager(&layer, &x, &padding));
}

/// A mask that hides what a causal one hides, or nothing, is the layer without.
#[test]
fn masks_of_bools_and_numbers_agree() {
    let golden = Golden::read("transformer_encoder_layer--pre");
    let (layer, x) = (golden.params(), golden.tensor("in.x"));
    let (n, t) = (x.shape()[0], x.shape()[1]);
    let all = none(t, t);
    golden.check(encoder_masked_first(&layer, &x, &all), &encoder_masked_first::eager(&layer, &x, &all));
    assert_eq!(n, 2);
    let golden = Golden::read("transformer_decoder_layer--post");
    let (layer, x, memory) = (golden.params(), golden.tensor("in.x"), golden.tensor("in.memory"));
    let (hidden, seen) = (later(x.shape()[1]), none(memory.shape()[0], memory.shape()[1]));
    golden.check(
        decoder_masked(&layer, &x, &memory, &hidden, &seen),
        &decoder_masked::eager(&layer, &x, &memory, &hidden, &seen),
    );
    let golden = Golden::read("transformer_decoder_layer--pre");
    let (layer, x, memory) = (golden.params(), golden.tensor("in.x"), golden.tensor("in.memory"));
    let (hidden, seen) = (causal_mask::eager(x.shape()[1]), none(memory.shape()[0], memory.shape()[1]));
    golden.check(
        decoder_masked_first(&layer, &x, &memory, &hidden, &seen),
        &decoder_masked_first::eager(&layer, &x, &memory, &hidden, &seen),
    );
}

#[test]
fn gradients_under_a_mask_are_the_eager_ones() {
    let golden = Golden::read("multi_head_attention--padding");
    let (layer, x): (MultiheadAttention<8, 4>, Tensor) = (golden.params(), golden.tensor("in.x"));
    let mask = causal_mask::eager(6);
    let (value, grads) = masked_loss::value_and_grad(&layer, &x, &mask).expect("shapes fit");
    let (want, wanted) =
        kiln::autograd::value_and_grad(&layer, |l| masked_loss::eager(l, &x, &mask)).expect("a scalar");
    assert!((value.item().expect("a scalar") - want.item().expect("a scalar")).abs() < 1e-4);
    for (got, want) in grads.named_leaves().iter().zip(wanted.named_leaves()) {
        near(got.tensor.as_f32().expect("f32"), want.tensor.as_f32().expect("f32"));
    }
}

#[model]
fn encoder_train<const N: usize, const T: usize>(
    l: &TransformerEncoderLayer<8, 4, 16>,
    x: Tensor<N, T, 8>,
    rng: &mut Rng,
) -> (Tensor<N, T, 8>, Tensor<N, T, 8>) {
    let mask = causal_mask(T);
    (
        encoder_layer_train(l, x, mask, true, true, 0.3, rng),
        encoder_layer_train(l, x, mask, false, false, 1.0, rng),
    )
}

#[model]
fn encoder_still<const N: usize, const T: usize>(
    l: &TransformerEncoderLayer<8, 4, 16>,
    x: Tensor<N, T, 8>,
    rng: &mut Rng,
) -> Tensor<N, T, 8> {
    encoder_layer_train(l, x, zeros([1]), true, true, 0.0, rng)
}

#[model]
fn decoder_train<const N: usize, const T: usize, const S: usize>(
    l: &TransformerDecoderLayer<8, 2, 12>,
    x: Tensor<N, T, 8>,
    memory: Tensor<N, S, 8>,
    rng: &mut Rng,
) -> (Tensor<N, T, 8>, Tensor<N, T, 8>) {
    let y = decoder_layer_train(l, x, memory, causal_mask(T), zeros([1]), false, false, 0.0, rng);
    (y, decoder_layer_train(l, x, memory, causal_mask(T), zeros([1]), true, false, 0.4, rng))
}

#[model]
fn train_loss<const N: usize, const T: usize>(
    l: &TransformerEncoderLayer<8, 4, 16>,
    x: Tensor<N, T, 8>,
    rng: &mut Rng,
) -> Tensor {
    encoder_layer_train(l, x, causal_mask(T), true, true, 0.3, rng).square().mean()
}

/// Two layers, and what lies between dropped: `torch.nn.LSTM(num_layers=2, dropout=0.5)`.
#[model]
fn deep<const T: usize, const B: usize>(
    first: &Lstm<4, 5>,
    second: &Lstm<5, 3>,
    x: Tensor<T, B, 4>,
    rng: &mut Rng,
) -> Tensor<T, B, 3> {
    let (all, _, _) = first.forward(x);
    let (all, _, _) = second.forward(dropout(all, 0.5, rng));
    all
}

fn near(got: &Tensor, want: &Tensor) {
    assert_eq!(got.shape(), want.shape());
    let far = got
        .as_slice()
        .iter()
        .zip(want.as_slice())
        .map(|(a, b)| (a - b).abs())
        .max_by(f32::total_cmp)
        .unwrap_or(0.0);
    assert!(far < 1e-4, "{far}");
}

#[test]
fn layers_in_training_drop_what_torchs_do() {
    let golden = Golden::read("transformer_encoder_layer--pre");
    let (layer, x): (TransformerEncoderLayer<8, 4, 16>, Tensor) = (golden.params(), golden.tensor("in.x"));
    let (mut a, mut b) = (Rng::seed(5), Rng::seed(5));
    golden.check(encoder_still(&layer, &x, &mut a), &encoder_still::eager(&layer, &x, &mut b));
    let (y, nothing) = encoder_train(&layer, &x, &mut a).expect("shapes fit");
    let (z, _) = encoder_train::eager(&layer, &x, &mut b);
    near(&y, &z);
    assert_eq!(a, b);
    // With p 1 the norms alone are left.
    near(&nothing, &layer.norm2.forward(layer.norm1.forward(&x)));
    let other = encoder_train(&layer, &x, &mut a).expect("shapes fit").0;
    assert!(y.as_slice().iter().zip(other.as_slice()).any(|(a, b)| (a - b).abs() > 0.01));

    let golden = Golden::read("transformer_decoder_layer--post");
    let (layer, x, memory) = (golden.params(), golden.tensor("in.x"), golden.tensor("in.memory"));
    let (mut a, mut b) = (Rng::seed(5), Rng::seed(5));
    let (y, noisy) = decoder_train(&layer, &x, &memory, &mut a).expect("shapes fit");
    let (z, other) = decoder_train::eager(&layer, &x, &memory, &mut b);
    golden.check(Ok(y), &z);
    near(&noisy, &other);

    let (first, second) = (Lstm::init(&mut Rng::seed(1)), Lstm::init(&mut Rng::seed(2)));
    let x = randn([6, 2, 4], &mut Rng::seed(3));
    near(&deep(&first, &second, &x, &mut a).expect("shapes fit"), &deep::eager(&first, &second, &x, &mut b));
    assert_eq!(a, b);
}

#[test]
fn gradients_have_the_masks_of_the_layer() {
    let golden = Golden::read("transformer_encoder_layer--pre");
    let (layer, x): (TransformerEncoderLayer<8, 4, 16>, Tensor) = (golden.params(), golden.tensor("in.x"));
    let (mut a, mut b) = (Rng::seed(7), Rng::seed(7));
    let (value, grads) = train_loss::value_and_grad(&layer, &x, &mut a).expect("shapes fit");
    let (want, wanted) =
        kiln::autograd::value_and_grad(&layer, |l| train_loss::eager(l, &x, &mut b)).expect("a scalar");
    near(&value, &want);
    grads
        .named_leaves()
        .iter()
        .zip(wanted.named_leaves())
        .for_each(|(g, w)| near(g.tensor.as_f32().expect("f32"), w.tensor.as_f32().expect("f32")));
}
