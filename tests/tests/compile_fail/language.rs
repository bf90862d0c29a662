//! What can't become a graph: Rust that looks at values, calls by the wrong arguments, writes where no state is.

use kiln::prelude::*;

#[params]
struct Net {
    fc1: Linear<3, 3>,
    fc2: Linear<3, 3>,
}

#[model]
fn loops<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    let mut h = x;
    while h.sum() > 1.0 {
        h = h * 0.5;
    }
    h
}

#[model]
fn matches<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    match x.argmax(0) {
        _ => x,
    }
}

#[model]
fn prints<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    println!("{x:?}");
    x
}

#[model]
fn blocks<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    let y = unsafe { x };
    let z = async { x };
    y + z
}

#[model]
fn writes<const N: usize>(net: &Net, x: Tensor<N>) -> Tensor<N> {
    net.fc1.bias = net.fc2.bias;
    x = x * 2.0;
    x
}

#[model]
fn fields<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 3> {
    net.fc3.forward(x) + net.fc2.wieght.sum()
}

#[model]
fn arguments<const N: usize>(net: &Net, x: Tensor<N>) -> Tensor<N> {
    let y = x.softmax();
    let z = x.leaky_relu("steep");
    loops(x, y) + prints(net) + z
}

#[model]
fn vector<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x * x
}

#[model]
fn gradient_of_no_scalar<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    let (value, slope) = value_and_grad(vector)(x);
    value * slope
}

#[model]
fn labels<const N: usize>(k: Tensor<i64, N>) -> Tensor<> {
    k.to(f32).sum()
}

#[model]
fn gradient_of_integers<const N: usize>(k: Tensor<i64, N>) -> Tensor<N> {
    grad(labels)(k)
}

fn main() -> kiln::Result<()> {
    let net = Net::init(&mut Rng::seed(0));
    let x: Tensor = loops(matches(prints(blocks([0.0; 3])?)?)?)?;
    let x: Tensor = arguments(&net, fields(&net, writes(&net, x)?)?)?;
    gradient_of_no_scalar(gradient_of_integers([1])?.add(vector(x)?))?;
    Ok(())
}
