//! The chain of macros that collects the sources a model needs.
//!
//! Each model and params struct has a hidden macro of its name. To ask for the sources behind a path, an attribute
//! expands to `path!{ @kiln { link } { state } }`, with the path as the user wrote it: so Rust's own name resolution finds
//! what it leads to, through aliases, modules and crates. The hidden macro answers with `::kiln::__link!`, which
//! takes the answer into the state and asks for the next path. Invariant: only tokens are passed on, parsed as far
//! as a step needs them; what the state holds is parsed once, at the end.
//!
//! A model's chain has two stages. The paths in its body come first; then its hidden macro is defined, with the
//! sources of the whole body. The types in its signature follow, for the compiled function alone: a caller has
//! them in its own signature. That is what lets `#[params(forward = linear)] struct Linear` and
//! `fn linear(layer: &Linear, …)` name each other.

mod answer;
mod collect;
mod consts;
mod deps;
mod key;
mod library_path;
mod own;
mod seen;
mod state;

pub(crate) use answer::RNG;
pub use answer::{builtins, faulty, has_dollar, is_builtin_name};
pub use consts::Consts;
pub use deps::{Names, names_in, names_in_fields};
pub use key::key;
pub use library_path::renamed;
pub use own::{is_std, path as own_path};
pub use state::{Kind, Root};

use crate::{eager, model};
use library_path::library_path;
use proc_macro2::TokenStream;
use quote::quote;
use state::{Stage, State};

/// The paths to models in a body.
pub fn models_in(function: &syn::ItemFn) -> Vec<TokenStream> {
    deps::names_in(function).models
}

/// The types of params that a signature names, and what optimizers in it are of.
pub fn types_in_signature(function: &syn::ItemFn) -> Vec<TokenStream> {
    with_arguments(deps::in_signature(function))
}

/// The types of params that a struct's fields name.
pub fn types_in_fields(item: &syn::ItemStruct) -> Vec<TokenStream> {
    with_arguments(deps::in_fields(item))
}

/// What the compiler knows takes types.
fn with_arguments(types: Vec<TokenStream>) -> Vec<TokenStream> {
    let inner: Vec<TokenStream> = types.iter().flat_map(deps::type_arguments).collect();
    types.into_iter().chain(inner).collect()
}

/// A path's text, without generic arguments.
pub fn text_of_path(path: &TokenStream) -> String {
    answer::text(path)
}

/// The text of a type's path, as the deps of a `Library` have it.
pub fn text_of_type(ty: &syn::Type) -> String {
    deps::type_path(ty).map(|path| answer::text(&quote!(#path))).unwrap_or_default()
}

/// Starts the chain of a model or params struct.
pub fn start(root: Root) -> TokenStream {
    let asked = deps::of_item(&root);
    ask(State::new(root, asked))
}

/// `::kiln::__link!{ { state } { answer } }`: takes the answer in and goes on.
pub fn step(tokens: TokenStream) -> TokenStream {
    match state::read_step(tokens) {
        Some((mut state, answer)) => {
            state.take(answer);
            ask(state)
        }
        None => quote!(::core::compile_error! { "`__link` is for kiln's own use" }),
    }
}

/// Asks for the next path, or ends the stage.
fn ask(state: State) -> TokenStream {
    if let Some(path) = state.asked.front() {
        let renamed = state.root.seen.renamed.get(&answer::text(path)).cloned();
        let path = renamed.unwrap_or_else(|| own::unless_std(deps::bare(path)));
        let library = library_path(&state.root);
        return quote!(#path ! { @kiln { #library::__link } #state });
    }
    match (state.stage, state.root.kind) {
        (Stage::Item, Kind::Params) => {
            let (answer, exposed) = (answer::define(&state), consts::of_params(&state));
            let forward = eager::forward(&collect::library(&state), &state.root.key.to_string());
            let emitted = renamed(quote!(#exposed #forward), &state.root);
            quote!(#answer #emitted)
        }
        (Stage::Item, Kind::Model) => {
            let (answer, exposed) = (answer::define(&state), renamed(consts::of_model(&state), &state.root));
            let rest = ask(state.signature());
            quote!(#answer #exposed #rest)
        }
        (Stage::Signature, _) => {
            let (library, consts) = (collect::library(&state), Consts::new(&state));
            renamed(model::finish(&state.root, &library, &consts), &state.root)
        }
    }
}
