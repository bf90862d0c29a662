//! The graph of kiln: dims, types, operations with their shapes, derivatives and meaning, the builder,
//! and the passes over graphs. It knows no tokens, spans, files or kernels.

pub mod dim;
pub mod dtype;
pub mod error;
pub mod graph;
pub mod op;

pub use dim::{Dim, Sym, SymInfo, SymKind, Syms};
pub use dtype::{DType, Ty};

pub use graph::{Func, Input, Loc, Node, Output, Role, Value};
pub use op::{Literal, Op, Reduction, Scalar};
