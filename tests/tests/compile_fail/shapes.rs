//! Shapes and dtypes that don't fit.

use kiln::prelude::*;

#[params]
struct Mlp {
    fc1: Linear<784, 128>,
    fc2: Linear<100, 10>,
}

#[model]
fn inner_dims<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    let h = net.fc1.forward(x).relu();
    net.fc2.forward(h)
}

#[model]
fn right_side<const N: usize>(x: Tensor<N, 3>, w: Tensor<4, 3>) -> Tensor<N, 4> {
    x.matmul(w)
}

#[model]
fn declared_result<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 4> {
    let h = x.relu();
    h
}

#[model]
fn rank<const N: usize>(x: Tensor<N, 3>) -> Tensor<N> {
    x.softmax(2).sum_dim(1)
}

#[model]
fn reshaped<const N: usize>(x: Tensor<N, 12>) -> Tensor<N, 3> {
    x.reshape([N, 5])
}

#[model]
fn concatenated<const N: usize>(x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor<N, 7> {
    cat(&[x, y], 0)
}

#[model]
fn dtypes<const N: usize>(x: Tensor<N, 3>, y: Tensor<f64, N, 3>) -> Tensor<N, 3> {
    x + y
}

#[model]
fn scaled<const N: usize>(x: Tensor<N, 3>, y: Tensor<N>) -> Tensor<N> {
    x.sum_dim(1) * y
}

#[model]
fn two_sizes(x: Tensor<5, 3>, y: Tensor<4>) -> Tensor<5> {
    scaled(x, y.relu())
}

#[model(N <= 32)]
fn at_most<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x * 2.0
}

#[model]
fn above_the_bound(x: Tensor<64>) -> Tensor<64> {
    at_most(x)
}

#[model]
fn calls_faulty_ones<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    inner_dims(net, x) + inner_dims(net, x).softmax(1)
}

fn main() -> kiln::Result<()> {
    let net = Mlp::init(&mut Rng::seed(0));
    let x = Tensor::zeros([2, 784]);
    let y: Tensor = calls_faulty_ones(&net, inner_dims(&net, &x)?)?;
    let z: Tensor = right_side(&y, declared_result(rank(reshaped(&x)?)?)?)?;
    concatenated(&z, two_sizes(&x, above_the_bound(&y)?)?)?;
    dtypes(&x, [[0.0; 3]])?;
    Ok(())
}
