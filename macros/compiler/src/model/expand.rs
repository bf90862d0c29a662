//! The end of the chain: a traced model becomes the function, the type of its name, and all that hangs on it.

use super::entry::Entry;
use super::freeze::{self, Freeze};
use super::{dump, facts, sizes, stub};
use crate::emit::{Compiled, Unit};
use crate::errors::compile_errors;
use crate::library::{Item, Library};
use crate::link::{Consts, Root};
use crate::message;
use crate::syntax::ast::{ArgKind, Model};
use crate::trace::{self, transform};
use crate::traced::Traced;
use crate::{Errors, eager, quiet};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The items of a model whose sources are all at hand.
pub fn expand(root: &Root, library: &Library, consts: &Consts) -> TokenStream {
    let key = root.key.to_string();
    let Some(Item::Model(model)) = library.entries.get(&key).map(|e| &e.item) else {
        return TokenStream::new();
    };
    let errors = Errors::new();
    let traced = trace::trace(library, &key, &errors);
    let faults = errors.finish();
    if !faults.is_empty() || (traced.is_none() && !model.options.inline) {
        let (faults, stub) = (compile_errors(&faults), stub::typed(root, model));
        let eager = eager::model(library, &key, false);
        return quote!(#faults #stub #eager);
    }
    let compiled = match traced {
        Some(traced) if !model.options.inline => {
            compiled(root, model, &variants(library, root, model, traced), consts)
        }
        _ => stub::namespace(root),
    };
    let eager = eager::model(library, &key, true);
    quote!(#compiled #eager)
}

const VALUE_AND_GRAD: &str = "value_and_grad";

/// The model, then its derivatives. `grad` is `value_and_grad` without the value, which costs next to nothing: so it
/// needs no code of its own.
fn variants(library: &Library, root: &Root, model: &Model, traced: Traced) -> Vec<(Ident, Traced)> {
    let mut all = vec![(model.ident.clone(), traced)];
    let traced = &all[0].1;
    let mut derived = Vec::new();
    if !traced.wrt.is_empty() && !model.args.iter().any(|arg| is_optimizer(library, root, &arg.kind)) {
        if transform::is_scalar(traced) {
            derived.push((VALUE_AND_GRAD, transform::value_and_grad(traced)));
        } else {
            derived.push(("vjp", transform::vjp(traced)));
        }
    }
    // A derivative that doesn't exist, of integers say, is no fault of a model that nobody differentiates.
    let derived =
        derived.into_iter().filter_map(|(name, traced)| Some((format_ident!("{name}"), traced.ok()?)));
    let derived: Vec<(Ident, Traced)> = derived.collect();
    all.extend(derived);
    all.into_iter().map(|(name, traced)| (name, sizes::plain_names(traced))).collect()
}

/// A step with an optimizer in it is the end of differentiation, not a function to differentiate.
fn is_optimizer(library: &Library, root: &Root, kind: &ArgKind) -> bool {
    let (ArgKind::Params(ty) | ArgKind::ParamsMut(ty)) = kind else { return false };
    let deps = library.entries.get(&root.key.to_string()).map(|e| &e.deps);
    let target = deps.and_then(|deps| deps.get(&crate::link::text_of_type(ty)));
    target
        .and_then(|key| library.entries.get(key))
        .is_some_and(|e| matches!(&e.item, Item::Builtin(name) if name != crate::link::RNG))
}

fn compiled(root: &Root, model: &Model, variants: &[(Ident, Traced)], consts: &Consts) -> TokenStream {
    let mut unit = Unit::new();
    let parts: Vec<Compiled> = variants.iter().map(|(_, traced)| unit.add(&traced.func)).collect();
    let freeze = Freeze::new(model, &variants[0].1, &mut unit);
    let entries: Vec<Entry> = variants
        .iter()
        .zip(&parts)
        .map(|((name, traced), compiled)| Entry {
            model,
            name: name.clone(),
            declared: model.args.clone(),
            traced,
            compiled,
        })
        .collect();
    let (function, derived) = entries.split_first().expect("the model comes first");
    let shells = derived.iter().map(|entry| {
        let doc = message::derivative_doc(&entry.name.to_string());
        entry.shell(&quote!(#[doc = #doc] #[inline]), &quote!(pub))
    });
    let grad = derived.iter().find(|entry| entry.name == VALUE_AND_GRAD).map(|entry| {
        let doc = message::derivative_doc("grad");
        entry.second_alone(&format_ident!("grad"), &quote!(#[doc = #doc] #[inline]))
    });
    let inner = entries.iter().map(Entry::inner);
    let facts = facts::facts(function);
    let [values, constants] = sizes::items(variants.iter().map(|(_, traced)| traced), consts);
    let asserts = asserts(&variants[0].1);
    let (frozen, freeze) = freeze.map_or_else(|| (TokenStream::new(), freeze::refusal(model)), |f| f.items());
    let kernels = unit.finish();
    let name = &root.name;
    let attributes = attributes(model, &function.compiled.plan);
    let watched = dump::watched();
    let (shell, namespace) = (function.shell(&attributes, &root.vis), stub::namespace(root));
    let quiet = quiet::attribute();
    let out = quote! {
        #shell
        #namespace
        #quiet
        const _: () = {
            #values
            const _: () = {
                #constants
                #watched
                #(#asserts)*
                #kernels
                #frozen
                impl #name {
                    #(#shells)*
                    #grad
                    #(#inner)*
                    #freeze
                    #facts
                }
            };
        };
    };
    dump::dump(root, variants, &parts, &out);
    out
}

/// The user's attributes, and the plan for whoever hovers over the name.
fn attributes(model: &Model, plan: &str) -> TokenStream {
    let attrs = &model.attrs;
    let plan = format!("\n\n# Plan\n\n```text\n{}\n```", plan.trim_end());
    // A model that only other models call is used, though rustc sees no call.
    let quiet = quiet::attribute();
    quote!(#(#attrs)* #[doc = #plan] #quiet)
}

/// Sizes that were taken to be equal, for rustc to compare.
fn asserts(traced: &Traced) -> Vec<TokenStream> {
    let sizes = sizes::Sizes::new(traced);
    let pairs = traced.asserts.iter().map(|(left, right)| {
        let message = message::dims_differ(&traced.func.name, &sizes.text(left), &sizes.text(right));
        let (left, right) = (sizes.expression(left), sizes.expression(right));
        quote!(
            const _: () = ::core::assert!(#left == #right, #message);
        )
    });
    pairs.collect()
}
