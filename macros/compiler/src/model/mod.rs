//! `#[model]`: from the attribute to the chain, and from the end of the chain to the function.
//!
//! The attribute leaves a stub of the function in a hidden module that is imported by glob: what the end of the chain
//! emits shadows it, and where the chain breaks (a path in the body leads to no model) the name still exists.

mod stub;
mod table;

mod arguments;
mod names;
mod results;
mod scales;
mod sizes;
mod trees;

mod split;

mod entry;
mod facts;
mod freeze;

mod dump;
mod expand;

pub(crate) use expand::expand as finish;
pub(crate) use stub::dtype;

use crate::errors::{Errors, compile_errors};
use crate::link::{self, Kind, Root};
use crate::source::{self, Seen, Source};
use crate::{message, syntax};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Item, ItemFn};

/// Expands `#[model(attr)] item`. `source` is the file that it stands in.
pub fn expand(attr: TokenStream, item: TokenStream, source: Option<&Source>) -> TokenStream {
    let errors = Errors::new();
    let Some(parsed) = errors.ok(syn::parse2::<Item>(item.clone())) else {
        return compile_errors(&errors.finish());
    };
    let model = syntax::model::model(&errors, attr.clone(), &parsed);
    let Item::Fn(function) = parsed else {
        let faults = compile_errors(&errors.finish());
        return quote!(#faults #item);
    };
    let mut root = root(&function, attr, item);
    refuse(&errors, &root, &function);
    let names = Errors::new();
    root.seen = source::look(source, &root, &names);
    let (faults, names) = (errors.finish(), names.finish());
    if faults.is_empty() && !root.seen.unsound {
        // What names lead to is a fault of its own: the rest of the model is looked at all the same.
        let (names, stub) = (compile_errors(&names), stub::hidden(&root, &function, model.as_ref()));
        let stub = link::renamed(stub, &root);
        let chain = link::start(root);
        quote!(#names #stub #chain)
    } else {
        let faults: Vec<syn::Error> = faults.into_iter().chain(names).collect();
        let (faults, answer) = (compile_errors(&faults), link::faulty(&root));
        let stub = link::renamed(stub::open(&root, &function, model.as_ref()), &root);
        quote!(#faults #stub #answer)
    }
}

fn root(function: &ItemFn, attr: TokenStream, item: TokenStream) -> Root {
    let name = function.sig.ident.clone();
    let key = link::key(&name, &item);
    let (vis, seen) = (function.vis.to_token_stream(), Seen::default());
    Root { key, kind: Kind::Model, name, vis, attr, item, seen }
}

/// What no chain could carry.
fn refuse(errors: &Errors, root: &Root, function: &ItemFn) {
    if link::has_dollar(&root.item) {
        errors.at(&root.name, message::dollar());
    }
    let name = root.name.to_string();
    for call in link::models_in(function).iter().filter(|path| path.to_string() == name) {
        errors.at(call, message::recursive(&name));
    }
}
