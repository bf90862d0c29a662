//! burn on Kiln's workloads, by its `flex` backend: its layers, its attention, its Adam. It counts running means and variances as
//! parameters.

mod conv;
mod lstm;
mod mlp;
mod rows;
mod run;
mod transformers;

use burn::tensor::Device;
use clock::Bench;
use run::infer;

fn main() {
    let bench = Bench::new("burn");
    let device = &Device::flex();
    let image = [1, 3, 224, 224];
    bench.time("mlp_b1", || infer(mlp::Mlp::new(device), mlp::Mlp::forward, [1, 784], 535_818, [1, 10]));
    bench.time("mlp_b64", || infer(mlp::Mlp::new(device), mlp::Mlp::forward, [64, 784], 535_818, [64, 10]));
    bench.time("mlp_train", mlp::train);
    bench.time("lstm_b1", || infer(lstm::Net::new(device), lstm::Net::forward, [1, 64, 64], 99_457, [1, 1]));
    bench.time("lstm_b32", || {
        infer(lstm::Net::new(device), lstm::Net::forward, [32, 64, 64], 99_457, [32, 1])
    });
    bench.time("lstm_train", lstm::train);
    bench.time("resnet18_b1", || {
        infer(conv::ResNet::of18(device), conv::ResNet::forward, image, 11_689_512 + 9_600, [1, 1000])
    });
    bench.time("mobilenet_v2_b1", || {
        infer(conv::MobileNet::new(device), conv::MobileNet::forward, image, 3_504_872 + 34_112, [1, 1000])
    });
    bench.time("vgg16_b1", || {
        infer(conv::Vgg::new(device), conv::Vgg::forward, image, 138_357_544, [1, 1000])
    });
    bench.time("resnet20_train", conv::train);
    bench.time("encoder_b1", || {
        let net = transformers::Encoder::new(device);
        infer(net, transformers::Encoder::forward, [1, 128, 384], 10_646_784, [1, 128, 384])
    });
    bench.time("gpt_train", transformers::train);
    bench.time("decode_b1", || {
        let net = transformers::Decoder::new(device);
        infer(net, transformers::Decoder::forward, [1, 384], 11_236_608, [1, 384])
    });
    bench.time("norm_gelu", || {
        infer(rows::NormGelu::new(device), rows::NormGelu::forward, [1024, 1024], 2048, [1024, 1024])
    });
    bench.time("softmax", || infer(rows::Softmax, rows::Softmax::forward, [1024, 1024], 0, [1024, 1024]));
    for n in [64, 128, 256, 512, 1024, 2048] {
        bench.time(&format!("gemm_{n}"), || rows::product(n));
    }
}
