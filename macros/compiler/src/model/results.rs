//! Results: the tensors that a run writes, and the form in which they are returned.

use super::arguments::{Form, FormKind};
use super::entry::Entry;
use super::names::Names;
use super::sizes::Sizes;
use super::stub::dtype;
use super::trees;
use crate::syntax::ast::ArgKind;
use crate::traced::{Ret, Tree};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// The type of a result.
pub fn ty(entry: &Entry, ret: &Ret) -> TokenStream {
    match ret {
        Ret::Tensor(output) => {
            let func = &entry.traced.func;
            let dtype = dtype(func.ty(func.outputs[*output].value).dtype);
            quote!(::kiln::Tensor<#dtype>)
        }
        Ret::Tuple(rets) => {
            let types = rets.iter().map(|ret| ty(entry, ret));
            quote!((#(#types,)*))
        }
        Ret::Like { arg, .. } => match entry.declared.get(*arg).map(|a| &a.kind) {
            Some(ArgKind::Params(ty) | ArgKind::ParamsMut(ty)) => quote!(#ty),
            _ => quote!(::kiln::Tensor<f32>),
        },
    }
}

/// The tensors that a run writes.
pub struct Outputs {
    /// Where they come from.
    pub statements: TokenStream,
    /// A variable for each output; `None` for one that is written over an input.
    pub names: Vec<Option<Ident>>,
}

/// Takes a tensor for each output that updates nothing.
pub fn outputs(entry: &Entry, sizes: &Sizes, names: &mut Names) -> Outputs {
    let func = &entry.traced.func;
    let mut statements = TokenStream::new();
    let all = func.outputs.iter().map(|output| {
        let fresh = output.updates.is_none().then(|| names.fresh(&format!("out_{}", output.name)))?;
        let ty = func.ty(output.value);
        let (dtype, dims) = (dtype(ty.dtype), sizes.list(&ty.shape));
        statements.extend(quote!(let mut #fresh = ::kiln::rt::output::<#dtype>(&[#dims]);));
        Some(fresh)
    });
    let names = all.collect();
    Outputs { statements, names }
}

/// Statements behind the run, and the value that is returned.
pub fn value(
    entry: &Entry,
    forms: &[Form],
    outputs: &[Option<Ident>],
    names: &mut Names,
) -> (TokenStream, TokenStream) {
    let mut statements = TokenStream::new();
    let value = assemble(entry, forms, &entry.traced.result, outputs, names, &mut statements);
    (statements, value)
}

fn assemble(
    entry: &Entry,
    forms: &[Form],
    ret: &Ret,
    outputs: &[Option<Ident>],
    names: &mut Names,
    statements: &mut TokenStream,
) -> TokenStream {
    match ret {
        Ret::Tensor(output) => match &outputs[*output] {
            Some(tensor) => quote!(#tensor),
            None => updated(entry, forms, *output),
        },
        Ret::Tuple(rets) => {
            let values: Vec<TokenStream> =
                rets.iter().map(|ret| assemble(entry, forms, ret, outputs, names, statements)).collect();
            quote!((#(#values,)*))
        }
        Ret::Like { arg, tree } => {
            let (like, copy) = (&forms[*arg].name, names.fresh(&format!("like_{}", forms[*arg].name)));
            let replace = trees::replace(&copy, tree, outputs, names);
            statements.extend(quote!(let mut #copy = ::core::clone::Clone::clone(&*#like); { #replace }));
            quote!(#copy)
        }
    }
}

/// A result that is an argument's new state.
fn updated(entry: &Entry, forms: &[Form], output: usize) -> TokenStream {
    let input = entry.traced.func.outputs[output].updates;
    let state =
        forms.iter().find(|f| matches!(f.kind, FormKind::Tensor(_)) && f.arg.tree == Tree::Leaf(input));
    match state {
        Some(form) => {
            let name = &form.name;
            quote!(::core::clone::Clone::clone(&*#name))
        }
        None => quote!(::core::default::Default::default()),
    }
}
