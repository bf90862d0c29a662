//! What is wrong with the names in a model or a params struct, and what else its file tells.

use super::Source;
use super::constant::{self, Number};
use super::cycle::cycle;
use super::items::STD_MACROS;
use super::outline::ItemKind;
use super::scope::{Found, Place, Space};
use crate::link::{self, Kind, Names, Root};
use crate::message::{self, body};
use crate::{Errors, syntax};
use kiln_ir::surface;
use proc_macro2::TokenStream;
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use syn::ext::IdentExt;
use syn::{ItemFn, ItemStruct, Path};

/// What the files show about an item's names.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Paths and types that lead to no model or params. That was reported, or is elsewhere.
    pub faulty: Vec<TokenStream>,
    /// Paths whose hidden macros can't go by their own name, and what they are asked by.
    pub renamed: BTreeMap<String, TokenStream>,
    /// Values of constants, by their paths.
    pub values: BTreeMap<String, Number>,
    /// Whether a dim is of no constant: the item can't be emitted.
    pub unsound: bool,
}

impl Seen {
    /// Whether a path has been reported: what is named twice is one fault.
    fn is_faulty(&self, text: &str) -> bool {
        self.faulty.iter().any(|path| link::text_of_path(path) == text)
    }
}

/// Looks at the file of an item. Faults are noted where they stand.
pub fn look(source: Option<&Source>, root: &Root, errors: &Errors) -> Seen {
    let start = root.name.span().start();
    let place = source.and_then(|source| Some((source, Place::of(source, start.line, start.column)?)));
    let Some((source, (place, index))) = place else { return Seen::default() };
    if root.name.unraw() != place.item(index).name {
        return Seen::default();
    }
    if let Some(path) = syntax::options::library(root.attr.clone()) {
        *source.library.borrow_mut() = link::text_of_path(&path.to_token_stream());
    }
    let look = Look { source, place, index, errors };
    match root.kind {
        Kind::Model => syn::parse2(root.item.clone()).map(|item| look.model(&item)).unwrap_or_default(),
        Kind::Params => {
            syn::parse2(root.item.clone()).map(|item| look.params(root, &item)).unwrap_or_default()
        }
    }
}

struct Look<'a> {
    source: &'a Source<'a>,
    place: Place,
    index: usize,
    errors: &'a Errors,
}

impl Look<'_> {
    fn model(&self, item: &ItemFn) -> Seen {
        let names = link::names_in(item);
        let mut seen = Seen::default();
        for path in &names.models {
            self.function(path, &names, &mut seen);
        }
        self.circle(&names, &mut seen);
        for ty in link::types_in_signature(item) {
            self.params_type(&ty, &mut seen);
        }
        self.constants(&names, &mut seen);
        seen
    }

    fn params(&self, root: &Root, item: &ItemStruct) -> Seen {
        let mut seen = Seen::default();
        for ty in link::types_in_fields(item) {
            self.params_type(&ty, &mut seen);
        }
        let forward = syntax::options::forward(root.attr.clone());
        let names = link::names_in_fields(item);
        for path in forward.iter().map(ToTokens::to_token_stream) {
            self.function(&path, &names, &mut seen);
        }
        self.constants(&names, &mut seen);
        seen
    }

    /// A path that is called, or stands for a function.
    fn function(&self, path: &TokenStream, names: &Names, seen: &mut Seen) {
        let text = link::text_of_path(path);
        let segments = segments(&text);
        let Some(last) = segments.last() else { return };
        match self.place.resolve(self.source, &segments, Space::Values) {
            Found::Item(at, index) => {
                let item = at.item(index);
                let own_macro = at.outline().macros.contains(&item.name);
                if item.kind != ItemKind::Function || item.changed || own_macro {
                    return;
                }
                if !item.marked {
                    if !seen.is_faulty(&text) {
                        self.errors.at(path, body::untraceable(&text));
                    }
                    seen.faulty.push(path.clone());
                } else if link::is_std(&item.name) || link::is_builtin_name(&item.name) {
                    self.ask_otherwise(path, &text, seen);
                }
            }
            Found::Missing if self.place.outline().macros.contains(last) || is_builtin(last) => {}
            Found::Missing => {
                if !seen.is_faulty(&text) {
                    self.missing(path, &text, names);
                }
                seen.faulty.push(path.clone());
            }
            Found::Unknown if self.is_elsewhere(&segments) => self.ask_otherwise(path, &text, seen),
            Found::Unknown => {}
        }
    }

    /// Whether a path leads to another crate's model that is named like one of the library's functions or std's macros.
    fn is_elsewhere(&self, written: &[String]) -> bool {
        let [name, rest @ ..] = written else { return false };
        let full: Vec<&String> = match self.place.import(name) {
            Some(imported) => imported.iter().chain(rest).collect(),
            None => written.iter().collect(),
        };
        let [first, .., last] = full.as_slice() else { return false };
        let modules = self.place.names(|item| matches!(item.kind, ItemKind::Module(_)));
        let here = matches!(first.as_str(), "crate" | "self" | "super") || modules.contains(&first.as_str());
        is_builtin(last) && !here && **first != *self.source.library.borrow()
    }

    /// A model whose hidden macro can't be asked by the model's name alone.
    fn ask_otherwise(&self, path: &TokenStream, text: &str, seen: &mut Seen) {
        let Ok(written) = syn::parse2::<Path>(path.clone()) else { return };
        let imported = written.get_ident().and_then(|name| self.place.import(&name.to_string()));
        let full = imported.and_then(|path| syn::parse_str::<Path>(&path.join("::")).ok()).unwrap_or(written);
        seen.renamed.insert(text.to_string(), link::own_path(&full));
    }

    /// A name that nothing has.
    fn missing(&self, path: &TokenStream, text: &str, names: &Names) {
        let functions = self.place.names(|item| item.kind == ItemKind::Function);
        let message = if !names.called.contains(text) {
            let known: Vec<&str> = names.bound.iter().map(String::as_str).chain(functions).collect();
            body::unknown_name(text, message::nearest(text, &known))
        } else if surface::method(text).is_some() {
            body::is_method(text)
        } else {
            let known = functions.into_iter().filter(|name| *name != self.place.item(self.index).name);
            let near = surface::nearest(text, known).or_else(|| surface::nearest_function(text));
            body::unknown_function(text, near)
        };
        self.errors.at(path, message);
    }

    /// Calls that lead back here.
    fn circle(&self, names: &Names, seen: &mut Seen) {
        let Some(cycle) = cycle(self.source, &self.place, self.index) else { return };
        let own = &self.place.item(self.index).name;
        let mut told = !cycle.first;
        for path in &names.models {
            let text = link::text_of_path(path);
            let Some((_, callee)) = cycle.calls.iter().find(|(called, _)| *called == text) else { continue };
            if !told {
                self.errors.at(path, message::recursive_by(own, callee));
                told = true;
            }
            seen.faulty.push(path.clone());
        }
    }

    /// A type of params, or what an optimizer is of.
    fn params_type(&self, ty: &TokenStream, seen: &mut Seen) {
        let Ok(path) = syn::parse2::<Path>(ty.clone()) else { return };
        let text = link::text_of_path(ty);
        let Found::Item(at, index) = self.place.resolve(self.source, &segments(&text), Space::Types) else {
            return;
        };
        let item = at.item(index);
        if item.marked || item.changed || at.outline().macros.contains(&item.name) {
            return;
        }
        let message = match item.kind {
            ItemKind::Struct => body::not_params(&text),
            ItemKind::Type(what) => body::no_params(&text, what),
            _ => return,
        };
        let place = path.segments.last().map(|s| s.ident.to_token_stream()).unwrap_or_default();
        if !seen.is_faulty(&text) {
            self.errors.at(place, message);
        }
        seen.faulty.push(ty.clone());
    }

    /// Constants in dims: their values, or that there are none.
    fn constants(&self, names: &Names, seen: &mut Seen) {
        let mut told = BTreeSet::new();
        for path in &names.consts {
            let text = link::text_of_path(path);
            let segments = segments(&text);
            if let Some(value) = constant::value(self.source, &self.place, &segments) {
                seen.values.insert(text, value);
            } else if constant::is_variant(self.source, &self.place, &segments) {
                seen.values.insert(text, Number::Variant);
            } else if matches!(self.place.resolve(self.source, &segments, Space::Values), Found::Missing)
                && told.insert(text.clone())
            {
                let constants = self.place.names(|item| item.kind == ItemKind::Const);
                let known: Vec<&str> = names.sizes.iter().map(String::as_str).chain(constants).collect();
                self.errors.at(path, message::undeclared_dim(&text, &known));
                seen.unsound = true;
            }
        }
    }
}

fn segments(text: &str) -> Vec<String> {
    text.split("::").map(|s| s.trim_start_matches("r#").to_string()).collect()
}

/// Whether a hidden macro of the library has that name, or std's own.
fn is_builtin(name: &str) -> bool {
    link::is_builtin_name(name) || STD_MACROS.contains(&name)
}
