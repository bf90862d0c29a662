#[model] fn f(x: Tensor<3>) -> Tensor<3> { if x.sum() > 0.0 { x } else { -x } }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { if x.sum().gt(0.0) { x } else { -x } }

#[model] fn f<const N: usize>(x: Tensor<N>) -> Tensor<N> { if N > 3 { x } else { -x } }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { while true { } x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { match x { _ => x } }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let y = match 3 { 1 => x, 2 | 4..9 => -x }; match 0.5 { Some(p) => x, _ => y } }

#[model(inline)] fn g(x: Tensor<3>, act: Act, p: f32, k: i64, train: bool) -> Tensor<3> { match (act, train) { (Act::Relu, true) => x * p, (Other::Relu, _) => x, _ => -x } }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { g(x, Act::Gelu, 0.5, 3, true) + g(x, Wrong::Relu, 1, 0.5, 0) + g(x, Act::L2, x, x, x) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { println!("{x:?}"); let y = dbg!(x); y }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let y = unsafe { x } + async { x }; y }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let y = x.relu()?; y.unwrap() }

#[model] fn f<const N: usize>(x: Tensor<N>) -> Tensor<N> { let mut h = x; for i in 0..N { h = h + i; } h }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { for row in x { } x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x[0] }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let a = [x, x]; a[2] + a[1.5] }

#[model] fn f<const N: usize>(x: Tensor<N>) -> Tensor<N> { x / N + x * EPS }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let (a, b) = x; let (c, d, e) = (a, x); c }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x as f64 }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let y = x % 2.0; x << 1 }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { fn helper() {} vec![x, x]; assert!(true); x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let a = 1 / 0; let b = 2 * 1.5; let c = 3 / "a"; x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x; }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { 3.0 }

#[model] fn f(x: Tensor<3>) -> (Tensor<3>, Tensor<3>) { x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { 'a: for i in 0..3 { break 'a; } loop {} }

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> { let h: Tensor<n, 3> = x; let k: Tensor<f23, N> = x; let l: Tensor<M, 3> = x; h }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let Some(y) = x else { return x; }; let z; if let Some(w) = x { } y }

#[model] fn f(x: Tensor<DEPTH>) -> Tensor<DEPTH> { for i in 0..DEPTH { } if DEPTH > 3 { x } else { x } }

#[model(inline)] fn g(x: Tensor<3>, act: Act) -> Tensor<3> { match act { Relu => x, _ => -x } }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { g(x, Act::Gelu) + g(x, Gelu) }
