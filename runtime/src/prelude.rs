//! What a file that defines or runs models wants in scope: `use kiln::prelude::*;`.

pub use crate::nn::{LayerNorm, Linear, LinearNoBias};
pub use crate::optim::{Adam, AdamW, Optimizer, Sgd};
pub use crate::{AsTensor, Error, Params, Result, Rng, Tensor, init};
pub use kiln_macros::params;
