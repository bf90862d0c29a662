#[model] fn f<const N: usize>(x: Tensor<N, 784>, w: Tensor<10, 784>) -> Tensor<N, 10> { x.matmul(w) }

#[model] fn f<const N: usize>(x: Tensor<N, 784>, w: Tensor<128, 10>) -> Tensor<N, 10> { x.matmul(w) }

#[params] struct Mlp { fc1: Linear<784, 128>, fc2: Linear<100, 10> }
#[model] fn f<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    let h = net.fc1.forward(x).relu();
    net.fc2.forward(h)
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor<N, 3> { (x + 1.0) * y }

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 4> { let h = x.relu(); h }

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> (Tensor<N>, Tensor<3>) { (x.sum_dim(1), x.sum_dim(1)) }

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> { x.t().t().unsqueeze(0).t() }

#[model] fn f<const N: usize>(x: Tensor<N, 12>) -> Tensor<N, 3> { x.reshape([N, 5]) }

#[model] fn f<const N: usize>(x: Tensor<N, 12>) -> Tensor<N, 3> { x.reshape([-1, 5]).sum_dim(0) }

#[model] fn f<const N: usize>(x: Tensor<N, 3>, y: Tensor<N, 4>) -> Tensor<N, 7> { cat(&[x, y], 0) }

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N> { x.softmax(2).sum_dim(1) }

#[model] fn f<const N: usize>(x: Tensor<N, 3>, y: Tensor<f64, N, 3>) -> Tensor<N, 3> { x + y }

#[model] fn f<const N: usize>(x: Tensor<i64, N>) -> Tensor<N> { x.exp() }

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> { let h: Tensor<N, 4> = x * 2.0; h.narrow(1, 0, 3) }

#[model] fn f<const N: usize>(x: Tensor<N, 3>, y: Tensor<N>) -> Tensor<> { cross_entropy(x, y.to(i32)) }

#[model] fn f(x: Tensor<6>) -> Tensor<2> { let parts = x.split([2, 3], 0); parts[0] }

#[model] fn f(x: Tensor<6>) -> Tensor<2> { x.narrow(0, 5, 2) }

#[model] fn f<const N: usize>(x: Tensor<i64, N>) -> Tensor<i64, N> { x / 2 }

#[model] fn f<const N: usize>(x: Tensor<N, 3>, w: Tensor<bf16, 4, 3>) -> Tensor<N, 4> { x.linear(w, None) + x.to(f16) }
