//! Each case in `names/*.rs`, a file up to a line of dashes, holds names that lead to no model or params; the `.txt`
//! beside it shows what the user sees of them and of all that hangs on them.

mod common;

use common::chain::expand_all;
use proc_macro2::{Span, TokenStream, TokenTree};

/// The messages among emitted tokens.
fn told(tokens: TokenStream, out: &mut Vec<syn::Error>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (i, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else { continue };
        let named = i.checked_sub(2).is_some_and(|at| trees[at].to_string() == "compile_error");
        match group.stream().into_iter().next() {
            Some(TokenTree::Literal(text)) if named => out.push(error(trees[i - 2].span(), &text)),
            _ => told(group.stream(), out),
        }
    }
}

fn error(start: Span, text: &proc_macro2::Literal) -> syn::Error {
    let message: syn::LitStr = syn::parse_str(&text.to_string()).unwrap();
    syn::Error::new(start.join(text.span()).unwrap_or(start), message.value())
}

#[test]
fn messages_are_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("names") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut out = String::new();
        for case in text.split("// ---\n").map(str::trim).filter(|c| !c.is_empty()) {
            let mut faults = Vec::new();
            for (name, tokens) in expand_all(case) {
                assert!(!tokens.to_string().contains("@ kiln"), "{name} is left for rustc: {tokens}");
                told(tokens, &mut faults);
            }
            faults.sort_by_key(|e| (e.span().start().line, e.span().start().column));
            out += &common::render(case, &faults);
        }
        differ.extend(common::snapshot(&file.with_extension("txt"), &format!("{}\n", out.trim_end())));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}
