//! What traced models compute, by hand.

mod common;
#[path = "common/library.rs"]
mod library;

use kiln_compiler::trace::transform;
use kiln_compiler::traced::Traced;
use kiln_ir::{DType, eval, ops::Array, verify};

fn vector(data: &[f64]) -> Array {
    Array::rounded(DType::F32, vec![data.len()], data.to_vec())
}

fn scalar(x: f64) -> Array {
    Array::rounded(DType::F32, vec![], vec![x])
}

fn matrix(rows: usize, data: &[f64]) -> Array {
    Array::rounded(DType::F32, vec![rows, data.len() / rows], data.to_vec())
}

fn run(traced: &Traced, inputs: &[Array]) -> Vec<Vec<f64>> {
    verify::verify(&traced.func).unwrap();
    eval::eval(&traced.func, inputs).into_iter().map(|a| a.data).collect()
}

/// The results of the only model `f` of a body.
fn of(source: &str, inputs: &[Array]) -> Vec<Vec<f64>> {
    run(&library::traced(source, "f"), inputs)
}

const CUBE: &str = "#[model] fn f(x: Tensor<>) -> Tensor<> { x.pow(3.0) + 2.0 * x }";

#[test]
fn a_cubic_and_its_derivatives() {
    let f = library::traced(CUBE, "f");
    let two = [scalar(2.0)];
    assert_eq!(run(&f, &two), [[12.0]]);
    assert_eq!(run(&transform::value_and_grad(&f).unwrap(), &two), [[12.0], [14.0]]);
    let first = transform::grad(&f).unwrap();
    assert_eq!(run(&first, &two), [[14.0]]);
    assert_eq!(run(&transform::grad(&first).unwrap(), &two), [[12.0]]);
    let vjp = transform::vjp(&f).unwrap();
    assert_eq!(vjp.args[1].name, "cotangent");
    assert_eq!(run(&vjp, &[scalar(2.0), scalar(3.0)]), [[12.0], [42.0]]);
}

#[test]
fn transforms_in_a_body() {
    let g = |body: &str| {
        format!(
            "#[model] fn g(x: Tensor<>) -> Tensor<> {{ x.pow(3.0) + 2.0 * x }}
        #[model] fn f(x: Tensor<>) -> Tensor<> {{ {body} }}"
        )
    };
    let at_two = |body: &str| of(&g(body), &[scalar(2.0)])[0][0];
    assert_eq!(at_two("grad(g)(x)"), 14.0);
    assert_eq!(at_two("grad(grad(g))(x)"), 12.0);
    assert_eq!(at_two("let (v, d) = value_and_grad(g)(x); v + d"), 26.0);
    assert_eq!(at_two("grad(|x| x.pow(3.0) + 2.0 * x)(x)"), 14.0);
    assert_eq!(at_two("grad(|z| z * z * x)(x)"), 8.0);
    assert_eq!(at_two("grad(|x| grad(|z| z * z * x)(x))(x)"), 8.0);
    assert_eq!(at_two("let d = grad(g); let e = grad(|y| d(y) * 2.0); e(x)"), 24.0);
    assert_eq!(at_two("let (y, d) = vjp(g)(x, x); y + d"), 40.0);
    assert_eq!(at_two("let square = |a| a * a; square(square(x)) + square(x)"), 20.0);
    assert_eq!(at_two("grad(|a| { let h = a * x; h * h })(x)"), 16.0);
}

#[test]
fn control_flow_that_is_known() {
    let at_two = |body: &str| {
        of(&format!("#[model] fn f(x: Tensor<>) -> Tensor<> {{ {body} }}"), &[scalar(2.0)])[0][0]
    };
    assert_eq!(at_two("let mut h = x; for i in 0..3 { h = h * x + i as f32; } h"), 20.0);
    assert_eq!(
        at_two("let mut h = x; for i in (0..4).rev() { if i == 2 { continue; } h += i as f32; } h"),
        6.0
    );
    assert_eq!(at_two("let mut h = x; for i in 0..10 { if i >= 3 { break; } h *= x; } h"), 16.0);
    assert_eq!(
        at_two("if 3 < 2 || !(1 == 1) { x } else if 2 * 2 == 4 && 1.5 < 2.0 { x * x } else { x }"),
        4.0
    );
    assert_eq!(at_two("let pair = [x, x * x]; let t = (pair[1], 3.0); t.0 * t.1 - pair[0]"), 10.0);
    assert_eq!(
        at_two(
            "const K: usize = 3; let a = [x; K]; let mut s = x; for (i, v) in a.iter().enumerate() { s += v * (i as f32); } s"
        ),
        8.0
    );
    assert_eq!(at_two("let (mut a, b) = (x, 2.0 * x); a -= b; (a, ) .0 / -1.0"), 2.0);
    assert_eq!(at_two("let x = { let y = x + 1.0; y * y }; return x;"), 9.0);
    assert_eq!(at_two("let k = (6 / 2 - 1) as f32; x * k.sqrt().powi(2).max(1.0)"), 4.0);
    assert_eq!(at_two("let (mut a, mut b) = (x, x + 1.0); (a, b) = (b, a); a * 10.0 + b"), 32.0);
    assert_eq!(at_two("1.0 - x / 4.0"), 0.5);
    assert_eq!(at_two("let t = [x, 3.0 * x].map(|a| a + 1.0); t[0] * t[1]"), 21.0);
    assert_eq!(at_two("[1.0, 2.0].iter().zip([3, 4]).fold(x, |h, (a, b)| h * *a + (b as f32))"), 14.0);
    assert_eq!(at_two("let mut total = x; let mut add = |y| { total += y; }; add(x); add(x); total"), 6.0);
    assert_eq!(at_two("if true { return x; } x * x"), 2.0);
}

#[test]
fn sizes_are_numbers() {
    let x = vector(&[1.0, 2.0, 3.0, 4.0]);
    let f = |body: &str| {
        of(
            &format!("#[model] fn f<const N: usize>(x: Tensor<N>) -> Tensor<> {{ {body} }}"),
            std::slice::from_ref(&x),
        )[0][0]
    };
    assert_eq!(f("x.sum() / (N as f32)"), 2.5);
    assert_eq!(f("x.sum() * (1.0 / (N as f32).sqrt())"), 5.0);
    assert_eq!(f("(x.size(0) * 2) as f32 + x.sum()"), 18.0);
    assert_eq!(f("x.reshape([2 * N / 2, 1]).matmul(ones([1, N])).sum()"), 40.0);
    assert_eq!(f("x.view(&[1, -1]).t().narrow(0, 1, 2).sum()"), 5.0);
}

#[test]
fn state_is_read_and_written() {
    let source = "
        #[params] struct Norm { scale: Tensor<2>, #[buffer] mean: Tensor<2> }
        #[model] fn track(net: &mut Norm, x: Tensor<2>) -> Tensor<2> {
            net.mean = net.mean * 0.5 + x * 0.5;
            (x - net.mean) * net.scale
        }
        #[model] fn f(net: &mut Norm, count: &mut Tensor<>, x: Tensor<2>) -> Tensor<2> {
            *count += 1.0;
            let y = track(net, x);
            let z = track(&mut *net, y);
            net.scale = net.scale * count;
            z + net.mean
        }";
    let f = library::traced(source, "f");
    let updates: Vec<Option<usize>> = f.func.outputs.iter().map(|o| o.updates).collect();
    assert_eq!(updates, [None, Some(0), Some(1), Some(2)]);
    let got = run(&f, &[vector(&[1.0, 2.0]), vector(&[0.0, 4.0]), scalar(1.0), vector(&[2.0, 2.0])]);
    // mean: [1, 3] after x; y = [1, −2]; mean: [1, 0.5]; z = [0, −5]
    assert_eq!(got, [vec![1.0, -4.5], vec![2.0, 4.0], vec![1.0, 0.5], vec![2.0]]);
}

#[test]
fn callees_take_free_sizes_from_their_arguments() {
    let source = "
        #[model] fn outer<const N: usize, const M: usize>(x: Tensor<N>, y: Tensor<M>) -> Tensor<N, M> {
            x.reshape([N, 1]) * y
        }
        #[model] fn f<const K: usize>(x: Tensor<K>, y: Tensor<2>) -> (Tensor<K, 2>, Tensor<2, K>, Tensor<i64>) {
            let (values, index) = outer(y, x).max_dim(1);
            (outer(x, y), outer(y, x), index.sum() + values.to(i64).sum())
        }";
    let got = of(source, &[vector(&[1.0, 2.0, 3.0]), vector(&[1.0, 10.0])]);
    assert_eq!(got[0], [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
    assert_eq!(got[1], [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]);
    assert_eq!(got[2], [37.0]);
}

#[test]
fn sizes_in_types_are_solved_for() {
    let source = "
        #[model] fn wide<const D: usize>(l: &Linear<{ 2 * D }, { D + 1 }>, x: Tensor<{ 2 * D }>) -> Tensor<{ D + 1 }> {
            l.forward(x) * (D as f32)
        }
        #[model] fn f(l: &Linear<4, 3>, x: Tensor<4>) -> Tensor<3> { wide(l, x) }";
    let w = matrix(3, &[1.0; 12]);
    assert_eq!(of(source, &[w, vector(&[0.0; 3]), vector(&[1.0; 4])]), [[8.0, 8.0, 8.0]]);
}

#[test]
fn layers_in_arrays() {
    let source = "
        #[params] struct Net { blocks: [Linear<2, 2>; 2] }
        #[model] fn f<const N: usize>(net: &Net, x: Tensor<N, 2>) -> Tensor<N, 2> {
            let mut h = x;
            for (i, b) in net.blocks.iter().enumerate() {
                h = b.forward(h) + (i as f32);
            }
            h
        }";
    let (w, b) = (matrix(2, &[0.0, 1.0, 1.0, 0.0]), vector(&[1.0, 0.0]));
    let traced = library::traced(source, "f");
    assert_eq!(traced.func.inputs[2].name, "net.blocks.1.weight");
    // [3, 4] → [4 + 1, 3] → [3 + 1, 5] + 1
    assert_eq!(run(&traced, &[w.clone(), b.clone(), w, b, matrix(1, &[3.0, 4.0])]), [[5.0, 6.0]]);
    let names: Vec<&str> = traced.func.names.iter().flatten().map(String::as_str).collect();
    assert!(names.contains(&"blocks_0") && names.contains(&"blocks_1"), "{names:?}");
}

#[test]
fn a_step_of_each_optimizer() {
    let source = |opt: &str| {
        format!(
            "
        #[params] struct Net {{ w: Tensor<1> }}
        #[model] fn loss(net: &Net, x: Tensor<1>) -> Tensor<> {{ (net.w * x).sum() }}
        #[model] fn f(net: &mut Net, opt: &mut {opt}<Net>, x: Tensor<1>) -> Tensor<> {{
            let (loss, grads) = value_and_grad(loss)(net, x);
            opt.step(net, grads);
            loss
        }}"
        )
    };
    let number = |x: f64| Array::rounded(DType::F64, vec![], vec![x]);
    let steps = |n: f64| Array::rounded(DType::I64, vec![], vec![n]);
    let (w, x) = (vector(&[1.0]), vector(&[2.0]));
    // lr, momentum, dampening, weight_decay, nesterov; velocity, step
    let dampened = |dampening: f64, nesterov: f64, velocity: f64, step: f64| {
        let numbers = [0.5, 0.5, dampening, 0.0, nesterov].map(number);
        let opt = [numbers.as_slice(), &[vector(&[velocity]), steps(step)]].concat();
        of(&source("Sgd"), &[std::slice::from_ref(&w), &opt, std::slice::from_ref(&x)].concat())
    };
    let sgd = |nesterov, velocity, step| dampened(0.0, nesterov, velocity, step);
    assert_eq!(sgd(0.0, 0.0, 0.0), [[2.0], [0.0], [2.0], [1.0]]);
    assert_eq!(sgd(0.0, 4.0, 1.0), [[2.0], [-1.0], [4.0], [2.0]]);
    assert_eq!(sgd(1.0, 4.0, 1.0), [[2.0], [-1.0], [4.0], [2.0]]);
    assert_eq!(dampened(0.5, 0.0, 4.0, 1.0), [[2.0], [-0.5], [3.0], [2.0]]);
    for name in ["Adam", "AdamW"] {
        let opt = [number(0.1), number(0.9), number(0.999), number(0.0), number(0.0)];
        let moments = [vector(&[0.0]), vector(&[0.0]), steps(0.0)];
        let got =
            of(&source(name), &[std::slice::from_ref(&w), &opt, &moments, std::slice::from_ref(&x)].concat());
        // The first step of Adam has the length of the rate.
        assert!((got[1][0] - 0.9).abs() < 1e-6, "{got:?}");
        assert_eq!(got[4], [1.0]);
    }
}

#[test]
fn gradients_of_what_is_asked() {
    let source = "
        #[params] struct Net { w: Tensor<2>, #[buffer] shift: Tensor<2> }
        #[model(grad(x))] fn f(net: &Net, x: Tensor<2>) -> Tensor<> { (net.w * x + net.shift).sum() }
        #[model] fn both(x: Tensor<2>, y: Tensor<i64, 2>) -> (Tensor<>, Tensor<2>) { (x.sum(), x * y.to(f32)) }";
    let f = library::traced(source, "f");
    assert_eq!(f.wrt, [0, 1]);
    let g = transform::value_and_grad(&f).unwrap();
    let got = run(&g, &[vector(&[1.0, 2.0]), vector(&[0.0, 1.0]), vector(&[3.0, 4.0])]);
    assert_eq!(got, [vec![12.0], vec![3.0, 4.0], vec![1.0, 2.0]]);
    assert_eq!(
        format!("{:?}", g.result),
        "Tuple([Tensor(0), Tuple([Like { arg: 0, tree: Struct([(\"w\", Leaf(Some(1))), (\"shift\", Leaf(None))]) }, \
         Tensor(2)])])"
    );
    let both = transform::vjp(&library::traced(source, "both")).unwrap();
    let names: Vec<&str> = both.args.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["x", "y", "cotangent0", "cotangent1"]);
    assert!(!transform::is_scalar(&library::traced("#[model] fn f(x: Tensor<2>) -> Tensor<2> { x }", "f")));
}

#[test]
fn constants_that_only_rustc_knows_are_asserted() {
    let source = "
        #[params] struct Net { fc: Linear<HIDDEN, 3> }
        #[model] fn f<const N: usize>(net: &Net, x: Tensor<N, 2>) -> Tensor<N, OUT> { net.fc.forward(x) }";
    let traced = library::traced(source, "f");
    let shown: Vec<String> = traced
        .asserts
        .iter()
        .map(|(l, r)| format!("{} = {}", l.display(&traced.func.syms), r.display(&traced.func.syms)))
        .collect();
    assert_eq!(shown, ["HIDDEN = 2", "OUT = 3"]);
    let texts: Vec<&str> = traced.consts.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(texts, ["HIDDEN", "OUT"]);
}

#[test]
fn closures_over_trees() {
    let source = "
        #[params] struct Net { fc: Linear<2, 1> }
        #[model] fn f<const N: usize>(net: &mut Net, opt: &mut Sgd<Net>, x: Tensor<N, 2>) -> (Tensor<>, Tensor<1>) {
            let (loss, grads) = value_and_grad(|net| (net.fc.forward(x) - 1.0).square().mean())(net);
            let bias = grads.fc.bias;
            opt.step(&mut *net, &grads);
            for layer in &mut [&mut net.fc] { layer.bias = layer.bias + 1.0; }
            (loss, bias)
        }";
    let number = |x: f64| Array::rounded(DType::F64, vec![], vec![x]);
    let (w, b) = (matrix(1, &[1.0, 1.0]), vector(&[0.0]));
    let opt = [0.5, 0.0, 0.0, 0.0, 0.0].map(number);
    let moments = [matrix(1, &[0.0, 0.0]), vector(&[0.0]), Array::rounded(DType::I64, vec![], vec![0.0])];
    let x = matrix(1, &[1.0, 2.0]);
    let inputs = [[w, b].as_slice(), &opt, &moments, &[x]].concat();
    let got = of(source, &inputs);
    // y = 3, loss 4, its derivative by y 4.
    assert_eq!(got[..4], [vec![4.0], vec![4.0], vec![-1.0, -3.0], vec![-1.0]]);
}

#[test]
fn building_blocks_take_any_shape() {
    let source = "
        #[model(inline)] fn scale(x: Tensor, by: usize, on: bool) -> Tensor { if on { x * (by as f32) } else { x } }
        #[model] fn f(x: Tensor<2>, y: Tensor<f64, 1, 2>) -> (Tensor<2>, Tensor<f64, 1, 2>) {
            (scale(x, 3, true), scale(y, 2, false) + scale(y, 1 + 1, true))
        }";
    let y = Array::rounded(DType::F64, vec![1, 2], vec![1.0, 2.0]);
    assert_eq!(of(source, &[vector(&[1.0, 2.0]), y]), [[3.0, 6.0], [3.0, 6.0]]);
}
