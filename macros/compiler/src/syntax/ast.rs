//! What the front end understands: nouns only.

use kiln_ir::{DType, Dim, Sym, Syms};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Block, Expr, LitStr, Path, Type, Visibility};

/// A dim with the `usize` expression that has its value in emitted code.
#[derive(Clone, Debug)]
pub struct DimExpr {
    /// The polynomial that shapes are checked with.
    pub dim: Dim,
    /// The user's expression.
    pub tokens: TokenStream,
}

/// `Tensor<[dtype,] dims…>`.
#[derive(Clone, Debug)]
pub struct TensorTy {
    /// Element type, `f32` where none is written.
    pub dtype: DType,
    /// Dims, outermost first.
    pub dims: Vec<DimExpr>,
    /// Of any shape: `Tensor<i64, _>`; written as `Tensor` alone, of any element type too, which then is f32 here. Only building blocks,
    /// `#[model(inline)]`, have it.
    pub any: bool,
}

impl TensorTy {
    /// Whether a tensor of any shape may have this element type.
    pub fn takes(&self, dtype: DType) -> bool {
        self.dtype == DType::F32 || self.dtype == dtype
    }

    /// The graph's type for it.
    pub fn ty(&self) -> kiln_ir::Ty {
        kiln_ir::Ty::new(self.dtype, self.dims.iter().map(|d| d.dim.clone()).collect::<Vec<_>>())
    }
}

/// A tensor, or several in tuples and arrays. A result may have params among them.
#[derive(Clone, Debug)]
pub enum Tensors {
    /// One.
    One(TensorTy),
    /// A params struct or an array of them, of the type of an argument.
    Params(Box<Type>),
    /// `(Tensor<…>, …)`
    Tuple(Vec<Tensors>),
    /// `[Tensor<…>; n]`, and the length.
    Array(Box<Tensors>, DimExpr),
}

impl Tensors {
    /// The tensor, if it is one alone.
    pub fn one(&self) -> Option<&TensorTy> {
        match self {
            Tensors::One(ty) => Some(ty),
            Tensors::Params(_) | Tensors::Tuple(_) | Tensors::Array(..) => None,
        }
    }

    /// Whether params are among them.
    pub fn holds_params(&self) -> bool {
        match self {
            Tensors::One(_) => false,
            Tensors::Params(_) => true,
            Tensors::Tuple(list) => list.iter().any(Tensors::holds_params),
            Tensors::Array(each, _) => each.holds_params(),
        }
    }

    /// The types that are written in it, in order.
    pub fn types(&self) -> Vec<&TensorTy> {
        match self {
            Tensors::One(ty) => vec![ty],
            Tensors::Params(_) => Vec::new(),
            Tensors::Tuple(list) => list.iter().flat_map(Tensors::types).collect(),
            Tensors::Array(each, _) => each.types(),
        }
    }

    /// The lengths of arrays that are written in it.
    pub fn lengths(&self) -> Vec<&DimExpr> {
        match self {
            Tensors::One(_) | Tensors::Params(_) => Vec::new(),
            Tensors::Tuple(list) => list.iter().flat_map(Tensors::lengths).collect(),
            Tensors::Array(each, length) => std::iter::once(length).chain(each.lengths()).collect(),
        }
    }

    /// A type of Rust's of this form, `of` being that of a tensor.
    pub fn form(&self, of: &dyn Fn(&TensorTy) -> TokenStream) -> TokenStream {
        self.form_of(of, &mut |length| length.tokens.clone())
    }

    /// The same with other lengths.
    pub fn form_of(
        &self,
        of: &dyn Fn(&TensorTy) -> TokenStream,
        length: &mut dyn FnMut(&DimExpr) -> TokenStream,
    ) -> TokenStream {
        match self {
            Tensors::One(ty) => of(ty),
            Tensors::Params(ty) => quote!(#ty),
            Tensors::Tuple(list) => {
                let list: Vec<TokenStream> = list.iter().map(|each| each.form_of(of, length)).collect();
                quote!((#(#list,)*))
            }
            Tensors::Array(each, count) => {
                let (each, count) = (each.form_of(of, length), length(count));
                quote!([#each; #count])
            }
        }
    }
}

/// A const generic: a free dim of a model, a size of a params struct.
#[derive(Clone, Debug)]
pub struct Free {
    /// Its name.
    pub ident: Ident,
    /// Its symbol.
    pub sym: Sym,
    /// Its bound, where declared.
    pub bound: Option<u64>,
    /// What it is where a type of params doesn't say.
    pub default: Option<i64>,
}

/// A `#[params]` struct.
#[derive(Clone, Debug)]
pub struct Params {
    /// Attributes, without the macro's own.
    pub attrs: Vec<Attribute>,
    /// Visibility.
    pub vis: Visibility,
    /// Name.
    pub ident: Ident,
    /// Const generics.
    pub generics: Vec<Free>,
    /// Symbols of the dims.
    pub syms: Syms,
    /// Fields in order.
    pub fields: Vec<ParamsField>,
    /// The model behind `.forward(x)`.
    pub forward: Option<Path>,
}

impl Params {
    /// What the sizes behind the first so many are where a type doesn't say; as many as have a default.
    pub fn defaults(&self, given: usize) -> Vec<Dim> {
        self.generics.iter().skip(given).map_while(|g| g.default.map(Dim::from)).collect()
    }
}

/// A field of a `#[params]` struct.
#[derive(Clone, Debug)]
pub struct ParamsField {
    /// Attributes, without our own.
    pub attrs: Vec<Attribute>,
    /// Visibility.
    pub vis: Visibility,
    /// Name.
    pub ident: Ident,
    /// Its name in files and lists of leaves: another where `#[name]` says so. Of an array of layers several, one each, or one with
    /// the first layer's number, `*_l{1}`. The names within a layer stand where a `*` does.
    pub names: Vec<LitStr>,
    /// What it holds.
    pub kind: FieldKind,
}

impl ParamsField {
    /// What stands before and behind the number in the names of layers, and the first one's number.
    pub fn numbered(&self) -> Option<(String, usize, String)> {
        let [name] = &self.names[..] else { return None };
        numbered(&name.value())
    }
}

/// `*_l{1}`: what stands before the number, the number, and what stands behind.
pub fn numbered(name: &str) -> Option<(String, usize, String)> {
    let (before, rest) = name.split_once('{')?;
    let (number, after) = rest.split_once('}')?;
    Some((before.to_string(), number.parse().ok()?, after.to_string()))
}

/// What a field of params holds.
#[derive(Clone, Debug)]
pub enum FieldKind {
    /// A tensor that is trained.
    Parameter(Leaf),
    /// A tensor that is not.
    Buffer(Leaf),
    /// Another params type, or an array of them.
    Nested(Box<Type>),
}

/// A tensor of params.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its type.
    pub ty: TensorTy,
    /// The expression in `#[init(…)]`.
    pub init: Option<Box<Expr>>,
}

/// Options of `#[model(…)]`.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// No compiled entry of its own.
    pub inline: bool,
    /// Runs eagerly under its own name.
    pub eager: bool,
    /// No reassociation of sums.
    pub exact: bool,
    /// Arguments to differentiate besides the params.
    pub grad: Vec<Ident>,
    /// Bounds of free dims.
    pub bounds: Vec<(Ident, u64)>,
}

/// A `#[model]` function, its body not yet traced.
#[derive(Clone, Debug)]
pub struct Model {
    /// Attributes, without the macro's own.
    pub attrs: Vec<Attribute>,
    /// Visibility.
    pub vis: Visibility,
    /// Name.
    pub ident: Ident,
    /// Options.
    pub options: ModelOptions,
    /// Free dims in order.
    pub frees: Vec<Free>,
    /// Symbols of the dims.
    pub syms: Syms,
    /// Arguments in order.
    pub args: Vec<Arg>,
    /// Result.
    pub result: Tensors,
    /// Body.
    pub body: Box<Block>,
}

/// An argument of a model.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Name.
    pub ident: Ident,
    /// Whether it was written `mut x`: a local that may be assigned to.
    pub local: bool,
    /// What it is.
    pub kind: ArgKind,
}

/// The kinds of arguments.
#[derive(Clone, Debug)]
pub enum ArgKind {
    /// `&P`.
    Params(Box<Type>),
    /// `&mut P`: state updated in place.
    ParamsMut(Box<Type>),
    /// `Tensor<…>`, or several.
    Tensor(Tensors),
    /// `&mut Tensor<…>`, or of several: state updated in place.
    TensorMut(Tensors),
    /// Known while compiling.
    Known(Known),
}

/// The kinds of arguments that are known while compiling: each of their values is a graph of its own.
#[derive(Clone, Debug)]
pub enum Known {
    /// `bool`.
    Bool,
    /// `usize`, `i64`.
    Whole(Ident),
    /// `f32`, `f64`.
    Float(Ident),
    /// An enum, one of whose variants it is.
    Choice(Path),
}

impl Known {
    /// As it is written.
    pub fn text(&self) -> String {
        match self {
            Known::Bool => "bool".into(),
            Known::Whole(ty) | Known::Float(ty) => ty.to_string(),
            Known::Choice(path) => super::tidy(path),
        }
    }
}

impl Model {
    /// Its arguments that are known while compiling.
    pub fn known(&self) -> impl Iterator<Item = (&Arg, &Known)> {
        self.args.iter().filter_map(|arg| match &arg.kind {
            ArgKind::Known(known) => Some((arg, known)),
            _ => None,
        })
    }

    /// Whether it has no compiled entry of its own: it says so, or has more values of known arguments than are worth
    /// compiling.
    pub fn is_block(&self) -> bool {
        let bools = self.known().filter(|(_, known)| matches!(known, Known::Bool)).count();
        self.options.inline || bools > MOST_BOOLS || bools < self.known().count()
    }

    /// The values of its known arguments for which an entry is compiled: of `bool`s all.
    pub fn cases(&self) -> Vec<Vec<bool>> {
        let bools = self.known().count();
        (0..1usize << bools).map(|case| (0..bools).map(|i| case >> i & 1 == 1).collect()).collect()
    }
}

/// With more `bool`s a model is a building block: each doubles what is compiled.
const MOST_BOOLS: usize = 2;
