//! A library from a source text, every name of which leads to the item of that name.

#![allow(dead_code)]

use kiln_compiler::Errors;
use kiln_compiler::library::{Entry, Item, Library};
use kiln_compiler::syntax::{model, params};
use kiln_compiler::trace::trace;
use kiln_compiler::traced::Traced;
use proc_macro2::TokenStream;
use std::collections::BTreeMap;
use syn::{Attribute, Meta};

/// Layers as the runtime has them.
const LAYERS: &str = "
#[params(forward = linear)]
pub struct Linear<const I: usize, const O: usize> { weight: Tensor<O, I>, bias: Tensor<O> }

#[model(inline)]
pub fn linear<const I: usize, const O: usize>(l: &Linear<I, O>, x: Tensor) -> Tensor {
    x.linear(l.weight, Some(l.bias))
}

#[params(forward = layer_norm_forward)]
pub struct LayerNorm<const D: usize> { weight: Tensor<D>, bias: Tensor<D> }

#[model(inline)]
pub fn layer_norm_forward<const D: usize>(l: &LayerNorm<D>, x: Tensor) -> Tensor {
    layer_norm(x, [D], Some(l.weight), Some(l.bias), 1e-5)
}
";

const TRANSFORMS: [&str; 10] = [
    "value_and_grad",
    "grad",
    "vjp",
    "jvp",
    "vmap",
    "checkpoint",
    "custom_vjp",
    "tree_map",
    "cond",
    "while_loop",
];

/// The library of a source with the layers beside it. Faults of signatures are collected.
pub fn library(source: &str, errors: &Errors) -> Library {
    let mut items: Vec<(String, Item, Vec<String>)> = Vec::new();
    let mut own = parse(source, errors);
    for (name, item, owned) in parse(LAYERS, errors) {
        if !own.iter().any(|(n, ..)| *n == name) {
            items.push((name, item, owned));
        }
    }
    items.append(&mut own);
    let functions = kiln_ir::surface::entries().map(|e| e.name);
    let builtins: Vec<&str> = functions
        .filter(|n| kiln_ir::surface::function(n).is_some())
        .chain(TRANSFORMS)
        .chain(kiln_ir::composite::rule::Rule::NAMES)
        .chain(["Rng"])
        .collect();
    let names: Vec<String> = items.iter().map(|(n, ..)| n.clone()).collect();
    let deps = |own: &str| -> BTreeMap<String, String> {
        let items = names.iter().filter(|n| *n != own).map(|n| (n.clone(), n.clone()));
        builtins.iter().map(|b| (b.to_string(), b.to_string())).chain(items).collect()
    };
    let mut library = Library::default();
    for builtin in &builtins {
        let entry = Entry { item: Item::Builtin(builtin.to_string()), deps: BTreeMap::new() };
        library.entries.insert(builtin.to_string(), entry);
    }
    for (name, item, _) in items {
        let deps = deps(&name);
        library.entries.insert(name, Entry { item, deps });
    }
    library
}

fn parse(source: &str, errors: &Errors) -> Vec<(String, Item, Vec<String>)> {
    let Some(file) = errors.ok(syn::parse_str::<syn::File>(source)) else { return Vec::new() };
    file.items.into_iter().filter_map(|item| one(item, errors)).collect()
}

fn one(mut item: syn::Item, errors: &Errors) -> Option<(String, Item, Vec<String>)> {
    match &mut item {
        syn::Item::Struct(s) => {
            let attr = take(&mut s.attrs, "params")?;
            let parsed = params::params(errors, attr, s);
            Some((s.ident.to_string(), Item::Params(Box::new(parsed)), Vec::new()))
        }
        syn::Item::Fn(f) => {
            let attr = take(&mut f.attrs, "model")?;
            let name = f.sig.ident.to_string();
            let parsed = model::model(errors, attr, &item)?;
            Some((name, Item::Model(Box::new(parsed)), Vec::new()))
        }
        _ => None,
    }
}

/// Takes an attribute off an item: its arguments.
fn take(attrs: &mut Vec<Attribute>, name: &str) -> Option<TokenStream> {
    let at = attrs.iter().position(|a| a.path().is_ident(name))?;
    match attrs.remove(at).meta {
        Meta::List(list) => Some(list.tokens),
        _ => Some(TokenStream::new()),
    }
}

/// A model of a sound source.
pub fn traced(source: &str, name: &str) -> Traced {
    let errors = Errors::new();
    let library = library(source, &errors);
    let traced = trace(&library, name, &errors);
    let faults = errors.finish();
    assert!(
        faults.is_empty(),
        "{name}: {}",
        faults.iter().map(|f| f.to_string()).collect::<Vec<_>>().join("\n")
    );
    traced.unwrap_or_else(|| panic!("{name} gives neither a graph nor a fault"))
}

/// The names of the models of a source that are compiled by themselves, in its order.
pub fn models(source: &str) -> Vec<String> {
    let file: syn::File = syn::parse_str(source).unwrap();
    let compiled = |f: &syn::ItemFn| {
        f.attrs.iter().any(|a| {
            let inline = matches!(&a.meta, Meta::List(l) if l.tokens.to_string().contains("inline"));
            a.path().is_ident("model") && !inline
        })
    };
    let names = file.items.iter().filter_map(|item| match item {
        syn::Item::Fn(f) if compiled(f) => Some(f.sig.ident.to_string()),
        _ => None,
    });
    names.collect()
}
