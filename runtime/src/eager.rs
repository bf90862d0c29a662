//! Operations outside of models: each builds a small function of the graph, is evaluated at once, and is kept for
//! gradients if one may be asked.
//!
//! Shapes, meaning and derivatives are the graph's: an operation here is an entry of `kiln_ir::surface`, the same that
//! the compiler calls.

mod any;
pub(crate) mod args;
pub(crate) mod backward;
pub mod body;
pub(crate) mod call;
mod element;
pub(crate) mod eval;
mod forward;
pub(crate) mod methods;
mod operators;
mod optimizers;
mod rule;
mod several;
pub(crate) mod tape;
pub(crate) mod transform;
pub(crate) mod trees;

pub use any::Any;

/// What stands within, where tensors compute outside of models: with the feature `eager`.
#[doc(hidden)]
#[macro_export]
macro_rules! __eager {
    ($($items:tt)*) => { $($items)* };
}
