//! Sizes that only a call knows, under strides that don't divide them: height, width and time of any length.
#![allow(missing_docs)]

mod common;

use common::{close, input};
use kiln::prelude::*;

/// The beginning of a residual net: every size of it is a floor of the picture's.
#[params]
struct Net {
    stem: Tensor<4, 3, 3, 3>,
    left: Tensor<6, 4, 3, 3>,
    short: Tensor<6, 4, 1, 1>,
    head: Linear<6, 5>,
}

#[model]
fn net<const B: usize, const H: usize, const W: usize>(net: &Net, x: Tensor<B, 3, H, W>) -> Tensor<B, 5> {
    let x = conv2d_with(x, net.stem, None, 2, 1, 1, 1).relu();
    let x = max_pool2d_with(x, 3, 2, 1, 1, false);
    let y = conv2d_with(x, net.left, None, 2, 1, 1, 1) + conv2d_with(x, net.short, None, 2, 0, 1, 1);
    net.head.forward(adaptive_avg_pool2d(y.relu(), 1).flatten(1, -1))
}

#[model]
fn loss<const B: usize, const H: usize, const W: usize>(
    params: &Net,
    x: Tensor<B, 3, H, W>,
    y: Tensor<i64, B>,
) -> Tensor<f32> {
    cross_entropy(net(params, x), y)
}

/// A size is written as Rust writes it, and a half of a half is a quarter.
#[model]
fn halves<const N: usize>(x: Tensor<1, 2, N>) -> (Tensor<1, 2, { N / 2 }>, Tensor<1, 2, { N / 4 }>) {
    let half = avg_pool1d(x, 2);
    (half, max_pool1d(half, 2))
}

/// A window that may not fit at all.
#[model]
fn short<const N: usize>(x: Tensor<1, 1, N>, w: Tensor<1, 1, 4>) -> Tensor<1, 1, { (N + 2) / 2 - 2 }> {
    conv1d_with(x, w, None, 2, 0, 1, 1).exp()
}

#[model]
fn cut<const N: usize>(x: Tensor<N>) -> Tensor<3> {
    x.narrow(0, 1, 3) * 2.0
}

/// Down and up again: the size must be a multiple, and says so.
#[model]
fn hourglass<const H: usize, const W: usize>(
    w: Tensor<2, 2, 3, 3>,
    x: Tensor<1, 2, { 4 * H }, { 4 * W }>,
) -> Tensor<1, 4, { 4 * H }, { 4 * W }> {
    let down = conv2d_with(x, w, None, 2, 1, 1, 1).tanh();
    let deep = conv2d_with(down, w, None, 2, 1, 1, 1).tanh();
    let up = deep.interpolate_nearest([2 * H, 2 * W]) + down;
    cat(&[up.interpolate_nearest([4 * H, 4 * W]), x], 1)
}

/// A part of a window counts, however much of it is there: torch's `ceil_mode`.
#[model]
fn parts<const H: usize, const W: usize>(x: Tensor<1, 2, H, W>) -> (Tensor, Tensor, Tensor) {
    let most = max_pool2d_with(x, 3, 2, 0, 1, true);
    let padded = avg_pool2d_with(x, 3, 2, 1, true, true);
    (most.sum_dim([2, 3]).sum(), padded.square().sum(), avg_pool2d_with(x, 2, 3, 1, true, false).exp().sum())
}

#[model]
fn part<const N: usize>(x: Tensor<2, 1, N>) -> Tensor<2, 1, { N / 3 + 1 }> {
    max_pool1d_with(x, 2, 3, 1, 1, true)
}

#[test]
fn pictures_have_any_size() {
    let params = Net::init(&mut Rng::seed(3));
    for (b, h, w) in [(1, 8, 8), (2, 9, 13), (3, 1, 6), (2, 17, 10), (1, 11, 32)] {
        let (x, y) = (input([b, 3, h, w]), Tensor::from_vec([b], vec![2i64; b]).expect("a label each"));
        let what = format!("{h}x{w}");
        close(&net(&params, &x).expect("shapes that fit"), &net::eager(&params, &x), &what);
        let (value, grads) = loss::value_and_grad(&params, &x, &y).expect("shapes that fit");
        let (want, wanted) =
            kiln::autograd::value_and_grad(&params, |p| loss::eager(p, &x, &y)).expect("a scalar");
        close(&value, &want, &what);
        close(&grads.stem, &wanted.stem, &format!("stem of {what}"));
        close(&grads.left, &wanted.left, &format!("left of {what}"));
        close(&grads.short, &wanted.short, &format!("short of {what}"));
    }
}

#[test]
fn halves_are_rounded_down() {
    for n in 4..14 {
        let x = input([1, 2, n]);
        let (half, quarter) = halves(&x).expect("shapes that fit");
        let (want_half, want_quarter) = halves::eager(&x);
        assert_eq!((half.shape()[2], quarter.shape()[2]), (n / 2, n / 4));
        close(&half, &want_half, "half");
        close(&quarter, &want_quarter, "quarter");
    }
}

#[test]
fn what_is_too_short_for_a_window_is_an_error() {
    let w = input([1, 1, 4]);
    for n in 2..9 {
        let got = short(input([1, 1, n]), &w).expect("a size like any other");
        assert_eq!(got.shape()[2], if n < 4 { 0 } else { (n - 4) / 2 + 1 }, "of {n}");
    }
    let error = short(input([1, 1, 1]), &w).expect_err("4 of 1").to_string();
    let want = "`short`: the arguments are too small: a size in it is `⌊N/2⌋ - 1`, which would be -1";
    assert_eq!(error, want);
    // What such a call would take is a number all the same.
    assert!((0..9).all(|n| short::scratch_bytes(n) < 4096 && short::flops(n) < 4096));
}

#[test]
fn what_is_cut_must_be_there() {
    assert_eq!(cut(input([5])).expect("enough").shape(), [3]);
    let error = cut(input([3])).expect_err("4 of 3").to_string();
    assert_eq!(error, "`cut`: the arguments are too small: a size in it is `N - 4`, which would be -1");
}

#[test]
fn a_multiple_is_declared() {
    let w = input([2, 2, 3, 3]);
    for (h, v) in [(1, 1), (2, 3)] {
        let x = input([1, 2, 4 * h, 4 * v]);
        close(&hourglass(&w, &x).expect("shapes that fit"), &hourglass::eager(&w, &x), "hourglass");
    }
    let error = hourglass(&w, input([1, 2, 8, 6])).expect_err("6 is no multiple of 4").to_string();
    assert!(error.contains("[1, 2, 4*H, 4*W]") && error.contains("[1, 2, 8, 6]"), "{error}");
}

#[test]
fn parts_of_windows_count() {
    for (h, w) in [(3, 3), (4, 5), (5, 4), (6, 7), (9, 8), (2, 10)] {
        let x = input([1, 2, h, w]);
        let (got, want) = (parts(&x).expect("shapes that fit"), parts::eager(&x));
        close(&got.0, &want.0, "the largest");
        close(&got.1, &want.1, "the mean with padding");
        close(&got.2, &want.2, "the mean without");
    }
    // torch's own sizes: ⌈(n + 2 − 2) / 3⌉ + 1, less one if that window begins behind the last element.
    for n in 1i64..14 {
        let last = (n + 2).div_euclid(3);
        let last = if last * 3 > n { last - 1 } else { last };
        let x = input([2, 1, n as usize]);
        let got = part(&x).expect("shapes that fit");
        assert_eq!(got.shape()[2] as i64, last + 1, "of {n}");
        close(&got, &part::eager(&x), "part");
    }
}
