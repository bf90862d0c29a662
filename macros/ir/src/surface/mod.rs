//! The surface: every function and method that users can call on tensors, in one table.
//!
//! The tracer looks a name up while compiling, the eager tensor's wrappers call the same entries: so a name means
//! the same in both. Arguments have no defaults, because the eager tensor is ordinary Rust: what PyTorch has as
//! keywords stands in a second entry, `…_with`.

mod args;
mod attention;
mod convolutions;
mod creation;
mod elementwise;
mod layout;
mod losses;
mod margins;
mod names;
mod narrow;
mod quantization;
mod random;
mod recurrent;
mod reductions;

use crate::{Builder, Error, Fault, Value};
pub use args::{Arg, Args, Kind};
pub use names::{nearest, nearest_function, nearest_method};

/// How an entry is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `x.relu()`
    Method,
    /// `cat(&[a, b], 0)`
    Function,
    /// Either way.
    Both,
}

/// A parameter of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param {
    /// Its name in messages.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// What an entry yields.
#[derive(Clone, PartialEq, Debug)]
pub enum Results {
    /// One tensor.
    One(Value),
    /// Two, as a tuple.
    Pair([Value; 2]),
    /// Three, as a tuple.
    Triple([Value; 3]),
    /// Any number, as an array.
    List(Vec<Value>),
    /// One tensor, and the counter that the generator has then.
    Drawn([Value; 2]),
}

/// A function or method.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub form: Form,
    /// Its parameters; a method's first is what it is called on.
    pub params: &'static [Param],
    /// What it computes, in a line.
    pub doc: &'static str,
    build: fn(&mut Builder, &Args) -> Result<Results, Error>,
}

impl Entry {
    /// Builds the call.
    ///
    /// # Errors
    /// If number or kinds of the arguments are wrong, or their shapes.
    pub fn call(&self, b: &mut Builder, args: &[Arg]) -> Result<Results, Error> {
        if args.len() != self.params.len() {
            let op = self.name.to_string();
            return Err(b.error(Fault::Arity { op, want: self.params.len(), got: args.len() }));
        }
        for (param, arg) in self.params.iter().zip(args) {
            if !param.kind.takes(arg) {
                let what = format!("`{}` is {}", param.name, param.kind.describe());
                return Err(b.error(Fault::Attribute { op: self.name.into(), what }));
            }
        }
        narrow::call(self, b, args)
    }

    fn build(&self, b: &mut Builder, args: &[Arg]) -> Result<Results, Error> {
        let args = Args::new(self.name, b, args)?;
        (self.build)(b, &args).map_err(|e| e.of(self.name))
    }

    /// Builds a call that yields one tensor.
    ///
    /// # Errors
    /// As `call`, and if the entry yields several.
    pub fn one(&self, b: &mut Builder, args: &[Arg]) -> Result<Value, Error> {
        match self.call(b, args)? {
            Results::One(v) => Ok(v),
            _ => {
                let what = "yields several tensors".to_string();
                Err(b.error(Fault::Attribute { op: self.name.into(), what }))
            }
        }
    }
}

/// Every entry, a topic behind the other.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        elementwise::ENTRIES,
        layout::ENTRIES,
        reductions::ENTRIES,
        losses::ENTRIES,
        margins::ENTRIES,
        creation::ENTRIES,
        convolutions::ENTRIES,
        attention::ENTRIES,
        quantization::ENTRIES,
        random::ENTRIES,
        recurrent::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The method of that name.
pub fn method(name: &str) -> Option<&'static Entry> {
    entries().find(|e| e.name == name && e.form != Form::Function)
}

/// The free function of that name.
pub fn function(name: &str) -> Option<&'static Entry> {
    entries().find(|e| e.name == name && e.form != Form::Method)
}

/// Rows of the table: form, name, parameters, what it yields, and how it is built.
macro_rules! table {
    ($(
        #[doc = $doc:literal]
        $form:ident $name:ident($($param:ident: $kind:ident),*) -> $results:ident |$b:ident, $a:ident| $build:expr;
    )*) => {
        pub(super) const ENTRIES: &[$crate::surface::Entry] = &[$($crate::surface::Entry {
            name: stringify!($name),
            form: $crate::surface::Form::$form,
            params: &[$($crate::surface::Param {
                name: stringify!($param),
                kind: $crate::surface::Kind::$kind,
            }),*],
            doc: $doc,
            build: |$b, $a| ($build).map($crate::surface::Results::$results),
        }),*];
    };
}
use table;
