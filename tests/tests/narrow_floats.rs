//! bf16 and f16 as what weights and activations are stored as: compiled as eager to the last bit, in f32 between.

use kiln::prelude::*;
use kiln::{LeafTensor, bf16 as Bf16, f16 as F16};

/// A layer whose weight and bias are stored as bf16.
#[params]
pub struct Narrow {
    weight: Tensor<bf16, 5, 7>,
    #[init(normal(0.0, 1.0))]
    bias: Tensor<bf16, 5>,
    scale: Tensor<5>,
}

/// In f32 but for what is stored.
#[model]
pub fn project<const N: usize>(net: &Narrow, x: Tensor<N, 7>) -> Tensor<N, 5> {
    let y = x.linear(net.weight.to(f32), Some(net.bias.to(f32)));
    y.tanh() * net.scale
}

#[model]
pub fn loss<const N: usize>(net: &Narrow, x: Tensor<N, 7>) -> Tensor {
    project(net, x).square().mean()
}

#[model]
pub fn step<const N: usize>(net: &mut Narrow, opt: &mut Adam<Narrow>, x: Tensor<N, 7>) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x);
    opt.step(net, grads.clip_norm(1.0));
    loss
}

/// Activations of bf16 throughout.
#[model]
pub fn activations<const N: usize>(x: Tensor<bf16, N, 6>, w: Tensor<bf16, 6, 6>) -> Tensor<bf16, N, 6> {
    let h = (x.matmul(w) * 0.3 + x).gelu();
    (h.softmax(1) - h.mean_keepdim(&[1])).layer_norm(&[6], None, None, 1e-5)
}

fn net() -> Narrow {
    let mut net = Narrow::init(&mut Rng::seed(3));
    net.scale = Tensor::ones([5]);
    net
}

fn inputs(rows: usize) -> Tensor {
    init::normal(0.0, 1.0).tensor(&mut Rng::seed(5), &[rows, 7])
}

#[test]
fn compiled_is_eager_to_the_last_bit() -> Result<()> {
    // Sums of 7 are in one order in both; of few rows the weight is read where it is.
    for rows in [1, 2, 9, 40] {
        let (net, x) = (net(), inputs(rows));
        let (got, want) = (project(&net, &x)?, project::eager(&net, &x));
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
        assert!(got.as_slice().iter().zip(want.as_slice()).all(near), "{got} for {want}");
    }
    Ok(())
}

#[test]
fn activations_round_where_the_graph_says() -> Result<()> {
    let draw = |seed, shape: &[usize]| -> Tensor<Bf16> {
        init::normal(0.0, 1.0).tensor(&mut Rng::seed(seed), shape).to(bf16)
    };
    let (x, w) = (draw(1, &[11, 6]), draw(2, &[6, 6]));
    let (got, want) = (activations(&x, &w)?, activations::eager(&x, &w));
    let apart = got.as_slice().iter().zip(want.as_slice()).filter(|(a, b)| a.to_bits() != b.to_bits());
    // A sum in another order may round the other way, rarely and by one place.
    let apart: Vec<_> = apart.collect();
    assert!(
        apart.len() <= 2 && apart.iter().all(|(a, b)| a.to_bits().abs_diff(b.to_bits()) <= 1),
        "{apart:?}"
    );
    Ok(())
}

#[test]
fn gradients_have_the_types_of_their_leaves() -> Result<()> {
    let (net, x) = (net(), inputs(6));
    let (value, grads) = loss::value_and_grad(&net, &x)?;
    let (same, eager) = kiln::autograd::value_and_grad(&net, |net| loss::eager(net, &x))?;
    assert!((value.item()? - same.item()?).abs() < 1e-6);
    let types = grads.named_leaves().into_iter().map(|leaf| match leaf.tensor {
        LeafTensor::F32(_) => "f32",
        LeafTensor::BF16(_) => "bf16",
        LeafTensor::F16(_) => "f16",
    });
    assert_eq!(types.collect::<Vec<_>>(), ["bf16", "bf16", "f32"]);
    for (got, want) in grads.named_leaves().iter().zip(eager.named_leaves()) {
        for (a, b) in got.tensor.to_f32().iter().zip(want.tensor.to_f32()) {
            assert!((a - b).abs() <= 1e-6 + b.abs() / 120.0, "{}: {a} for {b}", got.name);
        }
    }
    // The gradient is that of f32 weights, rounded.
    let wide: Tensor = net.weight.to(f32).requires_grad();
    let y = (x.linear(&wide, Some(net.bias.to(f32))).tanh() * &net.scale).square().mean();
    y.backward()?;
    let want: Tensor<Bf16> = wide.grad().expect("a gradient").to(bf16);
    for (a, b) in grads.weight.as_slice().iter().zip(want.as_slice()) {
        assert!(a.to_bits().abs_diff(b.to_bits()) <= 1, "{a} for {b}");
    }
    Ok(())
}

#[test]
fn an_optimizer_steps_narrow_parameters() -> Result<()> {
    let (mut net, x) = (net(), inputs(16));
    let mut eager = net.clone();
    let (mut opt, mut other) = (Adam::new(&net, 0.02), Adam::new(&net, 0.02));
    let first = step(&mut net, &mut opt, &x)?.item()?;
    let mut last = first;
    step::eager(&mut eager, &mut other, &x).ok()?;
    for (got, want) in net.named_leaves().iter().zip(eager.named_leaves()) {
        for (a, b) in got.tensor.to_f32().iter().zip(want.tensor.to_f32()) {
            assert!((a - b).abs() <= 1e-5 + b.abs() / 120.0, "{}: {a} for {b}", got.name);
        }
    }
    for _ in 0..30 {
        last = step(&mut net, &mut opt, &x)?.item()?;
    }
    assert!(last < 0.5 * first, "{first} to {last}");
    Ok(())
}

/// A table of f16.
#[params]
pub struct Table {
    rows: Tensor<f16, 9, 4>,
}

#[model]
pub fn pull(net: &Table, at: Tensor<i64, 3>) -> Tensor {
    net.rows.embedding(at).to(f32).square().sum()
}

#[model]
pub fn pull_step(net: &mut Table, opt: &mut Sgd<Table>, at: Tensor<i64, 3>) -> Tensor {
    let (loss, grads) = value_and_grad(pull)(net, at);
    opt.step(net, grads);
    loss
}

#[test]
fn rows_of_a_narrow_table_are_trained() -> Result<()> {
    let mut net = Table { rows: Tensor::<f32>::ones([9, 4]).to(f16) };
    let (mut eager, mut opt) = (net.clone(), Sgd::new(&net, 0.125));
    let mut other = opt.clone();
    assert_eq!(pull_step(&mut net, &mut opt, [2, 5, 2])?.item()?, 12.0);
    pull_step::eager(&mut eager, &mut other, [2, 5, 2]).ok()?;
    assert_eq!(net.rows, eager.rows);
    // Twice the row's gradient of 2, and once.
    let first: Vec<f32> = net.rows.as_slice().chunks(4).map(|row| row[0].to_f32()).collect();
    assert_eq!(first, [1.0, 1.0, 0.5, 1.0, 1.0, 0.75, 1.0, 1.0, 1.0]);
    let error = Adam::new(&net, 0.1).step(&mut eager, &net).unwrap_err().to_string();
    assert!(error.contains("a mean of squares vanishes in f16"), "{error}");
    Ok(())
}

#[test]
fn frozen_weights_stay_narrow() -> Result<()> {
    let (net, x) = (net(), inputs(3));
    let frozen = project::freeze(&net)?;
    assert_eq!(frozen.run(&x)?, project(&net, &x)?);
    assert!(format!("{frozen:?}").contains("Tensor<bf16>[5, 7]"), "{frozen:?}");
    Ok(())
}

#[test]
fn the_plan_has_no_copy_of_a_weight_in_f32() {
    // The product and its epilogue are one kernel; nothing is stored on the way.
    assert!(!project::PLAN.contains("cast"), "{}", project::PLAN);
    assert_eq!(project::scratch_bytes(1), 0, "{}", project::PLAN);
}

#[test]
fn files_keep_the_types() -> Result<()> {
    let net = net();
    let bytes = net.to_bytes()?;
    let loaded = Narrow::from_bytes(&bytes)?;
    assert_eq!((&loaded.weight, &loaded.bias), (&net.weight, &net.bias));
    let opt = Sgd::new(&net, 0.1).momentum(0.9);
    Sgd::new(&net, 0.1).load_bytes(&opt.to_bytes()?)?;
    Ok(())
}

#[test]
fn tensors_of_narrow_floats_are_tensors() -> Result<()> {
    let x: Tensor<Bf16> = Tensor::from([[1.0f32, 2.5], [-0.1, 1001.0]]).to(bf16);
    assert_eq!(x.to_string(), "[[1, 2.5],\n [-0.100097656, 1000]]");
    assert_eq!((&x + &x).as_slice()[2].to_f32(), -0.20019531);
    let sum: Tensor<Bf16> = Tensor::<Bf16>::full([1000], Bf16::ONE).sum();
    // In bf16 a sum of ones would end at 256.
    assert_eq!(sum.item()?.to_f32(), 1000.0);
    let mean: Tensor<F16> = Tensor::<F16>::full([1000], F16::from_f32(100.0)).mean();
    // The sum is beyond the largest f16, the mean isn't.
    assert_eq!(mean.item()?.to_f32(), 100.0);
    let y = x.requires_grad();
    y.square().sum().backward()?;
    assert_eq!(y.grad().expect("a gradient").as_slice()[1].to_f32(), 5.0);
    Ok(())
}
