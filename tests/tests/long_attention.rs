//! Attention of long sequences is computed by strips of queries: as the formula says, and with scratch for a strip alone.
//! Two heads have 1030 queries and keys, which no strip divides.
#![allow(missing_docs)]

use kiln::prelude::*;

#[model]
pub fn by_strips(x: [Tensor<2, 1030, 8>; 3]) -> Tensor<2, 1030, 8> {
    scaled_dot_product_attention(x[0], x[1], x[2])
}

#[model]
pub fn by_formula(x: [Tensor<2, 1030, 8>; 3]) -> Tensor<2, 1030, 8> {
    (x[0].matmul(x[1].transpose(-1, -2)) * 8f32.powf(-0.5)).softmax(-1).matmul(x[2])
}

#[model]
pub fn causal_by_strips(x: [Tensor<2, 1030, 8>; 3], mask: Tensor<1030>) -> Tensor<2, 1030, 8> {
    scaled_dot_product_attention_with(x[0], x[1], x[2], Some(mask), true, 0.5)
}

#[model]
pub fn causal_by_formula(x: [Tensor<2, 1030, 8>; 3], mask: Tensor<1030>) -> Tensor<2, 1030, 8> {
    let scores = x[0].matmul(x[1].transpose(-1, -2)) * 0.5 + mask;
    let later = (ones([1030, 1030]) - ones([1030, 1030]).tril(0)) * -1e30;
    (scores + later).softmax(-1).matmul(x[2])
}

#[model]
pub fn strips_pulled(x: [Tensor<2, 1030, 8>; 3], by: Tensor<2, 1030, 8>) -> [Tensor<2, 1030, 8>; 3] {
    grad(|x: [Tensor<2, 1030, 8>; 3]| (by_strips(x) * by).sum())(x)
}

#[model]
pub fn formula_pulled(x: [Tensor<2, 1030, 8>; 3], by: Tensor<2, 1030, 8>) -> [Tensor<2, 1030, 8>; 3] {
    grad(|x: [Tensor<2, 1030, 8>; 3]| (by_formula(x) * by).sum())(x)
}

#[model]
pub fn causal_pulled(
    x: [Tensor<2, 1030, 8>; 3],
    mask: Tensor<1030>,
    by: Tensor<2, 1030, 8>,
) -> [Tensor<2, 1030, 8>; 3] {
    grad(|x: [Tensor<2, 1030, 8>; 3]| (causal_by_strips(x, mask) * by).sum())(x)
}

#[model]
pub fn causal_formula_pulled(
    x: [Tensor<2, 1030, 8>; 3],
    mask: Tensor<1030>,
    by: Tensor<2, 1030, 8>,
) -> [Tensor<2, 1030, 8>; 3] {
    grad(|x: [Tensor<2, 1030, 8>; 3]| (causal_by_formula(x, mask) * by).sum())(x)
}

fn random(rng: &mut Rng, shape: &[usize]) -> Tensor {
    let n = shape.iter().product();
    Tensor::from_vec(shape, (0..n).map(|_| 4.0 * rng.uniform() - 2.0).collect()).unwrap()
}

fn close(got: &Tensor, want: &Tensor) {
    assert_eq!(got.shape(), want.shape());
    for (x, y) in got.as_slice().iter().zip(want.as_slice()) {
        assert!((x - y).abs() <= 2e-5 * y.abs().max(1.0), "{x}, not {y}");
    }
}

#[test]
fn strips_give_what_the_formula_gives() -> kiln::Result<()> {
    let mut rng = Rng::seed(3);
    let x = [0, 1, 2].map(|_| random(&mut rng, &[2, 1030, 8]));
    let [mask, by] = [random(&mut rng, &[1030]), random(&mut rng, &[2, 1030, 8])];
    let x = [&x[0], &x[1], &x[2]];
    close(&by_strips(x)?, &by_formula(x)?);
    close(&causal_by_strips(x, &mask)?, &causal_by_formula(x, &mask)?);
    close(&by_strips::eager(x), &by_formula(x)?);
    let pairs = [
        (strips_pulled(x, &by)?, formula_pulled(x, &by)?),
        (causal_pulled(x, &mask, &by)?, causal_formula_pulled(x, &mask, &by)?),
        (causal_pulled::eager(x, &mask, &by), causal_formula_pulled(x, &mask, &by)?),
    ];
    for (got, want) in pairs {
        got.iter().zip(&want).for_each(|(got, want)| close(got, want));
    }
    Ok(())
}

/// Of 2,121,800 scores, at 4 bytes each.
#[test]
fn scratch_is_a_strips() {
    let all = 2 * 1030 * 1030 * 4;
    let formulas = [by_formula::SCRATCH_BYTES, formula_pulled::SCRATCH_BYTES];
    assert!(formulas.iter().all(|n| *n >= all), "{formulas:?} of {all}");
    let strips = [by_strips::SCRATCH_BYTES, causal_by_strips::SCRATCH_BYTES];
    assert!(strips.iter().all(|n| *n < all / 4), "{strips:?} of {all}");
    let gradients = [strips_pulled::SCRATCH_BYTES, causal_pulled::SCRATCH_BYTES];
    assert!(gradients.iter().all(|n| *n < all / 2), "{gradients:?} of {all}");
}
