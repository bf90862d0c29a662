//! The graph of kiln: dims, types, operations with their shapes, derivatives and meaning, the builder,
//! and the passes over graphs. It knows no tokens, spans, files or kernels.
//!
//! ```
//! use kiln_ir::{Builder, DType, Role, Scalar, Syms, Ty, differentiate, eval, ops::Array};
//!
//! // f(x) = x³ + 2x, and its gradient at 2.
//! let mut b = Builder::new("f", Syms::default());
//! let x = b.input("x", Ty::scalar(DType::F64), Role::Argument);
//! let (three, two) = (b.constant(3.0, DType::F64), b.constant(2.0, DType::F64));
//! let cube = b.map(Scalar::Pow, &[x, three])?;
//! let line = b.map(Scalar::Mul, &[two, x])?;
//! let y = b.map(Scalar::Add, &[cube, line])?;
//! b.output("y", y, None);
//! let f = differentiate::value_and_grad(&b.finish(), &[0])?;
//! let results = eval::eval(&f, &[Array::rounded(DType::F64, vec![], vec![2.0])]);
//! assert_eq!((results[0].data[0], results[1].data[0]), (12.0, 14.0));
//! # Ok::<(), kiln_ir::Error>(())
//! ```

pub mod dim;
pub mod dtype;
pub mod error;
pub mod graph;
pub mod op;

pub mod ops;

pub mod builder;
mod narrow;
pub mod simplify;

pub mod composite;
pub mod surface;

pub mod turns;

pub mod batch;
pub mod differentiate;
pub mod eval;
pub mod room;
pub mod text;
pub mod verify;

pub use builder::Builder;
pub use dim::{Dim, Sym, SymInfo, SymKind, Syms};
pub use dtype::{DType, Ty};
pub use error::{Error, Fault};
pub use graph::{Func, Input, Loc, Node, Output, Role, Value};
pub use op::{Draw, Literal, Op, PadAxis, Reduction, Scalar, Scan, SliceAxis, Window};
