//! `#[model]`: from the attribute to the chain, and from the end of the chain to the function.
//!
//! The attribute leaves a stub of the function in a hidden module that is imported by glob: what the end of the chain
//! emits shadows it, and where the chain breaks (a path in the body leads to no model) the name still exists.

mod stub;

mod arguments;
mod names;
mod results;
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
use crate::{message, syntax};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Item, ItemFn};

/// Expands `#[model(attr)] item`.
pub fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let Some(parsed) = errors.ok(syn::parse2::<Item>(item.clone())) else {
        return compile_errors(&errors.finish());
    };
    let model = syntax::model::model(&errors, attr.clone(), &parsed);
    let Item::Fn(function) = parsed else {
        let faults = compile_errors(&errors.finish());
        return quote!(#faults #item);
    };
    let root = root(&function, attr, item);
    refuse(&errors, &root, &function);
    let faults = errors.finish();
    if faults.is_empty() {
        let (stub, chain) = (stub::hidden(&root, &function, model.as_ref()), link::start(root));
        quote!(#stub #chain)
    } else {
        let (faults, answer) = (compile_errors(&faults), link::faulty(&root));
        let stub = stub::open(&root, &function, model.as_ref());
        quote!(#faults #stub #answer)
    }
}

fn root(function: &ItemFn, attr: TokenStream, item: TokenStream) -> Root {
    let name = function.sig.ident.clone();
    let key = link::key(&name, &item);
    Root { key, kind: Kind::Model, name, vis: function.vis.to_token_stream(), attr, item }
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
