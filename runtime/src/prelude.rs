//! What a file that defines or runs models wants in scope: `use kiln::prelude::*;`.

#[doc(hidden)]
pub use crate::builtins::*;
#[cfg(feature = "eager")]
pub use crate::eager::args::{bool, f32, f64, i32, i64, u8};
#[cfg(feature = "eager")]
pub use crate::functional::*;
pub use crate::nn::{Gru, LayerNorm, Linear, LinearNoBias, Lstm, Rnn};
pub use crate::optim::{Adam, AdamW, AmsGrad, Optimizer, RmsProp, Sgd};
pub use crate::{AsTensor, Error, Params, Result, Rng, Tensor, init};
pub use kiln_macros::{model, params};
