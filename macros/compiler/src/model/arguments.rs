//! Arguments of emitted functions: their types, the free dims read from them, the checks of all shapes, and the
//! slices that the graph's inputs are.

use super::entry::Entry;
use super::names::Names;
use super::sizes::{Sizes, variable};
use super::stub::dtype;
use super::trees;
use crate::syntax::ast::{ArgKind, Model, TensorTy, Tensors};
use crate::syntax::model::mentions;
use crate::traced::{Arg, Tree};
use kiln_ir::{DType, Dim, Sym, Ty};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use std::collections::BTreeSet;

/// An argument as emitted functions take it.
pub struct Form<'a> {
    /// The user's name.
    pub name: Ident,
    /// What it is.
    pub kind: FormKind<'a>,
    /// How it falls into inputs.
    pub arg: &'a Arg,
}

/// The kinds of arguments.
pub enum FormKind<'a> {
    /// Anything that views as a tensor, or several of that.
    View(Tensors),
    /// `&mut Tensor<…>`, or of several.
    Tensor(Tensors),
    /// `&P` or `&mut P`.
    Tree(&'a syn::Type),
    /// A `bool` that says which graph is run.
    Bool,
}

impl Form<'_> {
    /// As users see it.
    pub fn parameter(&self) -> TokenStream {
        let name = &self.name;
        match &self.kind {
            FormKind::View(tensors) => {
                let ty = tensors.form(&|ty| of_dtype(ty, |dtype| quote!(impl ::kiln::AsTensor<#dtype>)));
                quote!(#name: #ty)
            }
            _ => self.inner_parameter(),
        }
    }

    /// As it is handed on.
    pub fn passed(&self) -> TokenStream {
        let name = &self.name;
        match &self.kind {
            FormKind::View(_) => viewed(&quote!(#name), &self.arg.tree),
            _ => quote!(#name),
        }
    }

    /// As the inner function has it.
    pub fn inner_parameter(&self) -> TokenStream {
        let name = &self.name;
        match &self.kind {
            FormKind::View(tensors) => {
                let ty = tensors.form(&|ty| of_dtype(ty, |dtype| quote!(::kiln::Arg<'_, #dtype>)));
                quote!(#name: #ty)
            }
            FormKind::Tensor(tensors) => {
                let ty = tensors.form(&|ty| of_dtype(ty, |dtype| quote!(::kiln::Tensor<#dtype>)));
                quote!(#name: &mut #ty)
            }
            FormKind::Tree(ty) if self.arg.mutable => quote!(#name: &mut #ty),
            FormKind::Tree(ty) => quote!(#name: &#ty),
            FormKind::Bool => quote!(#name: bool),
        }
    }
}

fn of_dtype(ty: &TensorTy, of: impl Fn(TokenStream) -> TokenStream) -> TokenStream {
    of(dtype(ty.dtype))
}

/// Views of the tensors of an argument, in its form.
fn viewed(at: &TokenStream, tree: &Tree) -> TokenStream {
    let parts = |items: &[Tree], part: &dyn Fn(Literal) -> TokenStream| -> Vec<TokenStream> {
        let each = items.iter().enumerate();
        each.map(|(i, tree)| viewed(&part(Literal::usize_unsuffixed(i)), tree)).collect()
    };
    match tree {
        Tree::Tuple(items) => {
            let parts = parts(items, &|i| quote!(#at.#i));
            quote!((#(#parts,)*))
        }
        Tree::Array(items) => {
            let parts = parts(items, &|i| quote!(#at[#i]));
            quote!([#(#parts),*])
        }
        _ => quote!(::kiln::AsTensor::as_tensor(&#at)?),
    }
}

/// The arguments of a function. A derivative's cotangents stand behind those of the model.
pub fn forms<'a>(entry: &'a Entry) -> Vec<Form<'a>> {
    let declared = entry.declared.iter().map(Some).chain(std::iter::repeat(None));
    entry.traced.args.iter().zip(declared).map(|(arg, declared)| form(entry, arg, declared)).collect()
}

fn form<'a>(entry: &Entry, arg: &'a Arg, declared: Option<&'a crate::syntax::ast::Arg>) -> Form<'a> {
    let cotangent = || {
        let dtype = match arg.tree {
            Tree::Leaf(Some(input)) => entry.traced.func.inputs[input].ty.dtype,
            _ => DType::F32,
        };
        Tensors::One(TensorTy { dtype, dims: Vec::new(), any: false })
    };
    let kind = match declared.map(|d| &d.kind) {
        Some(ArgKind::Params(ty) | ArgKind::ParamsMut(ty)) => FormKind::Tree(ty),
        Some(ArgKind::TensorMut(tensors)) => FormKind::Tensor(tensors.clone()),
        Some(ArgKind::Tensor(tensors)) => FormKind::View(tensors.clone()),
        Some(ArgKind::Known(_)) => FormKind::Bool,
        None => FormKind::View(cotangent()),
    };
    let name = declared.map_or_else(|| format_ident!("{}", arg.name.replace('.', "_")), |d| d.ident.clone());
    Form { name, kind, arg }
}

/// The const generics that types of params need; all others are read from shapes.
pub fn generics(model: &Model) -> TokenStream {
    let names: Vec<&Ident> = typed(model).collect();
    if names.is_empty() { TokenStream::new() } else { quote!(<#(const #names: usize),*>) }
}

/// The same as they are passed on: `<I, O>`.
pub fn generics_used(model: &Model) -> TokenStream {
    let names: Vec<&Ident> = typed(model).collect();
    if names.is_empty() { TokenStream::new() } else { quote!(<#(#names),*>) }
}

/// Those that a model needs and another doesn't.
pub fn generics_besides(model: &Model, other: &Model) -> TokenStream {
    let known: Vec<&Ident> = typed(other).collect();
    let names: Vec<&Ident> = typed(model).filter(|name| !known.contains(name)).collect();
    if names.is_empty() { TokenStream::new() } else { quote!(<#(const #names: usize),*>) }
}

/// The free dims that types of params have.
pub fn typed(model: &Model) -> impl Iterator<Item = &Ident> {
    let in_type = |name: &Ident| {
        model.args.iter().any(|arg| match &arg.kind {
            ArgKind::Params(ty) | ArgKind::ParamsMut(ty) => mentions(ty.to_token_stream(), &name.to_string()),
            _ => false,
        })
    };
    model.frees.iter().map(|f| &f.ident).filter(move |name| in_type(name))
}

/// The graph's inputs as local variables.
pub struct Bound {
    /// The checks, and where the variables come from.
    pub statements: TokenStream,
    /// A slice for each input.
    pub inputs: Vec<Ident>,
    /// Inputs and the variables of their tensors, where these are no leaves of params.
    pub tensors: Vec<(usize, Ident)>,
}

/// Reads the free dims, checks every shape, and takes the inputs apart.
pub fn bind(entry: &Entry, forms: &[Form], sizes: &Sizes, names: &mut Names) -> Bound {
    let func = &entry.traced.func;
    let inputs: Vec<Ident> = func.inputs.iter().map(|i| names.fresh(&i.name)).collect();
    let mut tensors = Vec::new();
    let apart: TokenStream = forms.iter().map(|form| Viewed::of(entry, form, names, &mut tensors)).collect();
    let extents = tensors.iter().map(|t| t.extents(entry, sizes));
    let frees = free_dims(entry, &tensors, sizes);
    let fits = tensors.iter().map(|t| t.fit(entry, sizes));
    let room = room(entry, sizes);
    let slices = tensors.iter().map(|t| t.slice(entry, &inputs));
    let trees = forms.iter().filter(|f| matches!(f.kind, FormKind::Tree(_)));
    let trees = trees.map(|form| trees::take_apart(entry, form, sizes, &inputs, names));
    let trees: TokenStream = trees.collect();
    let statements = quote!(#apart #(#extents)* #frees #(#fits)* #room #trees #(#slices)*);
    let tensors = tensors.iter().map(|t| (t.input, t.local.clone())).collect();
    Bound { statements, inputs, tensors }
}

/// Checks that no size within the model is negative.
fn room(entry: &Entry, sizes: &Sizes) -> TokenStream {
    let model = entry.model.ident.to_string();
    let all = kiln_ir::room::room(&entry.traced.func);
    let one = |size: &Dim| {
        let [plus, minus] = sizes.sums(size).map(|sum| sum.unwrap_or_else(|| quote!(0)));
        let text = sizes.text(size);
        quote!(::kiln::rt::room(#model, #text, #plus, #minus)?;)
    };
    all.iter().map(one).collect()
}

/// The names that a shape error has: model, argument, and the dims wanted.
pub fn place(entry: &Entry, argument: &str, dims: &[Dim], sizes: &Sizes) -> TokenStream {
    let (model, dims) = (entry.model.ident.to_string(), sizes.shape_text(dims));
    quote!(&(#model, #argument, #dims))
}

/// Whether an output is written over the input.
pub fn is_updated(entry: &Entry, input: usize) -> bool {
    entry.traced.func.outputs.iter().any(|o| o.updates == Some(input))
}

/// A tensor among the arguments, with the variable of its extents.
struct Viewed<'a> {
    /// The variable that has it.
    local: Ident,
    /// Where it is: `x`, `state.1`, `xs[0]`.
    text: String,
    input: usize,
    ty: &'a Ty,
    extents: Ident,
}

impl<'a> Viewed<'a> {
    /// Those of an argument, and the statement that takes it apart where they are several.
    fn of(entry: &'a Entry, form: &Form, names: &mut Names, out: &mut Vec<Viewed<'a>>) -> TokenStream {
        if matches!(form.kind, FormKind::Tree(_) | FormKind::Bool) {
            return TokenStream::new();
        }
        let name = &form.name;
        if let Tree::Leaf(input) = form.arg.tree {
            out.extend(input.map(|input| Viewed::new(entry, name.clone(), name.to_string(), input, names)));
            return TokenStream::new();
        }
        let pattern = Viewed::pattern(entry, &form.arg.tree, name.to_string(), names, out);
        quote!(let #pattern = #name;)
    }

    /// A pattern that binds each tensor to a variable of its own.
    fn pattern(
        entry: &'a Entry,
        tree: &Tree,
        text: String,
        names: &mut Names,
        out: &mut Vec<Viewed<'a>>,
    ) -> TokenStream {
        let mut parts = |items: &[Tree], part: &dyn Fn(usize) -> String| -> Vec<TokenStream> {
            let each = items.iter().enumerate();
            each.map(|(i, tree)| Viewed::pattern(entry, tree, part(i), names, out)).collect()
        };
        match tree {
            Tree::Tuple(items) => {
                let parts = parts(items, &|i| format!("{text}.{i}"));
                quote!((#(#parts,)*))
            }
            Tree::Array(items) => {
                let parts = parts(items, &|i| format!("{text}[{i}]"));
                quote!([#(#parts),*])
            }
            Tree::Leaf(Some(input)) => {
                let local = names.fresh(&format!("{}.t", entry.traced.func.inputs[*input].name));
                out.push(Viewed::new(entry, local.clone(), text, *input, names));
                quote!(#local)
            }
            _ => quote!(_),
        }
    }

    fn new(entry: &'a Entry, local: Ident, text: String, input: usize, names: &mut Names) -> Viewed<'a> {
        let extents = names.fresh(&format!("{}_dims", entry.traced.func.inputs[input].name));
        Viewed { local, text, input, ty: &entry.traced.func.inputs[input].ty, extents }
    }

    fn place(&self, entry: &Entry, sizes: &Sizes) -> TokenStream {
        place(entry, &self.text, &self.ty.shape, sizes)
    }

    fn extents(&self, entry: &Entry, sizes: &Sizes) -> TokenStream {
        let (name, extents, place) = (&self.local, &self.extents, self.place(entry, sizes));
        let rank = Literal::usize_unsuffixed(self.ty.rank());
        quote!(let #extents = ::kiln::rt::extents::<#rank>(#name.shape(), #place)?;)
    }

    fn fit(&self, entry: &Entry, sizes: &Sizes) -> TokenStream {
        if self.ty.shape.iter().all(|d| d.symbol().is_some_and(|s| sizes.is_free(s))) {
            return TokenStream::new();
        }
        let (extents, place, wanted) = (&self.extents, self.place(entry, sizes), sizes.list(&self.ty.shape));
        quote!(::kiln::rt::fit(&#extents, &[#wanted], #place)?;)
    }

    fn slice(&self, entry: &Entry, inputs: &[Ident]) -> TokenStream {
        let (name, slice) = (&self.local, &inputs[self.input]);
        match is_updated(entry, self.input) {
            true => quote!(let #slice = #name.as_mut_slice();),
            false => quote!(let #slice = #name.as_slice();),
        }
    }
}

/// The free dims, each from the first place that has it alone; other places must agree.
fn free_dims(entry: &Entry, tensors: &[Viewed], sizes: &Sizes) -> TokenStream {
    let model = entry.model.ident.to_string();
    let mut known: BTreeSet<Sym> = BTreeSet::new();
    let mut statements = TokenStream::new();
    let syms = entry.traced.func.syms.0.iter().enumerate().map(|(i, _)| Sym(i as u32));
    for sym in syms.filter(|s| sizes.is_free(*s)) {
        if let Some(generic) = typed(entry.model).find(|g| *g == sizes.name(sym)) {
            // The generic itself, which no variable could be named as.
            let _ = generic;
            known.insert(sym);
        }
    }
    let mut first: Vec<(Sym, String)> = Vec::new();
    for tensor in tensors {
        let (argument, extents) = (tensor.text.clone(), &tensor.extents);
        for (axis, sym) in tensor.ty.shape.iter().enumerate().filter_map(|(i, d)| Some((i, d.symbol()?))) {
            if !sizes.is_free(sym) {
                continue;
            }
            let (name, axis) = (sizes.name(sym), Literal::usize_unsuffixed(axis));
            let variable = variable(name);
            if known.insert(sym) {
                statements.extend(quote!(let #variable = #extents[#axis];));
                first.push((sym, argument.clone()));
            } else {
                let here = first.iter().find(|(s, _)| *s == sym).map_or("params", |(_, a)| a);
                statements.extend(quote! {
                    ::kiln::rt::agree(#model, #name, (#here, #variable), (#argument, #extents[#axis]))?;
                });
            }
        }
    }
    statements.extend(solved(tensors, sizes, &mut known));
    for sym in (0..entry.traced.func.syms.0.len() as u32).map(Sym) {
        if sizes.is_free(sym) && !known.contains(&sym) {
            statements.extend(unread(tensors, sizes, sym));
        }
    }
    for sym in known {
        if let Some(bound) = sizes.bound(sym) {
            let (name, bound) = (sizes.name(sym), Literal::u64_unsuffixed(bound));
            let variable = variable(name);
            statements.extend(quote!(::kiln::rt::bound(#model, #name, #bound, #variable)?;));
        }
    }
    statements
}

/// A free dim that no argument tells: a half of a frozen model may not have it.
fn unread(tensors: &[Viewed], sizes: &Sizes, sym: Sym) -> TokenStream {
    let used = tensors.iter().any(|t| t.ty.shape.iter().any(|d| sizes.rests_on(d, sym)));
    if used {
        let message = crate::message::dim_unreadable(sizes.name(sym));
        return quote!(::core::compile_error!(#message););
    }
    let variable = variable(sizes.name(sym));
    quote!(let #variable: usize = 0;)
}

/// Free dims that stand nowhere alone: from `2 * N + 1`, if all else in it is known. That it fits is checked later.
fn solved(tensors: &[Viewed], sizes: &Sizes, known: &mut BTreeSet<Sym>) -> TokenStream {
    let mut statements = TokenStream::new();
    for tensor in tensors {
        for (axis, dim) in tensor.ty.shape.iter().enumerate() {
            let open: Vec<Sym> =
                dim.syms().into_iter().filter(|s| sizes.is_free(*s) && !known.contains(s)).collect();
            let [sym] = open.as_slice() else { continue };
            let factor = dim.terms().iter().find(|(symbols, _)| symbols.as_slice() == [*sym]);
            let Some(factor) = factor.map(|(_, c)| *c).filter(|c| *c > 0) else { continue };
            let rest = dim.clone() - Dim::from(*sym) * Dim::from(factor);
            if rest.syms().contains(sym) {
                continue;
            }
            let (variable, extents) = (variable(sizes.name(*sym)), &tensor.extents);
            let (axis, factor) = (Literal::usize_unsuffixed(axis), Literal::i64_unsuffixed(factor));
            let less = sizes.expression(&rest);
            let more = sizes.expression(&(Dim::from(0) - rest));
            known.insert(*sym);
            statements.extend(quote! {
                let #variable = usize::saturating_sub(#extents[#axis] + (#more), #less) / #factor;
            });
        }
    }
    statements
}
