//! Constants in dims. An item names them where it stands; a model that traces through it may stand in another
//! module or crate. So each item exposes the constants behind it as hidden associated constants, which are reached
//! through the path that leads to the item.
//!
//! Constants of one name are one symbol of the graph. That they have one value is checked where the symbol's value
//! is computed: `rt::same` fails the build otherwise.

use super::deps::{self, Names};
use super::seen;
use super::state::{Kind, Root, State, group, ident};
use crate::quiet;
use crate::source::Number;
use crate::syntax::model::mentions;
use proc_macro2::{Group, Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};
use syn::{GenericArgument, PathArguments};

/// The constants that a model may need, by their text, each with an expression for its value.
pub struct Consts {
    values: BTreeMap<String, TokenStream>,
}

impl Consts {
    /// Those of the root and of all that it reaches.
    pub fn new(state: &State) -> Consts {
        Consts { values: values(state) }
    }

    /// None at all.
    pub fn none() -> Consts {
        Consts { values: BTreeMap::new() }
    }

    /// The `usize` expression of a constant, by its text.
    pub fn value(&self, text: &str) -> Option<&TokenStream> {
        self.values.get(text)
    }
}

/// The hidden associated constants of a model.
pub fn of_model(state: &State) -> TokenStream {
    expose(state, &quote!(impl), &TokenStream::new())
}

/// The hidden associated constants of a params struct.
pub fn of_params(state: &State) -> TokenStream {
    let Ok(item) = syn::parse2::<syn::ItemStruct>(state.root.item.clone()) else { return TokenStream::new() };
    let names: Vec<&Ident> = item.generics.const_params().map(|p| &p.ident).collect();
    if names.is_empty() {
        return expose(state, &quote!(impl), &TokenStream::new());
    }
    expose(state, &quote!(impl<#(const #names: usize),*>), &quote!(<#(#names),*>))
}

fn expose(state: &State, head: &TokenStream, arguments: &TokenStream) -> TokenStream {
    let values = values(state);
    if values.is_empty() {
        return TokenStream::new();
    }
    let (name, quiet) = (&state.root.name, quiet::attribute());
    let consts = values.iter().map(|(text, value)| {
        let ident = exposed(text);
        quote!(#[doc(hidden)] pub const #ident: usize = #value;)
    });
    quote! {
        #quiet
        #head #name #arguments { #(#consts)* }
    }
}

/// The texts of all constants behind the root's item.
pub fn closure(state: &State) -> BTreeSet<String> {
    let own = own(&state.root).into_keys();
    let others = state.answered.iter().filter_map(|(_, key)| state.entry(key)).flat_map(listed);
    own.chain(others).collect()
}

fn values(state: &State) -> BTreeMap<String, TokenStream> {
    let mut found: BTreeMap<String, Vec<TokenStream>> = BTreeMap::new();
    for (text, path) in own(&state.root) {
        found.entry(text).or_default().push(quote!((#path) as usize));
    }
    let frees = frees(&state.root);
    for (path, key) in &state.answered {
        let path = closed(path, &frees);
        for text in state.entry(key).into_iter().flat_map(listed) {
            let ident = exposed(&text);
            found.entry(text).or_default().push(quote!(<#path>::#ident));
        }
    }
    found.into_iter().map(|(text, values)| (text.clone(), same(&text, &values))).collect()
}

/// The free dims of a model, which no constant can name.
fn frees(root: &Root) -> Vec<String> {
    let item =
        (root.kind == Kind::Model).then(|| syn::parse2::<syn::ItemFn>(root.item.clone()).ok()).flatten();
    item.iter().flat_map(|i| i.sig.generics.const_params()).map(|p| p.ident.to_string()).collect()
}

/// A type with 0 for what a free dim is in: its constants don't depend on it.
fn closed(path: &TokenStream, frees: &[String]) -> TokenStream {
    let Ok(mut parsed) = syn::parse2::<syn::Path>(path.clone()) else { return path.clone() };
    let free = |arg: &GenericArgument| frees.iter().any(|name| mentions(quote!(#arg), name));
    for segment in &mut parsed.segments {
        if let PathArguments::AngleBracketed(args) = &mut segment.arguments {
            args.args.iter_mut().filter(|arg| free(arg)).for_each(|arg| *arg = syn::parse_quote!(0));
        }
    }
    quote!(#parsed)
}

fn same(text: &str, values: &[TokenStream]) -> TokenStream {
    match values {
        [one] => one.clone(),
        _ => {
            let message = Literal::string(&crate::message::const_differs(text));
            quote!(::kiln::rt::same([#(#values),*], #message))
        }
    }
}

/// The constants that the item names itself.
fn own(root: &Root) -> BTreeMap<String, TokenStream> {
    let names: Option<Names> = match root.kind {
        Kind::Model => syn::parse2(root.item.clone()).ok().map(|item| deps::names_in(&item)),
        Kind::Params => syn::parse2(root.item.clone()).ok().map(|item| deps::names_in_fields(&item)),
    };
    let consts = names.map(|n| n.consts).unwrap_or_default();
    consts.into_iter().map(|path| (super::answer::text(&path), path)).collect()
}

/// The texts that an entry lists.
fn listed(entry: &Group) -> Vec<String> {
    list(entry).into_iter().map(|(text, _)| text).collect()
}

fn list(entry: &Group) -> Vec<(String, Option<Number>)> {
    let mut trees = entry.stream().into_iter();
    ident(&mut trees);
    let last = std::iter::from_fn(|| group(&mut trees)).nth(3);
    last.map(|g| seen::constants(g.stream())).unwrap_or_default()
}

/// The constants whose values the files tell: one that has two is none.
pub fn known(state: &State) -> BTreeMap<String, Number> {
    let mut known: BTreeMap<String, Option<Number>> = BTreeMap::new();
    let others = state.entries.values().flat_map(|(_, entry)| list(entry));
    let others = others.filter_map(|(text, value)| Some((text, value?)));
    for (text, value) in state.root.seen.values.clone().into_iter().chain(others) {
        let slot = known.entry(text).or_insert(Some(value));
        *slot = slot.filter(|known| *known == value);
    }
    known.into_iter().filter_map(|(text, value)| Some((text, value?))).collect()
}

/// The name under which a constant is exposed.
fn exposed(text: &str) -> Ident {
    format_ident!("__kiln_{}", text.replace("::", "_"))
}
