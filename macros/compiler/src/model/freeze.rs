//! `f::freeze(&net)`: what hangs on the parameters alone is computed, and kept in a struct whose `run` does the rest.

use super::arguments::{self, Form};
use super::entry::Entry;
use super::results;
use super::split::{self, Split};
use crate::emit::{Compiled, Unit};
use crate::message;
use crate::syntax::ast::{Arg, ArgKind, Model};
use crate::trace::transform::is_scalar;
use crate::traced::{Ret, Traced};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The two halves of a model, compiled.
pub struct Freeze {
    params: Arg,
    rest: Vec<Arg>,
    split: Split,
    once: Compiled,
    run: Compiled,
}

impl Freeze {
    /// The halves of a model of one `&P`; `None` for any other, and for losses.
    pub fn new(model: &Model, traced: &Traced, unit: &mut Unit) -> Option<Freeze> {
        let params = |arg: &&Arg| matches!(arg.kind, ArgKind::Params(_));
        let at = model.args.iter().position(|arg| params(&arg))?;
        let fits = model.args.iter().all(|arg| matches!(arg.kind, ArgKind::Params(_) | ArgKind::Tensor(_)));
        let one = model.args.iter().filter(params).count() == 1;
        if !fits || !one || is_scalar(traced) || !arguments::generics(model).is_empty() {
            return None;
        }
        let split = split::split(traced, at).ok().flatten()?;
        let (once, run) = (unit.add(&split.once.func), unit.add(&split.run.func));
        let mut rest = model.args.clone();
        let params = rest.remove(at);
        Some(Freeze { params, rest, split, once, run })
    }

    /// The struct, and the functions of the model's type.
    pub fn items(&self, model: &Model) -> (TokenStream, TokenStream) {
        let frozen = Arg {
            ident: format_ident!("__frozen"),
            local: false,
            kind: ArgKind::Params(syn::parse_quote!(FrozenModel)),
        };
        let once = self.entry(model, "freeze_once", vec![self.params.clone()], &self.split.once, &self.once);
        let declared = std::iter::once(frozen).chain(self.rest.iter().cloned()).collect();
        let run = self.entry(model, "freeze_run", declared, &self.split.run, &self.run);
        (self.frozen(&run), self.functions(&once, &run))
    }

    fn entry<'a>(
        &'a self,
        model: &'a Model,
        name: &str,
        declared: Vec<Arg>,
        traced: &'a Traced,
        compiled: &'a Compiled,
    ) -> Entry<'a> {
        Entry { model, name: format_ident!("{name}"), declared, traced, compiled }
    }

    fn fields(&self) -> Vec<Ident> {
        let Ret::Tuple(values) = &self.split.once.result else { return Vec::new() };
        (0..values.len()).map(|i| format_ident!("{}", split::field(i))).collect()
    }

    fn frozen(&self, run: &Entry) -> TokenStream {
        let fields = self.fields();
        let func = &self.split.run.func;
        let types: Vec<TokenStream> =
            (0..fields.len()).map(|i| super::stub::dtype(func.inputs[i].ty.dtype)).collect();
        let (model, inner) = (&run.model.ident, run.inner_name());
        let forms = arguments::forms(run);
        let parameters = forms.iter().skip(1).map(Form::parameter);
        let passed = forms.iter().skip(1).map(Form::passed);
        let result = results::ty(run, &self.split.run.result);
        let (doc, run_doc) =
            (message::frozen_doc(&model.to_string()), message::frozen_run_doc(&model.to_string()));
        quote! {
            #[doc = #doc]
            #[derive(Clone, Debug)]
            pub struct FrozenModel { #(#fields: ::kiln::Tensor<#types>),* }
            impl FrozenModel {
                fn __kiln_fields(&self) -> (#(&::kiln::Tensor<#types>,)*) { (#(&self.#fields,)*) }
                #[doc = #run_doc]
                pub fn run(&self, #(#parameters),*) -> ::kiln::Result<#result> {
                    <#model>::#inner(self, #(#passed),*)
                }
            }
            impl ::kiln::Freeze for #model {
                type Frozen = FrozenModel;
            }
        }
    }

    fn functions(&self, once: &Entry, run: &Entry) -> TokenStream {
        let fields = self.fields();
        let (inner, doc) = (once.inner_name(), message::freeze_doc(&once.model.ident.to_string()));
        let parameter = arguments::forms(once).iter().map(Form::inner_parameter).collect::<TokenStream>();
        let name = &self.params.ident;
        let (first, second) = (once.inner(), run.inner());
        quote! {
            #[doc = #doc]
            pub fn freeze(#parameter) -> ::kiln::Result<FrozenModel> {
                let (#(#fields,)*) = Self::#inner(#name)?;
                ::core::result::Result::Ok(FrozenModel { #(#fields),* })
            }
            #first
            #second
        }
    }
}
