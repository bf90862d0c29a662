//! The compiler of Kiln as a plain library: tokens → syntax → graph → passes → kernels → tokens.
//!
//! It works on `proc_macro2` tokens, so that tests, fuzzers and tools can call it outside a proc macro.
//! Invariant: this crate is the only home of `syn` and `quote`.

pub mod errors;
mod message;
mod quiet;
pub mod syntax;

pub mod source;

pub mod library;
pub mod link;

pub mod trace;
pub mod traced;

pub mod fuse;
pub mod part;
pub mod plan;

pub mod emit;

pub mod eager;
pub mod model;
pub mod params;

pub use errors::Errors;
