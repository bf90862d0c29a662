//! `cond` and `while_loop`: what data decides, compiled and eager, with derivatives of each kind.
#![allow(missing_docs)]

use kiln::prelude::*;

/// `√s` is NaN where the branch isn't taken.
#[model(grad(x, w))]
fn branched<const N: usize>(
    x: Tensor<f64, N>,
    w: Tensor<f64, 3, N>,
    s: Tensor<f64>,
) -> (Tensor<f64>, Tensor<i64>) {
    let (y, n) = cond(
        s.gt(0.0),
        || (w.matmul(x).tanh() * s.sqrt(), x.argmax(0)),
        || (w.matmul(x) * 2.0, x.argmax(0) + 100),
    );
    (y.sum(), n)
}

#[model(inline)]
fn norm(x: Tensor<f64, 3>) -> Tensor<f64> {
    (x * x).sum().sqrt()
}

/// Newton's method for `√a`, and how many steps it took.
#[model(grad(a))]
fn root(a: Tensor<f64>) -> (Tensor<f64>, Tensor<i64>) {
    while_loop(
        40,
        (a * 0.0 + 1.0, a.to(i64) * 0),
        |x, n| (x * x - a).abs().gt(1e-12 * a),
        |x, n| ((x + a / x) * 0.5, n + 1),
    )
}

/// Doubles, at most `N` times, while the norm is below ten.
#[model]
fn grown<const N: usize>(x: Tensor<f64, 3>, many: Tensor<f64, N>) -> Tensor<f64, 3> {
    while_loop(N, x, |x| norm(x).lt(10.0), |x| x * 2.0)
}

#[model]
fn slopes(x: Tensor<f64, 3>, many: Tensor<f64, 5>) -> (Tensor<f64, 3>, Tensor<f64, 3>) {
    let slope = grad(|x| grown(x, many).sum())(x);
    let (_, along) = jvp(|x| grown(x, many))(x, x);
    (slope, along)
}

#[model]
fn rows<const B: usize>(
    x: Tensor<f64, B, 3>,
    many: Tensor<f64, 5>,
) -> (Tensor<f64, B, 3>, Tensor<f64, B, 3>) {
    let own = |x| cond(x.sum().gt(0.0), || grown(x, many), || -x);
    (vmap(own)(x), vmap(grad(|x| own(x).sum()))(x))
}

/// A branch in each turn of a loop.
#[model(grad(x))]
fn gated<const T: usize>(x: Tensor<f64, T, 3>) -> Tensor<f64> {
    let mut h = x.select(0, 0) * 0.0;
    for t in 0..T {
        let now = x.select(0, t);
        h = cond(now.sum().gt(0.0), || (h + now).tanh(), || h * 0.5);
    }
    h.sum()
}

fn value(x: &Tensor<f64>) -> f64 {
    x.item().expect("a scalar")
}

fn close(got: &Tensor<f64>, want: &[f64]) {
    assert_eq!(got.as_slice().len(), want.len());
    for (x, y) in got.as_slice().iter().zip(want) {
        assert!((x - y).abs() <= 1e-12 * (1.0 + y.abs()), "{got:?} for {want:?}");
    }
}

#[test]
fn only_the_branch_taken_is_run() {
    let (x, w) = ([0.3, -0.2], [[1.0, 2.0], [0.5, -1.0], [0.1, 0.7]]);
    for (s, first) in [(4.0f64, 0i64), (-1.0, 100)] {
        let products: Vec<f64> = w.iter().map(|w| w[0] * x[0] + w[1] * x[1]).collect();
        let taken = s > 0.0;
        let want: f64 = products.iter().map(|p| if taken { p.tanh() * s.sqrt() } else { p * 2.0 }).sum();
        let (y, n) = branched(x, w, s).expect("fits");
        assert!((value(&y) - want).abs() < 1e-12);
        assert_eq!(n.item().expect("a scalar"), first);
        let (y, n) = branched::eager(x, w, s);
        assert!((value(&y.ok().expect("sound")) - want).abs() < 1e-12);
        assert_eq!(n.item().expect("a scalar"), first);
        let slope = |p: &f64| if taken { (1.0 - p.tanh().powi(2)) * s.sqrt() } else { 2.0 };
        let (dx, dw) = branched::grad(x, w, s).expect("fits");
        let of_x = |j: usize| products.iter().zip(w).map(|(p, w)| slope(p) * w[j]).sum::<f64>();
        close(&dx, &[of_x(0), of_x(1)]);
        let of_w: Vec<f64> = products.iter().flat_map(|p| [slope(p) * x[0], slope(p) * x[1]]).collect();
        close(&dw, &of_w);
    }
}

#[test]
fn a_loop_ends_when_its_condition_does() {
    for (a, steps) in [(1.0f64, 0i64), (2.0, 5), (9.0, 6)] {
        let (x, n) = root(a).expect("fits");
        assert!((value(&x) - a.sqrt()).abs() < 1e-12 * a.max(1.0) * 2.0);
        assert_eq!(n.item().expect("a scalar"), steps);
        let (eagerly, n) = root::eager(a);
        assert!((value(&x) - value(&eagerly)).abs() < 1e-15);
        assert_eq!(n.item().expect("a scalar"), steps);
        let slope = value(&root::grad(a).expect("fits"));
        if steps > 0 {
            assert!((slope - 0.5 / a.sqrt()).abs() < 1e-5, "{slope}");
        }
    }
    let many = [0.0; 5];
    close(&grown([1.0, 0.0, 0.0], many).expect("fits"), &[16.0, 0.0, 0.0]);
    close(&grown([1.0, 0.0, 0.0], [0.0; 2]).expect("fits"), &[4.0, 0.0, 0.0]);
    close(&grown([11.0, 0.0, 0.0], many).expect("fits"), &[11.0, 0.0, 0.0]);
    close(&grown::eager([1.0, 0.0, 0.0], many).ok().expect("sound"), &[16.0, 0.0, 0.0]);
}

#[test]
fn derivatives_and_batches_of_control() {
    let many = [0.0; 5];
    let (slope, along) = slopes([1.0, -2.0, 0.5], many).expect("fits");
    close(&slope, &[8.0, 8.0, 8.0]);
    close(&along, &[8.0, -16.0, 4.0]);
    let (slope, along) = slopes::eager([1.0, -2.0, 0.5], many);
    close(&slope.ok().expect("sound"), &[8.0, 8.0, 8.0]);
    close(&along.ok().expect("sound"), &[8.0, -16.0, 4.0]);
    let x = [[1.0, 0.0, 0.0], [-1.0, 0.5, -2.0], [9.0, 9.0, 9.0], [3.0, 0.0, 1.0]];
    let values = [16.0, 0.0, 0.0, 1.0, -0.5, 2.0, 9.0, 9.0, 9.0, 12.0, 0.0, 4.0];
    let slopes = [16.0, 16.0, 16.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 4.0, 4.0, 4.0];
    let (y, dx) = rows(x, many).expect("fits");
    close(&y, &values);
    close(&dx, &slopes);
    let (y, dx) = rows::eager(x, many);
    close(&y.ok().expect("sound"), &values);
    close(&dx.ok().expect("sound"), &slopes);
}

#[test]
fn branches_within_loops() {
    let x = [[0.5, 0.1, 0.2], [-0.4, -0.1, 0.3], [0.2, 0.7, -0.1], [-1.0, 0.0, 0.4]];
    let (y, dx) = gated::value_and_grad(x).expect("fits");
    let eagerly = Tensor::from(x).requires_grad();
    let out = gated::eager(&eagerly);
    out.backward().expect("sound");
    assert!((value(&y) - value(&out)).abs() < 1e-14);
    close(&dx, eagerly.grad().expect("a leaf").as_slice());
}

#[test]
fn an_error_in_what_decides_is_the_result() {
    assert!(branched::eager([f64::NAN; 2], [[1.0; 3]; 3], 1.0).0.ok().is_err());
    assert!(branched([0.0; 2], [[1.0; 3]; 3], 1.0).is_err());
}
