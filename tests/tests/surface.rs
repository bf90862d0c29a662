//! What hangs on a model's name, and what it takes and returns.
#![allow(missing_docs)]

use kiln::prelude::*;
use ndarray::{Array2, ArrayView2, arr2, s};

#[model]
fn cube(x: Tensor<f64>) -> Tensor<f64> {
    x * x * x + x * 2.0
}

#[model]
fn slope(x: Tensor<f64>) -> Tensor<f64> {
    grad(cube)(x)
}

#[test]
fn derivatives_of_derivatives() {
    assert_eq!(cube::grad(2.0).and_then(|g| g.item()).expect("a scalar"), 14.0);
    assert_eq!(slope(2.0).and_then(|g| g.item()).expect("a scalar"), 14.0);
    let (slope, bend) = slope::value_and_grad(2.0).expect("a scalar");
    assert_eq!((slope.item().ok(), bend.item().ok()), (Some(14.0), Some(12.0)));
}

#[model]
fn transposed<const N: usize, const M: usize>(x: Tensor<N, M>) -> Tensor<M, N> {
    x.t()
}

#[test]
fn anything_that_views_as_a_tensor_is_an_argument() {
    let want = [1.0, 3.0, 2.0, 4.0];
    let check = |result: kiln::Result<Tensor>| assert_eq!(result.expect("shapes fit").as_slice(), want);
    let array: Array2<f32> = arr2(&[[1.0, 2.0], [3.0, 4.0]]);
    check(transposed([[1.0, 2.0], [3.0, 4.0]]));
    check(transposed(Tensor::from([[1.0, 2.0], [3.0, 4.0]])));
    check(transposed(&array));
    let wide = arr2(&[[1.0, 9.0, 2.0], [8.0, 8.0, 8.0], [3.0, 9.0, 4.0]]);
    let strided: ArrayView2<f32> = wide.slice(s![..;2, ..;2]);
    check(transposed(strided));
    let reversed = arr2(&[[4.0f32, 3.0], [2.0, 1.0]]);
    check(transposed(reversed.slice(s![..;-1, ..;-1])));
}

/// A model of one size over one of any size.
#[model]
fn fixed(x: Tensor<2, 3>) -> Tensor<3, 2> {
    transposed(x.softmax(-1))
}

/// A product before a loop of products.
#[model]
fn products<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, N> {
    let mut y = x.matmul(x.transpose(0, 1)).tanh();
    for _ in 0..7 {
        y = x.matmul(x.transpose(0, 1).matmul(y).tanh());
    }
    y
}

#[model(N <= 4)]
fn at_most<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    x.softmax(-1)
}

#[test]
fn figures_of_fixed_and_bounded_models_are_constants() {
    const FIXED: [usize; 3] = [fixed::PARAM_COUNT, fixed::FLOPS, fixed::SCRATCH_BYTES];
    assert_eq!(FIXED[0], 0);
    assert!(FIXED[1] > 0 && at_most::FLOPS > 0, "{FIXED:?}");
    assert_eq!((fixed::MULTIPLY_ADDS, products::multiply_adds(5)), (0, 15 * 5 * 5 * 3));
    let rows = fixed([[0.0; 3]; 2]).expect("shapes fit");
    assert_eq!(rows.shape(), [3, 2]);
    assert!(rows.as_slice().iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6));
    let error = fixed([[0.0; 3]; 3]).expect_err("another size").to_string();
    assert_eq!(error, "`fixed`: argument `x` must have shape [2, 3], but has [3, 3]");
}

#[model]
fn several<const N: usize>(x: Tensor<N>, k: Tensor<i64, N>) -> (Tensor<N>, Tensor<i64>, Tensor<bool, N>) {
    (x.exp(), k.sum(), x.gt(0.0))
}

#[test]
fn tuples_of_any_element_type_are_returned() {
    let (exp, sum, positive) = several([0.0, 1.0], [3, 4]).expect("shapes fit");
    assert!((exp.as_slice()[1] - std::f32::consts::E).abs() < 1e-6);
    assert_eq!((sum.item().ok(), positive.as_slice()), (Some(7), &[false, true][..]));
}

#[test]
fn vjp_takes_a_cotangent_for_each_float_result() {
    let x = [[1.0, 2.0], [3.0, 4.0]];
    let (y, grad) = transposed::vjp(x, [[1.0, 10.0], [100.0, 1000.0]]).expect("shapes fit");
    assert_eq!((y.shape(), grad.as_slice()), (&[2, 2][..], &[1.0, 100.0, 10.0, 1000.0][..]));
    let error = transposed::vjp(x, [[1.0], [2.0]]).expect_err("another size").to_string();
    assert_eq!(error, "`transposed`: `N` is 2 in argument `x`, but 1 in argument `cotangent`");
}

mod shadowed {
    //! A constant that a free dim has the name of, and types that kernels might.
    use kiln::prelude::*;

    pub const N: usize = 5;
    pub const M: usize = 3;

    #[params]
    pub struct Frozen {
        pub run: Tensor<M>,
    }

    #[model(M <= 8)]
    pub fn scratch<const N: usize, const M: usize>(
        x_dims: &Frozen,
        scratch: Tensor<N, { 1 + 2 }>,
        x: Tensor<M>,
    ) -> Tensor<N, 3> {
        scratch * x_dims.run + x.sum()
    }
}

#[test]
fn names_of_the_users_dont_meet_those_of_emitted_code() {
    let params = shadowed::Frozen { run: Tensor::from([1.0, 2.0, 3.0]) };
    let y = shadowed::scratch(&params, [[1.0; 3]; 2], [1.0; 4]).expect("shapes fit");
    assert_eq!(y.as_slice(), [5.0, 6.0, 7.0, 5.0, 6.0, 7.0]);
    let frozen = shadowed::scratch::freeze(&params).expect("its own shapes");
    assert_eq!(frozen.run([[1.0; 3]; 2], [1.0; 4]).expect("shapes fit").as_slice(), y.as_slice());
    assert_eq!((shadowed::N, shadowed::M), (5, 3));
}

#[model]
fn chain<const N: usize>(layers: &[Linear<2, 2>; 2], x: Tensor<N, 2>) -> Tensor {
    let mut h = x;
    for layer in layers {
        h = layer.forward(h);
    }
    h.sum()
}

#[test]
fn an_array_of_layers_is_an_argument_with_a_gradient() {
    let layer = Linear { weight: Tensor::from([[1.0, 0.0], [0.0, 1.0]]), bias: Tensor::from([1.0, 2.0]) };
    let (sum, grads) = chain::value_and_grad(&[layer.clone(), layer], [[3.0, 4.0]]).expect("shapes fit");
    assert_eq!(sum.item().ok(), Some(13.0));
    assert_eq!(grads[1].weight.as_slice(), [4.0, 6.0, 4.0, 6.0]);
}
