#[model] fn g(xs: [Tensor<3>; 2], s: &mut (Tensor<3>, Tensor<4>)) -> Tensor<3> { s.0 = xs[0]; xs[1] }
#[model] fn few(x: Tensor<3>, s: &mut (Tensor<3>, Tensor<4>)) -> Tensor<3> { g([x], s) }
#[model] fn one(x: Tensor<3>, s: &mut (Tensor<3>, Tensor<4>)) -> Tensor<3> { g(x, s) }
#[model] fn part(x: Tensor<3>, y: Tensor<4>, s: &mut (Tensor<3>, Tensor<4>)) -> Tensor<3> { g([x, y], s) }
#[model] fn fresh(x: Tensor<3>, y: Tensor<4>) -> Tensor<3> { g([x, x], (x, y)) }
#[model] fn fixed(x: Tensor<3>, y: Tensor<4>) -> Tensor<3> { let s = (x, y); g([x, x], &mut s) }
#[model] fn flat(x: Tensor<3>, s: &mut (Tensor<3>, Tensor<3>)) -> Tensor<3> { g([x, x], s) }

#[model] fn f(x: Tensor<3>) -> [Tensor<3>; 2] { [x, x, x] }
#[model] fn g(x: Tensor<3>) -> [Tensor<3>; 2] { [x, x.sum()] }
#[model] fn h(x: Tensor<3>) -> (Tensor<3>, [Tensor<3>; 1]) { (x, x) }
#[model] fn i(x: Tensor<3>) -> (Tensor<3>, [Tensor<3>; 1]) { (x, [x], x) }

#[model] fn f(xs: [Tensor<3>; 4]) -> Tensor<3> { xs[4] + xs[..5][0] + xs[3..2][0] + xs[x..][0] }

#[model] fn f(mut xs: [Tensor<3>; 2], ys: [Tensor<3>; 2]) -> Tensor<3> { xs[0] = ys[1]; ys[0] = xs[1]; xs[0] }

#[model] fn f(s: &mut (Tensor<3>, Tensor<4>)) -> Tensor<3> { s.0 = s.1; *s = (s.0, s.0); s.2 }

#[model(grad(xs))] fn f(xs: (Tensor<3>, Tensor<i64, 3>)) -> Tensor<> { xs.0.sum() }

#[model] fn f(a: (Tensor<3>, Tensor<4>)) -> Tensor<3, 4> { vmap(|p| p.0 * p.1)(a) }
