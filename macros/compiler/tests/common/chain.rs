//! The chain of hidden macros without rustc: a file of items is expanded, and calls of hidden macros are answered by
//! the last name of their path, until nothing is asked any more.

use kiln_compiler::source::Source;
use kiln_compiler::{link, model, params};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::collections::BTreeMap;
use std::path::Path;

/// What each attributed item of a file expands to in the end, without its hidden macro. A path that leads to no
/// model stays as it is: `helper ! { … }`.
pub fn expand_all(source: &str) -> Vec<(String, TokenStream)> {
    let read = |path: &Path| (path == Path::new("src/lib.rs")).then(|| source.to_string());
    expand(source, Some(&Source::new(Path::new("src/lib.rs"), &read)))
}

/// The same without a file to look at, as in some editors.
pub fn expand_blindly(source: &str) -> Vec<(String, TokenStream)> {
    expand(source, None)
}

/// The same of a file of its own among others.
pub fn expand(source: &str, files: Option<&Source>) -> Vec<(String, TokenStream)> {
    let file = syn::parse_file(source).expect("a file of items");
    let mut world = World::default();
    let mut open: Vec<(String, TokenStream)> = Vec::new();
    world.take_macros(link::builtins());
    assert!(world.answers.contains_key("cross_entropy"));
    for item in flat(file.items) {
        if let Some((name, expanded)) = attributed(item, files) {
            let rest = world.take_macros(expanded);
            open.push((name, rest));
        }
    }
    // Each round answers at least one call, or there is none left that can be.
    loop {
        let mut answered = false;
        for (_, tokens) in &mut open {
            if let Some(next) = world.answer(tokens.clone()) {
                *tokens = world.take_macros(next);
                answered = true;
            }
        }
        if !answered {
            return open;
        }
    }
}

/// Items with those in modules and functions behind them.
fn flat(items: Vec<syn::Item>) -> Vec<syn::Item> {
    let inner = |item: &syn::Item| match item {
        syn::Item::Mod(m) => m.content.iter().flat_map(|(_, items)| items.clone()).collect(),
        syn::Item::Fn(f) => f
            .block
            .stmts
            .iter()
            .filter_map(|s| match s {
                syn::Stmt::Item(item) => Some(item.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let deeper: Vec<syn::Item> = items.iter().flat_map(inner).collect();
    if deeper.is_empty() { items } else { items.into_iter().chain(flat(deeper)).collect() }
}

fn attributed(mut item: syn::Item, files: Option<&Source>) -> Option<(String, TokenStream)> {
    let (attrs, name) = match &mut item {
        syn::Item::Fn(f) => (&mut f.attrs, f.sig.ident.to_string()),
        syn::Item::Struct(s) => (&mut s.attrs, s.ident.to_string()),
        _ => return None,
    };
    let at = attrs.iter().position(|a| a.path().is_ident("model") || a.path().is_ident("params"))?;
    let attr = attrs.remove(at);
    let options = match &attr.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let tokens = quote::ToTokens::to_token_stream(&item);
    let expanded = match attr.path().is_ident("model") {
        true => model::expand(options, tokens, files),
        false => params::expand(options, tokens, files),
    };
    Some((name, expanded))
}

#[derive(Default)]
struct World {
    /// Answers of hidden macros, by the name of the macro and by the item's.
    answers: BTreeMap<String, Group>,
}

impl World {
    /// Learns the hidden macros among tokens and leaves out their definitions and imports.
    fn take_macros(&mut self, tokens: TokenStream) -> TokenStream {
        let Ok(file) = syn::parse2::<syn::File>(tokens.clone()) else {
            panic!("what is emitted parses: {tokens}")
        };
        let mut rest = TokenStream::new();
        for item in file.items {
            match &item {
                syn::Item::Macro(m) if m.ident.is_some() => {
                    let name = m.ident.as_ref().expect("just seen").to_string();
                    self.answers.insert(name, answer_in(m.mac.tokens.clone()));
                }
                syn::Item::Use(u) => {
                    let renamed = self.renamed(&u.tree);
                    if let Some((name, answer)) = renamed {
                        self.answers.insert(name, answer);
                    }
                }
                _ => quote::ToTokens::to_tokens(&item, &mut rest),
            }
        }
        rest
    }

    fn renamed(&self, tree: &syn::UseTree) -> Option<(String, Group)> {
        match tree {
            syn::UseTree::Rename(r) => {
                Some((r.rename.to_string(), self.answers.get(&r.ident.to_string())?.clone()))
            }
            _ => None,
        }
    }

    /// The tokens with the first call of a known hidden macro answered.
    fn answer(&self, tokens: TokenStream) -> Option<TokenStream> {
        let file = syn::parse2::<syn::File>(tokens).expect("what is emitted parses");
        let mut out = TokenStream::new();
        let mut found = false;
        for item in file.items {
            let answer = match &item {
                syn::Item::Macro(m) if !found && m.ident.is_none() => {
                    let name = m.mac.path.segments.last().map(|s| s.ident.to_string());
                    name.and_then(|n| self.answers.get(&n)).map(|a| (a.clone(), m.mac.tokens.clone()))
                }
                _ => None,
            };
            match answer {
                Some((answer, asked)) => {
                    found = true;
                    // Behind `@kiln { link }`.
                    let state: TokenStream = asked.into_iter().skip(3).collect();
                    out.extend(link::step(quote::quote!(#state #answer)));
                }
                None => quote::ToTokens::to_tokens(&item, &mut out),
            }
        }
        found.then_some(out)
    }
}

/// The answer in `(@kiln $state:tt) => { ::kiln::__link! { $state { answer } } };`: the innermost last group.
fn answer_in(rules: TokenStream) -> Group {
    let last = |tokens: TokenStream| {
        tokens
            .into_iter()
            .filter_map(|tree| match tree {
                TokenTree::Group(g) if g.delimiter() == Delimiter::Brace => Some(g),
                _ => None,
            })
            .last()
            .expect("a group in braces")
    };
    last(last(last(rules).stream()).stream())
}
