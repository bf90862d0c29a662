//! The eager form of a model, `f::eager`: its body as ordinary Rust, which runs operation by operation on the
//! runtime's tensors.
//!
//! A body reads like Rust, but isn't quite: tensors are used again after they were moved, a called model is another
//! function, a transform yields a function of any arity. So the body is rewritten: a local is cloned where it is used
//! (tensors share their elements), `g(x)` is `g::eager(x)`, `value_and_grad(g)(x)` is a block. What follows from types
//! alone is left to the runtime's traits. Everything stands within `::kiln::__eager!`, which is empty where the runtime
//! computes nothing outside of models.
//!
//! Invariant: what the tracer compiles must compile as Rust here, too; a body that has no such form yields a tensor that
//! says so when it is run.

mod calls;
mod control;
mod expressions;
mod functions;
mod numbers;
mod several;
mod statements;
mod transforms;

use crate::library::{Entry, Item, Library};
use crate::model::dtype;
use crate::syntax::ast::{Arg, ArgKind, Known, Model, Params, TensorTy, Tensors};
use crate::{message, quiet};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use statements::Body;

/// `f::eager` of a model in the library; `sound` is whether its body is.
pub fn model(library: &Library, key: &str, sound: bool) -> TokenStream {
    let Some(entry) = library.entries.get(key) else { return TokenStream::new() };
    let Item::Model(model) = &entry.item else { return TokenStream::new() };
    let body = sound.then(|| Body::new(library, entry, model).rewritten(&model.body));
    let (reading, body) = match body {
        Some(Ok(body)) => (arguments(model), body),
        Some(Err(what)) => {
            (TokenStream::new(), unsupported(model, &message::no_eager(&model.ident.to_string(), &what)))
        }
        None => (TokenStream::new(), unsupported(model, &message::faulty_eager(&model.ident.to_string()))),
    };
    let (name, generics, result) = (&model.ident, generics(model), model.result.form(&tensor));
    let parameters = model.args.iter().map(|arg| parameter(model, arg));
    let (doc, quiet) = (message::eager_doc(), quiet::attribute());
    quote! {
        ::kiln::__eager! {
            #quiet
            impl #name {
                #[doc = #doc]
                #[track_caller]
                pub fn eager #generics(#(#parameters),*) -> #result { #reading #body }
            }
        }
    }
}

/// The result that says why there is none, or the state, where that is all that a model leaves.
fn unsupported(model: &Model, why: &str) -> TokenStream {
    let says = quote!(::kiln::rt::eager::unsupported(#why));
    if !returns_nothing(model) {
        return says;
    }
    let changed =
        model.args.iter().filter(|a| matches!(a.kind, ArgKind::ParamsMut(_) | ArgKind::TensorMut(_)));
    let states = changed.map(|arg| &arg.ident);
    quote!(#(*#states = #says;)*)
}

fn returns_nothing(model: &Model) -> bool {
    matches!(&model.result, Tensors::Tuple(list) if list.is_empty())
}

/// `.forward(x)` of a params struct, which calls the model that the struct names.
pub fn forward(library: &Library, key: &str) -> TokenStream {
    let Some((params, model)) = forward_model(library, key) else { return TokenStream::new() };
    let Some((first, rest)) = model.args.split_first() else { return TokenStream::new() };
    let receiver = match first.kind {
        ArgKind::Params(_) => quote!(&self),
        ArgKind::ParamsMut(_) => quote!(&mut self),
        _ => return TokenStream::new(),
    };
    let (ident, path, result) = (&params.ident, &params.forward, model.result.form(&tensor));
    let names: Vec<&Ident> = params.generics.iter().map(|g| &g.ident).collect();
    let (declared, used) = match names.as_slice() {
        [] => (quote!(), quote!()),
        _ => (quote!(<#(const #names: usize),*>), quote!(<#(#names),*>)),
    };
    let (parameters, passed) = (rest.iter().map(|arg| parameter(model, arg)), rest.iter().map(|a| &a.ident));
    let (doc, quiet) = (message::forward_doc(&path.to_token_stream().to_string()), quiet::attribute());
    quote! {
        ::kiln::__eager! {
            #quiet
            impl #declared #ident #used {
                #[doc = #doc]
                #[track_caller]
                pub fn forward(#receiver, #(#parameters),*) -> #result { #path::eager(self, #(#passed),*) }
            }
        }
    }
}

fn forward_model<'a>(library: &'a Library, key: &str) -> Option<(&'a Params, &'a Model)> {
    let Entry { item: Item::Params(params), deps } = library.entries.get(key)? else { return None };
    let key = deps.get(&calls::plain(params.forward.as_ref()?))?;
    match &library.entries.get(key)?.item {
        Item::Model(model) => Some((params, model)),
        _ => None,
    }
}

/// An argument as callers give it.
fn parameter(model: &Model, arg: &Arg) -> TokenStream {
    let name = &arg.ident;
    match &arg.kind {
        ArgKind::Params(ty) => quote!(#name: impl ::core::borrow::Borrow<#ty>),
        ArgKind::ParamsMut(ty) => quote!(#name: &mut #ty),
        ArgKind::Tensor(tensors) => {
            let ty = several::given(tensors, &model.frees);
            quote!(#name: #ty)
        }
        ArgKind::TensorMut(tensors) => {
            let ty = tensors.form(&tensor);
            quote!(#name: &mut #ty)
        }
        ArgKind::Known(Known::Bool) => quote!(#name: bool),
        ArgKind::Known(Known::Whole(ty)) => quote!(#name: #ty),
        // All floats of a body are f64.
        ArgKind::Known(Known::Float(_)) => quote!(#name: impl ::core::convert::Into<f64>),
        ArgKind::Known(Known::Choice(path)) => quote!(#name: #path),
    }
}

fn tensor(ty: &TensorTy) -> TokenStream {
    let dtype = dtype(ty.dtype);
    quote!(::kiln::Tensor<#dtype>)
}

/// The const generics that types of params and lengths of arrays name; all others are read from shapes.
fn generics(model: &Model) -> TokenStream {
    let names: Vec<&Ident> =
        model.frees.iter().map(|f| &f.ident).filter(|name| is_typed(model, name)).collect();
    if names.is_empty() { TokenStream::new() } else { quote!(<#(const #names: usize),*>) }
}

fn is_typed(model: &Model, name: &Ident) -> bool {
    model.args.iter().any(|arg| match &arg.kind {
        ArgKind::Params(ty) | ArgKind::ParamsMut(ty) => mentions(ty.to_token_stream(), name),
        ArgKind::Tensor(tensors) | ArgKind::TensorMut(tensors) => {
            tensors.lengths().iter().any(|length| mentions(length.tokens.clone(), name))
        }
        ArgKind::Known(_) => false,
    })
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        proc_macro2::TokenTree::Ident(ident) => ident == *name,
        proc_macro2::TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// The arguments under their names, the free dims, and the checks of all shapes.
fn arguments(model: &Model) -> TokenStream {
    let views = model.args.iter().map(|arg| {
        let name = &arg.ident;
        match &arg.kind {
            ArgKind::Params(ty) => quote!(let #name: &#ty = ::core::borrow::Borrow::borrow(&#name);),
            ArgKind::Tensor(tensors) => {
                let (ty, taken) = (tensors.form(&tensor), several::taken(tensors, &quote!(#name)));
                quote!(let mut #name: #ty = #taken;)
            }
            ArgKind::Known(Known::Float(_)) => quote!(let #name: f64 = ::core::convert::Into::into(#name);),
            _ => TokenStream::new(),
        }
    });
    let frees = model.frees.iter().filter(|free| !is_typed(model, &free.ident)).filter_map(|free| {
        let (name, size) = (&free.ident, size(model, free.sym)?);
        // A variable can't be named as a constant of the user's is, but as a function it can.
        Some(quote!(fn #name() {} let #name: usize = #size;))
    });
    let fits = model.args.iter().map(|arg| fit(model, arg));
    quote!(#(#views)* #(#frees)* #(#fits)*)
}

/// How a free dim is read from an argument: where it stands alone, or from a multiple of it and a number, `2 * N + 1`.
fn size(model: &Model, sym: kiln_ir::Sym) -> Option<TokenStream> {
    let mut all = Vec::new();
    for arg in &model.args {
        let name = &arg.ident;
        match &arg.kind {
            ArgKind::Tensor(tensors) => several::each(tensors, quote!(#name), &mut all),
            ArgKind::TensorMut(tensors) => several::each(tensors, quote!((*#name)), &mut all),
            _ => {}
        }
    }
    let read = |alone: bool| {
        all.iter().find_map(|(ty, read)| {
            ty.dims.iter().enumerate().find_map(|(axis, d)| {
                let (factor, rest) = d.dim.linear_in(sym)?;
                let (rest, alone_here) = (rest.literal()?, d.dim.symbol() == Some(sym));
                (factor > 0 && alone_here >= alone).then(|| solved(read, axis, factor, rest))
            })
        })
    };
    read(true).or_else(|| read(false))
}

/// `n` of an axis of `factor·n + rest` elements.
fn solved(read: &TokenStream, axis: usize, factor: i64, rest: i64) -> TokenStream {
    let size = quote!(::kiln::rt::eager::size(&#read, #axis));
    if (factor, rest) == (1, 0) {
        return size;
    }
    let (less, more) = (Literal::i64_unsuffixed(rest.max(0)), Literal::i64_unsuffixed(-rest.min(0)));
    let factor = Literal::i64_unsuffixed(factor);
    quote!(usize::saturating_sub(#size + #more, #less) / #factor)
}

fn fit(model: &Model, arg: &Arg) -> TokenStream {
    let (name, owner) = (&arg.ident, model.ident.to_string());
    match &arg.kind {
        ArgKind::Tensor(tensors) => {
            let fitted = several::fitted(tensors, &quote!(#name), &owner, &name.to_string());
            quote!(let mut #name = #fitted;)
        }
        ArgKind::TensorMut(tensors) => {
            several::checked(tensors, &quote!((*#name)), &owner, &name.to_string(), returns_nothing(model))
        }
        _ => TokenStream::new(),
    }
}

/// A name that no user's stands in the way of.
fn hidden(name: &str) -> Ident {
    format_ident!("__kiln_{name}")
}
