//! `#[params]`: the struct as the runtime sees it, and its `Params` implementation.
//!
//! On a fault the struct still stands, with an implementation that can't be reached, so that nothing cascades.

use crate::errors::{Errors, compile_errors};
use crate::link::{self, Kind, Root};
use crate::model::dtype;
use crate::source::{self, Seen, Source};
use crate::syntax::ast::{FieldKind, Leaf, Params, ParamsField};
use crate::syntax::{params as syntax, tensor};
use crate::{message, quiet};
use kiln_ir::DType;
use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, GenericParam, Item, ItemStruct, Meta, Token, Type, punctuated::Punctuated};

/// Expands `#[params(attr)] item`. `source` is the file that it stands in.
pub fn expand(attr: TokenStream, item: TokenStream, source: Option<&Source>) -> TokenStream {
    let errors = Errors::new();
    let Some(parsed) = errors.ok(syn::parse2::<Item>(item.clone())) else {
        return compile_errors(&errors.finish());
    };
    let Some(item_struct) = syntax::item_struct(&errors, &parsed) else {
        let faults = compile_errors(&errors.finish());
        return quote!(#faults #item);
    };
    let params = syntax::params(&errors, attr.clone(), &item_struct);
    let mut root = root(&item_struct, attr, item);
    root.seen = source::look(source, &root, &errors);
    if link::has_dollar(&root.item) {
        errors.at(&root.name, message::dollar());
    }
    let faults = errors.finish();
    if faults.is_empty() {
        let (sound, chain) = (link::renamed(sound(&params), &root), link::start(root));
        quote!(#sound #chain)
    } else {
        let faulty = link::renamed(faulty(&compile_errors(&faults), item_struct), &root);
        let answer = link::faulty(&root);
        quote!(#faulty #answer)
    }
}

fn root(item: &ItemStruct, attr: TokenStream, tokens: TokenStream) -> Root {
    let name = item.ident.clone();
    let key = link::key(&name, &tokens);
    let (vis, seen) = (item.vis.to_token_stream(), Seen::default());
    Root { key, kind: Kind::Params, name, vis, attr, item: tokens, seen }
}

fn sound(params: &Params) -> TokenStream {
    let Params { attrs, vis, ident, .. } = params;
    let names: Vec<_> = params.generics.iter().map(|g| &g.ident).collect();
    let with_defaults = params.generics.iter().map(|g| {
        let (name, default) = (&g.ident, g.default.map(Literal::i64_unsuffixed));
        let default = default.map(|n| quote!(= #n));
        quote!(const #name: usize #default)
    });
    let fields = params.fields.iter().map(|f| {
        let ParamsField { attrs, vis, ident, .. } = f;
        let ty = run_time_type(f);
        quote!(#(#attrs)* #vis #ident: #ty)
    });
    let (own, declared, used) = if names.is_empty() {
        (quote!(), quote!(), quote!())
    } else {
        (quote!(<#(#with_defaults),*>), quote!(<#(const #names: usize),*>), quote!(<#(#names),*>))
    };
    let derives = derives(attrs);
    let init = params.fields.iter().map(init);
    let leaves = params.fields.iter().map(|f| visit(f, &quote!(Leaf), &quote!(leaves), &quote!(&)));
    let leaves_mut =
        params.fields.iter().map(|f| visit(f, &quote!(LeafMut), &quote!(leaves_mut), &quote!(&mut)));
    let each = params.fields.iter().map(|f| see(f, &quote!(__kiln_each), &quote!(&)));
    let each_mut = params.fields.iter().map(|f| see(f, &quote!(__kiln_each_mut), &quote!(&mut)));
    let more = quote! {
        fn __kiln_each<'a>(&'a self, see: &mut dyn ::core::ops::FnMut(::kiln::LeafTensor<'a>)) { #(#each)* }
        fn __kiln_each_mut<'a>(&'a mut self, see: &mut dyn ::core::ops::FnMut(::kiln::LeafTensorMut<'a>)) { #(#each_mut)* }
    };
    let imp = implementation(
        &quote!(impl #declared ::kiln::Params for #ident #used),
        &quote!(Self { #(#init),* }),
        [&quote!(#(#leaves)*), &quote!(#(#leaves_mut)*)],
        &more,
    );
    let accessors = accessors(params, &quote!(impl #declared #ident #used));
    quote! {
        #derives
        #(#attrs)*
        #vis struct #ident #own { #(#fields),* }
        #imp
        #accessors
    }
}

fn run_time_type(field: &ParamsField) -> TokenStream {
    match &field.kind {
        FieldKind::Nested(ty) => quote!(#ty),
        FieldKind::Parameter(leaf) | FieldKind::Buffer(leaf) => {
            let dtype = dtype(leaf.ty.dtype);
            quote!(::kiln::Tensor<#dtype>)
        }
    }
}

/// All fields at once, for emitted code that stands where private ones can't be named.
fn accessors(params: &Params, head: &TokenStream) -> TokenStream {
    let names: Vec<_> = params.fields.iter().map(|f| &f.ident).collect();
    let types: Vec<_> = params.fields.iter().map(run_time_type).collect();
    let quiet = quiet::attribute();
    quote! {
        #quiet
        #head {
            #[doc(hidden)]
            pub fn __kiln_fields(&self) -> (#(&#types,)*) { (#(&self.#names,)*) }
            #[doc(hidden)]
            pub fn __kiln_fields_mut(&mut self) -> (#(&mut #types,)*) { (#(&mut self.#names,)*) }
        }
    }
}

fn implementation(
    head: &TokenStream,
    init: &TokenStream,
    [leaves, leaves_mut]: [&TokenStream; 2],
    more: &TokenStream,
) -> TokenStream {
    let quiet = quiet::attribute();
    quote! {
        #quiet
        #head {
            fn init(rng: &mut ::kiln::Rng) -> Self { #init }
            fn leaves<'a>(&'a self, prefix: &str, out: &mut ::std::vec::Vec<::kiln::Leaf<'a>>) { #leaves }
            fn leaves_mut<'a>(
                &'a mut self,
                prefix: &str,
                out: &mut ::std::vec::Vec<::kiln::LeafMut<'a>>,
            ) { #leaves_mut }
            #more
        }
    }
}

/// `Clone` and `Debug`, unless the user derives them.
fn derives(attrs: &[Attribute]) -> TokenStream {
    let [clone, debug] = derived(attrs);
    let clone = (!clone).then(|| quote!(::core::clone::Clone,));
    let debug = (!debug).then(|| quote!(::core::fmt::Debug,));
    if clone.is_none() && debug.is_none() { quote!() } else { quote!(#[derive(#clone #debug)]) }
}

/// Whether the user derives `Clone`, and `Debug`.
fn derived(attrs: &[Attribute]) -> [bool; 2] {
    let mut given = Vec::new();
    for attr in attrs.iter().filter(|a| a.path().is_ident("derive")) {
        let Meta::List(list) = &attr.meta else { continue };
        let paths = list.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
        given.extend(paths.into_iter().flatten().filter_map(|p| Some(p.segments.last()?.ident.to_string())));
    }
    ["Clone", "Debug"].map(|name| given.iter().any(|g| g == name))
}

fn shape(leaf: &Leaf) -> Vec<&TokenStream> {
    leaf.ty.dims.iter().map(|d| &d.tokens).collect()
}

fn init(field: &ParamsField) -> TokenStream {
    let name = &field.ident;
    let (leaf, default) = match &field.kind {
        FieldKind::Nested(ty) => return quote!(#name: <#ty as ::kiln::Params>::init(rng)),
        FieldKind::Parameter(leaf) if leaf.ty.dims.len() >= 2 => {
            let dims = shape(leaf);
            let (first, rest) = (dims[1], &dims[2..]);
            (leaf, quote!(::kiln::init::fan_uniform(#first #(* #rest)*)))
        }
        FieldKind::Parameter(leaf) | FieldKind::Buffer(leaf) => (leaf, quote!(::kiln::init::zeros())),
    };
    let initializer = match &leaf.init {
        Some(expr) => quote!({ use ::kiln::init::*; (#expr) }),
        None => default,
    };
    let dims = shape(leaf);
    let value = quote!(#initializer.tensor(rng, &[#(#dims),*]));
    match leaf.ty.dtype {
        DType::F32 => quote!(#name: #value),
        _ => quote!(#name: ::kiln::rt::stored(&#value)),
    }
}

fn visit(
    field: &ParamsField,
    leaf_ty: &TokenStream,
    method: &TokenStream,
    borrow: &TokenStream,
) -> TokenStream {
    let ident = &field.ident;
    let each = quote!(::kiln::Params::#method(layer, &::kiln::rt::join(prefix, name), out));
    if let Some((before, first, after)) = field.numbered() {
        return quote!(::kiln::rt::numbered(#borrow self.#ident, [#before, #after], #first, |layer, name| #each););
    }
    if let [_, _, ..] = field.names[..] {
        let names = &field.names;
        let layers = format_ident!("each_{}", if method.to_string() == "leaves" { "ref" } else { "mut" });
        return quote!(::kiln::rt::named(self.#ident.#layers(), [#(#names),*], |layer, name| #each););
    }
    let names = &field.names;
    let path = quote!(::kiln::rt::join(prefix, #(#names)*));
    let (leaf, kind) = match &field.kind {
        FieldKind::Nested(_) => {
            return quote!(::kiln::Params::#method(#borrow self.#ident, &#path, out););
        }
        FieldKind::Parameter(leaf) => (leaf, quote!(Parameter)),
        FieldKind::Buffer(leaf) => (leaf, quote!(Buffer)),
    };
    let dims = shape(leaf);
    quote! {
        out.push(::kiln::#leaf_ty {
            name: #path,
            kind: ::kiln::LeafKind::#kind,
            shape: ::std::vec![#(#dims),*],
            tensor: (#borrow self.#ident).into(),
        });
    }
}

/// Shows a field's tensors.
fn see(field: &ParamsField, method: &TokenStream, borrow: &TokenStream) -> TokenStream {
    let ident = &field.ident;
    match &field.kind {
        FieldKind::Nested(_) => quote!(::kiln::Params::#method(#borrow self.#ident, see);),
        FieldKind::Parameter(_) | FieldKind::Buffer(_) => quote!(see((#borrow self.#ident).into());),
    }
}

/// The struct as near as possible to the meant one, and an implementation that is never reached.
fn faulty(faults: &TokenStream, mut item: ItemStruct) -> TokenStream {
    let unused = item.generics.params.iter().filter_map(|p| match p {
        GenericParam::Type(t) => Some(t.ident.to_string()),
        GenericParam::Lifetime(l) => Some(l.lifetime.to_string()),
        GenericParam::Const(_) => None,
    });
    // Without its use in a field a type or lifetime parameter is rustc's error too: leave both out.
    let dropped = unused.count() > 0;
    if dropped {
        item.generics.params = std::mem::take(&mut item.generics.params)
            .into_iter()
            .filter(|p| matches!(p, GenericParam::Const(_)))
            .collect();
    }
    for param in item.generics.params.iter_mut() {
        if let GenericParam::Const(p) = param {
            (p.ty, p.default) = (syn::parse_quote!(usize), None);
        }
    }
    item.generics.where_clause = None;
    for field in &mut item.fields {
        field.attrs.retain(|a| !syntax::is_own(a));
        if dropped || tensor::is_tensor(&field.ty) || !matches!(field.ty, Type::Path(_) | Type::Array(_)) {
            field.ty = syn::parse_quote!(::kiln::Tensor<f32>);
        }
        if matches!(&field.ty, Type::Array(a) if tensor::is_tensor(&a.elem)) {
            field.ty = syn::parse_quote!(::kiln::Tensor<f32>);
        }
    }
    let (declared, used, _) = item.generics.split_for_impl();
    let ident = &item.ident;
    let never = quote!(::core::unreachable!());
    let head = quote!(impl #declared ::kiln::Params for #ident #used);
    let imp = implementation(&head, &never, [&never, &never], &TokenStream::new());
    // Not derived: a field's type may have neither.
    let [clone, debug] = derived(&item.attrs);
    let clone = (!clone).then(|| {
        quote! {
            impl #declared ::core::clone::Clone for #ident #used {
                fn clone(&self) -> Self { #never }
            }
        }
    });
    let debug = (!debug).then(|| {
        quote! {
            impl #declared ::core::fmt::Debug for #ident #used {
                fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { #never }
            }
        }
    });
    quote!(#faults #item #imp #clone #debug)
}
