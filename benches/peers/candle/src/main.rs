//! candle on Kiln's workloads.
//!
//! Inference runs on plain tensors (nothing is recorded), norms absorbed by their convolutions where candle can. Training takes the
//! formulas of norm and softmax that have gradients: `LayerNorm::forward` and `softmax_last_dim` have none.

mod conv;
mod infer;
mod lstm;
mod mlp;
mod rows;
mod train;
mod transformers;

use candle_core::{Result, Tensor};
use clock::Bench;
use infer::infer;
use train::train;

/// What a net does.
type Forward = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

fn main() {
    let bench = Bench::new("candle");
    let image = [1, 3, 224, 224];
    bench.time("mlp_b1", || infer(mlp::net, &[1, 784], 535_818, &[1, 10]));
    bench.time("mlp_b64", || infer(mlp::net, &[64, 784], 535_818, &[64, 10]));
    bench.time("mlp_train", || train(mlp::loss));
    bench.time("lstm_b1", || infer(lstm::net, &[1, 64, 64], 99_457, &[1, 1]));
    bench.time("lstm_b32", || infer(lstm::net, &[32, 64, 64], 99_457, &[32, 1]));
    bench.time("lstm_train", || train(lstm::loss));
    bench.time("resnet18_b1", || infer(conv::resnet18, &image, 11_689_512, &[1, 1000]));
    bench.time("mobilenet_v2_b1", || infer(conv::mobilenet_v2, &image, 3_504_872, &[1, 1000]));
    bench.time("vgg16_b1", || infer(conv::vgg16, &image, 138_357_544, &[1, 1000]));
    bench.time("resnet20_train", || train(conv::resnet20_loss));
    bench.time("encoder_b1", || infer(transformers::encoder, &[1, 128, 384], 10_646_784, &[1, 128, 384]));
    bench.time("gpt_train", || train(transformers::gpt_loss));
    bench.time("decode_b1", || infer(transformers::decoder, &[1, 384], 11_236_608, &[1, 384]));
    bench.time("norm_gelu", || infer(rows::norm_gelu, &[1024, 1024], 2048, &[1024, 1024]));
    bench.time("softmax", || infer(rows::softmax, &[1024, 1024], 0, &[1024, 1024]));
    for n in [64, 128, 256, 512, 1024, 2048] {
        bench.time(&format!("gemm_{n}"), || rows::product(n));
    }
}
