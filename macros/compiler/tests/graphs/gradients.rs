#[params]
struct Critic { fc1: Linear<3, 8>, fc2: Linear<8, 1> }

#[model]
fn critic<const N: usize>(net: &Critic, x: Tensor<N, 3>) -> Tensor<N, 1> {
    net.fc2.forward(net.fc1.forward(x).tanh())
}

#[model]
fn penalty<const N: usize>(net: &Critic, x: Tensor<N, 3>) -> Tensor<> {
    let d = grad(|x| critic(net, x).sum())(x);
    (d.norm_dim(2.0, 1) - 1.0).square().mean()
}

#[model]
fn learn<const N: usize>(net: &mut Critic, opt: &mut AdamW<Critic>, x: Tensor<N, 3>) -> (Tensor<>, Tensor<>) {
    let (loss, grads) = value_and_grad(penalty)(net, x);
    let size = grads.norm();
    opt.step(net, grads);
    (loss, size)
}

#[model]
fn hessian(x: Tensor<f64>) -> (Tensor<f64>, Tensor<f64>, Tensor<f64>) {
    let f = |x| x.sin() * x.exp();
    (f(x), grad(f)(x), grad(grad(f))(x))
}

#[model(grad(x))]
fn sensitive<const N: usize>(net: &Critic, x: Tensor<N, 3>) -> Tensor<N, 1> {
    critic(net, x)
}
