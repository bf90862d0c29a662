//! Each net at its full size: parameters, multiply-adds, and PyTorch's numbers for the same weights (`pytorch.py` wrote them).
#![allow(missing_docs)]

use kiln::prelude::*;
use kiln_zoo::fill::{filled, indices, input};
use kiln_zoo::{
    alexnet, bert, gpt2, linformer, mobilenet, nasnet, performer, resnet, transformer, unet3d, vgg, yolov5,
};
use safetensors::SafeTensors;

/// Holds some of a result's numbers against PyTorch's, which were computed in f64.
fn agree(net: &str, output: &str, got: &Tensor) {
    let path = format!("{}/tests/data/{net}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let file = SafeTensors::deserialize(&bytes).expect("a sound file");
    let read = |name: &str| -> Vec<f32> {
        let data = file.tensor(&format!("{output}.{name}")).expect("it is in the file").data();
        data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect()
    };
    let (want, norm) = (read("some"), read("norm")[0]);
    let shape: Vec<usize> = read("shape").into_iter().map(|n| n as usize).collect();
    assert_eq!(got.shape(), shape, "{net}: {output}");
    let all = got.as_slice();
    let stride = (all.len() / 1000) | 1;
    let largest = want.iter().fold(0f32, |most, x| most.max(x.abs()));
    for (i, (got, want)) in all.iter().step_by(stride).zip(&want).enumerate() {
        assert!((got - want).abs() <= 1e-4 * largest, "{net}: {output}[{}]: {got}, not {want}", i * stride);
    }
    assert_eq!(want.len(), all.len().div_ceil(stride));
    let own = all.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    assert!((own / f64::from(norm) - 1.0).abs() < 1e-4, "{net}: {output}: norm {own}, not {norm}");
}

/// A net that gives an image's scores: its parameters and multiply-adds as published.
macro_rules! classifies {
    ($($name:ident $model:path, $net:path, $params:literal, $multiply_adds:literal;)*) => {$(
        #[test]
        fn $name() {
            use $model as model;
            assert_eq!(model::multiply_adds(1), $multiply_adds);
            let net: $net = filled();
            assert_eq!((net.param_count(), model::PARAM_COUNT), ($params, $params));
            let scores = model(&net, input("image", [1, 3, 224, 224])).expect("an image");
            agree(stringify!($name), "scores", &scores);
        }
    )*};
}

classifies! {
    alexnet alexnet::alexnet, alexnet::AlexNet, 61_100_840, 714_188_480;
    vgg16 vgg::vgg16, vgg::Vgg16, 138_357_544, 15_470_264_320;
    resnet18 resnet::resnet18, resnet::ResNet18, 11_689_512, 1_814_073_344;
    resnet50 resnet::resnet50, resnet::ResNet50, 25_557_032, 4_089_184_256;
    mobilenet_v2 mobilenet::mobilenet_v2, mobilenet::MobileNetV2, 3_504_872, 300_774_272;
    nasnet_mobile nasnet::nasnet_mobile, nasnet::NasNetMobile, 5_289_978, 563_638_816;
}

fn tokens<const R: usize>(shape: [usize; R], below: usize) -> Tensor<i64> {
    let ids = indices("ids", shape.iter().product(), below as u32);
    Tensor::from_vec(shape, ids).expect("as many as the shape has")
}

#[test]
fn minilm() {
    let net: bert::MiniLm = filled();
    assert_eq!(net.param_count(), 22_713_216);
    // Six layers, each with four dense layers of 384 and two of 1,536, and scores and sums over all places.
    let dense = 6 * (4 * 384 * 384 + 2 * 384 * 1536);
    assert_eq!(bert::minilm::multiply_adds(1, 128), 128 * (dense + 6 * 2 * 128 * 384));
    let ids = tokens([2, 13], bert::VOCABULARY);
    let mut keep = Tensor::ones([2, 13]);
    keep.as_mut_slice()[13 + 9..].fill(0.0);
    agree("minilm", "hidden", &bert::minilm(&net, &ids, &keep).expect("sentences"));
    agree("minilm", "pooled", &bert::pooled(&net, &ids, &keep).expect("sentences"));
    agree("minilm", "embedded", &bert::embedded(&net, &ids, &keep).expect("sentences"));
}

#[test]
fn gpt2_at_once_and_by_token() {
    let net: gpt2::Gpt2 = filled();
    assert_eq!(net.param_count(), 124_439_808);
    let dense = 12 * (4 * 768 * 768 + 2 * 768 * 3072) + 768 * gpt2::VOCABULARY;
    assert_eq!(gpt2::gpt2::multiply_adds(1, 1024), 1024 * (dense + 12 * 2 * 1024 * 768));
    let ids = tokens([1, 12], gpt2::VOCABULARY);
    let scores = gpt2::gpt2(&net, &ids).expect("a text");
    agree("gpt2", "scores", &scores);
    let mut cache = gpt2::Cache::init(&mut Rng::seed(0));
    for (at, id) in ids.as_slice().iter().enumerate() {
        let by_token = gpt2::gpt2_step(&net, &mut cache, [[*id]], [at as i64]).expect("a token");
        let at_once = &scores.as_slice()[at * gpt2::VOCABULARY..][..gpt2::VOCABULARY];
        let largest = at_once.iter().fold(0f32, |most, x| most.max(x.abs()));
        for (x, y) in at_once.iter().zip(by_token.as_slice()) {
            assert!((x - y).abs() <= 1e-4 * largest, "place {at}: {y} for {x}");
        }
    }
}

#[test]
fn yolov5s() {
    let net: yolov5::YoloV5s = filled();
    assert_eq!(net.param_count(), 7_235_389);
    // Published as 16.5 billion operations, which counts those of the norms.
    assert_eq!(yolov5::heads::multiply_adds(1), 8_216_780_800);
    let x = input("image", [1, 3, 640, 640]);
    let (fine, middle, coarse) = yolov5::heads(&net, &x).expect("a picture");
    agree("yolov5s", "fine", &fine);
    agree("yolov5s", "middle", &middle);
    agree("yolov5s", "coarse", &coarse);
    agree("yolov5s", "boxes", &yolov5::yolov5s(&net, &x).expect("a picture"));
}

#[test]
fn unet3d() {
    let net: unet3d::UNet3d<3, 3> = filled();
    // The paper counts no factors and offsets of norms: two for each of 2,336 channels.
    assert_eq!(net.param_count(), 19_069_955 + 2 * 2336);
    // For each voxel of the finest level, and at 1/8, 1/64 and 1/512 of them.
    let levels = [[57_888, 442_560], [331_776, 1_769_472], [1_327_104, 7_077_888], [5_308_416, 0]];
    let up = [128 * 128, 256 * 256, 512 * 512];
    let own = |i: usize| levels[i].iter().sum::<usize>() + up.get(i).copied().unwrap_or(0);
    let want: usize = (0..4).map(|i| own(i) * ((64 * 64 * 64) >> (3 * i))).sum();
    assert_eq!(unet3d::unet3d::multiply_adds(1, 8, 8, 8), want);
    agree("unet3d", "scores", &unet3d::unet3d(&net, input("volume", [1, 3, 16, 24, 32])).expect("a volume"));
}

/// Parameters of a layer of 512 dims that all three nets have: projections, dense layers, norms; and their multiply-adds for a place.
const LAYER: [usize; 2] =
    [4 * 512 * 512 + 512 + 2 * 512 * 2048 + 2048 + 512 + 4 * 512, 4 * 512 * 512 + 2 * 512 * 2048];

#[test]
fn transformer() {
    let net: transformer::Transformer = filled();
    assert_eq!(net.param_count(), 6 * LAYER[0]);
    assert_eq!(transformer::transformer::multiply_adds(1, 4096), 6 * 4096 * (LAYER[1] + 2 * 4096 * 512));
    let x = input("sequence", [1, 70, 512]);
    agree("transformer", "seen", &transformer::transformer(&net, &x).expect("a sequence"));
}

#[test]
fn linformer() {
    let net: linformer::Linformer = filled();
    assert_eq!(net.param_count(), 6 * (LAYER[0] + 2 * 4096 * 256));
    // Keys and values are projected to 256 places, over which scores and sums are made.
    assert_eq!(linformer::linformer::multiply_adds(1, 4096), 6 * 4096 * (LAYER[1] + 4 * 256 * 512));
    let x = input("sequence", [1, 70, 512]);
    agree("linformer", "seen", &linformer::linformer(&net, &x).expect("a sequence"));
}

#[test]
fn performer() {
    let net: performer::Performer = filled();
    assert_eq!(net.param_count(), 6 * LAYER[0]);
    // Features of queries and keys, products with the sums and the sum of all keys' features.
    let features = 8 * 266 * (2 * 64 + 2 * 64 + 1);
    assert_eq!(performer::performer::multiply_adds(1, 4096), 6 * 4096 * (LAYER[1] + features));
    let x = input("sequence", [1, 70, 512]);
    agree("performer", "seen", &performer::performer(&net, &x).expect("a sequence"));
}
