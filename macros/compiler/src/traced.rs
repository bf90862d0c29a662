//! A traced function: the graph, and how the user's arguments and results hang on it.

use kiln_ir::Func;

/// A graph with the forms of its arguments and result.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The graph. An input is named by its place (`x`, `net.fc1.weight`, `net.blocks.3.bias`, `opt.lr`), and an
    /// output that updates an input in place says so.
    pub func: Func,
    /// Arguments in the order of the signature.
    pub args: Vec<Arg>,
    /// What is returned.
    pub result: Ret,
}

/// An argument of the function that users call.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its name.
    pub name: String,
    /// Whether it is taken by `&mut`.
    pub mutable: bool,
    /// How it falls into inputs of the graph. A tensor argument is a bare leaf.
    pub tree: Tree,
}

/// The form of a value: tensors under fields and elements.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A tensor or number: the index of the graph's input or output. `None` where the graph has none for it.
    Leaf(Option<usize>),
    /// A struct: every field in declaration order.
    Struct(Vec<(String, Tree)>),
    /// An array.
    Array(Vec<Tree>),
}

/// The form of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// A tensor: the index of the output.
    Tensor(usize),
    /// Several.
    Tuple(Vec<Ret>),
    /// A struct of the type of an argument, such as the gradient of `&Mlp`: a leaf is an output, and `None` stands
    /// for zeros.
    Like {
        /// Index of the argument.
        arg: usize,
        /// The outputs.
        tree: Tree,
    },
}
