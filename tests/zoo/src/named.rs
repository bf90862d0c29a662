//! Models named like a function of the library, and like a macro of std.

use kiln::prelude::*;

/// `5·x`
#[model]
pub fn l1_loss<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x * 5.0
}

/// `7·x`
#[model]
pub fn vec<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x * 7.0
}
