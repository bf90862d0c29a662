//! Loops that carry whole nets and optimizers, and loops over arrays of tensors: one loop, compiled as it runs eagerly.
#![allow(missing_docs)]

use kiln::prelude::*;

#[params]
pub struct Block {
    fc: Linear<4, 4>,
    scale: Tensor<4>,
}

#[params]
pub struct Net {
    first: Linear<3, 4>,
    blocks: [Block; 6],
}

#[model]
pub fn net<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 4> {
    let mut h = net.first.forward(x);
    for block in &net.blocks {
        h = h + (block.fc.forward(h) * block.scale).tanh();
    }
    h
}

#[model]
pub fn miss<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor {
    mse_loss(net(params, x), y)
}

/// A net that has learned from each batch, in a loop whose length only the call knows.
#[model]
pub fn fitted<const T: usize>(params: &Net, x: Tensor<T, 5, 3>, y: Tensor<T, 5, 4>) -> Net {
    let mut fast = params.clone();
    for t in 0..T {
        let slope = grad(miss)(&fast, x.select(0, t), y.select(0, t));
        fast = tree_map(|w, g| w - 0.1 * g)(&fast, slope);
    }
    fast
}

/// The same with a local optimizer, and a field that is assigned to.
#[model]
pub fn trained<const T: usize>(
    params: &Net,
    start: &Adam<Net>,
    x: Tensor<T, 5, 3>,
    y: Tensor<T, 5, 4>,
) -> (Net, Tensor) {
    let (mut fast, mut opt) = (params.clone(), start.clone());
    let mut total = zeros([]);
    for t in 0..T {
        let (loss, slope) = value_and_grad(miss)(&fast, x.select(0, t), y.select(0, t));
        opt.step(&mut fast, slope.clip_norm(1.0));
        fast.first.bias = fast.first.bias * 0.9;
        total = total + loss;
    }
    (fast, total)
}

/// Meta-learning through eight steps, which a loop backwards goes through again.
#[model]
pub fn meta(params: &Net, x: Tensor<8, 5, 3>, y: Tensor<8, 5, 4>) -> Tensor {
    miss(&fitted(params, x, y), x.select(0, 0), y.select(0, 0))
}

#[model]
pub fn meta_gradient(params: &Net, x: Tensor<8, 5, 3>, y: Tensor<8, 5, 4>) -> (Tensor, Net) {
    value_and_grad(meta)(params, x, y)
}

/// A loop over the layers of a local net changes them where they lie.
#[model]
pub fn halved(params: &Net) -> Net {
    let mut small = params.clone();
    for _ in 0..7 {
        for block in &mut small.blocks {
            block.scale = block.scale * 0.5;
        }
    }
    small
}

/// Tensors of an array, with their numbers and what stands beside them.
#[model]
pub fn mixed<const N: usize>(
    xs: [Tensor<N, 4>; 9],
    w: Tensor<4, 4>,
    rates: [Tensor; 9],
) -> (Tensor<N, 4>, Tensor<9, N, 4>) {
    let mut h = zeros([N, 4]);
    let mut all = Vec::new();
    for (i, (x, rate)) in xs.iter().zip(&rates).enumerate() {
        h = (h.matmul(w) + x * rate * (i as f32 + 1.0)).tanh();
        all.push(h + xs[i]);
    }
    (h, stack(&all, 0))
}

#[model(grad(xs, w))]
pub fn mixed_loss<const N: usize>(xs: [Tensor<N, 4>; 9], w: Tensor<4, 4>, rates: [Tensor; 9]) -> Tensor {
    let (h, all) = mixed(xs, w, rates);
    h.sum() + all.square().mean()
}

#[model]
pub fn mixed_slopes<const N: usize>(
    xs: [Tensor<N, 4>; 9],
    w: Tensor<4, 4>,
    rates: [Tensor; 9],
) -> (Tensor, [Tensor<N, 4>; 9], Tensor<4, 4>) {
    let (loss, (dx, dw)) = value_and_grad(mixed_loss)(xs, w, rates);
    (loss, dx, dw)
}

const ODD: usize = 3;

/// What random programs found: tracing that starts over for a constant stood in a loop, and eager loops took references.
#[model]
pub fn found(xs: [Tensor<4>; 6], s: &mut Tensor<4>) -> (Tensor<6, 4>, Tensor<4>, Tensor<2, 4>) {
    let first = if ODD % 2 == 1 { xs[0] } else { xs[1] };
    let (mut h, mut all) = (first, Vec::new());
    for x in &xs {
        h = (h - *s * 0.1 + x).tanh();
        *s = *s + h.mean();
        all.push(x);
    }
    let mut last = first;
    let mut pair = stack(&[first, first], 0);
    for x in xs.iter().rev() {
        pair = if ODD > 2 { stack(&[x, h + x], 0) } else { pair };
        last = x;
    }
    (stack(&all, 0), last + h, pair)
}

fn inputs(turns: usize) -> (Net, Tensor, Tensor) {
    let mut rng = Rng::seed(11);
    let mut net = Net::init(&mut rng);
    for (i, block) in net.blocks.iter_mut().enumerate() {
        block.scale = Tensor::full([4], 1.0 - 0.1 * i as f32);
    }
    (net, randn([turns, 5, 3], &mut rng), randn([turns, 5, 4], &mut rng))
}

/// The largest difference of two nets.
fn apart(a: &Net, b: &Net) -> f32 {
    let pairs = a.named_leaves().into_iter().zip(b.named_leaves());
    pairs.map(|(a, b)| difference(a.tensor.as_f32().unwrap(), b.tensor.as_f32().unwrap())).fold(0.0, worse)
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.shape(), b.shape());
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, worse)
}

/// The larger one; what is no number is the largest.
fn worse(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() { f32::NAN } else { a.max(b) }
}

#[test]
fn a_net_is_carried() -> Result<()> {
    assert!(fitted::PLAN.contains("loop"), "{}", fitted::PLAN);
    for turns in [0, 1, 7] {
        let (start, x, y) = inputs(turns);
        let (got, want) = (fitted(&start, &x, &y)?, fitted::eager(&start, &x, &y));
        assert!(apart(&got, &want) < 1e-6, "{turns}: {}", apart(&got, &want));
        assert!((apart(&got, &start) > 1e-3) == (turns > 0));
    }
    Ok(())
}

#[test]
fn an_optimizer_is_carried() -> Result<()> {
    let (start, x, y) = inputs(6);
    let opt = Adam::new(&start, 1e-2);
    let ((got, loss), (want, wanted)) =
        (trained(&start, &opt, &x, &y)?, trained::eager(&start, &opt, &x, &y));
    assert!(apart(&got, &want) < 1e-5, "{}", apart(&got, &want));
    assert!((loss.item()? - wanted.item()?).abs() < 1e-5);
    assert!(apart(&got, &start) > 1e-2);
    Ok(())
}

#[test]
fn a_gradient_goes_back_through_all_steps() -> Result<()> {
    let (start, x, y) = inputs(8);
    let (value, slope) = meta_gradient(&start, &x, &y)?;
    let (wanted, want) = meta_gradient::eager(&start, &x, &y);
    assert!((value.item()? - wanted.item()?).abs() < 1e-6);
    assert!(apart(&slope, &want) < 1e-5, "{}", apart(&slope, &want));
    // By differences in one weight.
    let moved = |by: f32| -> Result<f32> {
        let mut net = start.clone();
        net.first.weight.as_mut_slice()[4] += by;
        meta(&net, &x, &y)?.item()
    };
    let rise = (moved(1e-2)? - moved(-1e-2)?) / 2e-2;
    assert!((rise - slope.first.weight.as_slice()[4]).abs() < 1e-3, "{rise}");
    Ok(())
}

#[test]
fn layers_of_a_local_net_change() -> Result<()> {
    let (start, ..) = inputs(1);
    let got = halved(&start)?;
    assert_eq!(apart(&got, &halved::eager(&start)), 0.0);
    assert_eq!(got.blocks[5].scale.as_slice()[0], start.blocks[5].scale.as_slice()[0] / 128.0);
    Ok(())
}

#[test]
fn arrays_of_tensors_are_gone_over() -> Result<()> {
    assert!(mixed::PLAN.contains("loop"), "{}", mixed::PLAN);
    let mut rng = Rng::seed(5);
    let inputs: [Tensor; 9] = std::array::from_fn(|_| randn([3, 4], &mut rng));
    let (xs, rates) = (|| inputs.clone(), || std::array::from_fn(|i| Tensor::from(0.2 * i as f32 - 0.5)));
    let w = randn([4, 4], &mut rng);
    let ((h, all), (eager_h, eager_all)) = (mixed(xs(), &w, rates())?, mixed::eager(xs(), &w, rates()));
    assert!(difference(&h, &eager_h) < 1e-6 && difference(&all, &eager_all) < 1e-6);
    let (loss, dx, dw) = mixed_slopes(xs(), &w, rates())?;
    let (eager_loss, eager_dx, eager_dw) = mixed_slopes::eager(xs(), &w, rates());
    assert!((loss.item()? - eager_loss.item()?).abs() < 1e-5);
    let each = dx.iter().zip(&eager_dx).map(|(a, b)| difference(a, b)).fold(0.0, worse);
    assert!(each < 1e-5 && difference(&dw, &eager_dw) < 1e-4, "{each}");
    Ok(())
}

#[test]
fn elements_are_values() -> Result<()> {
    let mut rng = Rng::seed(7);
    let inputs: [Tensor; 6] = std::array::from_fn(|_| randn([4], &mut rng));
    let mut states = [Tensor::full([4], 0.5), Tensor::full([4], 0.5)];
    let [one, two] = &mut states;
    let (all, last, pair) = found(inputs.clone(), one)?;
    let (eager_all, eager_last, eager_pair) = found::eager(inputs.clone(), two);
    for (got, want) in
        [(&all, &eager_all), (&last, &eager_last), (&pair, &eager_pair), (&states[0], &states[1])]
    {
        assert!(difference(got, want) < 1e-6);
    }
    assert_eq!(all.as_slice()[20..], *inputs[5].as_slice());
    Ok(())
}
