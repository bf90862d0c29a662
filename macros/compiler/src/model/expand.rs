//! The end of the chain: the model is traced, so that its faults are told.

use super::stub;
use crate::Errors;
use crate::errors::compile_errors;
use crate::library::{Item, Library};
use crate::link::{Consts, Root};
use crate::trace;
use proc_macro2::TokenStream;
use quote::quote;

/// The items of a model whose sources are all at hand.
pub fn expand(root: &Root, library: &Library, _: &Consts) -> TokenStream {
    let key = root.key.to_string();
    let Some(Item::Model(model)) = library.entries.get(&key).map(|e| &e.item) else {
        return TokenStream::new();
    };
    let errors = Errors::new();
    let traced = trace::trace(library, &key, &errors);
    let faults = errors.finish();
    if !faults.is_empty() || (traced.is_none() && !model.options.inline) {
        let (faults, stub) = (compile_errors(&faults), stub::typed(root, model));
        return quote!(#faults #stub);
    }
    stub::namespace(root)
}
