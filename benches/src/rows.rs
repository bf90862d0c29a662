//! One pass over each of 1024 rows: softmax, and a layer norm with GELU.

use crate::workload::{Outcome, SetUp, Workload, inference, near, normal};
use kiln::prelude::*;

#[model]
fn soft(x: Tensor<1024, 1024>) -> Tensor<1024, 1024> {
    x.softmax(-1)
}

#[model]
fn norm_and_gelu(norm: &LayerNorm<1024>, x: Tensor<1024, 1024>) -> Tensor<1024, 1024> {
    norm.forward(x).gelu() + x
}

/// Softmax of each row. It has no parameters.
pub fn softmax(check: bool) -> Outcome<Workload> {
    let x = normal(&mut Rng::seed(0), &[1024, 1024]);
    if check {
        near("the output", &soft(&x)?, &soft::eager(&x))?;
    }
    let run = Box::new(move || soft(&x).map(|y| drop(std::hint::black_box(y))));
    Ok(Workload { run, kept: 0, frozen: 0, passed: 2 * 4 * 1024 * 1024, scratch: soft::SCRATCH_BYTES })
}

/// `gelu(layer_norm(x)) + x`.
pub const NORM_GELU: SetUp = inference!(norm_and_gelu, LayerNorm<1024>, 2048, [1024, 1024]);
