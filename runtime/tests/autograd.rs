//! Gradients outside of models: against central differences, and where they must not pass.
#![cfg(feature = "eager")]

use std::thread;

use kiln::autograd::{grad, no_grad};
use kiln::prelude::*;

/// The gradient of `f` at `x` against central differences.
fn check(name: &str, x: Tensor<f64>, f: impl Fn(&Tensor<f64>) -> Tensor<f64>) {
    let leaf = x.clone().requires_grad();
    // Unequal weights, so that no error cancels.
    let weighted = |y: Tensor<f64>| {
        let weights = (0..y.len()).map(|i| 1.0 + 0.1 * i as f64).collect();
        let weights = Tensor::from_vec(y.shape(), weights).expect("the shape of y");
        (y * weights).sum()
    };
    weighted(f(&leaf)).backward().unwrap_or_else(|e| panic!("{name}: {e}"));
    let got = leaf.grad().unwrap_or_else(|| panic!("{name}: no gradient"));
    assert_eq!(got.shape(), x.shape());
    let h = 6e-6;
    for i in 0..x.len() {
        let at = |step: f64| {
            let mut x = x.clone();
            x.as_mut_slice()[i] += step;
            weighted(f(&x)).item().unwrap_or_else(|e| panic!("{name}: {e}"))
        };
        let want = (at(h) - at(-h)) / (2.0 * h);
        let off = (got.as_slice()[i] - want).abs();
        assert!(off <= 1e-5 * want.abs().max(1.0), "{name} [{i}]: {} for {want}", got.as_slice()[i]);
    }
}

fn matrix() -> Tensor<f64> {
    Tensor::from([[0.3, -1.2, 0.7], [1.9, 0.4, -0.6]])
}

#[test]
fn gradients_agree_with_differences() {
    let other = Tensor::<f64>::from([[0.5], [-1.5]]);
    let (w, v) = (Tensor::<f64>::from([[0.2, 0.9], [-0.4, 1.1], [0.8, -0.3]]), matrix().exp());
    check("operators", matrix(), |x| (x * 2.0 - &other) / (x * x + 1.0) - 0.5 * x);
    check("number first", matrix(), |x| 1.0 - 2.0 / (3.0 + x.exp()));
    check("matmul", matrix(), |x| x.matmul(&w).tanh());
    check("matmul right", w.clone(), |w| matrix().matmul(w));
    check("softmax", matrix(), |x| x.softmax(-1));
    check("layer_norm", matrix(), |x| x.layer_norm([3], None, Some(Tensor::from([1.0, 2.0, 3.0])), 1e-5));
    check("gelu", matrix(), Tensor::gelu);
    check("reductions", matrix(), |x| x.var_dim(0, 1) + x.logsumexp(0) + x.amax(0));
    check("layout", matrix(), |x| x.t().reshape([2, 3]).narrow(1, 1, 2).unsqueeze(0).expand([2, -1, -1]));
    check("parts", matrix(), |x| cat(&x.chunk(2, 1)[..1], 0) * stack(&[x.select(1, 0), x.select(1, 2)], 1));
    check("where", matrix(), |x| where_cond(x.gt(0), x * x, &v));
    check("cross_entropy", matrix(), |x| cross_entropy(x, Tensor::<i64>::from([2, 0])));
}

#[test]
fn a_wrong_gradient_is_rejected() {
    let wrong = std::panic::catch_unwind(|| check("wrong", matrix(), |x| x * x.detach()));
    assert!(wrong.is_err());
}

#[test]
fn gradients_add_up_until_forgotten() {
    let x = Tensor::<f64>::from([1.0, 2.0]).requires_grad();
    for want in ["[2, 4]", "[4, 8]"] {
        (&x * &x).sum().backward().unwrap();
        assert_eq!(x.grad().unwrap().to_string(), want);
    }
    x.zero_grad();
    assert!(x.grad().is_none());
    x.clone().exp().detach().sum().backward().expect_err("nothing to differentiate");
}

#[test]
fn derivatives_of_any_order() {
    let x = Tensor::<f64>::from(2.0).requires_grad();
    let mut y = x.pow(5);
    for want in [80.0, 160.0, 240.0, 240.0, 120.0] {
        y = grad(&y, &[&x], true).unwrap().remove(0);
        assert!((y.item().unwrap() - want).abs() < 1e-9, "{y} for {want}");
    }
    let (a, b) = (Tensor::<f32>::from(3.0).requires_grad(), Tensor::<f32>::from(1.0).requires_grad());
    let h = &a * &a;
    let found = grad(&(&h * 2.0), &[&a, &b, &h], false).unwrap();
    assert_eq!(found.iter().map(|g| g.item().unwrap()).collect::<Vec<_>>(), [12.0, 0.0, 2.0]);
    assert!(a.grad().is_none() && !found[0].is_recorded());
}

#[test]
fn errors_travel_and_are_told_once_with_their_place() {
    let (a, b) = (Tensor::<f32>::ones([2, 3]), Tensor::<f32>::ones([4, 5]));
    let line = line!() + 1;
    let product = a.matmul(&b);
    let after = (product.clone().relu() + 1.0).softmax(7).sum();
    let want =
        format!("autograd.rs:{line}:21: `matmul`: the inner dims of [2, 3] and [4, 5] differ, 3 and 4");
    for message in [
        after.item().unwrap_err().to_string(),
        after.backward().unwrap_err().to_string(),
        after.clone().ok().unwrap_err().to_string(),
        after.as_tensor().unwrap_err().to_string(),
        after.to_string(),
        format!("{after:?}"),
    ] {
        assert!(message.contains(&want), "{message}");
    }
    assert_eq!((product.shape(), product.as_slice().len()), (&[0][..], 0));
    let error = grad(&a.sum(), &[&a], false).unwrap_err().to_string();
    assert!(error.contains("requires_grad"), "{error}");
    let error = a.clone().requires_grad().backward().unwrap_err().to_string();
    assert!(error.contains("a gradient needs one float, not f32 [2, 3]"), "{error}");
    assert!(Tensor::<i64>::from([1]).requires_grad().ok().is_err());
    assert!((Tensor::<i64>::from([1]) + 0.5).ok().unwrap_err().to_string().contains("0.5 is no i64"));
}

#[test]
fn nothing_that_a_user_passes_in_panics() {
    let x = Tensor::<f32>::ones([2, 3]);
    assert!(x.expand([i64::MAX, i64::MAX, 2, 3]).ok().is_err());
    assert!(x.reshape([1; 9]).ok().is_err());
    assert!(x.narrow(0, -1, i64::MAX).ok().is_err());
    assert!(x.softmax(i64::MIN).ok().is_err());
    assert!(x.permute([0, 0]).ok().is_err());
    assert!(x.layer_norm([usize::MAX], None, None, 1e-5).ok().is_err());
    assert!(cat::<f32>(&[], 0).ok().is_err());
    assert!(mse_loss_with(&x, &x, "meen").ok().is_err());
    assert!(arange(-1).ok().is_err());
    assert_eq!(Tensor::<f32>::zeros([0, 3]).mean().to_string(), "NaN");
}

#[test]
fn what_was_computed_keeps_its_values() {
    let mut x = Tensor::<f64>::from(3.0).requires_grad();
    let y = &x * &x;
    x.as_mut_slice()[0] = 100.0;
    y.backward().unwrap();
    assert_eq!(x.grad().unwrap().item().unwrap(), 6.0);
    let mut z = x.exp();
    z.as_mut_slice()[0] = 1.0;
    assert!(!z.is_recorded(), "what is written is no longer what was computed");
}

#[test]
fn long_chains_end_without_a_deep_stack() {
    let x = Tensor::<f64>::from(1.0).requires_grad();
    let mut y = x.clone();
    for _ in 0..100_000 {
        y += 1e-9;
    }
    y.backward().unwrap();
    assert_eq!(x.grad().unwrap().item().unwrap(), 1.0);
}

#[test]
fn recording_is_each_threads_own() {
    let x = Tensor::<f64>::from(2.0).requires_grad();
    let y = thread::spawn({
        let x = x.clone();
        move || x.pow(2)
    });
    no_grad(|| assert!(!x.exp().is_recorded()));
    assert!(std::panic::catch_unwind(|| no_grad(|| panic!("out of the closure"))).is_err());
    assert!(x.exp().is_recorded());
    y.join().unwrap().backward().unwrap();
    assert_eq!(x.grad().unwrap().item().unwrap(), 4.0);
}

#[test]
fn gradients_of_trees_nest() {
    use kiln::autograd::value_and_grad;
    let net =
        Linear::<2, 2> { weight: Tensor::from([[1.0, 2.0], [3.0, 4.0]]), bias: Tensor::from([0.5, 0.0]) };
    // The norm of a gradient, differentiated: ∂/∂w ‖∂ Σw³/∂w‖² = 36w³.
    let (value, grads) = value_and_grad(&net, |net| {
        let (_, inner) = value_and_grad(net, |net| net.weight.pow(3).sum()).expect("a scalar");
        inner.weight.square().sum()
    })
    .unwrap();
    assert_eq!(value.item().unwrap(), 9.0 * (1.0 + 16.0 + 81.0 + 256.0));
    assert_eq!(grads.weight.to_string(), "[[36, 288],\n [972, 2304]]");
    assert_eq!(grads.bias, Tensor::zeros([2]));
    assert!(!value.is_recorded() && !grads.weight.is_recorded());
    assert!(value_and_grad(&net, |net| net.weight.clone()).is_err(), "no scalar");
    assert!(value_and_grad(&net, |net| net.weight.matmul(&net.bias).reshape([9])).is_err());
}
