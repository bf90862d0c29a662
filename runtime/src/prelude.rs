//! What a file that defines or runs models wants in scope: `use kiln::prelude::*;`.

pub use crate::{AsTensor, Error, Params, Result, Rng, Tensor, init};
pub use kiln_macros::params;
