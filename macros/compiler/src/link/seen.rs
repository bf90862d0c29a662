//! What an item's file showed, as tokens that the chain carries.

use super::state::{groups, pairs};
use crate::source::Seen;
use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use std::collections::BTreeMap;

impl ToTokens for Seen {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let faulty = self.faulty.iter().map(|path| quote!({ #path }));
        let renamed = self.renamed.iter().map(|(text, path)| {
            let text = Literal::string(text);
            quote!({ #text #path })
        });
        let values = values(&self.values);
        tokens.extend(quote!(faulty { #(#faulty)* } renamed { #(#renamed)* } values { #values }));
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
            _ => seen.values = read_values(group.stream()),
        }
    }
    seen
}

/// `"TEXT" 8 …`
pub fn values(values: &BTreeMap<String, i64>) -> TokenStream {
    let pairs = values.iter().map(|(text, value)| {
        let (text, value) = (Literal::string(text), Literal::i64_unsuffixed(*value));
        quote!(#text #value)
    });
    quote!(#(#pairs)*)
}

/// The values among texts, each behind its own: `"A" 8 "B"`.
pub fn read_values(tokens: TokenStream) -> BTreeMap<String, i64> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let pair = |pair: &[TokenTree]| Some((text(&pair[0])?, pair[1].to_string().parse().ok()?));
    trees.windows(2).filter_map(pair).collect()
}

/// The text of a string literal.
pub fn text(tree: &TokenTree) -> Option<String> {
    let shown = tree.to_string();
    Some(shown.strip_prefix('"')?.strip_suffix('"')?.to_string())
}

/// The key of what is known to be faulty before it is asked for.
pub fn faulty_key() -> proc_macro2::Ident {
    format_ident!("faulty")
}
