//! Attention.

use super::Built;
use super::linalg::matmul;
use super::norm::softmax;
use super::reduce::size;
use super::shape::{above_diagonal, transpose};
use crate::{Builder, Scalar, Value};

/// softmax(scale · query · keyᵀ + mask) · value, with query `[…, L, E]`, key `[…, S, E]`, value `[…, S, V]` and a mask
/// that broadcasts to `[…, L, S]`. If causal, a query sees the keys up to its own place. No scale: 1/√E.
/// `F.scaled_dot_product_attention` (Vaswani et al., 2017).
pub fn scaled_dot_product(
    b: &mut Builder,
    [query, key, value]: [Value; 3],
    mask: Option<Value>,
    causal: bool,
    scale: Option<f64>,
) -> Built {
    let width = b.axis("scaled_dot_product_attention", query, -1)?;
    let keys = transpose(b, key, -2, -1)?;
    let scores = matmul(b, query, keys)?;
    let mut scores = match scale {
        Some(scale) => b.scale(scores, scale)?,
        None => {
            let ty = b.ty(query).clone();
            let n = size(b, &ty.shape[width], ty.dtype)?;
            let root = b.map(Scalar::Sqrt, &[n])?;
            b.div(scores, root)?
        }
    };
    if causal {
        let later = above_diagonal(b, scores, 0)?;
        let nothing = b.splat(f64::NEG_INFINITY, scores)?;
        scores = b.elementwise(Scalar::Select, &[later, nothing, scores])?;
    }
    if let Some(mask) = mask {
        scores = b.add(scores, mask)?;
    }
    let weights = softmax(b, scores, -1)?;
    matmul(b, weights, value)
}
