//! The end of a chain: what was collected, parsed.

use super::answer::{text, word};
use super::consts;
use super::state::{State, group, ident, kind_ident, pairs};
use crate::Errors;
use crate::library::{Entry, Item, Library};
use crate::syntax::{model, params};
use proc_macro2::{Group, Ident, TokenStream};
use std::collections::BTreeMap;

/// The library of a finished chain, the root in it.
pub fn library(state: &State) -> Library {
    let mut library = Library { values: consts::known(state), ..Library::default() };
    for (key, entry) in state.entries.values() {
        library.entries.insert(key.to_string(), read(entry).unwrap_or_else(faulty));
    }
    let root = &state.root;
    let item = item(&kind_ident(root.kind).to_string(), root.attr.clone(), root.item.clone());
    let deps = deps(state.answered.iter().map(|(path, key)| (key.clone(), path.clone())));
    library.entries.insert(root.key.to_string(), Entry { item, deps });
    library
}

fn faulty() -> Entry {
    Entry { item: Item::Faulty, deps: BTreeMap::new() }
}

fn deps(answered: impl Iterator<Item = (Ident, TokenStream)>) -> BTreeMap<String, String> {
    answered.map(|(key, path)| (text(&path), key.to_string())).collect()
}

fn read(entry: &Group) -> Option<Entry> {
    let kind = word(entry)?.to_string();
    let mut trees = entry.stream().into_iter().skip(1);
    if kind == "builtin" {
        return Some(Entry { item: Item::Builtin(ident(&mut trees)?.to_string()), deps: BTreeMap::new() });
    }
    let (attr, tokens) = (group(&mut trees)?.stream(), group(&mut trees)?.stream());
    let deps = deps(pairs(group(&mut trees)?.stream()).map(|(key, path)| (key, path.stream())));
    Some(Entry { item: item(&kind, attr, tokens), deps })
}

/// The parsed item. Its faults were reported where it stands.
fn item(kind: &str, attr: TokenStream, tokens: TokenStream) -> Item {
    let errors = Errors::new();
    let parsed = syn::parse2::<syn::Item>(tokens).ok().and_then(|item| match (kind, &item) {
        ("model", _) => model::model(&errors, attr, &item).map(|m| Item::Model(Box::new(m))),
        ("params", syn::Item::Struct(s)) => Some(Item::Params(Box::new(params::params(&errors, attr, s)))),
        _ => None,
    });
    if errors.finish().is_empty() { parsed.unwrap_or(Item::Faulty) } else { Item::Faulty }
}
