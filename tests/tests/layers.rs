//! Layers of `kiln::nn` as a ResNet and a MobileNet use them: read, trained, saved, compiled and eager.
#![allow(missing_docs)]

use kiln::nn::{batch_norm1d_train, batch_norm2d_train};
use kiln::prelude::*;

/// A residual block that halves the image.
#[params]
struct Residual {
    conv1: Conv2dNoBias<3, 4, 3, 2, 1>,
    bn1: BatchNorm2d<4>,
    conv2: Conv2dNoBias<4, 4, 3, 1, 1>,
    bn2: BatchNorm2d<4>,
    #[name("downsample.0")]
    short: Conv2dNoBias<3, 4, 1, 2>,
    #[name("downsample.1")]
    short_bn: BatchNorm2d<4>,
    fc: Linear<4, 2>,
}

#[model]
fn residual<const N: usize>(b: &Residual, x: Tensor<N, 3, 8, 8>) -> Tensor<N, 2> {
    let h = b.bn1.forward(b.conv1.forward(x)).relu();
    let h = b.bn2.forward(b.conv2.forward(h));
    let h = (h + b.short_bn.forward(b.short.forward(x))).relu();
    b.fc.forward(h.mean_dim([2, 3]))
}

#[model]
fn residual_loss<const N: usize>(b: &mut Residual, x: Tensor<N, 3, 8, 8>, y: Tensor<i64, N>) -> Tensor {
    let h = batch_norm2d_train(&mut b.bn1, b.conv1.forward(x)).relu();
    let h = batch_norm2d_train(&mut b.bn2, b.conv2.forward(h));
    let h = (h + batch_norm2d_train(&mut b.short_bn, b.short.forward(x))).relu();
    cross_entropy(b.fc.forward(h.mean_dim([2, 3])), y)
}

#[model]
fn train<const N: usize>(
    net: &mut Residual,
    opt: &mut Adam<Residual>,
    x: Tensor<N, 3, 8, 8>,
    y: Tensor<i64, N>,
) -> Tensor {
    let (loss, grads) = value_and_grad(residual_loss)(net, x, y);
    opt.step(net, grads);
    loss
}

/// An inverted residual: out by a factor, each channel by itself, and back.
#[params]
struct Inverted {
    expand: Conv2dNoBias<4, 12, 1>,
    bn: BatchNorm2d<12>,
    depthwise: GroupedConv2d<12, 1, 1, 3, 1, 1>,
    project: Conv2dNoBias<12, 4, 1>,
    norm: GroupNorm<2, 4>,
    flat: BatchNorm1d<4>,
    up: ConvTranspose2d<4, 2, 2, 2>,
}

#[model]
fn inverted<const N: usize>(b: &Inverted, x: Tensor<N, 4, 5, 5>) -> Tensor<N, 2, 10, 10> {
    let h = b.bn.forward(b.expand.forward(x)).relu6();
    let h = b.norm.forward(b.project.forward(b.depthwise.forward(h).relu6())) + x;
    b.up.forward(h * b.flat.forward(h.mean_dim([2, 3])).unsqueeze(-1).unsqueeze(-1))
}

fn images(shape: &[usize]) -> Tensor {
    init::normal(0.5, 1.0).tensor(&mut Rng::seed(3), shape)
}

fn near(a: &Tensor, b: &Tensor, within: f32) {
    assert_eq!(a.shape(), b.shape());
    let far = a
        .as_slice()
        .iter()
        .zip(b.as_slice())
        .map(|(a, b)| (a - b).abs())
        .max_by(f32::total_cmp)
        .unwrap_or(0.0);
    assert!(far <= within, "{far}");
}

#[test]
fn compiled_is_eager_and_frozen() {
    let (net, x) = (Residual::init(&mut Rng::seed(1)), images(&[2, 3, 8, 8]));
    let y = residual(&net, &x).expect("shapes fit");
    near(&y, &residual::eager(&net, &x), 1e-5);
    near(&y, &residual::freeze(&net).expect("its own shapes").run(&x).expect("shapes fit"), 1e-5);
    let (net, x) = (Inverted::init(&mut Rng::seed(1)), images(&[2, 4, 5, 5]));
    near(&inverted(&net, &x).expect("shapes fit"), &inverted::eager(&net, &x), 1e-5);
}

#[test]
fn training_moves_the_running_statistics_as_torch_does() {
    let mut net = Residual::init(&mut Rng::seed(1));
    let (x, y) = (images(&[4, 3, 8, 8]), [0, 1, 1, 0]);
    let h = net.conv1.forward(&x);
    let (mean, var) = (h.mean_dim([0, 2, 3]) * 0.1, h.var_dim([0, 2, 3], 1.0) * 0.1 + 0.9);
    let mut other = net.clone();
    let (loss, grads) = residual_loss::value_and_grad(&mut net, &x, y).expect("shapes fit");
    near(&net.bn1.running_mean, &mean, 1e-5);
    near(&net.bn1.running_var, &var, 1e-5);
    near(&loss, &residual_loss::eager(&mut other, &x, y), 1e-5);
    near(&net.short_bn.running_var, &other.short_bn.running_var, 1e-5);
    assert!(grads.bn2.weight.norm().item().expect("a scalar") > 0.0);
    let mut opt = Adam::new(&net, 0.01);
    let losses: Vec<f32> = (0..20)
        .map(|_| train(&mut net, &mut opt, &x, y).expect("shapes fit").item().expect("a scalar"))
        .collect();
    assert!(losses[19] < 0.5 * losses[0], "{losses:?}");
}

#[test]
fn names_and_layouts_are_torchs() {
    let net = Residual::init(&mut Rng::seed(1));
    let names: Vec<String> = net.named_leaves().into_iter().map(|l| l.name).collect();
    let bn =
        |at: &str| ["weight", "bias", "running_mean", "running_var"].map(|n| format!("{at}.{n}")).to_vec();
    assert_eq!(
        names[..6],
        [vec!["conv1.weight".to_string()], bn("bn1"), vec!["conv2.weight".into()]].concat()
    );
    assert_eq!(names[10..15], [vec!["downsample.0.weight".to_string()], bn("downsample.1")].concat());
    let net = Inverted::init(&mut Rng::seed(1));
    assert_eq!(
        (net.depthwise.weight.shape(), net.up.weight.shape()),
        (&[12, 1, 3, 3][..], &[4, 2, 2, 2][..])
    );
}

/// Deviation and largest magnitude of what starts uniform over ±bound.
fn uniform_over(t: &Tensor, bound: f32) {
    let n = t.len() as f32;
    let deviation = (t.as_slice().iter().map(|x| x * x).sum::<f32>() / n).sqrt();
    let largest = t.as_slice().iter().fold(0.0f32, |m, x| m.max(x.abs()));
    assert!(
        largest <= bound && (deviation / (bound / 3f32.sqrt()) - 1.0).abs() < 0.1,
        "{largest} {deviation}"
    );
}

#[test]
fn initial_values_are_torchs() {
    let rng = &mut Rng::seed(2);
    let conv = Conv2d::<16, 64, 3>::init(rng);
    uniform_over(&conv.weight, 1.0 / 12.0);
    uniform_over(&Conv1d::<16, 400, 3>::init(rng).bias, 1.0 / 48f32.sqrt());
    let grouped = GroupedConv2d::<64, 2, 4, 5>::init(rng);
    uniform_over(&grouped.weight, 1.0 / 50f32.sqrt());
    uniform_over(&grouped.bias, 1.0 / 50f32.sqrt());
    let up = ConvTranspose3d::<16, 32, 2>::init(rng);
    uniform_over(&up.weight, 1.0 / 16.0);
    let table = Embedding::<100, 64>::init(rng);
    let power = table.weight.square().mean().item().expect("a scalar");
    assert!((power - 1.0).abs() < 0.05, "{power}");
}

#[test]
fn a_batch_of_one_value_a_channel_is_refused() {
    let mut norm = BatchNorm1d::<3>::init(&mut Rng::seed(0));
    let error = batch_norm1d_train::eager(&mut norm, [[1.0, 2.0, 3.0]])
        .sum()
        .item()
        .expect_err("one value")
        .to_string();
    assert!(error.contains("one value only"), "{error}");
}
