//! From the body of a `#[model]` to a graph: every statement is run once with tensors that are values of a graph.
//!
//! `entry` traces a model as it is compiled; `call` traces what a body calls, each callee as a function of its own
//! for the types of the call, which is then inlined, so that transforms of functions are exact. A fault leaves
//! `Value::Poison` behind, which is silent, so that one fault is one message and tracing goes on.
//!
//! Invariant: all graphs of one entry share one table of symbols, which only grows.

mod value;

mod frame;
mod grow;
mod sizes;
mod types;

mod choose;
mod expr;
mod index;
mod iterate;
mod layers;
mod map;
mod number;
mod operator;
mod pattern;
mod stmt;

mod arguments;
mod call;
mod closure;
mod method;
mod misfit;
mod optimizer;
mod random;
mod series;
mod several;
mod stack;
mod surface;
mod tree;
mod turns;

pub(crate) mod control;
mod custom;
mod derived;
mod entry;
mod tangents;
pub mod transform;

pub use entry::{cases, trace};
pub(crate) use number::known_constant;
pub use value::Transform;

use crate::library::Library;
use crate::traced::Const;
use frame::Frame;
use kiln_ir::{Dim, Syms};
use proc_macro2::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use value::{Compiled, Variable};

/// What tracing from the start has to know.
#[derive(Default)]
struct Assumed {
    sizes: Vec<(String, Dim)>,
    separate: BTreeSet<String>,
    syms: Syms,
}

/// Everything that is known while an entry is traced.
pub(crate) struct Tracer<'a> {
    library: &'a Library,
    /// Faults in the function that is traced now.
    errors: Vec<syn::Error>,
    /// The symbols of all graphs.
    syms: Syms,
    consts: Vec<Const>,
    /// Constants that are taken to be another size: text of the symbol, and the size.
    assumed: Vec<(String, Dim)>,
    /// Arrays whose layers are tensors of their own, because some use of them is no loop.
    separate: BTreeSet<String>,
    /// Set when a new assumption makes all that was traced useless.
    again: bool,
    /// Whether this is a second look at a callee's own faults.
    checking: bool,
    /// Whether it is a building block that is traced by itself.
    block: bool,
    /// Whether what only a call of it tells stood in the way.
    open: bool,
    /// Whether a model calls itself by way of others, which none of them can see alone.
    recursive: bool,
    spans: Vec<Span>,
    vars: Vec<Variable>,
    /// The functions under construction, innermost last.
    frames: Vec<Frame<'a>>,
    /// Models traced for the types of a call; `None` where one failed.
    known: BTreeMap<String, Option<Rc<Compiled>>>,
}

impl<'a> Tracer<'a> {
    fn new(library: &'a Library, known: Assumed) -> Tracer<'a> {
        let Assumed { sizes: assumed, separate, syms } = known;
        Tracer {
            library,
            errors: Vec::new(),
            syms,
            consts: Vec::new(),
            assumed,
            separate,
            again: false,
            checking: false,
            block: false,
            open: false,
            recursive: false,
            spans: Vec::new(),
            vars: Vec::new(),
            frames: Vec::new(),
            known: BTreeMap::new(),
        }
    }
}
