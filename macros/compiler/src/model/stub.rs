//! A model's name where there is no compiled model: so that one fault is one error.

use crate::emit;
use crate::link::Root;
use crate::syntax::ast::{ArgKind, DimExpr, Model, TensorTy};
use crate::syntax::tensor::strip;
use crate::{message, quiet};
use kiln_ir::DType;
use kiln_ir::composite::rule::Rule;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::{ItemFn, Type};

/// The stub in a module of its own, imported by glob, so that the real function shadows it.
pub fn hidden(root: &Root, function: &ItemFn, model: Option<&Model>) -> TokenStream {
    let (vis, module) = (&root.vis, format_ident!("__kiln_stub_{}", root.key, span = Span::call_site()));
    let inline = model.is_some_and(|m| m.is_block());
    let arguments = function.sig.inputs.len();
    let items = (!inline).then(|| items(root, &quote!(pub), arguments, model));
    let (name, quiet) = (&root.name, quiet::attribute());
    quote! {
        #[doc(hidden)]
        #quiet
        mod #module {
            #items
            pub enum #name {}
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #vis use #module::*;
    }
}

/// The stub in place of a function whose signature is at fault.
pub fn open(root: &Root, function: &ItemFn, model: Option<&Model>) -> TokenStream {
    let arguments = function.sig.inputs.len();
    if let Some(model) = model {
        return with_namespace(root, model, arguments);
    }
    let (items, namespace) = (items(root, &root.vis, arguments, None), namespace(root));
    quote!(#items #namespace)
}

/// The stub of a function whose body is at fault, with all that hangs on its name.
pub fn typed(root: &Root, model: &Model) -> TokenStream {
    with_namespace(root, model, model.args.len())
}

fn with_namespace(root: &Root, model: &Model, arguments: usize) -> TokenStream {
    let items = match model.result.holds_params() {
        true => returning_params(root, model),
        false => items(root, &root.vis, arguments, Some(model)),
    };
    let (namespace, name) = (namespace(root), &root.name);
    let derived = derived(model);
    let frozen = model.args.iter().filter(|arg| matches!(arg.kind, ArgKind::Params(_))).count().max(1);
    let (passed, frozen) = (generics(arguments.saturating_sub(frozen)), generics(frozen));
    let result = match model.result.holds_params() {
        true => quote!(()),
        false => model.result.form(&tensor),
    };
    let (figures, quiet) = (figures(model), quiet::attribute());
    quote! {
        #items
        #namespace
        #quiet
        const _: () = {
            pub struct FrozenModel;
            impl FrozenModel {
                pub fn run<#(#passed),*>(&self, #(_: #passed),*) -> ::kiln::Result<#result> {
                    ::core::unreachable!()
                }
            }
            impl ::kiln::Freeze for #name {
                type Frozen = FrozenModel;
            }
            impl #name {
                pub const PARAM_COUNT: usize = 0;
                pub const PLAN: &'static str = "";
                #figures
                #derived
                pub fn freeze<#(#frozen),*>(#(_: #frozen),*) -> ::kiln::Result<FrozenModel> { ::core::unreachable!() }
                #[doc(hidden)]
                pub fn into_frozen<#(#frozen),*>(#(_: #frozen),*) -> ::kiln::Result<FrozenModel> { ::core::unreachable!() }
            }
        };
    }
}

/// The derivatives.
fn derived(model: &Model) -> TokenStream {
    let (result, gradient) = (model.result.form(&tensor), gradient(model));
    let [any, all] = [0, model.result.types().len()].map(|further| Signature::of(model, further));
    let (declared, any) = (any.declared, any.types);
    let (more, all) = (all.declared, all.types);
    quote! {
        pub fn value_and_grad<#(#declared),*>(#(_: #any),*) -> ::kiln::Result<(#result, #gradient)> {
            ::core::unreachable!()
        }
        pub fn grad<#(#declared),*>(#(_: #any),*) -> ::kiln::Result<#gradient> { ::core::unreachable!() }
        pub fn vjp<#(#more),*>(#(_: #all),*) -> ::kiln::Result<(#result, #gradient)> {
            ::core::unreachable!()
        }
    }
}

/// Generics and types of arguments where the types of the signature can be seen. Params with sizes have their types, of which
/// those of results follow; all else is anything.
struct Signature {
    declared: Vec<TokenStream>,
    types: Vec<TokenStream>,
}

impl Signature {
    /// That of a model with so many further arguments.
    fn of(model: &Model, further: usize) -> Signature {
        let sizes = super::arguments::typed(model).map(|name| quote!(const #name: usize));
        let sizes: Vec<TokenStream> = sizes.collect();
        let typed = |i: usize| match model.args.get(i).map(|arg| &arg.kind) {
            Some(ArgKind::Params(ty)) if !sizes.is_empty() => Some(quote!(&#ty)),
            Some(ArgKind::ParamsMut(ty)) if !sizes.is_empty() => Some(quote!(&mut #ty)),
            _ => None,
        };
        let arguments = model.args.len();
        let names = generics(arguments + further);
        let cotangents = names[arguments..].iter().map(|name| quote!(#name));
        let all = declared(arguments, Some(model)).into_iter().chain(cotangents).enumerate();
        let open = all.filter(|(i, _)| typed(*i).is_none()).map(|(_, name)| name);
        let types = names.iter().enumerate().map(|(i, any)| typed(i).unwrap_or_else(|| quote!(#any)));
        Signature { types: types.collect(), declared: open.chain(sizes.clone()).collect() }
    }
}

fn figures(model: &Model) -> TokenStream {
    if model.frees.iter().all(|f| f.bound.is_some()) {
        return quote!(
            pub const FLOPS: usize = 0;
            pub const MULTIPLY_ADDS: usize = 0;
            pub const SCRATCH_BYTES: usize = 0;
            pub const FROZEN_BYTES: usize = 0;
        );
    }
    let sizes = model.frees.iter().map(|_| quote!(_: usize));
    let sizes = quote!(#(#sizes),*);
    quote! {
        pub const fn flops(#sizes) -> usize { 0 }
        pub const fn multiply_adds(#sizes) -> usize { 0 }
        pub const fn scratch_bytes(#sizes) -> usize { 0 }
        pub const fn frozen_bytes(#sizes) -> usize { 0 }
        pub const FROZEN_BYTES: usize = 0;
    }
}

/// What a building block leaves: its type. Where only a call in a model says what its arguments are, a function that
/// says so, too.
pub fn block(root: &Root, model: &Model) -> TokenStream {
    let namespace = namespace(root);
    if model.options.inline || model.args.is_empty() {
        return namespace;
    }
    let (vis, name, quiet) = (&root.vis, &root.name, quiet::attribute());
    let any = generics(model.args.len());
    let first = &any[0];
    quote! {
        #namespace
        #[doc(hidden)]
        #quiet
        #vis fn #name<#(#any),*>(#(_: #any),*) -> ::kiln::Result<::kiln::Tensor>
        where
            #first: ::kiln::rt::CalledInModels<#name>,
        {
            ::core::unreachable!()
        }
    }
}

/// The type of a model's name, in place of a module: it sees what stands around the model.
pub fn namespace(root: &Root) -> TokenStream {
    let (vis, name) = (&root.vis, &root.name);
    let (doc, quiet) = (message::namespace_doc(&name.to_string()), quiet::attribute());
    quote! {
        #[doc = #doc]
        #quiet
        #vis enum #name {}
    }
}

/// The function of a model that returns params, whose types are seen where it stands.
fn returning_params(root: &Root, model: &Model) -> TokenStream {
    let (vis, name, quiet) = (&root.vis, &root.name, quiet::attribute());
    let (Signature { declared, types }, result) = (Signature::of(model, 0), model.result.form(&tensor));
    quote! {
        #[doc(hidden)]
        #quiet
        #vis fn #name<#(#declared),*>(#(_: #types),*) -> ::kiln::Result<#result> { ::core::unreachable!() }
    }
}

fn items(root: &Root, vis: &TokenStream, arguments: usize, model: Option<&Model>) -> TokenStream {
    let (name, any, mut declared) = (&root.name, generics(arguments), declared(arguments, model));
    // A constant of the user's can't be seen here.
    let mut lengths = Vec::new();
    let mut length = |_: &DimExpr| {
        let name = format_ident!("N{}", lengths.len());
        lengths.push(quote!(const #name: usize));
        quote!(#name)
    };
    let result = match model {
        // Nor can a type.
        Some(model) if model.result.holds_params() => {
            declared.push(quote!(R));
            quote!(R)
        }
        Some(model) => model.result.form_of(&tensor, &mut length),
        None => quote!(::kiln::Tensor),
    };
    declared.extend(lengths);
    let quiet = quiet::attribute();
    quote! {
        #[doc(hidden)]
        #quiet
        #vis fn #name<#(#declared),*>(#(_: #any),*) -> ::kiln::Result<#result> { ::core::unreachable!() }
    }
}

fn generics(arguments: usize) -> Vec<Ident> {
    (0..arguments).map(|i| format_ident!("A{i}")).collect()
}

/// The same as they are declared. A tensor has its element type, so that what is passed can be inferred as ever.
fn declared(arguments: usize, model: Option<&Model>) -> Vec<TokenStream> {
    let args = model.map(|m| m.args.as_slice()).filter(|args| args.len() == arguments).unwrap_or_default();
    let bound = |i: usize| match args.get(i).map(|arg| &arg.kind) {
        Some(ArgKind::Tensor(tensors)) => tensors.one().map_or(TokenStream::new(), |ty| {
            let dtype = dtype(ty.dtype);
            quote!(: ::kiln::AsTensor<#dtype>)
        }),
        _ => TokenStream::new(),
    };
    let bounds = (0..arguments).map(bound);
    generics(arguments).into_iter().zip(bounds).map(|(name, bound)| quote!(#name #bound)).collect()
}

/// The type of a model's gradient, as near as the signature tells.
fn gradient(model: &Model) -> TokenStream {
    let params = model.args.iter().filter_map(|arg| match &arg.kind {
        ArgKind::Params(ty) | ArgKind::ParamsMut(ty) if !is_generic_over_types(ty) => Some(quote!(#ty)),
        ArgKind::Tensor(ty) if model.options.grad.contains(&arg.ident) => Some(ty.form(&tensor)),
        _ => None,
    });
    let types: Vec<TokenStream> = params.collect();
    match types.as_slice() {
        [] => quote!(::kiln::Tensor),
        [one] => one.clone(),
        _ => quote!((#(#types,)*)),
    }
}

/// Whether it is an optimizer, which has no gradient.
fn is_generic_over_types(ty: &Type) -> bool {
    match strip(ty) {
        Type::Path(p) => p.path.segments.last().is_some_and(|s| Rule::named(&s.ident.to_string()).is_some()),
        _ => false,
    }
}

fn tensor(ty: &TensorTy) -> TokenStream {
    let dtype = dtype(ty.dtype);
    quote!(::kiln::Tensor<#dtype>)
}

/// Rust's type for an element type.
pub fn dtype(dtype: DType) -> TokenStream {
    emit::element(dtype.name())
}
