//! What an item's file showed, as tokens that the chain carries.

use super::state::{groups, pairs};
use crate::source::{self, Number, Seen};
use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};

impl ToTokens for Seen {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let faulty = self.faulty.iter().map(|path| quote!({ #path }));
        let renamed = self.renamed.iter().map(|(text, path)| {
            let text = Literal::string(text);
            quote!({ #text #path })
        });
        let values = self.values.iter().map(|(text, value)| constant(text, Some(value)));
        tokens.extend(quote!(faulty { #(#faulty)* } renamed { #(#renamed)* } values { #(#values)* }));
    }
}

/// Reads what `to_tokens` wrote.
pub fn read(tokens: TokenStream) -> Seen {
    let mut seen = Seen::default();
    for (word, group) in pairs(tokens) {
        match word.to_string().as_str() {
            "faulty" => seen.faulty = groups(group).map(|g| g.stream()).collect(),
            "renamed" => {
                let read = |tokens: TokenStream| {
                    let mut trees = tokens.into_iter();
                    Some((text(&trees.next()?)?, trees.collect()))
                };
                seen.renamed = groups(group).filter_map(|g| read(g.stream())).collect();
            }
            _ => {
                let known = constants(group.stream()).into_iter();
                seen.values = known.filter_map(|(text, value)| Some((text, value?))).collect();
            }
        }
    }
    seen
}

/// A constant as an entry lists it, with its value where that is known: `"A=8"`.
pub fn constant(text: &str, value: Option<&Number>) -> Literal {
    Literal::string(&value.map_or(text.to_string(), |value| format!("{text}={value}")))
}

/// The constants that an entry lists.
pub fn constants(tokens: TokenStream) -> Vec<(String, Option<Number>)> {
    let read = |tree: TokenTree| {
        let text = text(&tree)?;
        Some(match text.split_once('=') {
            Some((text, value)) => (text.to_string(), source::parse_number(value)),
            None => (text, None),
        })
    };
    tokens.into_iter().filter_map(read).collect()
}

/// The text of a string literal.
fn text(tree: &TokenTree) -> Option<String> {
    let shown = tree.to_string();
    Some(shown.strip_prefix('"')?.strip_suffix('"')?.to_string())
}

/// The key of what is known to be faulty before it is asked for.
pub fn faulty_key() -> proc_macro2::Ident {
    format_ident!("faulty")
}
