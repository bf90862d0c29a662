//! An MLP that learns: 784 → 512 → 256 → 10.

use kiln::prelude::*;

#[params]
pub struct Mlp {
    fc1: Linear<784, 512>,
    fc2: Linear<512, 256>,
    fc3: Linear<256, 10>,
}

#[model]
pub fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    let h = net.fc2.forward(net.fc1.forward(x).relu()).relu();
    net.fc3.forward(h)
}

#[model]
pub fn loss<const N: usize>(net: &Mlp, x: Tensor<N, 784>, y: Tensor<i64, N>) -> Tensor {
    cross_entropy(mlp(net, x), y)
}

#[model]
pub fn train_step<const N: usize>(
    net: &mut Mlp,
    opt: &mut Adam<Mlp>,
    x: Tensor<N, 784>,
    y: Tensor<i64, N>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads);
    loss
}
