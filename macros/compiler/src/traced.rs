//! A traced function: the graph, and how the user's arguments and results hang on it.

use kiln_ir::{Dim, Func, Sym};
use proc_macro2::Span;

/// A graph with the forms of its arguments and result.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The graph. An input is named by its place (`x`, `net.fc1.weight`, `net.blocks.3.bias`, or `net.blocks.*.bias` for all
    /// layers, `opt.lr`), and an
    /// output that updates an input in place says so.
    pub func: Func,
    /// Arguments in the order of the signature.
    pub args: Vec<Arg>,
    /// What is returned.
    pub result: Ret,
    /// The arguments that gradients are taken of, by index: params trees, then those of `#[model(grad(…))]`; if
    /// there is neither, the first float tensor.
    pub wrt: Vec<usize>,
    /// Where nodes come from: `Loc(i)` is the span at `i − 1`.
    pub spans: Vec<Span>,
    /// Sizes that were taken to be equal although only rustc knows them: each is a `const` assertion in the
    /// emitted code.
    pub asserts: Vec<(Dim, Dim)>,
    /// The constants among the graph's symbols.
    pub consts: Vec<Const>,
}

/// A symbol that stands for a Rust constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Const {
    /// The symbol in the graph.
    pub sym: Sym,
    /// The constant as its owner writes it.
    pub text: String,
    /// The library's key of the item that writes it: its names resolve there. Owners of one symbol may be several;
    /// where they aren't in one module, that the constants agree must be asserted.
    pub owners: Vec<String>,
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
    /// A tuple.
    Tuple(Vec<Tree>),
    /// An array of as many layers, all of one form: a leaf is the tensors of all, `[layers, …]`.
    Layers(i64, Box<Tree>),
}

/// The form of a result.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    /// A tensor: the index of the output.
    Tensor(usize),
    /// Several.
    Tuple(Vec<Ret>),
    /// Several of one type.
    Array(Vec<Ret>),
    /// A struct of the type of an argument, such as the gradient of `&Mlp`: a leaf is an output, and `None` stands
    /// for zeros.
    Like {
        /// Index of the argument.
        arg: usize,
        /// The outputs.
        tree: Tree,
    },
    /// The same of a type that a closure sees, in a graph that is inlined: a gradient of what it captures.
    Seen {
        /// Index among the forms that belong to the closure.
        form: usize,
        /// The outputs.
        tree: Tree,
    },
}

impl Ret {
    /// The outputs that are those of layers.
    pub fn layers(&self, out: &mut Vec<usize>) {
        match self {
            Ret::Tensor(_) => {}
            Ret::Tuple(list) | Ret::Array(list) => list.iter().for_each(|ret| ret.layers(out)),
            Ret::Like { tree, .. } | Ret::Seen { tree, .. } => tree.layers(out),
        }
    }
}

impl Tree {
    /// Its leaves, in order.
    pub fn leaves(&self, out: &mut Vec<usize>) {
        match self {
            Tree::Leaf(index) => out.extend(index),
            Tree::Struct(fields) => fields.iter().for_each(|(_, tree)| tree.leaves(out)),
            Tree::Array(items) | Tree::Tuple(items) => items.iter().for_each(|tree| tree.leaves(out)),
            Tree::Layers(_, each) => each.leaves(out),
        }
    }

    /// Numbers the tensors in order of declaration, those of all layers as well, and tells which inputs or outputs have a tensor
    /// for themselves.
    pub fn number(&self, count: &mut usize, tell: &mut dyn FnMut(usize, usize)) {
        match self {
            Tree::Leaf(index) => {
                index.iter().for_each(|index| tell(*index, *count));
                *count += 1;
            }
            Tree::Struct(fields) => fields.iter().for_each(|(_, tree)| tree.number(count, tell)),
            Tree::Array(items) | Tree::Tuple(items) => {
                items.iter().for_each(|tree| tree.number(count, tell));
            }
            Tree::Layers(layers, each) => {
                let mut of_one = 0;
                each.number(&mut of_one, &mut |_, _| {});
                *count += of_one * usize::try_from(*layers).unwrap_or(0);
            }
        }
    }

    /// Numbers likewise, and tells which inputs or outputs are the tensors of all layers: the number of the first one's, how many
    /// layers there are, and how far apart their numbers.
    pub fn number_layers(&self, count: &mut usize, tell: &mut dyn FnMut(usize, usize, [usize; 2])) {
        match self {
            Tree::Leaf(_) => *count += 1,
            Tree::Struct(fields) => fields.iter().for_each(|(_, tree)| tree.number_layers(count, tell)),
            Tree::Array(items) | Tree::Tuple(items) => {
                items.iter().for_each(|tree| tree.number_layers(count, tell));
            }
            Tree::Layers(layers, each) => {
                let (mut of_one, mut found) = (0, Vec::new());
                each.number(&mut of_one, &mut |index, leaf| found.push((index, leaf)));
                let layers = usize::try_from(*layers).unwrap_or(0);
                found.into_iter().for_each(|(index, leaf)| tell(index, *count + leaf, [layers, of_one]));
                *count += of_one * layers;
            }
        }
    }

    /// Whether it is a tensor, or tensors in tuples and arrays, and no struct.
    pub fn is_plain(&self) -> bool {
        match self {
            Tree::Leaf(_) => true,
            Tree::Array(items) | Tree::Tuple(items) => items.iter().all(Tree::is_plain),
            Tree::Struct(_) | Tree::Layers(..) => false,
        }
    }

    /// Those of layers.
    pub fn layers(&self, out: &mut Vec<usize>) {
        match self {
            Tree::Leaf(_) => {}
            Tree::Struct(fields) => fields.iter().for_each(|(_, tree)| tree.layers(out)),
            Tree::Array(items) | Tree::Tuple(items) => items.iter().for_each(|tree| tree.layers(out)),
            Tree::Layers(_, each) => each.leaves(out),
        }
    }
}
