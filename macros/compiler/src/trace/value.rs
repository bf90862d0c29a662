//! What an expression can be while a body is traced.

use super::Tracer;
use crate::traced::Traced;
use kiln_ir::{DType, Dim, Role};
use std::rc::Rc;
use syn::ExprClosure;

/// A value of the language.
#[derive(Clone)]
pub(crate) enum Value {
    /// A value of a graph.
    Tensor(Tensor),
    /// A params struct, an optimizer, or a tree of the same form.
    Tree(Rc<Tree>),
    /// An array, or an iterator over one.
    Array(Vec<Value>),
    /// A range too long, or of too many lengths, to be an array.
    Range(Rc<Range>),
    /// The layers of an array, or an iterator over them.
    Layers(Rc<Layers>),
    /// A list that a loop has filled: one tensor, `[turns, …]`.
    Series(Tensor),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A variable that may be assigned to: what `&mut` gives, and each tensor of a params argument.
    Place(Var),
    /// A whole number or size.
    Int(Dim),
    /// A number that is known.
    Float(f64),
    /// A truth value that is known.
    Bool(bool),
    /// A variant of an enum.
    Choice(Choice),
    /// A string literal.
    Text(String),
    /// An element type.
    Dtype(DType),
    /// `None`, and the gradient of what has none.
    Absent,
    /// A closure.
    Closure(Rc<Closure>),
    /// A model, a function of the surface, or a transform of one.
    Function(Function),
    /// `()`
    Unit,
    /// What a fault left behind: all that is made of it is silent.
    Poison,
}

/// A value of the graph that is built at some level.
#[derive(Clone)]
pub(crate) struct Tensor {
    /// The value.
    pub at: kiln_ir::Value,
    /// The frame that builds its graph.
    pub level: usize,
    /// What it is called as long as a chain of methods goes on: `fc1`, `fc1_relu`.
    pub chain: Option<Rc<str>>,
}

/// The numbers `start + i·step`, `i` below `trips`, the last first if `reverse`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Range {
    /// The least.
    pub start: Dim,
    /// How many.
    pub trips: Dim,
    /// The distance of two.
    pub step: i64,
    /// Whether they descend.
    pub reverse: bool,
}

/// What a loop takes one of with each turn: the layers of an array, their numbers, or both in pairs.
#[derive(Clone)]
pub(crate) struct Layers {
    /// How many.
    pub count: i64,
    /// One of them: its tensors are those of all, `[count, …]`, and a range in it is a number of each.
    pub each: Value,
    /// Whether the last comes first.
    pub reverse: bool,
    /// The arrays, as [`Tracer::separate`] knows them.
    pub arrays: Vec<String>,
}

/// A variant of an enum of the user's, by name: what the enum is else, nobody asks.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Choice {
    /// The last segment of the enum's path.
    pub of: String,
    /// Its name.
    pub name: String,
}

/// The index of a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Var(pub usize);

/// A variable.
#[derive(Clone)]
pub(crate) struct Variable {
    /// The user's name, or path: `net.fc1.weight`.
    pub name: String,
    /// Its newest value.
    pub value: Value,
    /// Whether it may be assigned to.
    pub mutable: bool,
    /// What it is to the caller, where it is a tensor of an argument.
    pub role: Option<Role>,
    /// The frame that it belongs to.
    pub level: usize,
}

/// A struct of tensors.
#[derive(Clone)]
pub(crate) struct Tree {
    /// Its type.
    pub form: Rc<Form>,
    /// Its fields, in the order of the form.
    pub fields: Vec<Value>,
}

/// The type of a tree.
#[derive(PartialEq, Debug)]
pub(crate) struct Form {
    /// Its name, without generics.
    pub name: String,
    /// The library's key, or the builtin's name.
    pub key: String,
    /// Sizes.
    pub generics: Vec<Dim>,
    /// Whether it is an optimizer, and of what.
    pub inner: Option<Rc<Form>>,
    /// Names of the fields.
    pub fields: Vec<String>,
}

/// A closure with the variables that it sees.
pub(crate) struct Closure {
    /// Its tokens.
    pub expr: ExprClosure,
    /// Names and variables, innermost last.
    pub scopes: Vec<(String, Var)>,
}

/// Something with a name that can be called.
#[derive(Clone)]
pub(crate) enum Function {
    /// A model, by its key.
    Model(String),
    /// A function of the surface, or a transform: `value_and_grad`.
    Builtin(&'static str),
    /// A transform of a model or closure.
    Transformed(Transform, Rc<Value>),
}

/// The transforms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transform {
    /// The value and its gradients.
    ValueAndGrad,
    /// The gradients alone.
    Grad,
    /// The results, and the gradients of their products with cotangents, which are further arguments.
    Vjp,
    /// The results, and what they move by where arguments move along tangents, which are further arguments.
    Jvp,
    /// A function and the rule for its gradient.
    CustomVjp,
    /// The function, whose derivative computes it again.
    Checkpoint,
    /// The function of each element along the first dim of its tensors.
    Vmap,
    /// The function of each tensor of params.
    TreeMap,
}

impl Transform {
    const ALL: [Transform; 8] = [
        Transform::ValueAndGrad,
        Transform::Grad,
        Transform::Vjp,
        Transform::Jvp,
        Transform::Vmap,
        Transform::Checkpoint,
        Transform::CustomVjp,
        Transform::TreeMap,
    ];

    /// Whether it is of functions that return one float.
    pub(crate) fn needs_scalar(self) -> bool {
        matches!(self, Transform::ValueAndGrad | Transform::Grad)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Transform::ValueAndGrad => "value_and_grad",
            Transform::Grad => "grad",
            Transform::Vjp => "vjp",
            Transform::Jvp => "jvp",
            Transform::Vmap => "vmap",
            Transform::CustomVjp => "custom_vjp",
            Transform::Checkpoint => "checkpoint",
            Transform::TreeMap => "tree_map",
        }
    }

    /// The transform of that name.
    pub(crate) fn from_name(name: &str) -> Option<Transform> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }
}

/// A function as a graph of its own, for the types of one call.
#[derive(Clone)]
pub(crate) struct Compiled {
    /// Graph and forms. The captured tensors of a closure are inputs behind those of the arguments.
    pub traced: Traced,
    /// What a closure captures, as values of the frame that calls it.
    pub captures: Vec<Captured>,
    /// Values of the types of params that it returns and is not given.
    pub forms: Vec<Value>,
}

/// A tensor that a closure sees from outside.
#[derive(Clone)]
pub(crate) struct Captured {
    /// What it is where the closure is called.
    pub tensor: Tensor,
    /// The variable that it is the value of, if the closure changes that.
    pub place: Option<Var>,
}

impl Value {
    /// Whether a fault is in it.
    pub fn is_poison(&self) -> bool {
        match self {
            Value::Poison => true,
            Value::Array(list) | Value::Tuple(list) => list.iter().any(Value::is_poison),
            _ => false,
        }
    }
}

impl Tracer<'_> {
    /// What it is, in words.
    pub fn describe(&self, value: &Value) -> String {
        match value {
            Value::Tensor(t) => format!("a {}", self.show_ty(&self.ty(t))),
            Value::Tree(tree) => format!("a `{}`", tree.form.show(self)),
            Value::Array(list) => format!("an array of {}", list.len()),
            Value::Range(range) => format!("a range of {}", self.show_dim(&range.trips)),
            Value::Layers(layers) => format!("an array of {}", layers.count),
            Value::Series(t) => format!("a list of {}", self.show_dim(&self.ty(t).shape[0])),
            Value::Tuple(list) => format!("a tuple of {}", list.len()),
            Value::Place(var) => self.describe(&self.vars[var.0].value),
            Value::Int(n) => match n.literal() {
                Some(n) => format!("the number {n}"),
                None => format!("the size {}", self.show_dim(n)),
            },
            Value::Float(x) => format!("the number {x:?}"),
            Value::Bool(x) => format!("`{x}`"),
            Value::Choice(c) => format!("the variant `{}::{}`", c.of, c.name),
            Value::Text(_) => "a string".into(),
            Value::Dtype(d) => format!("the element type `{}`", d.name()),
            Value::Absent => "`None`".into(),
            Value::Closure(_) => "a closure".into(),
            Value::Function(_) => "a function".into(),
            Value::Unit | Value::Poison => "nothing".into(),
        }
    }
}
