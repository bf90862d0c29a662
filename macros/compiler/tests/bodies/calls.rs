#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.rellu() }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.ln().banana() }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.softmax() }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.softmax(x) + x.elu(1) + x.leaky_relu("a") }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { relu(x) + x.cat(x, 0) }

#[model] fn f(x: Tensor<3>) -> Tensor<> { helper(x) + corss_entropy(x, x) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.to(f23) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { y.relu() + xx }

#[params] struct Mlp { fc1: Linear<3, 4>, fc2: Linear<4, 3> }
#[model] fn f(net: &Mlp, x: Tensor<3>) -> Tensor<3> { net.fc3.forward(x) + net.fc2.wieght.sum() }

#[model] fn g<const N: usize>(x: Tensor<N, 3>, y: Tensor<N>) -> Tensor<N> { x.sum_dim(1) + y }
#[model] fn f(x: Tensor<5, 4>, y: Tensor<5>) -> Tensor<5> { g(x, y) }
#[model] fn h(x: Tensor<5, 3>, y: Tensor<4>) -> Tensor<5> { g(x, y.relu()) }
#[model] fn k(x: Tensor<5, 3>, y: Tensor<i64, 5>) -> Tensor<5> { g(x, y) }
#[model] fn l(x: Tensor<5, 3>) -> Tensor<5> { g(x) + g(x, 1.0) }

#[params] struct A { w: Tensor<3> }
#[params] struct B { w: Tensor<3> }
#[model] fn g(a: &A, x: Tensor<3>) -> Tensor<3> { a.w * x }
#[model] fn f(b: &B, x: Tensor<3>) -> Tensor<3> { g(b, x) + g(x, x) }
#[model] fn h(a: &A, x: Tensor<3>) -> Tensor<3> { a.forward(x) + a.farward(x) + a * x }

struct Plain { w: Tensor<3> }
#[model] fn f(net: &Plain, x: Tensor<3>) -> Tensor<3> { net.w * x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { f(x) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { g(x) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { f(x) }

#[model(inline)] fn block(x: Tensor) -> Tensor { x.matmul(x) }
#[model] fn f(x: Tensor<3, 4>) -> Tensor<3, 4> { block(x) }

#[model] fn broken(x: Tensor<3>) -> Tensor<3> { x.rellu() }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { broken(x) + x.gelo() }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let g = |a, b| a * b; g(x) + x(x) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.data + x.shape + x.0 }

#[model] fn f(x: Tensor<3>) -> Tensor<> { x.backward(); x.sum().item() }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let g = |a| a.rellu(); g(x) + g(x * 2.0) }

#[params] struct Mlp { fc1: Linear<784> }
#[model] fn f(net: &Mlp, x: Tensor<3>) -> Tensor<3> { x }
#[model] fn g(net: &Linear<3, 4>, x: Tensor<3>) -> Tensor<3> { net.forward(x) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { cat(x, 0) + cat(&[x, 3.0], 0) + stack(&[], 0) }

#[model] fn f(x: Tensor<3>, y: Tensor<3>) -> Tensor<> { mse_loss_with(x, y, "men") + cross_entropy_with(x, y, w, 0, 0.1, "mean") }

#[model(N <= 32)] fn g<const N: usize>(x: Tensor<N>) -> Tensor<N> { x * 2.0 }
#[model] fn f<const M: usize>(x: Tensor<64>, y: Tensor<M>, z: Tensor<32>) -> Tensor<M> { let a = g(x); let b = g(z); g(y) }

#[model] fn g(x: Tensor<3>) -> Tensor<> { x.sum() }
#[model] fn f(x: Tensor<3>) -> Tensor<> { let g = g(x); g(x) }

#[model] fn wide<const D: usize>(l: &Linear<{ 2 * D }, 3>, x: Tensor<{ 2 * D }>) -> Tensor<3> { l.forward(x) }
#[model] fn f(l: &Linear<5, 3>, x: Tensor<5>) -> Tensor<3> { wide(l, x) }

#[params] struct Net { w: Tensor<3> }
#[model] fn g(x: Tensor<3>, y: Tensor<3>) -> Tensor<3> { x + y }
#[model] fn f(net: &Net, x: Tensor<3>) -> Tensor<3> { g(x.rellu()) + g(x.rellu(), net) + x.rellu().softmax() + x.softmax(x.rellu(), 1) }

#[params] struct Table { rows: Tensor<9, 4> }
#[model(inline)] fn lookup(t: &Table, ids: Tensor<i64, _>) -> Tensor { t.rows.embedding(ids) }
#[model] fn f(t: &Table, ids: Tensor<i64, 2, 3, 5>, x: Tensor<2>) -> Tensor<2, 3, 5, 4> { lookup(t, x) + lookup(t, ids) }

#[params] struct Block<const I: usize, const O: usize> { w: Tensor<O, I>, g: Tensor<O> }
#[model(inline)] fn block<const I: usize, const O: usize, const N: usize>(b: &Block<I, O>, x: Tensor<N, I>, parts: [Tensor<O>; 3]) -> Tensor<N, O> {
    let h = x.linear(b.w, None).group_norm(4, Some(b.g), None, 1e-5).pad([O / I, 0], 0.0);
    let h = h.narrow(1, 0, O) + parts[O % 3];
    if I == O { h + x } else { h.nothing() }
}
#[model] fn f(b: &Block<8, 8>, x: Tensor<2, 8>, y: Tensor<8>) -> Tensor<2, 8> { block(b, x, [y, y, y]) }
#[model] fn g(b: &Block<8, 6>, x: Tensor<2, 8>, y: Tensor<6>) -> Tensor<2, 6> { block(b, x, [y, y, y]) }
#[model] fn h(b: &Block<4, 8>, x: Tensor<2, 4>, y: Tensor<8>) -> Tensor<2, 8> { block(b, x, [y, y, y]) }
