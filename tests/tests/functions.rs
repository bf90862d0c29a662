//! Functions as values in models: transforms and closures that have names, closures that change what they are given, and rules
//! of one's own over trees; compiled and eager.
#![allow(missing_docs)]

use kiln::prelude::*;

#[model]
fn cubes(x: Tensor<f64, 3>) -> Tensor<f64> {
    (x * x * x).sum()
}

/// Each name is what it was where the function was made, whatever has the name later.
#[model]
fn named(x: Tensor<f64, 3>) -> (Tensor<f64, 3>, Tensor<f64, 3>, Tensor<f64>, Tensor<f64, 3>) {
    let w = x * 2.0;
    let slope = grad(|x| (x * w).sum());
    let sum = |x| x.sum();
    let both = value_and_grad(sum);
    let of = cubes;
    let direct = jvp(grad(of));
    let w = x * 100.0;
    let sum = |x| (x * w).sum();
    let (value, ones) = both(x);
    let (_, curved) = direct(x, ones);
    (slope(x), curved, value + sum(x) * 0.0, vjp(cubes)(x, value).1)
}

#[test]
fn functions_have_names() {
    let x = [1.0, 2.0, -1.0];
    for (slope, curved, value, along) in [named(x).expect("fits"), named::eager(x)] {
        assert_eq!(slope.as_slice(), [2.0, 4.0, -2.0]);
        assert_eq!(curved.as_slice(), [6.0, 12.0, -6.0]);
        assert_eq!(value.item().expect("a scalar"), 2.0);
        assert_eq!(along.as_slice(), [6.0, 24.0, 6.0]);
    }
}

#[model]
fn dropped(x: Tensor<4>, rng: &mut Rng) -> Tensor<4> {
    dropout(x, 0.5, rng)
}

#[model]
fn drop_each<const N: usize>(xs: Tensor<N, 4>, rng: &mut Rng) -> [Tensor<N, 4>; 4] {
    let own = |x, rng| dropout(x, 0.5, rng);
    [vmap(dropped)(xs, rng), vmap(|x, rng| dropout(x, 0.5, rng))(xs, rng), vmap(own)(xs, rng), {
        let each = vmap(own);
        each(xs, rng)
    }]
}

/// Every element has a mask of its own, and the generator goes on from one batch to the next.
#[test]
fn batches_draw_through_closures() {
    let xs = Tensor::ones([3, 4]);
    let (mut rng, mut other, mut one) = (Rng::seed(5), Rng::seed(5), Rng::seed(5));
    let compiled = drop_each(&xs, &mut rng).expect("fits");
    let eager = drop_each::eager(&xs, &mut other);
    for (compiled, eager) in compiled.iter().zip(&eager) {
        let rows: Vec<f32> =
            (0..3).flat_map(|_| dropped([1.0; 4], &mut one).expect("fits").as_slice().to_vec()).collect();
        assert_eq!(compiled.as_slice(), rows);
        assert_eq!(eager.as_slice(), rows);
    }
    assert_eq!((&rng, &other), (&one, &one));
}

#[params]
pub struct Norm {
    norm: BatchNorm1d<3>,
    scale: Tensor<3>,
}

/// The gradient of a closure that draws and changes running statistics.
#[model]
fn noisy<const N: usize>(net: &mut Norm, x: Tensor<N, 3>, rng: &mut Rng) -> (Tensor, Tensor<3>) {
    let (value, grads) = value_and_grad(|net, x, rng| {
        let h = batch_norm1d_train(&mut net.norm, x) * net.scale;
        dropout(h * h, 0.25, rng).mean()
    })(net, x, rng);
    (value, grads.scale)
}

#[model]
fn noisy_loss<const N: usize>(net: &mut Norm, x: Tensor<N, 3>, rng: &mut Rng) -> Tensor {
    let h = batch_norm1d_train(&mut net.norm, x) * net.scale;
    dropout(h * h, 0.25, rng).mean()
}

#[test]
fn closures_change_what_they_are_given() {
    let start = Norm::init(&mut Rng::seed(1));
    let x = noise([8, 3]);
    let (mut nets, mut rngs) = ([start.clone(), start.clone(), start], [3, 3, 3].map(Rng::seed));
    let (value, grads) = noisy(&mut nets[0], &x, &mut rngs[0]).expect("fits");
    let (eager, eager_grads) = noisy::eager(&mut nets[1], &x, &mut rngs[1]);
    let (want, wanted) = noisy_loss::value_and_grad(&mut nets[2], &x, &mut rngs[2]).expect("fits");
    assert_eq!(value, want);
    assert_eq!(grads, wanted.scale);
    close(&eager, want.as_slice(), 1.0);
    close(&eager_grads, wanted.scale.as_slice(), 1.0);
    for (net, rng) in nets.iter().zip(&rngs) {
        assert_ne!(net.norm.running_mean.as_slice(), [0.0; 3]);
        close(&net.norm.running_mean, nets[2].norm.running_mean.as_slice(), 1.0);
        assert_eq!(rng, &rngs[2]);
    }
}

#[params]
pub struct Net {
    fc: Linear<3, 2>,
    norm: BatchNorm1d<2>,
}

#[model]
fn net(net: &Net, x: Tensor<4, 3>) -> Tensor<4, 2> {
    net.norm.forward(net.fc.forward(x)).tanh()
}

/// A rule over a tree, which captures a tensor: the gradients are those of the net times `by`, that of `x` clipped.
#[model]
fn scaled(
    params: &Net,
    x: Tensor<4, 3>,
    by: Tensor,
) -> (Tensor, [Tensor<2>; 2], Tensor<2, 3>, Tensor<4, 3>, Tensor) {
    let limit = by * 0.001;
    let rule = |p, x, value, ct| {
        let (_, dp) = vjp(net)(p, x, ct * by);
        let (_, dx) = vjp(|x| net(p, x))(x, ct * by);
        (dp, dx.minimum(limit))
    };
    let steep = custom_vjp(net, rule);
    let dby = grad(|by| steep(params, x).sum() * by)(by);
    let (value, dx) = value_and_grad(|x| steep(params, x).sum() * by)(x);
    let p = grad(|p| steep(p, x).sum() * by)(params);
    (value, [p.fc.bias, p.norm.weight], p.fc.weight, dx, dby)
}

#[model]
fn plain(params: &Net, x: Tensor<4, 3>) -> (Tensor, [Tensor<2>; 2], Tensor<2, 3>, Tensor<4, 3>) {
    let (value, p) = value_and_grad(|p| net(p, x).sum())(params);
    (value, [p.fc.bias, p.norm.weight], p.fc.weight, grad(|x| net(params, x).sum())(x))
}

#[test]
fn rules_over_trees_that_capture() {
    let params = Net::init(&mut Rng::seed(4));
    let x = noise([4, 3]);
    let (want, [bias, gain], weight, dx) = plain(&params, &x).expect("fits");
    for (value, vectors, matrix, slope, by) in
        [scaled(&params, &x, 3.0).expect("fits"), scaled::eager(&params, &x, 3.0)]
    {
        close(&value, want.as_slice(), 3.0);
        close(&by, want.as_slice(), 1.0);
        close(&vectors[0], bias.as_slice(), 9.0);
        close(&vectors[1], gain.as_slice(), 9.0);
        close(&matrix, weight.as_slice(), 9.0);
        let clipped: Vec<f32> = dx.as_slice().iter().map(|d| (d * 9.0).min(0.003)).collect();
        close(&slope, &clipped, 1.0);
    }
}

fn noise(shape: [usize; 2]) -> Tensor {
    Tensor::<f32>::zeros(shape).randn_like(&mut Rng::seed(2))
}

fn close(a: &Tensor, b: &[f32], times: f32) {
    assert_eq!(a.len(), b.len());
    a.as_slice().iter().zip(b).for_each(|(a, b)| assert!((a - b * times).abs() < 1e-5, "{a} {b}"));
}
