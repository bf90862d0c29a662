//! Where naive formulas give other numbers than PyTorch does: integers, zeros and infinities.
#![allow(missing_docs)]

use kiln::prelude::*;

#[model]
fn bytes<const N: usize>(
    x: Tensor<u8, N>,
    m: Tensor<bool, N>,
) -> (Tensor<i64>, Tensor<i64>, Tensor<u8>, Tensor<i64>) {
    (x.sum(), m.sum(), x.min(), x.argmin(0))
}

#[model]
fn lowest<const N: usize>(x: Tensor<i64, N>) -> (Tensor<i64>, Tensor<i64>) {
    x.min_dim(0)
}

#[test]
fn integers_neither_wrap_nor_turn_around() {
    let (sum, count, min, at) = bytes([200, 0, 255], [true, false, true]).expect("shapes fit");
    assert_eq!((sum.item().ok(), count.item().ok()), (Some(455), Some(2)));
    assert_eq!((min.item().ok(), at.item().ok()), (Some(0), Some(1)));
    let (min, at) = lowest([0, i64::MIN, 3]).expect("shapes fit");
    assert_eq!((min.item().ok(), at.item().ok()), (Some(i64::MIN), Some(1)));
    assert_eq!(Tensor::from([200u8, 100]).sum().item().ok(), Some(300i64));
}

#[model(grad(x))]
fn labelled<const N: usize>(x: Tensor<N, 3>, y: Tensor<i64, N>) -> Tensor {
    cross_entropy(x, y)
}

#[model]
fn each<const N: usize>(x: Tensor<N, 3>, y: Tensor<i64, N>, w: Tensor<3>) -> Tensor<N> {
    cross_entropy_with(x, y, Some(w), 9, 0.1, "none")
}

#[test]
fn a_label_that_is_no_class_makes_the_loss_nan() {
    let x = [[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]];
    for wrong in [3, -1, i64::MAX] {
        let (loss, grad) = labelled::value_and_grad(x, [0, wrong]).expect("shapes fit");
        assert!(loss.item().expect("a scalar").is_nan() && grad.as_slice().iter().any(|g| g.is_nan()));
        assert!(labelled::eager(x, [0, wrong]).item().expect("a scalar").is_nan());
        let losses = each(x, [0, wrong], [0.0, 1.0, 1.0]).expect("shapes fit");
        assert!(losses.as_slice()[0].is_finite() && losses.as_slice()[1].is_nan(), "{losses}");
    }
    let loss = labelled(x, [0, -100]).expect("shapes fit").item().expect("a scalar");
    assert_eq!(loss, labelled([x[0]], [0]).expect("shapes fit").item().expect("a scalar"));
    assert_eq!(each(x, [9, 9], [1.0; 3]).expect("shapes fit").as_slice(), [0.0, 0.0]);
}

#[test]
fn a_quotient_of_integers_is_refused() {
    let told = (Tensor::from([3i64]) / 2).item().expect_err("neither a float nor a whole number").to_string();
    assert!(told.contains("floats") && told.contains("i64"), "{told}");
}

#[model]
fn activated<const N: usize>(x: Tensor<N>) -> (Tensor<N>, Tensor<N>, Tensor<N>) {
    (x.trunc(), x.hardtanh(), x.selu())
}

#[test]
fn activations_at_their_edges() {
    let low = f32::NEG_INFINITY;
    let (whole, hard, selu) = activated([-1.7, -0.2, 0.9, 2.0, low]).expect("shapes fit");
    assert_eq!(whole.as_slice(), [-1.0, 0.0, 0.0, 2.0, low]);
    assert_eq!(hard.as_slice(), [-1.0, -0.2, 0.9, 1.0, -1.0]);
    let want = [-1.436_923_6, -0.318_689_34, 0.945_630_9, 2.101_402, -1.758_099_3];
    assert!(selu.as_slice().iter().zip(want).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6), "{selu}");
}

#[model(grad(x))]
fn norm<const N: usize>(x: Tensor<N>) -> Tensor {
    x.norm()
}

#[model(grad(x))]
fn std<const N: usize>(x: Tensor<N>) -> Tensor {
    x.std()
}

#[model(grad(x))]
fn norm_3<const N: usize>(x: Tensor<N>) -> Tensor {
    x.norm_dim(3.0, 0)
}

#[test]
fn norms_of_nothing_have_no_slope() {
    let of = |result: kiln::Result<(Tensor, Tensor)>| {
        let (value, grad) = result.expect("shapes fit");
        (value.item().expect("a scalar"), grad.into_vec())
    };
    assert_eq!(of(norm::value_and_grad([0.0, 0.0])), (0.0, vec![0.0, 0.0]));
    assert_eq!(of(norm::value_and_grad([3.0, 4.0])), (5.0, vec![0.6, 0.8]));
    assert_eq!(of(norm_3::value_and_grad([0.0, 0.0])), (0.0, vec![0.0, 0.0]));
    assert_eq!(of(std::value_and_grad([2.0, 2.0])), (0.0, vec![0.0, 0.0]));
}

#[model]
fn log_sum<const N: usize, const M: usize>(x: Tensor<N, M>) -> Tensor<N> {
    x.logsumexp(-1)
}

#[model]
fn crossed<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x.clamp(3.0, 1.0)
}

#[test]
fn infinities_and_crossed_bounds_are_torchs() {
    let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
    let sums = log_sum([[low, low], [high, 1.0], [low, 2.0]]).expect("shapes fit");
    assert_eq!(sums.as_slice(), [low, high, 2.0]);
    assert_eq!(crossed([0.0, 2.0, 5.0]).expect("shapes fit").as_slice(), [1.0, 1.0, 1.0]);
}

#[model]
fn numbered<const N: usize>(
    x: Tensor<N, 3>,
    x_0: Tensor<N, 3>,
    x_1: Tensor<N, 3>,
    x_2: Tensor<N, 3>,
) -> Tensor<N, 3> {
    x.softmax(-1) + x_0 * x_1.sum_keepdim(-1) - x_2 * x_0.amax(-1).unsqueeze(-1)
}

/// Emitted code numbers the parts of `x` itself.
#[test]
fn names_with_numbers_are_the_users() {
    let x = |k: f32| Tensor::from([[k, 0.5, -k], [1.0, k * k, 0.25]]);
    let got = numbered(x(1.0), x(2.0), x(3.0), x(4.0)).expect("shapes fit");
    let want = numbered::eager(x(1.0), x(2.0), x(3.0), x(4.0));
    for (got, want) in got.as_slice().iter().zip(want.as_slice()) {
        assert!((got - want).abs() < 1e-5, "{got} for {want}");
    }
}

#[model(grad(x))]
fn pooled(x: Tensor<1, 1, 4, 4>, weight: Tensor<1, 1, 3, 3>) -> Tensor {
    (max_pool2d_with(x, [2, 2], 1, 0, 1, false) * weight).sum()
}

#[test]
fn of_equal_elements_in_a_window_the_first_has_the_gradient() {
    let x = [[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 2.0, 2.0, 0.0], [0.0, 2.0, 2.0, 0.0]];
    let weight = [[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]];
    // torch 2.15: (F.max_pool2d(x, 2, stride=1) * weight).sum().backward()
    let want = [1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 24.0, 15.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let (_, grad) = pooled::value_and_grad([[x]], weight).expect("shapes fit");
    assert_eq!(grad.as_slice(), want);
    let x = Tensor::from([[x]]).requires_grad();
    pooled::eager(&x, Tensor::from(weight)).backward().expect("a scalar");
    assert_eq!(x.grad().expect("a gradient").as_slice(), want);
}
