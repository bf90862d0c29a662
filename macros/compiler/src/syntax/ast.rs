//! What the front end understands: nouns only.

use kiln_ir::{DType, Dim, Sym, Syms};
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Block, Expr, Path, Type, Visibility};

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
    /// Written as `Tensor` alone: any element type and shape. Only building blocks, `#[model(inline)]`, have it.
    pub any: bool,
}

impl TensorTy {
    /// The graph's type for it.
    pub fn ty(&self) -> kiln_ir::Ty {
        kiln_ir::Ty::new(self.dtype, self.dims.iter().map(|d| d.dim.clone()).collect::<Vec<_>>())
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
    /// Its name in files and lists of leaves: another where `#[name]` says so.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
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
    pub result: ModelResult,
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
    /// `Tensor<…>`.
    Tensor(TensorTy),
    /// `&mut Tensor<…>`: state updated in place.
    TensorMut(TensorTy),
    /// `bool`, known while compiling.
    Bool,
    /// `usize`, known while compiling.
    Usize,
    /// `f64`, known while compiling.
    Float,
}

/// What a model returns.
#[derive(Clone, Debug)]
pub enum ModelResult {
    /// One tensor.
    One(TensorTy),
    /// A tuple of tensors.
    Tuple(Vec<TensorTy>),
}
