//! tract on Kiln's workloads: graphs of ONNX, made here, as tract loads and optimizes them. It doesn't train.

mod conv;
mod graph;
mod lstm;
mod mlp;
mod rows;
mod run;
mod transformers;

use clock::Bench;
use run::Peer;

fn main() {
    let peer = Peer::new(Bench::new("tract"));
    let image = [1, 3, 224, 224];
    peer.infer("mlp_b1", mlp::net, &[&[1, 784]], 535_818, &[1, 10]);
    peer.infer("mlp_b64", mlp::net, &[&[64, 784]], 535_818, &[64, 10]);
    peer.infer("lstm_b1", lstm::net, &[&[1, 64, 64]], 99_457, &[1, 1]);
    peer.infer("lstm_b32", lstm::net, &[&[32, 64, 64]], 99_457, &[32, 1]);
    peer.infer("resnet18_b1", conv::resnet18, &[&image], 11_689_512, &[1, 1000]);
    peer.infer("mobilenet_v2_b1", conv::mobilenet_v2, &[&image], 3_504_872, &[1, 1000]);
    peer.infer("vgg16_b1", conv::vgg16, &[&image], 138_357_544, &[1, 1000]);
    peer.infer("encoder_b1", transformers::encoder, &[&[1, 128, 384]], 10_646_784, &[1, 128, 384]);
    peer.infer("decode_b1", transformers::decoder, &[&[1, 384]], 11_236_608, &[1, 384]);
    peer.infer("norm_gelu", rows::norm_gelu, &[&[1024, 1024]], 2048, &[1024, 1024]);
    peer.infer("softmax", rows::softmax, &[&[1024, 1024]], 0, &[1024, 1024]);
    for n in [64, 128, 256, 512, 1024, 2048] {
        peer.infer(&format!("gemm_{n}"), rows::product, &[&[n, n], &[n, n]], 0, &[n, n]);
    }
}
