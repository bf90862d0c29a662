#[model] fn f(x: Tensor<3>, rng: &mut Rng) -> Tensor<3> { dropout(dropout(x, 1.5, rng), -0.5, rng) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { dropout(x, 0.5) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { dropout(x, 0.5, x) }
#[model] fn h(x: Tensor<3>, rng: &Rng) -> Tensor<3> { dropout(x, 0.5, rng) }

#[model] fn g(x: Tensor<3>, rng: &mut Rng) -> Tensor<3> { dropout(x, 0.5, rng) }
#[model] fn f(x: Tensor<3>, rng: &Rng) -> Tensor<3> { g(x, rng) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { g(x, x) + g(x) }

#[model] fn f(x: Tensor<3>, rng: &mut Rng) -> Tensor<3> { cond(x.sum().gt(0.0), || dropout(x, 0.5, rng), || x) }

#[model] fn f(x: Tensor<2, 3>, rng: &mut Rng) -> Tensor<2, 3> { dropout2d(x, 0.5, rng) + randint(3, 3, [2, 3], rng).to(f32) }

#[model] fn f(x: Tensor<i64, 3>, rng: &mut Rng) -> Tensor<3> { bernoulli(x, rng) }

#[model] fn f(x: Tensor<3>, rng: &mut Rng) -> Tensor<3> { x + rng }

#[model] fn g(x: Tensor<3>, s: &mut Tensor<i64>) -> Tensor<3> { *s = *s + 1; x }
#[model] fn f(x: Tensor<2, 3>, s: &mut Tensor<i64>) -> Tensor<2, 3> { vmap(g)(x, s) }
#[model] fn h(x: Tensor<2, 3>, rng: &mut Rng) -> Tensor<2, 3> { vmap(|y| dropout(y, 0.5, rng))(x) + vmap(dropout)(x, 0.5, rng) }
#[model] fn k(x: Tensor<2, 3>) -> Tensor<2, 3> { let mut l = Vec::new(); let y = vmap(|y| { l.push(y); y })(x); y + l[0] }

#[model(inline)] fn g(x: Tensor<3>, p: f64) -> Tensor<3> { x * p }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { g(x, 2) + g(x, x) + g(x, 0.5) }

#[params] struct Net { #[buffer] w: Tensor<3> }
#[model] fn g(net: &mut Net, x: Tensor<3>, rng: &mut Rng) -> Tensor<3> { net.w = net.w + x; dropout(x, 0.5, rng) }
#[model] fn f(net: &mut Net, x: Tensor<2, 3>, rng: &mut Rng) -> Tensor<2, 3> { vmap(g)(net, x, rng) }
