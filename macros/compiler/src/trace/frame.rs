//! A function under construction: its graph, the names it sees, and reading and writing of variables.

use super::Tracer;
use super::turns::Turn;
use super::types::Owner;
use super::value::{Tensor, Value, Var, Variable};
use kiln_ir::{Builder, Error, Loc, Role, Ty};
use quote::ToTokens;
use std::rc::Rc;
use syn::spanned::Spanned;

/// A function under construction.
pub(crate) struct Frame<'a> {
    /// Its graph.
    pub builder: Builder,
    /// The item whose names it uses.
    pub owner: Rc<Owner<'a>>,
    /// Names that it sees, innermost last.
    pub scopes: Vec<(String, Var)>,
    /// Values of the frame outside, and the inputs that stand for them.
    pub captures: Vec<(Tensor, kiln_ir::Value)>,
    /// Whether the rest of a block or loop is skipped.
    pub flow: Flow,
    /// What it is a turn of, if it is the body of a loop.
    pub turn: Option<Turn>,
    /// If it is the body of a closure that may change what it sees: the variables outside that it has changed, and what they were.
    pub changed: Option<Vec<(Var, Value)>>,
    /// Values of the types of params that it returns and is not given.
    pub forms: Vec<Value>,
}

/// What a jump has set.
pub(crate) enum Flow {
    /// No jump.
    On,
    /// `return`, with its value.
    Return(Value),
    /// `break`
    Break,
    /// `continue`
    Continue,
}

impl<'a> Frame<'a> {
    /// An empty function.
    pub fn new(builder: Builder, owner: Rc<Owner<'a>>, scopes: Vec<(String, Var)>) -> Frame<'a> {
        Frame {
            builder,
            owner,
            scopes,
            captures: Vec::new(),
            flow: Flow::On,
            turn: None,
            changed: None,
            forms: Vec::new(),
        }
    }
}

impl<'a> Tracer<'a> {
    /// Notes a fault at these tokens. The value it leaves behind is silent.
    pub fn fault(&mut self, at: impl ToTokens, message: String) -> Value {
        self.errors.push(syn::Error::new_spanned(at, message));
        Value::Poison
    }

    /// The frame that is built now.
    pub fn frame(&mut self) -> &mut Frame<'a> {
        self.frames.last_mut().expect("an entry has pushed a frame")
    }

    /// The graph that is built now, with all symbols known to it.
    pub fn b(&mut self) -> &mut Builder {
        let frame = self.frames.last_mut().expect("an entry has pushed a frame");
        if frame.builder.func().syms.0.len() != self.syms.0.len() {
            *frame.builder.syms() = self.syms.clone();
        }
        &mut frame.builder
    }

    /// Its level.
    pub fn level(&self) -> usize {
        self.frames.len() - 1
    }

    /// The owner of the names in the tokens that are traced now.
    pub fn owner(&self) -> Rc<Owner<'a>> {
        self.frames.last().expect("an entry has pushed a frame").owner.clone()
    }

    /// Nodes built from now on come from these tokens.
    pub fn locate(&mut self, at: &impl Spanned) {
        self.spans.push(at.span());
        let loc = Loc(self.spans.len() as u32);
        self.b().at(loc);
    }

    /// A tensor of the graph that is built now.
    pub fn tensor(&self, at: kiln_ir::Value) -> Value {
        Value::Tensor(Tensor { at, level: self.level(), chain: None })
    }

    /// The type of a tensor.
    pub fn ty(&self, t: &Tensor) -> Ty {
        self.frames[t.level].builder.ty(t.at).clone()
    }

    /// The tensor as a value of the graph that is built now: one from outside becomes an input.
    pub fn here(&mut self, t: &Tensor) -> kiln_ir::Value {
        self.lifted(t, self.level())
    }

    fn lifted(&mut self, t: &Tensor, level: usize) -> kiln_ir::Value {
        if t.level >= level {
            return t.at;
        }
        let outer = Tensor { at: self.lifted(t, level - 1), level: level - 1, chain: None };
        let ty = self.ty(&outer);
        let frame = &mut self.frames[level];
        if let Some((_, inner)) = frame.captures.iter().find(|(o, _)| o.at == outer.at) {
            return *inner;
        }
        *frame.builder.syms() = self.syms.clone();
        let inner = frame.builder.input("captured", ty, Role::Argument);
        frame.captures.push((outer, inner));
        inner
    }

    /// The results of a build, or a fault of the shapes at these tokens.
    pub fn built<T>(&mut self, at: impl ToTokens, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.misfit(at, &error, "")).ok()
    }

    /// Declares a variable that no name leads to yet.
    pub fn variable(&mut self, name: &str, value: Value, mutable: bool, role: Option<Role>) -> Var {
        let level = self.frames.len().saturating_sub(1);
        self.vars.push(Variable { name: name.into(), value, mutable, role, level });
        Var(self.vars.len() - 1)
    }

    /// Lets a name lead to a variable.
    pub fn bind(&mut self, name: &str, var: Var) {
        self.frame().scopes.push((name.to_string(), var));
    }

    /// The variable of that name.
    pub fn lookup(&self, name: &str) -> Option<Var> {
        let scopes = &self.frames.last()?.scopes;
        scopes.iter().rev().find(|(n, _)| n == name).map(|(_, var)| *var)
    }

    /// The newest value behind places.
    pub fn read(&self, value: Value) -> Value {
        match value {
            Value::Place(var) => self.read(self.vars[var.0].value.clone()),
            other => other,
        }
    }

    /// Runs a part with the names it declares gone afterwards.
    pub fn scoped<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.frame().scopes.len();
        let result = run(self);
        self.frame().scopes.truncate(depth);
        result
    }
}
