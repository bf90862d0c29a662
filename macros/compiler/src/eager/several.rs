//! Tensors alone, in tuples and in arrays: how a caller gives them, how they are read and checked, and how they are returned.

use super::tensor;
use crate::model::dtype;
use crate::syntax::ast::{Free, TensorTy, Tensors};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// The type of an argument as callers give it: an array may be a `Vec`, if its length isn't what the call tells.
pub fn given(tensors: &Tensors, frees: &[Free]) -> TokenStream {
    match tensors {
        Tensors::Params(ty) => quote!(#ty),
        Tensors::One(ty) => {
            let dtype = dtype(ty.dtype);
            quote!(impl ::kiln::AsTensor<#dtype>)
        }
        Tensors::Tuple(list) => {
            let list = list.iter().map(|each| given(each, frees));
            quote!((#(#list,)*))
        }
        Tensors::Array(each, length) => {
            let (each, tokens) = (given(each, frees), &length.tokens);
            match frees.iter().any(|free| length.dim.symbol() == Some(free.sym)) {
                true => quote!([#each; #tokens]),
                false => quote!(impl ::kiln::rt::eager::Parts<{ #tokens }, Part = #each>),
            }
        }
    }
}

/// What was given as tensors.
pub fn taken(tensors: &Tensors, at: &TokenStream) -> TokenStream {
    mapped(tensors, at, &|_, at| quote!(::kiln::rt::eager::argument(#at)))
}

/// The tensors, or such as stand for the error that one has another shape.
pub fn fitted(tensors: &Tensors, at: &TokenStream, model: &str, name: &str) -> TokenStream {
    mapped(tensors, at, &|ty, at| match ty.any {
        true => at.clone(),
        false => {
            let (place, dims) = (place(ty, model, name), ty.dims.iter().map(|d| &d.tokens));
            quote!(::kiln::rt::eager::fit(#at, #place, &[#(#dims),*]))
        }
    })
}

/// The same form with something else for each tensor.
fn mapped(
    tensors: &Tensors,
    at: &TokenStream,
    of: &dyn Fn(&TensorTy, &TokenStream) -> TokenStream,
) -> TokenStream {
    match tensors {
        Tensors::One(ty) => of(ty, at),
        // An argument is a reference.
        Tensors::Params(_) => quote!({ use ::kiln::rt::eager::Whole as _; (#at).__kiln_whole() }),
        Tensors::Tuple(list) => {
            let parts = list.iter().enumerate().map(|(i, each)| {
                let i = Literal::usize_unsuffixed(i);
                mapped(each, &quote!(__kiln_parts.#i), of)
            });
            quote!({ let __kiln_parts = #at; (#(#parts,)*) })
        }
        Tensors::Array(each, length) => {
            let (each, length) = (mapped(each, &quote!(__kiln_part), of), &length.tokens);
            quote!(::kiln::rt::eager::parts::<_, { #length }>(#at).map(|__kiln_part| #each))
        }
    }
}

/// Statements that return the error that one has another shape, or leave it in the tensor, where a model returns `nothing`.
pub fn checked(tensors: &Tensors, at: &TokenStream, model: &str, name: &str, nothing: bool) -> TokenStream {
    match tensors {
        Tensors::Params(_) => TokenStream::new(),
        Tensors::One(ty) if ty.any => TokenStream::new(),
        Tensors::One(ty) => {
            let (place, dims) = (place(ty, model, name), ty.dims.iter().map(|d| &d.tokens));
            let failed = match nothing {
                true => quote!(#at = ::kiln::rt::eager::failure(error); return;),
                false => quote!(return ::kiln::rt::eager::failure(error);),
            };
            quote! {
                if let ::core::option::Option::Some(error) = ::kiln::rt::eager::misfit(&#at, #place, &[#(#dims),*]) {
                    #failed
                }
            }
        }
        Tensors::Tuple(list) => {
            let parts = list.iter().enumerate().map(|(i, each)| {
                let i = Literal::usize_unsuffixed(i);
                checked(each, &quote!(#at.#i), model, name, nothing)
            });
            parts.collect()
        }
        Tensors::Array(each, _) => {
            let each = checked(each, &quote!((*__kiln_part)), model, name, nothing);
            quote!(for __kiln_part in &mut #at { #each })
        }
    }
}

fn place(ty: &TensorTy, model: &str, name: &str) -> TokenStream {
    let shown = ty.dims.iter().map(|d| d.tokens.to_string().trim_matches(['{', '}', ' ']).to_string());
    let wanted = format!("[{}]", shown.collect::<Vec<_>>().join(", "));
    quote!((#model, #name, #wanted))
}

/// Each tensor that is written, and where the first of it is.
pub fn each<'t>(tensors: &'t Tensors, at: TokenStream, out: &mut Vec<(&'t TensorTy, TokenStream)>) {
    match tensors {
        Tensors::One(ty) => out.push((ty, at)),
        Tensors::Params(_) => {}
        Tensors::Tuple(list) => list.iter().enumerate().for_each(|(i, part)| {
            let i = Literal::usize_unsuffixed(i);
            each(part, quote!(#at.#i), out);
        }),
        Tensors::Array(part, _) => each(part, quote!(#at[0]), out),
    }
}

/// A result in the declared form, where the body may have made a `Vec` of what is an array.
pub fn returned(tensors: &Tensors, value: TokenStream) -> TokenStream {
    match tensors.lengths().is_empty() && !tensors.holds_params() {
        true => value,
        false => {
            let (ty, made) = (tensors.form(&tensor), mapped(tensors, &value, &|_, at| at.clone()));
            quote!({ let __kiln_result: #ty = #made; __kiln_result })
        }
    }
}
