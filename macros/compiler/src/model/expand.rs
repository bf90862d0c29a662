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
    let traced = trace::cases(library, &key, &errors);
    let faults = errors.finish();
    if !faults.is_empty() || (traced.is_none() && !model.is_block()) {
        let (faults, stub) = (compile_errors(&faults), stub::typed(root, model));
        let eager = eager::model(library, &key, false);
        return quote!(#faults #stub #eager);
    }
    let compiled = match traced {
        Some(traced) if !model.is_block() => {
            compiled(root, model, &variants(library, root, model, traced), consts)
        }
        _ => stub::block(root, model),
    };
    let eager = eager::model(library, &key, true);
    quote!(#compiled #eager)
}

const VALUE_AND_GRAD: &str = "value_and_grad";

/// A function of a model's type: the model itself or a derivative, for values of its known arguments.
pub struct Variant {
    /// Its name.
    pub name: Ident,
    /// The values.
    pub case: Vec<bool>,
    /// Graph and forms.
    pub traced: Traced,
}

/// The model in all its cases, then its derivatives. `grad` is `value_and_grad` without the value, which costs next to
/// nothing: so it needs no code of its own.
fn variants(library: &Library, root: &Root, model: &Model, cases: Vec<Traced>) -> Vec<Variant> {
    let derived = match model.args.iter().any(|arg| is_optimizer(library, root, &arg.kind)) {
        true => None,
        // A derivative that doesn't exist, of integers say, is no fault of a model that nobody differentiates.
        false => cases.iter().map(derivative).collect::<Option<Vec<_>>>().unwrap_or_default().into(),
    };
    let own = cases.into_iter().map(|traced| (model.ident.clone(), traced));
    let cases = model.cases();
    let cases = cases.iter().cycle();
    let all = own.chain(derived.unwrap_or_default()).zip(cases);
    all.map(|((name, traced), case)| Variant { name, case: case.clone(), traced: sizes::plain_names(traced) })
        .collect()
}

fn derivative(traced: &Traced) -> Option<(Ident, Traced)> {
    if traced.wrt.is_empty() {
        return None;
    }
    let (name, derived) = match transform::is_scalar(traced) {
        true => (VALUE_AND_GRAD, transform::value_and_grad(traced)),
        false => ("vjp", transform::vjp(traced)),
    };
    Some((format_ident!("{name}"), derived.ok()?))
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

fn compiled(root: &Root, model: &Model, variants: &[Variant], consts: &Consts) -> TokenStream {
    let mut unit = Unit::exact(model.options.exact);
    let (own, derived) = variants.split_at(model.cases().len());
    let mut parts: Vec<Compiled> = own.iter().map(|v| unit.add(&v.traced.func)).collect();
    unit.on_demand();
    parts.extend(derived.iter().map(|v| unit.add(&v.traced.func)));
    let freeze = Freeze::new(model, &variants[0].traced, &mut unit);
    let entries: Vec<Entry> = variants
        .iter()
        .zip(&parts)
        .map(|(variant, compiled)| Entry {
            model,
            name: variant.name.clone(),
            declared: model.args.clone(),
            traced: &variant.traced,
            compiled,
            case: &variant.case,
        })
        .collect();
    let cases: Vec<&[Entry]> = entries.chunks(model.cases().len()).collect();
    let (function, derived) = cases.split_first().expect("the model comes first");
    let derived: Vec<&Entry> = derived.iter().map(|cases| &cases[0]).collect();
    let dispatch = cases.iter().filter(|cases| cases.len() > 1).map(|cases| cases[0].dispatch(cases));
    let shells = derived.iter().map(|entry| {
        let doc = message::derivative_doc(&entry.name.to_string());
        entry.shell(&quote!(#[doc = #doc] #[inline]), &quote!(pub))
    });
    let grad = derived.iter().find(|entry| entry.name == VALUE_AND_GRAD).map(|entry| {
        let doc = message::derivative_doc("grad");
        entry.second_alone(&format_ident!("grad"), &quote!(#[doc = #doc] #[inline]))
    });
    let inner = entries.iter().map(Entry::inner);
    let kept = freeze.as_ref().map(|freeze| (freeze.bytes(), freeze.summary()));
    let plan = facts::plan(function, &derived, kept.as_ref().map(|(_, summary)| summary));
    let facts = facts::facts(function, &plan, kept.map(|(bytes, _)| bytes));
    let [values, constants] = sizes::items(variants.iter().map(|v| &v.traced), consts);
    let asserts = variants[..function.len()].iter().flat_map(|v| asserts(&v.traced));
    let (frozen, freeze) = freeze.map_or_else(|| (TokenStream::new(), freeze::refusal(model)), |f| f.items());
    let kernels = unit.finish();
    let name = &root.name;
    let attributes = attributes(model, &plan);
    let watched = dump::watched();
    let (shell, namespace) = (function[0].shell(&attributes, &root.vis), stub::namespace(root));
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
                    #(#dispatch)*
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
