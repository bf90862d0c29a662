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
