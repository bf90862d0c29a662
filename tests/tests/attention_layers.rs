//! Attention and transformer layers, loaded by torch's names, against torch's own numbers.
#![allow(missing_docs)]

use kiln::nn::{cross_attention, decoder_layer_norm_first, encoder_layer_norm_first};
use kiln::prelude::*;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

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

/// A file of torch's: its parameters in `P`, and its tensors.
struct Golden(Vec<u8>);

impl Golden {
    fn read(name: &str) -> Golden {
        let path = format!("{}/data/goldens/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Golden(std::fs::read(path).expect("a golden file"))
    }

    fn params<P: Params>(&self) -> P {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let views: Vec<(String, TensorView)> = file
            .iter()
            .filter_map(|(name, view)| Some((name.strip_prefix("param.")?.to_string(), view)))
            .collect();
        P::from_bytes(&safetensors::serialize(views, None).expect("sound"))
            .expect("torch's names and layouts")
    }

    fn tensor(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let view = file.tensor(name).expect("a tensor of the file");
        let data = match view.dtype() {
            Dtype::F64 => view.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            _ => view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        };
        Tensor::from_vec(view.shape(), data).expect("as many numbers")
    }

    fn check(&self, compiled: kiln::Result<Tensor>, eager: &Tensor) {
        let want = self.tensor("out.y");
        for y in [&compiled.expect("shapes fit"), eager] {
            assert_eq!(y.shape(), want.shape());
            let far =
                y.as_slice().iter().zip(want.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-5, "{far}");
        }
    }
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
