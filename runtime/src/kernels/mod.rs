//! What computes: instruction sets, scalar functions, threads, and the kernels that are too heavy to emit.
//!
//! Emitted code names only what is here. Nothing here knows of graphs, tensors or files: kernels take slices,
//! sizes and strides, and check them once, up front.

mod area;
pub mod cut;
pub mod fold;
pub mod gemm;
pub mod isa;
pub mod lanes;
pub mod launch;
pub mod math;
pub mod scratch;
pub mod threads;
pub mod total;
