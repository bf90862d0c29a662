//! Options of `#[model(…)]` and `#[params(…)]`: each fault costs one option, not the list.

use super::ast::ModelOptions;
use crate::{Errors, message};
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{LitInt, Path, Token};

const MODEL: [&str; 5] = ["inline", "eager", "exact", "grad", CRATE];
const PARAMS: [&str; 2] = ["forward", CRATE];

/// How the crate names this library.
const CRATE: &str = "crate";

/// The pieces between the commas at the top level; an empty piece is dropped.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut pieces = vec![Vec::new()];
    for tree in tokens {
        match &tree {
            TokenTree::Punct(p) if p.as_char() == ',' => pieces.push(Vec::new()),
            _ => pieces.last_mut().into_iter().for_each(|piece| piece.push(tree.clone())),
        }
    }
    pieces.into_iter().filter(|p| !p.is_empty()).map(|p| p.into_iter().collect()).collect()
}

/// The name that a piece begins with, and the rest.
fn named(errors: &Errors, piece: &TokenStream) -> Option<(Ident, TokenStream)> {
    let mut trees = piece.clone().into_iter();
    match trees.next() {
        Some(TokenTree::Ident(name)) => Some((name, trees.collect())),
        _ => {
            errors.at(piece, message::option_syntax());
            None
        }
    }
}

/// `= path`
fn path(rest: TokenStream) -> Option<Path> {
    let path = |input: ParseStream| {
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
    };
    path.parse2(rest).ok()
}

/// Parses the options of `#[params(…)]`: the model behind `.forward(x)`.
pub fn params_options(errors: &Errors, attr: TokenStream) -> Option<Path> {
    let mut forward = None;
    let mut seen: Vec<Ident> = Vec::new();
    for piece in split(attr) {
        let Some((name, rest)) = named(errors, &piece) else { continue };
        let text = name.to_string();
        if !PARAMS.contains(&text.as_str()) {
            errors.at(&name, message::unknown_option(&text, "params", &PARAMS));
        } else if seen.contains(&name) {
            errors.at(&piece, message::option_twice(&text));
        } else {
            match (path(rest), text.as_str()) {
                (Some(path), "forward") => forward = Some(path),
                (Some(_), _) => {}
                (None, "forward") => errors.at(&piece, message::option_forward()),
                (None, _) => errors.at(&piece, message::option_crate()),
            }
            seen.push(name);
        }
    }
    forward
}

/// How the crate names this library, where an option says so.
pub fn library(attr: TokenStream) -> Option<Path> {
    let errors = Errors::new();
    let pieces = split(attr);
    let mut pieces = pieces.iter().filter_map(|piece| named(&errors, piece));
    let found = pieces.find(|(name, _)| name == CRATE).and_then(|(_, rest)| path(rest));
    errors.finish();
    found
}

/// The model behind `.forward(x)`, from options that were found sound.
pub fn forward(attr: TokenStream) -> Option<Path> {
    let errors = Errors::new();
    let forward = params_options(&errors, attr);
    errors.finish();
    forward
}

/// Parses the options of `#[model(…)]`. Whether bounds and `grad` name something is checked by the signature.
pub fn model_options(errors: &Errors, attr: TokenStream) -> ModelOptions {
    let mut options = ModelOptions::default();
    let mut seen: Vec<Ident> = Vec::new();
    for piece in split(attr) {
        let Some((name, rest)) = named(errors, &piece) else { continue };
        if seen.contains(&name) {
            errors.at(&piece, message::option_twice(&name.to_string()));
            continue;
        }
        seen.push(name.clone());
        option(errors, &mut options, name, rest, &piece);
    }
    options
}

fn option(errors: &Errors, options: &mut ModelOptions, name: Ident, rest: TokenStream, piece: &TokenStream) {
    let text = name.to_string();
    if matches!(rest.clone().into_iter().next(), Some(TokenTree::Punct(p)) if p.as_char() == '<') {
        options.bounds.extend(bound(errors, name, rest, piece));
        return;
    }
    let flag = match text.as_str() {
        "inline" => &mut options.inline,
        "eager" => &mut options.eager,
        "exact" => &mut options.exact,
        "grad" => {
            let names = |input: ParseStream| {
                let content;
                syn::parenthesized!(content in input);
                Punctuated::<Ident, Token![,]>::parse_terminated(&content)
            };
            match names.parse2(rest) {
                Ok(names) if !names.is_empty() => options.grad.extend(names),
                _ => errors.at(piece, message::option_grad()),
            }
            return;
        }
        CRATE if path(rest).is_none() => return errors.at(piece, message::option_crate()),
        CRATE => return,
        _ => return errors.at(&name, message::unknown_option(&text, "model", &MODEL)),
    };
    *flag = true;
    if !rest.is_empty() {
        errors.at(piece, message::option_no_value(&text));
    }
}

fn bound(errors: &Errors, name: Ident, rest: TokenStream, piece: &TokenStream) -> Option<(Ident, u64)> {
    let literal = |input: ParseStream| {
        input.parse::<Token![<=]>()?;
        input.parse::<LitInt>()
    };
    let value = literal.parse2(rest).ok().and_then(|l| l.base10_parse::<u64>().ok());
    match value {
        Some(0) => errors.at(piece, message::bound_zero(&name.to_string())),
        Some(n) => return Some((name, n)),
        None => errors.at(piece, message::bound_literal(&name.to_string())),
    }
    None
}
