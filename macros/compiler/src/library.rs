//! What a model needs from outside its own tokens: the sources of the models and params structs that it names.
//!
//! The links of the macro chain collect it (`link`), the tracer reads it. Paths are as written in the item that
//! owns them; a path leads to the key of another entry.

use crate::source::Number;
use crate::syntax::ast::{Model, Params};
use std::collections::BTreeMap;

/// The sources that a model can reach, by key.
#[derive(Default)]
pub struct Library {
    /// Every entry; a key is unique over crates (package, file, line, column, name).
    pub entries: BTreeMap<String, Entry>,
    /// Values of constants, by their texts, as far as files tell them.
    pub values: BTreeMap<String, Number>,
}

/// One item.
pub struct Entry {
    /// The item.
    pub item: Item,
    /// Where the paths in it lead: the path without spaces and generic arguments, and a key.
    pub deps: BTreeMap<String, String>,
}

/// The kinds of items that a path in a model can lead to.
pub enum Item {
    /// A `#[model]` function.
    Model(Box<Model>),
    /// A `#[params]` struct. Its `forward`, where it has one, is among the deps.
    Params(Box<Params>),
    /// A function or type that the compiler knows: `cross_entropy`, `value_and_grad`, `Adam`.
    Builtin(String),
    /// An item with a fault that was reported where it stands: whoever uses it says nothing more.
    Faulty,
}
