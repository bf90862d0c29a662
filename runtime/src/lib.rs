//! Kiln: an ahead-of-time deep-learning graph compiler as a proc macro.
//!
//! This crate is what compiled models stand on at run time: tensors, parameters and their files, the random
//! generator and the initializers. It holds no graph.
//!
//! ```
//! use kiln::prelude::*;
//!
//! let x: Tensor = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
//! assert_eq!(x.shape(), [2, 2]);
//! assert_eq!(x.as_slice(), [1.0, 2.0, 3.0, 4.0]);
//! ```

extern crate self as kiln;

mod argument;
mod dtype;
mod error;
pub mod init;
#[doc(hidden)]
pub mod kernels;
mod params;
pub mod prelude;
mod rng;
#[doc(hidden)]
pub mod rt;
mod shape;
mod tensor;

pub use argument::{Arg, AsTensor};
pub use dtype::Element;
pub use error::{Error, Result, ShapeFault, WeightFaults};
pub use init::Init;
pub use params::{Leaf, LeafKind, LeafMut, Params};
pub use rng::Rng;
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
