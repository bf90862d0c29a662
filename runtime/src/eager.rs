//! Operations outside of models: each builds a small function of the graph, is evaluated at once, and is kept for
//! gradients if one may be asked.
//!
//! Shapes, meaning and derivatives are the graph's: an operation here is an entry of `kiln_ir::surface`, the same that
//! the compiler calls.

mod any;
pub(crate) mod args;
pub(crate) mod backward;
mod call;
pub(crate) mod eval;
pub(crate) mod methods;
mod operators;
pub(crate) mod tape;

pub use any::Any;
