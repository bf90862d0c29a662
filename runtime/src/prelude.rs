//! What a file that defines or runs models wants in scope: `use kiln::prelude::*;`.

pub use crate::nn::{LayerNorm, Linear, LinearNoBias};
pub use crate::optim::{Adam, AdamW, Optimizer, Sgd};
pub use crate::{AsTensor, Error, Params, Result, Rng, Tensor, init};
pub use kiln_macros::params;

#[cfg(feature = "eager")]
pub use crate::eager::args::{bool, f32, f64, i32, i64, u8};
#[cfg(feature = "eager")]
pub use crate::functional::*;
