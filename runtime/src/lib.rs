//! Kiln: an ahead-of-time deep-learning graph compiler as a proc macro.
//!
//! This crate is what compiled models stand on at run time: tensors, parameters and their files, layers, optimizers, the
//! random generator and the initializers. With the feature `eager`, which is on by default, tensors also compute outside
//! of models, as PyTorch's do ([`autograd`], [`functional`]); without it nothing of the graph is linked.
//!
//! ```
//! use kiln::prelude::*;
//!
//! let x: Tensor = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
//! assert_eq!(x.shape(), [2, 2]);
//! assert_eq!(x.as_slice(), [1.0, 2.0, 3.0, 4.0]);
//! ```
//!
//! Parameters are data:
//!
//! ```
//! use kiln::prelude::*;
//!
//! #[params]
//! pub struct Layer<const I: usize, const O: usize> {
//!     weight: Tensor<O, I>,
//!     #[init(ones())]
//!     bias: Tensor<O>,
//! }
//!
//! #[params]
//! pub struct Mlp {
//!     fc1: Layer<784, 128>,
//!     tail: [Layer<128, 128>; 2],
//! }
//!
//! let net = Mlp::init(&mut Rng::seed(0));
//! assert_eq!(net.named_leaves()[2].name, "tail.0.weight");
//! assert_eq!(net.param_count(), 784 * 128 + 128 + 2 * (128 * 128 + 128));
//! assert_eq!(Mlp::from_bytes(&net.to_bytes()?)?.fc1.weight, net.fc1.weight);
//! # Ok::<(), kiln::Error>(())
//! ```

extern crate self as kiln;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod argument;
#[cfg(feature = "eager")]
pub mod autograd;
mod builtins;
mod dtype;
#[cfg(feature = "eager")]
mod eager;
mod error;
mod freeze;
#[cfg(feature = "eager")]
pub mod functional;
mod half;
pub mod init;
#[doc(hidden)]
pub mod kernels;
pub mod nn;
pub mod optim;
mod params;
pub mod prelude;
pub mod prune;
mod rng;
#[doc(hidden)]
pub mod rt;
mod shape;
mod storage;
mod tensor;
#[cfg(not(feature = "eager"))]
mod track;
pub mod transforms;
#[cfg(feature = "eager")]
use eager::tape as track;

pub use argument::{Arg, AsTensor};
#[doc(hidden)]
pub use builtins::*;
pub use dtype::Element;
pub use error::{Error, Result, ShapeFault, WeightFaults};
pub use freeze::{Freeze, Frozen};
pub use half::{bf16, f16};
pub use init::Init;
#[doc(hidden)]
pub use kiln_macros::__link;
pub use kiln_macros::{model, params};
pub use params::{Leaf, LeafKind, LeafMut, LeafTensor, LeafTensorMut, Params};
pub use rng::Rng;
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
