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
#[model] fn h(x: Tensor<3>) -> Tensor<3> { custom_vjp(|a| a * x, |a, y, ct| ct)(x) }
#[model] fn k(x: Tensor<3>) -> Tensor<3> { custom_vjp(|a| a * 2.0, |a, y, ct| ct.sum())(x) }
