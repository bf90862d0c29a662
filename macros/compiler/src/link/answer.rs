//! Hidden macros: how an item answers whoever asks for its sources.
//!
//! An entry is `KEY { kind { attr } { item } { KEY { path } … } { consts… } }`, where a
//! constant is its text and, if that is known, its value; or `KEY { builtin name }` for what the
//! compiler knows, or `KEY { faulty }` for an item whose fault was reported where it stands.

use super::state::{Root, State, kind_ident};
use super::{consts, deps, own, seen};
use crate::trace::control::CONTROL;
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// The hidden macro of the root, with all that was collected.
pub fn define(state: &State) -> TokenStream {
    let Root { key, kind, attr, item, .. } = &state.root;
    let kind = kind_ident(*kind);
    let item = slim(item.clone());
    let answered = state.answered.iter().map(|(path, key)| quote!(#key { #path }));
    let known = consts::known(state);
    let consts = consts::closure(state).into_iter().map(|text| seen::constant(&text, known.get(&text)));
    let entries = state.entries.values().map(|(key, entry)| quote!(#key #entry));
    let own = quote!(#key { #kind { #attr } { #item } { #(#answered)* } { #(#consts)* } });
    hidden_macro(&state.root, &quote!(#key #own #(#entries)*))
}

/// The hidden macro of an item that has a fault of its own: whoever names it goes on quietly.
pub fn faulty(root: &Root) -> TokenStream {
    let key = &root.key;
    hidden_macro(root, &quote!(#key #key { faulty }))
}

fn hidden_macro(root: &Root, answer: &TokenStream) -> TokenStream {
    let Root { key, name, vis, .. } = root;
    let hidden = format_ident!("__kiln_{key}");
    let public = vis.to_string() == "pub";
    let known = own::name(name);
    let export = public.then(|| quote!(#[macro_export]));
    quote! {
        #export
        #[doc(hidden)]
        #[allow(unused_macros, non_local_definitions)]
        macro_rules! #hidden {
            (@kiln { $($link:tt)* } $state:tt) => { $($link)* ! { $state { #answer } } };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #vis use #hidden as #known;
    }
}

/// The hidden macros of the functions, transforms and optimizers that the compiler knows, for `kiln` itself.
pub fn builtins() -> TokenStream {
    let functions = kiln_ir::surface::entries().filter(|e| e.form != kiln_ir::surface::Form::Method);
    let names = functions.map(|e| e.name).chain(TRANSFORMS).chain(CONTROL).chain(OPTIMIZERS).chain([RNG]);
    names
        .map(|name| {
            let (name, key) = (format_ident!("{name}"), format_ident!("builtin_{name}"));
            let hidden = format_ident!("__kiln_{key}");
            quote! {
                #[macro_export]
                #[doc(hidden)]
                macro_rules! #hidden {
                    (@kiln { $($link:tt)* } $state:tt) => { $($link)* ! { $state { #key #key { builtin #name } } } };
                }
                #[doc(hidden)]
                pub use #hidden as #name;
            }
        })
        .collect()
}

/// What takes a model and yields a function.
pub(super) const TRANSFORMS: [&str; 8] =
    ["value_and_grad", "grad", "vjp", "jvp", "vmap", "checkpoint", "custom_vjp", "tree_map"];
/// State that is made of params.
pub(super) const OPTIMIZERS: [&str; 7] = kiln_ir::composite::rule::Rule::NAMES;

/// The random generator.
pub(crate) const RNG: &str = "Rng";

/// Whether the library has a hidden macro of that name.
pub fn is_builtin_name(name: &str) -> bool {
    let function = || kiln_ir::surface::function(name).is_some();
    TRANSFORMS.contains(&name)
        || CONTROL.contains(&name)
        || OPTIMIZERS.contains(&name)
        || name == RNG
        || function()
}

/// Whether an entry stands for what the compiler knows.
pub fn is_builtin(entry: &Group) -> bool {
    word(entry).is_some_and(|w| w == "builtin")
}

/// The first word of an entry.
pub fn word(entry: &Group) -> Option<Ident> {
    super::state::ident(&mut entry.stream().into_iter())
}

/// The item without docs, which no tracer reads.
fn slim(item: TokenStream) -> TokenStream {
    let mut out = Vec::new();
    let mut trees = item.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let hash = matches!(&tree, TokenTree::Punct(p) if p.as_char() == '#');
        if hash && matches!(trees.peek(), Some(TokenTree::Group(g)) if is_doc(g)) {
            trees.next();
            continue;
        }
        out.push(match tree {
            TokenTree::Group(g) => {
                let mut slimmed = Group::new(g.delimiter(), slim(g.stream()));
                slimmed.set_span(g.span());
                TokenTree::Group(slimmed)
            }
            other => other,
        });
    }
    out.into_iter().collect()
}

fn is_doc(group: &Group) -> bool {
    group.delimiter() == Delimiter::Bracket && word(group).is_some_and(|w| w.unraw() == "doc")
}

/// A path's text, as the deps of a `Library` have it.
pub fn text(path: &TokenStream) -> String {
    deps::bare(path).to_string().split_whitespace().collect()
}

/// Whether tokens hold a `$`, which can't stand in a `macro_rules!`.
pub fn has_dollar(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Punct(p) => p.as_char() == '$',
        TokenTree::Group(g) => has_dollar(&g.stream()),
        _ => false,
    })
}
