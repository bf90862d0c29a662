//! Transforms of functions in models: `jvp`, `vmap`, nested in any order, compiled and eager.
#![allow(missing_docs)]

use kiln::prelude::*;

#[params]
pub struct Net {
    fc1: Linear<3, 5>,
    fc2: Linear<5, 1>,
}

#[model]
fn loss(net: &Net, x: Tensor<3>, y: Tensor<1>) -> Tensor {
    let h = net.fc1.forward(x.reshape([1, 3])).tanh();
    mse_loss(net.fc2.forward(h), y.reshape([1, 1]))
}

#[model]
fn wide<const N: usize>(net: &Net, x: Tensor<N, 3>, y: Tensor<N, 1>) -> Tensor {
    mse_loss(net.fc2.forward(net.fc1.forward(x).tanh()), y)
}

/// The gradients of all examples, by one weight, and their mean.
#[model]
fn per_example<const N: usize>(
    net: &Net,
    x: Tensor<N, 3>,
    y: Tensor<N, 1>,
) -> (Tensor<N, 5, 3>, Tensor<5, 3>) {
    let grads = vmap(grad(loss))(net, x, y);
    let whole = grad(wide)(net, x, y);
    (grads.fc1.weight, whole.fc1.weight)
}

/// H·v, forward over reverse; by central differences of the gradient in `differences`.
#[model]
fn hessian_vector<const N: usize>(
    net: &Net,
    v: &Net,
    x: Tensor<N, 3>,
    y: Tensor<N, 1>,
) -> (Tensor<5, 3>, Tensor<5, 3>) {
    let (gradient, along) = jvp(grad(wide))(net, x, y, v);
    (gradient.fc1.weight, along.fc1.weight)
}

/// The same reverse over forward.
#[model]
fn hessian_vector_back<const N: usize>(net: &Net, v: &Net, x: Tensor<N, 3>, y: Tensor<N, 1>) -> Tensor<5, 3> {
    let directional = |net| {
        let (_, d) = jvp(wide)(net, x, y, v);
        d
    };
    grad(directional)(net).fc1.weight
}

#[model]
fn cubed(x: Tensor<f64, 4>) -> (Tensor<f64, 4>, Tensor<i64>) {
    (x * x * x, x.argmax(0))
}

#[model]
fn slopes(x: Tensor<f64, 4>, d: Tensor<f64, 4>) -> (Tensor<f64, 4>, Tensor<f64, 4>, Tensor<i64>) {
    let ((y, _), (dy, at)) = jvp(cubed)(x, d);
    (y, dy, at)
}

/// A Jacobian: a column for each unit vector.
#[model]
fn jacobian(x: Tensor<f64, 3>, units: Tensor<f64, 3, 3>) -> Tensor<f64, 3, 3> {
    let column = |d| {
        let (_, dy) = jvp(|x| x.softmax(0) * x)(x, d);
        dy
    };
    vmap(column)(units).t()
}

/// The same by rows, backwards.
#[model]
fn jacobian_rows(x: Tensor<f64, 3>, units: Tensor<f64, 3, 3>) -> Tensor<f64, 3, 3> {
    let row = |d| {
        let (_, dx) = vjp(|x| x.softmax(0) * x)(x, d);
        dx
    };
    vmap(row)(units)
}

#[model]
fn table<const N: usize, const M: usize>(a: Tensor<f64, N>, b: Tensor<f64, M>) -> Tensor<f64, N, M> {
    vmap(|x| vmap(|y| (x * y).sin() + x)(b))(a)
}

#[model]
fn decayed<const T: usize>(x: Tensor<f64, T>) -> Tensor<f64> {
    let mut h = x.select(0, 0) * 0.0;
    for t in 0..T {
        h = (h * 0.5 + x.select(0, t)).tanh();
    }
    h
}

#[model]
fn many_loops<const N: usize, const T: usize>(x: Tensor<f64, N, T>) -> (Tensor<f64, N>, Tensor<f64, N, T>) {
    (vmap(decayed)(x), vmap(grad(decayed))(x))
}

#[model]
fn summed<const N: usize, const T: usize>(x: Tensor<f64, N, T>) -> Tensor<f64, N, T> {
    grad(|x| vmap(decayed)(x).sum())(x)
}

#[model]
fn loop_forward<const T: usize>(x: Tensor<f64, T>, d: Tensor<f64, T>) -> (Tensor<f64>, Tensor<f64>) {
    jvp(decayed)(x, d)
}

const UNITS: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

fn numbers<const N: usize>(seed: u64) -> [f64; N] {
    std::array::from_fn(|i| ((i as f64 + 1.3) * 0.7 + seed as f64 * 1.9).sin())
}

fn floats(seed: u64, shape: [usize; 2]) -> Tensor {
    let data: Vec<f32> =
        (0..shape[0] * shape[1]).map(|i| ((i as f32 + 1.3) * 0.7 + seed as f32).sin()).collect();
    Tensor::from_vec(shape, data).expect("as many elements")
}

fn close<T>(a: &Tensor<T>, b: &Tensor<T>, within: f64)
where
    T: kiln::Element + Into<f64>,
{
    assert_eq!(a.shape(), b.shape());
    for (x, y) in a.as_slice().iter().zip(b.as_slice()) {
        let (x, y): (f64, f64) = ((*x).into(), (*y).into());
        assert!((x - y).abs() <= within * (1.0 + y.abs()), "{x} and {y}");
    }
}

#[test]
fn gradients_of_each_example() {
    let net = Net::init(&mut Rng::seed(3));
    let (x, y) = (floats(1, [6, 3]), floats(2, [6, 1]));
    let (each, whole) = per_example(&net, &x, &y).expect("shapes fit");
    assert_eq!(each.shape(), [6, 5, 3]);
    close(&each.mean_dim([0]), &whole, 1e-5);
    let (eagerly, _) = per_example::eager(&net, &x, &y);
    close(&each, &eagerly.ok().expect("sound"), 1e-5);
}

#[test]
fn hessian_vector_products() {
    let (net, v) = (Net::init(&mut Rng::seed(3)), Net::init(&mut Rng::seed(4)));
    let (x, y) = (floats(1, [6, 3]), floats(2, [6, 1]));
    let (gradient, along) = hessian_vector(&net, &v, &x, &y).expect("shapes fit");
    close(&gradient, &wide::grad(&net, &x, &y).expect("shapes fit").fc1.weight, 1e-6);
    let (one, two) = hessian_vector::eager(&net, &v, &x, &y);
    close(&gradient, &one.ok().expect("sound"), 1e-5);
    close(&along, &two.ok().expect("sound"), 1e-5);
    close(&along, &hessian_vector_back(&net, &v, &x, &y).expect("shapes fit"), 1e-5);
    close(&along, &hessian_vector_back::eager(&net, &v, &x, &y).ok().expect("sound"), 1e-5);
}

#[test]
fn tangents_of_tuples_and_integers() {
    let (x, d) = (numbers::<4>(1), numbers::<4>(2));
    let (y, dy, at) = slopes(x, d).expect("shapes fit");
    for i in 0..4 {
        assert!((y.as_slice()[i] - x[i].powi(3)).abs() < 1e-12);
        assert!((dy.as_slice()[i] - 3.0 * x[i] * x[i] * d[i]).abs() < 1e-12);
    }
    assert_eq!(at.item().expect("a scalar"), 0);
    let (_, eagerly, at) = slopes::eager(x, d);
    close(&dy, &eagerly.ok().expect("sound"), 1e-12);
    assert_eq!(at.item().expect("a scalar"), 0);
}

#[test]
fn jacobians_by_columns_and_by_rows() {
    let x = numbers::<3>(5);
    let (columns, rows) =
        (jacobian(x, UNITS).expect("shapes fit"), jacobian_rows(x, UNITS).expect("shapes fit"));
    close(&columns, &rows, 1e-12);
    close(&columns, &jacobian::eager(x, UNITS).ok().expect("sound"), 1e-12);
    close(&rows, &jacobian_rows::eager(x, UNITS).ok().expect("sound"), 1e-12);
}

#[test]
fn batches_nest() {
    let (a, b) = (numbers::<3>(1), numbers::<4>(2));
    let all = table(a, b).expect("shapes fit");
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            assert!((all.as_slice()[i * 4 + j] - ((x * y).sin() + x)).abs() < 1e-12);
        }
    }
    close(&all, &table::eager(a, b).ok().expect("sound"), 1e-12);
    assert_eq!(table([0.0f64; 0], b).expect("shapes fit").shape(), [0, 4]);
    assert_eq!(table::eager([0.0f64; 0], b).ok().expect("sound").shape(), [0, 4]);
}

#[test]
fn batches_of_loops_and_their_gradients() {
    let x = [numbers::<5>(1), numbers::<5>(2), numbers::<5>(3)];
    let (values, grads) = many_loops(x).expect("shapes fit");
    for (i, row) in x.iter().enumerate() {
        let (value, grad) = decayed::value_and_grad(*row).expect("shapes fit");
        assert!((values.as_slice()[i] - value.item().expect("a scalar")).abs() < 1e-12);
        let part = Tensor::from_vec([5], grads.as_slice()[i * 5..][..5].to_vec()).expect("five");
        close(&part, &grad, 1e-12);
    }
    close(&grads, &summed(x).expect("shapes fit"), 1e-12);
    let (eagerly, _) = many_loops::eager(x);
    close(&values, &eagerly.ok().expect("sound"), 1e-12);
    let d = numbers::<5>(9);
    let (value, along) = loop_forward(x[0], d).expect("shapes fit");
    assert!((value.item().expect("a scalar") - values.as_slice()[0]).abs() < 1e-12);
    let want: f64 = grads.as_slice()[..5].iter().zip(d).map(|(g, d)| g * d).sum();
    assert!((along.item().expect("a scalar") - want).abs() < 1e-12);
}

#[model(inline)]
fn block<const N: usize>(w: Tensor<N, N>, x: Tensor<256, N>) -> Tensor<256, N> {
    let h = x.matmul(w).tanh().matmul(w).tanh().matmul(w).tanh();
    h.matmul(w).tanh().matmul(w).tanh().matmul(w).tanh()
}

#[model(grad(w))]
fn plain(w: Tensor<8, 32, 32>, x: Tensor<256, 32>) -> Tensor {
    let h = block(w.select(0, 0), x);
    let h = block(w.select(0, 1), h);
    let h = block(w.select(0, 2), h);
    let h = block(w.select(0, 3), h);
    let h = block(w.select(0, 4), h);
    let h = block(w.select(0, 5), h);
    let h = block(w.select(0, 6), h);
    block(w.select(0, 7), h).sum()
}

#[model(grad(w))]
fn thrifty(w: Tensor<8, 32, 32>, x: Tensor<256, 32>) -> Tensor {
    let h = checkpoint(block)(w.select(0, 0), x);
    let h = checkpoint(block)(w.select(0, 1), h);
    let h = checkpoint(block)(w.select(0, 2), h);
    let h = checkpoint(block)(w.select(0, 3), h);
    let h = checkpoint(block)(w.select(0, 4), h);
    let h = checkpoint(block)(w.select(0, 5), h);
    let h = checkpoint(block)(w.select(0, 6), h);
    checkpoint(block)(w.select(0, 7), h).sum()
}

#[model]
fn plain_gradient(w: Tensor<8, 32, 32>, x: Tensor<256, 32>) -> Tensor<8, 32, 32> {
    grad(plain)(w, x)
}

#[model]
fn thrifty_gradient(w: Tensor<8, 32, 32>, x: Tensor<256, 32>) -> Tensor<8, 32, 32> {
    grad(thrifty)(w, x)
}

#[model]
fn captured(net: &Net, x: Tensor<4, 3>, y: Tensor<4, 1>) -> Tensor {
    mse_loss(checkpoint(|x| net.fc2.forward(net.fc1.forward(x).tanh()))(x), y)
}

/// The bytes that a plan says are kept for the gradients.
fn kept(plan: &str) -> usize {
    let (_, told) = plan.split_once("kept for the gradients, ").expect(plan);
    told.split(' ').next().expect(plan).parse().expect(plan)
}

#[test]
fn checkpoints_compute_again_in_place_of_storing() {
    let w = Tensor::from_vec([8, 32, 32], floats(1, [256, 32]).as_slice().iter().map(|x| x * 0.2).collect());
    let (w, x) = (w.expect("as many"), floats(2, [256, 32]));
    let (one, other) = (plain_gradient(&w, &x).expect("fits"), thrifty_gradient(&w, &x).expect("fits"));
    close(&one, &other, 1e-5);
    close(&one, &thrifty_gradient::eager(&w, &x).ok().expect("sound"), 1e-4);
    const BYTES: [usize; 2] = [plain_gradient::SCRATCH_BYTES, thrifty_gradient::SCRATCH_BYTES];
    assert!(BYTES[1] * 3 < BYTES[0] * 2, "{BYTES:?}");
    // Nobody differentiates it: it is as if nothing were said.
    let steps =
        |plan: &'static str| plan.split_once(" of scratch").expect(plan).0.split_once(": ").expect(plan).1;
    assert_eq!(steps(thrifty::PLAN), steps(plain::PLAN));
    // What a block makes inside isn't kept, only what goes into it.
    assert!(kept(thrifty::PLAN) * 2 < kept(plain::PLAN), "{}\n{}", thrifty::PLAN, plain::PLAN);
    let (net, x, y) = (Net::init(&mut Rng::seed(3)), floats(1, [4, 3]), floats(2, [4, 1]));
    let (one, other) = (wide::grad(&net, &x, &y).expect("fits"), captured::grad(&net, &x, &y).expect("fits"));
    close(&one.fc1.weight, &other.fc1.weight, 1e-6);
}

#[model(inline)]
fn rounded(x: Tensor<f64, 3>, k: Tensor<i64, 3>) -> Tensor<f64, 3> {
    x.round() + k.to(f64)
}

/// Straight through, and twice as steep, so that it is no one's own gradient.
#[model(inline)]
fn straight(x: Tensor<f64, 3>, k: Tensor<i64, 3>, y: Tensor<f64, 3>, ct: Tensor<f64, 3>) -> Tensor<f64, 3> {
    ct * 2.0 * y
}

#[model]
fn stepped(x: Tensor<f64, 3>, k: Tensor<i64, 3>) -> (Tensor<f64>, Tensor<f64, 3>) {
    value_and_grad(|x, k| (custom_vjp(rounded, straight)(x, k) * x).sum())(x, k)
}

#[model]
fn many_steps(x: Tensor<f64, 2, 3>, k: Tensor<i64, 3>) -> (Tensor<f64, 2, 3>, Tensor<f64, 2, 3>) {
    let own = |x| grad(|x| (custom_vjp(rounded, straight)(x, k) * x).sum())(x);
    let along = |x| {
        let (_, d) = jvp(|x| custom_vjp(rounded, straight)(x, k))(x, x);
        d
    };
    (vmap(own)(x), vmap(along)(x))
}

/// `x·y` whose gradient is clipped, by a closure of two cotangents.
#[model]
fn clipped(x: Tensor<f64, 3>, y: Tensor<f64, 3>) -> Tensor<f64, 3> {
    let product = custom_vjp(|a, b| a * b, |a, b, v, ct| ((ct * b).clamp(-0.1, 0.1), ct * a));
    grad(|x, y| product(x, y).sum())(x, y)
}

/// The second derivative goes by the rule as well: here it is that of `3·x²·y`, not of the product.
#[model]
fn bounded(x: Tensor<f64, 3>, y: Tensor<f64, 3>) -> Tensor<f64, 3> {
    let slope =
        |x| grad(|x| custom_vjp(|a, b| a * b, |a, b, v, ct| (ct * a * v * 3.0, ct * a))(x, y).sum())(x);
    grad(|x| slope(x).sum())(x)
}

#[test]
fn gradients_by_rules_of_ones_own() {
    let (x, k) = ([0.4, 1.6, -2.2], [1, 0, 2]);
    let y: Vec<f64> = x.iter().zip(k).map(|(x, k): (&f64, i64)| x.round() + k as f64).collect();
    let want: Vec<f64> = (0..3).map(|i| y[i] + 2.0 * y[i] * x[i]).collect();
    let (value, gradient) = stepped(x, k).expect("fits");
    assert!((value.item().expect("a scalar") - (0..3).map(|i| y[i] * x[i]).sum::<f64>()).abs() < 1e-12);
    close(&gradient, &Tensor::from_vec([3], want.clone()).expect("three"), 1e-12);
    let (rows, along) = many_steps([x, x], k).expect("fits");
    close(&rows, &Tensor::from_vec([2, 3], [want.clone(), want].concat()).expect("six"), 1e-12);
    let moved: Vec<f64> = (0..3).map(|i| 2.0 * y[i] * x[i]).collect();
    close(&along, &Tensor::from_vec([2, 3], [moved.clone(), moved].concat()).expect("six"), 1e-12);
    let (t, k) = (Tensor::from(x), Tensor::from(k));
    let (value, own) = stepped::eager(&t, &k);
    close(&own, &gradient, 1e-12);
    close(&value, &stepped(&t, &k).expect("fits").0, 1e-12);
    let (own, tangents) = many_steps::eager(Tensor::from([x, x]), &k);
    close(&own, &rows, 1e-12);
    close(&tangents, &along, 1e-12);
    let y = [0.05, 3.0, -3.0];
    close(&bounded(x, y).expect("fits"), &bounded::eager(Tensor::from(x), Tensor::from(y)), 1e-12);
    close(&clipped(x, [0.05, 3.0, -3.0]).expect("fits"), &Tensor::from([0.05, 0.1, -0.1]), 1e-12);
}
