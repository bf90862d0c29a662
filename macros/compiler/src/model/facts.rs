//! What is known of a model before it runs: counts, sizes and the plan, as associated constants. Where they depend
//! on free dims without a bound they are functions of these.

use super::entry::Entry;
use super::sizes::{Sizes, variable};
use crate::syntax::model::mentions;
use kiln_ir::{Dim, Role, Sym};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// The plan, and what each derivative and the frozen model take; where there are known arguments, the plans for each of their
/// values.
pub fn plan(cases: &[Entry], derived: &[&Entry], frozen: Option<&String>) -> String {
    let own = match cases {
        [entry] => entry.compiled.plan.clone(),
        _ => cases.iter().map(case_plan).collect::<Vec<_>>().join("\n"),
    };
    let derived = derived.iter().map(|entry| format!("\n{} of {}", entry.name, entry.compiled.summary));
    let frozen = frozen.map(|frozen| format!("\n{frozen}"));
    own + &derived.chain(frozen).collect::<String>()
}

fn case_plan(entry: &Entry) -> String {
    let known = entry.model.known().zip(entry.case);
    let known: Vec<String> = known.map(|((arg, _), value)| format!("{} = {value}", arg.ident)).collect();
    format!("{}\n{}", known.join(", "), entry.compiled.plan)
}

/// The most of the values that an expression has in the cases.
fn most(values: Vec<&TokenStream>) -> TokenStream {
    let [one] = values.as_slice() else {
        return quote!({
            let mut most = 0usize;
            #({
                let here = #values;
                if here > most { most = here; }
            })*
            most
        });
    };
    (*one).clone()
}

/// `PARAM_COUNT`, `FLOPS`, `MULTIPLY_ADDS`, `SCRATCH_BYTES` and `PLAN`, and `FROZEN_BYTES` of a model that can be frozen.
pub fn facts(cases: &[Entry], plan: &str, frozen: Option<Dim>) -> TokenStream {
    let entry = &cases[0];
    let func = &entry.traced.func;
    let trained = func.inputs.iter().filter(|i| i.role == Role::Parameter);
    let params = trained.fold(Dim::from(0), |sum, input| sum + input.ty.numel());
    let sizes = Sizes::new(entry.traced);
    let frozen = frozen.map(|bytes| sizes.expression(&bytes));
    let params = sizes.expression(&params);
    let rows = [
        ("PARAM_COUNT", "How many numbers are trained.", &params),
        (
            "FLOPS",
            "Operations on floats in one call; with bounds on free dims, at most.",
            &most(cases.iter().map(|e| &e.compiled.flops).collect()),
        ),
        (
            "MULTIPLY_ADDS",
            "Multiplications of its products in one call, each with its addition; with bounds on free dims, at most.",
            &most(cases.iter().map(|e| &e.compiled.multiply_adds).collect()),
        ),
        (
            "SCRATCH_BYTES",
            "Memory for values in between, in bytes; with bounds on free dims, at most.",
            &most(cases.iter().map(|e| &e.compiled.scratch).collect()),
        ),
    ];
    let frozen =
        frozen.as_ref().map(|bytes| ("FROZEN_BYTES", "Memory of what `freeze` keeps, in bytes.", bytes));
    let rows = rows.into_iter().chain(frozen).map(|(name, doc, value)| fact(entry, &sizes, name, doc, value));
    quote! {
        #(#rows)*
        /// What runs, in order, and where the values in between stand.
        pub const PLAN: &'static str = #plan;
    }
}

/// A constant where no free dim occurs or all have a bound; and a function of the free dims where one has none, whether
/// it occurs or not: a change in the body doesn't take a name away.
fn fact(entry: &Entry, sizes: &Sizes, name: &str, doc: &str, value: &TokenStream) -> TokenStream {
    let frees = frees(entry, sizes);
    let function = frees.iter().any(|(_, bound)| bound.is_none()).then(|| {
        let name = format_ident!("{}", name.to_lowercase());
        let frees = frees.iter().map(|(name, _)| name);
        quote! {
            #[doc = #doc]
            pub const fn #name(#(#frees: usize),*) -> usize { #value }
        }
    });
    let used: Vec<_> = frees.iter().filter(|(name, _)| mentions(value.clone(), &name.to_string())).collect();
    if used.iter().any(|(_, bound)| bound.is_none()) {
        return quote!(#function);
    }
    let name = format_ident!("{name}");
    let largest = used.iter().filter_map(|(name, bound)| {
        let bound = Literal::u64_unsuffixed((*bound)?);
        Some(quote!(let #name: usize = #bound;))
    });
    quote! {
        #function
        #[doc = #doc]
        pub const #name: usize = { #(#largest)* #value };
    }
}

/// The model's free dims in the order of its generics, with their bounds.
fn frees(entry: &Entry, sizes: &Sizes) -> Vec<(Ident, Option<u64>)> {
    let syms: Vec<Sym> = (0..entry.traced.func.syms.0.len() as u32).map(Sym).collect();
    let named = |name: &str| syms.iter().copied().find(|s| sizes.is_free(*s) && sizes.name(*s) == name);
    let declared = entry.model.frees.iter().filter_map(|f| named(&f.ident.to_string()));
    declared.map(|sym| (variable(sizes.name(sym)), sizes.bound(sym))).collect()
}
