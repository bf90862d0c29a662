#[model] fn g(x: Tensor<3>) -> Tensor<3> { x * x }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { let (v, d) = value_and_grad(g)(x); d }

#[model] fn g(x: Tensor<i64, 3>) -> Tensor<> { x.to(f32).sum() }
#[model] fn f(x: Tensor<i64, 3>) -> Tensor<> { grad(g)(x) }

#[model(grad(y))] fn f(x: Tensor<3>, y: Tensor<i64, 3>) -> Tensor<> { (x * y.to(f32)).sum() }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { grad(x)(x) + value_and_grad(helper)(x) + grad(|a| a, x) }

#[model] fn g(x: Tensor<3>) -> Tensor<3> { x * x }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { let (v, d) = vjp(g)(x); d }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { let (v, d) = vjp(g)(x, x.sum()); d }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { grad(|a| 3.0)(x) + grad(|a, b| a.sum())(x) }

#[model] fn g(x: Tensor<3>) -> Tensor<3> { x * x }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { let (v, d) = jvp(g)(x); d }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { let (v, d) = jvp(g)(x, x.sum()); d }

#[model] fn g(x: Tensor<3>, y: Tensor<3>) -> Tensor<> { (x * y).sum() }
#[model] fn f(x: Tensor<2, 3>, y: Tensor<4, 3>) -> Tensor<2> { vmap(g)(x, y) }
#[model] fn h(x: Tensor<2, 3>, s: Tensor<>) -> Tensor<2> { vmap(|a, b| a.sum() * b)(x, s) }
#[model] fn k(x: Tensor<2, 3>) -> Tensor<2> { vmap(|a| a)(2.0) + vmap(x)(x) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { custom_vjp(|a| a * 2.0)(x) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { custom_vjp(|a| (a, a * x), |a, y, ct| ct)(x) }
#[model] fn k(x: Tensor<3>) -> Tensor<3> { custom_vjp(|a| a * 2.0, |a, y, ct| ct.sum())(x) }

#[params] struct Net { w: Tensor<3>, n: Tensor<bf16, 2> }
#[params] struct Other { w: Tensor<3> }
#[model] fn loss(net: &Net, x: Tensor<3>) -> Tensor<> { (net.w * x).sum() }
#[model] fn f(net: &Net, x: Tensor<3>) -> Net { tree_map(|w, g| w - g)(net, x) }
#[model] fn g(net: &Net, other: &Other) -> Net { tree_map(|w, g| w - g)(net, other) }
#[model] fn h(net: &Net, x: Tensor<3>) -> Net { tree_map(|w| w.gt(0.0))(net) }
#[model] fn k(net: &Net, x: Tensor<3>) -> Net { tree_map(|w| w.sum())(net) }
#[model] fn l(net: &Net, xs: Tensor<2, 3>) -> Net { vmap(|x| grad(loss)(net, x))(xs) }
#[model] fn m(net: &Net, other: &Other) -> Net { other }
#[model] fn n(x: Tensor<3>) -> Net { x }
#[model] fn o(net: &mut Net, x: Tensor<3>) { x }
#[model] fn p(net: &Net, x: Tensor<3>) -> (Tensor<3>, Other) { (x, net) }
