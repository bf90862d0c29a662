//! How the crate that an item stands in names this library: `::kiln`, or as `#[model(crate = k)]` says.

use super::state::Root;
use crate::syntax::options;
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// The path of the library.
pub fn library_path(root: &Root) -> TokenStream {
    match options::library(root.attr.clone()) {
        Some(path) => rooted(&path),
        None => quote!(::kiln),
    }
}

/// A path that begins with a crate's name is one whatever stands around.
fn rooted(path: &syn::Path) -> TokenStream {
    let first = path.segments.first().map(|s| s.ident.to_string()).unwrap_or_default();
    let local = path.leading_colon.is_some() || matches!(first.as_str(), "crate" | "self" | "super");
    if local { path.to_token_stream() } else { quote!(::#path) }
}

/// Emitted items with the library's path as the root's crate names it.
pub fn renamed(tokens: TokenStream, root: &Root) -> TokenStream {
    match options::library(root.attr.clone()) {
        Some(path) => replaced(tokens, &rooted(&path)),
        None => tokens,
    }
}

fn replaced(tokens: TokenStream, path: &TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) if ident == "kiln" && is_rooted(&out) => {
                out.truncate(out.len() - 2);
                out.extend(path.clone());
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replaced(group.stream(), path));
                inner.set_span(group.span());
                out.push(inner.into());
            }
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

/// Whether `::` comes last, and nothing that it could belong to before it.
fn is_rooted(before: &[TokenTree]) -> bool {
    let colon = |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ':');
    match before {
        [.., first, second] if colon(first) && colon(second) => {
            !matches!(before.len().checked_sub(3).map(|i| &before[i]), Some(TokenTree::Ident(_)))
                || before.len().checked_sub(3).is_some_and(|i| is_keyword(&before[i]))
        }
        _ => false,
    }
}

/// Behind a keyword a path begins.
fn is_keyword(tree: &TokenTree) -> bool {
    ["use", "impl", "for", "as", "in", "mut", "dyn", "return", "where", "const", "else"]
        .iter()
        .any(|k| tree.to_string() == *k)
}
