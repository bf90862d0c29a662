//! Params as values: mapped, returned, put in the place of others, and state that closures change, compiled and eager.
#![allow(missing_docs)]

use kiln::prelude::*;

#[params]
pub struct Block {
    fc: Linear<4, 4>,
    norm: BatchNorm1d<4>,
}

#[params]
pub struct Net {
    first: Linear<3, 4>,
    blocks: [Block; 6],
    scale: Tensor<4>,
}

#[model]
pub fn net<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 4> {
    let mut h = net.first.forward(x);
    for block in &net.blocks {
        h = h + block.norm.forward(block.fc.forward(h)).tanh();
    }
    h * net.scale
}

#[model]
pub fn miss<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor {
    mse_loss(net(params, x), y)
}

#[model]
pub fn adapted<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> Net {
    tree_map(|w, g| w - 0.1 * g)(params, grad(miss)(params, x, y))
}

/// The gradient through a step of gradient descent: model-agnostic meta-learning.
#[model]
pub fn meta<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor {
    let mut fast = tree_map(|w| w)(params);
    for _ in 0..2 {
        fast = adapted(&fast, x, y);
    }
    miss(&fast, x, y)
}

#[model]
pub fn meta_gradient<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> (Tensor, Net) {
    value_and_grad(meta)(params, x, y)
}

/// A Hessian-vector product along a whole net.
#[model]
pub fn along<const N: usize>(params: &Net, v: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> (Net, Net) {
    jvp(|p| grad(miss)(p, x, y))(params, v)
}

#[model]
pub fn follow(average: &mut Net, params: &Net, decay: Tensor) {
    *average = tree_map(|a, w| decay * a + (1.0 - decay) * w)(average, params);
}

/// Each layer by its own norm, which is another one for each.
#[model]
pub fn normed(params: &Net) -> Net {
    tree_map(|w| w / (w.square().sum() + 1.0).sqrt())(params)
}

#[model]
pub fn noisy(params: &Net, rng: &mut Rng) -> Net {
    tree_map(|w| w + 0.1 * w.randn_like(rng))(params)
}

#[model]
pub fn first_of(params: &mut Net, other: &Net) -> (Net, Tensor) {
    params.first.bias = params.first.bias + 1.0;
    (params, other.first.bias.sum())
}

fn inputs() -> (Net, Net, Tensor, Tensor) {
    let mut rng = Rng::seed(3);
    let (mut a, mut b) = (Net::init(&mut rng), Net::init(&mut rng));
    for (i, block) in a.blocks.iter_mut().enumerate() {
        block.norm.running_mean = Tensor::full([4], 0.1 * i as f32);
        block.norm.running_var = Tensor::full([4], 1.0 + 0.2 * i as f32);
    }
    a.scale = Tensor::full([4], 0.9);
    b.scale = Tensor::full([4], 0.7);
    let (x, y) = (randn([5, 3], &mut rng), randn([5, 4], &mut rng));
    (a, b, x, y)
}

/// The largest difference of two nets, buffers and all.
fn apart(a: &Net, b: &Net) -> f32 {
    let (a, b) = (a.named_leaves(), b.named_leaves());
    let each = a.iter().zip(&b).map(|(a, b)| {
        assert_eq!((&a.name, a.tensor.shape()), (&b.name, b.tensor.shape()));
        let pairs = a.tensor.to_f32().into_iter().zip(b.tensor.to_f32());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, |m: f32, d| if d.is_nan() { f32::NAN } else { m.max(d) })
    });
    each.fold(0.0, |m: f32, d| if d.is_nan() { f32::NAN } else { m.max(d) })
}

#[test]
fn nets_are_mapped_and_returned() -> Result<()> {
    let (a, b, x, y) = inputs();
    let compiled = adapted(&a, &x, &y)?;
    assert!(apart(&compiled, &adapted::eager(&a, &x, &y)) < 1e-6);
    // By hand: gradient descent leaves buffers as they are.
    let slope = miss::grad(&a, &x, &y)?;
    let (w, g) = (a.blocks[3].fc.weight.as_slice()[5], slope.blocks[3].fc.weight.as_slice()[5]);
    assert!(g != 0.0 && (compiled.blocks[3].fc.weight.as_slice()[5] - (w - 0.1 * g)).abs() < 1e-6);
    assert_eq!(compiled.blocks[3].norm.running_var, a.blocks[3].norm.running_var);

    let sizes = normed(&b)?;
    assert!(apart(&sizes, &normed::eager(&b)) < 1e-6);
    let of = |t: &Tensor| t.as_slice().iter().map(|x| x * x).sum::<f32>();
    let (old, new) = (of(&b.blocks[4].fc.weight), of(&sizes.blocks[4].fc.weight));
    assert!((new - old / (old + 1.0)).abs() < 1e-6, "{old} {new}");
    Ok(())
}

#[test]
fn a_gradient_goes_through_a_mapped_net() -> Result<()> {
    let (a, b, x, y) = inputs();
    let (value, slope) = meta_gradient(&a, &x, &y)?;
    let (eager_value, eager_slope) = meta_gradient::eager(&a, &x, &y);
    assert!((value.item()? - eager_value.item()?).abs() < 1e-6);
    assert!(apart(&slope, &eager_slope) < 1e-5, "{}", apart(&slope, &eager_slope));
    // Differences along another net.
    let moved = |by: f32| -> Result<f32> {
        let mut net = a.clone();
        let mut leaves = Vec::new();
        net.leaves_mut("", &mut leaves);
        for (leaf, along) in leaves.into_iter().zip(b.named_leaves()) {
            if let (Some(w), Some(v), kiln::LeafKind::Parameter) =
                (leaf.tensor.into_f32(), along.tensor.as_f32(), along.kind)
            {
                w.as_mut_slice().iter_mut().zip(v.as_slice()).for_each(|(w, v)| *w += by * v);
            }
        }
        meta(&net, &x, &y)?.item()
    };
    let rise = (moved(1e-2)? - moved(-1e-2)?) / 2e-2;
    let mut sum = 0.0;
    for (g, v) in slope.named_leaves().iter().zip(b.named_leaves()) {
        if let (Some(g), Some(v)) = (g.tensor.as_f32(), v.tensor.as_f32()) {
            sum += g.as_slice().iter().zip(v.as_slice()).map(|(g, v)| g * v).sum::<f32>();
        }
    }
    assert!((rise - sum).abs() < 2e-3 * (1.0 + sum.abs()), "{rise} {sum}");
    // What isn't trained has no gradient, though the mapped net is all tensors.
    assert!(slope.blocks[2].norm.running_mean.as_slice().iter().all(|g| *g == 0.0));
    Ok(())
}

#[test]
fn several_nets_are_returned() -> Result<()> {
    let (a, b, x, y) = inputs();
    let (slope, moves) = along(&a, &b, &x, &y)?;
    let (eager_slope, eager_moves) = along::eager(&a, &b, &x, &y);
    assert!(apart(&slope, &eager_slope) < 1e-5 && apart(&moves, &eager_moves) < 1e-4);
    assert!(apart(&slope, &miss::grad(&a, &x, &y)?) < 1e-6);

    let (mut one, mut other) = (a.clone(), a.clone());
    let (net, sum) = first_of(&mut one, &b)?;
    let (eager_net, eager_sum) = first_of::eager(&mut other, &b);
    assert_eq!(net.first.bias, one.first.bias);
    assert!(apart(&net, &eager_net) == 0.0 && apart(&one, &other) == 0.0);
    assert_eq!(sum.item()?, eager_sum.item()?);
    Ok(())
}

#[test]
fn a_net_is_put_in_anothers_place() -> Result<()> {
    let (a, b, ..) = inputs();
    let (mut compiled, mut eager) = (a.clone(), a.clone());
    follow(&mut compiled, &b, 0.75f32)?;
    follow::eager(&mut eager, &b, 0.75f32);
    assert!(apart(&compiled, &eager) < 1e-6 && apart(&compiled, &a) > 0.01);
    let (was, is, to) = (&a.blocks[5].norm, &compiled.blocks[5].norm, &b.blocks[5].norm);
    let wanted = 0.75 * was.running_var.as_slice()[0] + 0.25 * to.running_var.as_slice()[0];
    assert!((is.running_var.as_slice()[0] - wanted).abs() < 1e-6);
    Ok(())
}

#[test]
fn a_mapped_function_draws() -> Result<()> {
    let (a, ..) = inputs();
    let (mut one, mut other) = (Rng::seed(9), Rng::seed(9));
    let compiled = noisy(&a, &mut one)?;
    let eager = noisy::eager(&a, &mut other);
    assert!(apart(&compiled, &eager) < 1e-6 && apart(&compiled, &a) > 0.05);
    assert_eq!(one.state(), other.state());
    Ok(())
}

/// The gradient of each example by itself, of a net that the closure sees: how far they are from their mean.
#[model]
pub fn spread<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> (Net, Tensor<N, 4, 3>) {
    let each = vmap(|x, y| grad(miss)(params, x.unsqueeze(0), y.unsqueeze(0)))(x, y);
    let mean = tree_map(|g| g.mean_dim(0))(each);
    let spread = tree_map(|g, m| ((g - m.unsqueeze(0)).square().mean_dim(0)).sqrt())(each, mean);
    (spread, each.first.weight)
}

#[test]
fn examples_have_gradients_of_their_own() -> Result<()> {
    let (a, _, x, y) = inputs();
    let (compiled, each) = spread(&a, &x, &y)?;
    let (eager, eager_each) = spread::eager(&a, &x, &y);
    assert!(apart(&compiled, &eager) < 1e-6, "{}", apart(&compiled, &eager));
    near(&each, &eager_each, 1e-6);
    // The mean of the gradients is the gradient of the mean.
    let whole = miss::grad(&a, &x, &y)?.first.weight;
    for (i, want) in whole.as_slice().iter().enumerate() {
        let mean = (0..5).map(|n| each.as_slice()[12 * n + i]).sum::<f32>() / 5.0;
        assert!((mean - want).abs() < 1e-6, "{mean} {want}");
    }
    Ok(())
}

#[params]
pub struct Narrow {
    wide: Tensor<3>,
    narrow: Tensor<bf16, 3>,
}

#[model]
pub fn thirds(net: &Narrow) -> Narrow {
    tree_map(|w| w / 3.0 + 1e-4)(net)
}

#[model]
pub fn cubes(net: &Narrow) -> Tensor {
    (net.wide * net.wide * net.wide).sum() + net.narrow.to(f32).pow(3.0).sum()
}

#[model]
pub fn curved(net: &Narrow, v: &Narrow) -> (Narrow, Narrow) {
    jvp(grad(cubes))(net, v)
}

#[test]
fn a_narrow_net_has_tangents() -> Result<()> {
    let bits = |x: f32| bf16::from_f32(x);
    let net = Narrow { wide: [1.0, 2.0, 5.0].into(), narrow: [1.0, 2.0, 5.0].map(bits).into() };
    for (slope, moves) in [curved(&net, &net)?, curved::eager(&net, &net)] {
        assert_eq!(
            (slope.wide.as_slice(), moves.wide.as_slice()),
            (&[3.0, 12.0, 75.0][..], &[6.0, 24.0, 150.0][..])
        );
        assert_eq!(slope.narrow.as_slice(), [3.0, 12.0, 75.0].map(bits), "{:?}", slope.narrow.item().err());
        assert_eq!(moves.narrow.as_slice(), [6.0, 24.0, 150.0].map(bits), "{:?}", moves.narrow.item().err());
    }
    Ok(())
}

#[test]
fn a_mapped_tensor_is_rounded_once() -> Result<()> {
    let bits = |x: f32| bf16::from_f32(x);
    let net = Narrow { wide: [1.0, 2.0, 5.0].into(), narrow: [1.0, 2.0, 5.0].map(bits).into() };
    let (made, eager) = (thirds(&net)?, thirds::eager(&net));
    assert_eq!(made.narrow.as_slice(), [1.0, 2.0, 5.0].map(|x: f32| bits(x / 3.0 + 1e-4)));
    assert_eq!((&made.wide, &made.narrow), (&eager.wide, &eager.narrow));
    Ok(())
}

/// State that a differentiated closure sees from outside, and changes.
#[model]
pub fn seen(
    x: Tensor<3, 4>,
    norm: &mut BatchNorm1d<4>,
    calls: &mut Tensor,
    rng: &mut Rng,
) -> (Tensor, Tensor<3, 4>, Tensor) {
    let mut last = zeros([]);
    let (loss, slope) = value_and_grad(|x| {
        *calls += 1.0;
        let y = batch_norm1d_train(norm, x + 0.1 * randn([3, 4], rng));
        last = y.sum();
        (y * x).square().mean() + *calls
    })(x);
    let more = vmap(|row| row + rand([4], rng))(slope);
    (loss, more, last * 2.0)
}

/// The same twice in a loop, and within another closure.
#[model]
pub fn seen_again(
    x: Tensor<3, 4>,
    norm: &mut BatchNorm1d<4>,
    calls: &mut Tensor,
    rng: &mut Rng,
) -> Tensor<3, 4> {
    let mut h = x;
    for _ in 0..8 {
        let slope = grad(|x| {
            let (y, dy) = jvp(|z| {
                *calls += 1.0;
                batch_norm1d_train(norm, z).tanh() * *calls
            })(x, x);
            (y * dy).sum()
                + checkpoint(|a| {
                    *calls += 0.5;
                    dropout(a, 0.3, rng)
                })(x)
                .sum()
        })(h);
        h = h - 0.01 * slope;
    }
    let (y, back) = vjp(|z| {
        *calls *= 1.5;
        z * *calls
    })(h, x);
    y + back
}

fn near(got: &Tensor, want: &Tensor, bound: f32) {
    assert_eq!(got.shape(), want.shape());
    for (g, w) in got.as_slice().iter().zip(want.as_slice()) {
        assert!((g - w).abs() <= bound * w.abs().max(1.0), "{g} for {w}");
    }
}

#[test]
fn closures_change_what_they_see() -> Result<()> {
    let x = randn([3, 4], &mut Rng::seed(1));
    let fresh = || (BatchNorm1d::<4>::init(&mut Rng::seed(0)), Tensor::scalar(0.0f32), Rng::seed(5));
    let (mut norm, mut calls, mut rng) = fresh();
    let (mut norm2, mut calls2, mut rng2) = fresh();
    let (loss, more, last) = seen(&x, &mut norm, &mut calls, &mut rng)?;
    let (loss2, more2, last2) = seen::eager(&x, &mut norm2, &mut calls2, &mut rng2);
    near(&loss, &loss2, 1e-5);
    near(&more, &more2, 1e-4);
    near(&last, &last2, 1e-5);
    near(&norm.running_mean, &norm2.running_mean, 1e-6);
    assert_eq!((calls.item()?, calls2.item()?), (1.0, 1.0));
    assert_eq!(rng.state(), rng2.state());

    let h = seen_again(&x, &mut norm, &mut calls, &mut rng)?;
    let h2 = seen_again::eager(&x, &mut norm2, &mut calls2, &mut rng2);
    near(&h, &h2, 1e-3);
    near(&norm.running_var, &norm2.running_var, 1e-5);
    assert_eq!((calls.item()?, calls2.item()?), (19.5, 19.5));
    assert_eq!(rng.state(), rng2.state());
    Ok(())
}

/// What the function of a rule captures is constant to it.
#[model]
pub fn ruled(x: Tensor<3>, k: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
    let f = |x, k| (custom_vjp(|a| a * k, |a, y, ct| ct * 2.0 * k)(x) * x).sum();
    (grad(|x| f(x, k))(x), grad(|k| f(x, k))(k))
}

#[test]
fn a_rules_function_captures() -> Result<()> {
    let (dx, dk) = ruled([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])?;
    assert_eq!(dx.as_slice(), [12.0, 30.0, 54.0]);
    assert_eq!(dk.as_slice(), [0.0; 3]);
    let (dx2, dk2) = ruled::eager([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]);
    assert_eq!((dx2.as_slice(), dk2.as_slice()), (dx.as_slice(), dk.as_slice()));
    Ok(())
}

#[model]
pub fn scored(x: Tensor<3>, w: Tensor<3>) -> (Tensor, (Tensor<3>, Tensor<i64>)) {
    let y = x * w;
    (y.square().sum(), (y, y.argmax(0)))
}

/// The rest of a tuple comes along with the value.
#[model]
pub fn scored_gradient(x: Tensor<3>, w: Tensor<3>) -> (Tensor, Tensor<3>, Tensor<i64>, Tensor<3>) {
    let ((loss, (y, at)), slope) = value_and_grad(scored)(x, w);
    (loss, y, at, slope)
}

#[test]
fn a_tuple_comes_along_with_the_gradient() -> Result<()> {
    let (loss, y, at, slope) = scored_gradient([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])?;
    assert_eq!((loss.item()?, y.as_slice(), at.item()?), (41.0, &[1.0, -2.0, 6.0][..], 2));
    assert_eq!(slope.as_slice(), [2.0, 4.0, 24.0]);
    let (loss2, y2, at2, slope2) = scored_gradient::eager([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]);
    assert_eq!((loss2.item()?, y2, at2.item()?, slope2), (41.0, y, 2, slope));
    Ok(())
}
