//! Faults in signatures and bodies: each is told once, where it stands, and callers are silent about it.

use kiln::prelude::*;

#[params]
struct Net {
    fc: Linear<3, 4>,
}

#[model]
fn wrong_inner_dims<const N: usize>(net: &Net, x: Tensor<N, 5>) -> Tensor<N, 4> {
    net.fc.forward(x)
}

#[model]
fn caller<const N: usize>(net: &Net, x: Tensor<N, 5>) -> Tensor<> {
    wrong_inner_dims(net, x).sum()
}

#[model]
fn wrong_signature<const N: usize>(x: Vec<f32>) -> Tensor<N> {
    x
}

#[model]
fn two_faults<const N: usize>(x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor<N, 3> {
    let z = x.rellu();
    (x + y) * z
}

#[model]
fn control<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    if x.sum() > 0.0 { x } else { x * 2.0 }
}

fn main() -> kiln::Result<()> {
    let net = Net::init(&mut Rng::seed(0));
    let x = [[0.0; 5]];
    wrong_inner_dims(&net, x)?;
    let frozen: kiln::Frozen<wrong_inner_dims> = wrong_inner_dims::freeze(&net)?;
    let (y, _) = wrong_inner_dims::vjp(&net, x, frozen.run(x)?)?;
    println!("{y} {}", wrong_inner_dims::flops(1));
    let (_, grads) = caller::value_and_grad(&net, x)?;
    println!("{:?} {}", grads.fc.weight, caller::PLAN);
    wrong_signature(vec![1.0])?;
    two_faults([[1.0; 3]], [[1.0; 4]])?;
    control([1.0])?;
    Ok(())
}
