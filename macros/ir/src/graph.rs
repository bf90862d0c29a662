//! SSA in append-only arenas: arena order is topological order.

use crate::{Dim, Op, Syms, Ty};
use std::hash::{Hash, Hasher};

/// A value: the index of the node that makes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Value(pub u32);

/// Where a node comes from: an opaque number that the front end maps to a span. 0 is nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Loc(pub u32);

/// An operation on earlier values; it has one result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// To which values.
    pub args: Vec<Value>,
    /// Type of the result.
    pub ty: Ty,
    /// Origin.
    pub loc: Loc,
}

/// What an argument is to the caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// A tensor argument.
    Argument,
    /// A trained leaf of a params tree.
    Parameter,
    /// A leaf that is not trained: buffers, optimizer state.
    Buffer,
}

/// An argument of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// The user's name: `x`, `net.fc1.weight`.
    pub name: String,
    /// Its type.
    pub ty: Ty,
    /// What it is to the caller.
    pub role: Role,
    /// Whether its elements along the first axis lie in memory of their own: the layers of an array.
    pub apart: bool,
}

/// A result of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Name: `out`, `grad.fc1.weight`.
    pub name: String,
    /// The value.
    pub value: Value,
    /// The index of the input that it replaces in place (state through `&mut`), if it does.
    pub updates: Option<usize>,
}

/// A function: nodes, what goes in and what comes out. Built by `Builder` only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Func {
    /// The user's name.
    pub name: String,
    /// Symbols of the dims.
    pub syms: Syms,
    /// Arena.
    pub nodes: Vec<Node>,
    /// The user's name for a node, where there is one; as long as `nodes`.
    pub names: Vec<Option<String>>,
    /// Arguments. `Op::Input(i)` yields the i-th.
    pub inputs: Vec<Input>,
    /// Results.
    pub outputs: Vec<Output>,
}

/// Cheap: functions are looked up, and those of one size and name are compared.
impl Hash for Func {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, self.nodes.len(), self.outputs.len()).hash(state);
    }
}

impl Func {
    /// The function with each dim replaced, by one over these symbols.
    pub fn map_dims(&self, of: &dyn Fn(&Dim) -> Dim, syms: &Syms) -> Func {
        let node = |n: &Node| Node { op: n.op.map_dims(of, syms), ty: n.ty.map_dims(of), ..n.clone() };
        let input = |i: &Input| Input { ty: i.ty.map_dims(of), ..i.clone() };
        Func {
            syms: syms.clone(),
            nodes: self.nodes.iter().map(node).collect(),
            inputs: self.inputs.iter().map(input).collect(),
            ..self.clone()
        }
    }

    /// The value of an input.
    ///
    /// # Panics
    /// If there is no such input.
    pub fn input(&self, i: usize) -> Value {
        let is = |(_, node): &(Value, &Node)| matches!(node.op, Op::Input(n) if n as usize == i);
        self.values().find(is).expect("inputs are never pruned").0
    }

    /// Which input a value is.
    pub(crate) fn input_of(&self, v: Value) -> usize {
        match self.node(v).op {
            Op::Input(i) => i as usize,
            _ => unreachable!("it was made as an input"),
        }
    }

    /// The function with its inputs in another order: first the one of index `order[0]`.
    pub fn reordered(mut self, order: &[usize]) -> Func {
        let inputs = order.iter().map(|i| self.inputs[*i].clone()).collect();
        for node in &mut self.nodes {
            if let Op::Input(i) = &mut node.op {
                *i = order.iter().position(|o| *o == *i as usize).expect("an order names every input") as u32;
            }
        }
        self.inputs = inputs;
        self
    }

    /// The node that makes a value.
    pub fn node(&self, v: Value) -> &Node {
        &self.nodes[v.0 as usize]
    }

    /// The type of a value.
    pub fn ty(&self, v: Value) -> &Ty {
        &self.node(v).ty
    }

    /// Every value with its node, in topological order.
    pub fn values(&self) -> impl Iterator<Item = (Value, &Node)> {
        self.nodes.iter().enumerate().map(|(i, n)| (Value(i as u32), n))
    }

    /// Which values these rest on, themselves included.
    pub fn needed(&self, mut open: Vec<Value>) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        while let Some(v) = open.pop() {
            if !std::mem::replace(&mut needed[v.0 as usize], true) {
                open.extend(&self.node(v).args);
            }
        }
        needed
    }

    /// Number of nodes that use each value, an output counting as one.
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        for arg in self.nodes.iter().flat_map(|n| &n.args) {
            uses[arg.0 as usize] += 1;
        }
        for out in &self.outputs {
            uses[out.value.0 as usize] += 1;
        }
        uses
    }
}
