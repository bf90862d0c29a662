//! One function that users call: a shell that views the arguments, and within it the checks, the run and the result.

use super::arguments::{self, Form, FormKind};
use super::names::Names;
use super::results;
use super::sizes::Sizes;
use crate::emit::Compiled;
use crate::syntax::ast::{Arg, Model};
use crate::traced::{Ret, Traced};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// A traced and compiled function of a model: the model itself or one of its derivatives.
pub struct Entry<'a> {
    /// The model.
    pub model: &'a Model,
    /// Name of the function: the model's, or `value_and_grad`.
    pub name: Ident,
    /// The arguments as they are declared. Those of the graph behind them are tensors.
    pub declared: Vec<Arg>,
    /// Graph and forms.
    pub traced: &'a Traced,
    /// The run function.
    pub compiled: &'a Compiled,
    /// The values of known arguments, where there are any.
    pub case: &'a [bool],
}

impl Entry<'_> {
    /// The function's public face: any argument that views as a tensor.
    pub fn shell(&self, attributes: &TokenStream, vis: &TokenStream) -> TokenStream {
        let (name, inner, owner) = (&self.name, self.inner_name(), &self.model.ident);
        let generics = arguments::generics(self.model);
        let forms = arguments::forms(self);
        let parameters = forms.iter().map(Form::parameter);
        let passed = forms.iter().map(Form::passed);
        let result = results::ty(self, &self.traced.result);
        quote! {
            #attributes
            #vis fn #name #generics(#(#parameters),*) -> ::kiln::Result<#result> {
                <#owner>::#inner(#(#passed),*)
            }
        }
    }

    /// A shell of another name that returns only the second part of the result.
    pub fn second_alone(&self, name: &Ident, attributes: &TokenStream) -> TokenStream {
        let Ret::Tuple(parts) = &self.traced.result else { return TokenStream::new() };
        let Some(second) = parts.get(1).map(|ret| results::ty(self, ret)) else { return TokenStream::new() };
        let (inner, owner) = (self.inner_name(), &self.model.ident);
        let generics = arguments::generics(self.model);
        let forms = arguments::forms(self);
        let parameters = forms.iter().map(Form::parameter);
        let passed = forms.iter().map(Form::passed);
        quote! {
            #attributes
            pub fn #name #generics(#(#parameters),*) -> ::kiln::Result<#second> {
                ::core::result::Result::Ok(<#owner>::#inner(#(#passed),*)?.1)
            }
        }
    }

    /// What the shell calls, compiled once for all types of arguments.
    pub fn inner(&self) -> TokenStream {
        let inner = self.case_name();
        let generics = arguments::generics(self.model);
        let forms = arguments::forms(self);
        let parameters = forms.iter().map(Form::inner_parameter);
        let result = results::ty(self, &self.traced.result);
        let body = self.body(&forms);
        quote! {
            #[doc(hidden)]
            #[inline]
            pub fn #inner #generics(#(#parameters),*) -> ::kiln::Result<#result> { #body }
        }
    }

    /// The name of what the shell calls.
    pub fn inner_name(&self) -> Ident {
        format_ident!("__kiln_{}", self.name)
    }

    /// What the shell calls where there are known arguments: each of their values has a graph of its own.
    pub fn dispatch(&self, cases: &[Entry]) -> TokenStream {
        let inner = self.inner_name();
        let generics = arguments::generics(self.model);
        let forms = arguments::forms(self);
        let parameters = forms.iter().map(Form::inner_parameter);
        let result = results::ty(self, &self.traced.result);
        let names: Vec<&Ident> = forms.iter().map(|form| &form.name).collect();
        let known = forms.iter().filter(|form| matches!(form.kind, FormKind::Bool)).map(|form| &form.name);
        let arms = cases.iter().map(|entry| {
            let (case, name) = (entry.case, entry.case_name());
            quote!([#(#case),*] => Self::#name(#(#names),*),)
        });
        quote! {
            #[doc(hidden)]
            #[inline]
            pub fn #inner #generics(#(#parameters),*) -> ::kiln::Result<#result> {
                match [#(#known),*] { #(#arms)* }
            }
        }
    }

    /// The name of the function for its case.
    fn case_name(&self) -> Ident {
        let case: String = self.case.iter().map(|known| format!("_{known}")).collect();
        format_ident!("__kiln_{}{case}", self.name)
    }

    fn body(&self, forms: &[Form]) -> TokenStream {
        let sizes = Sizes::new(self.traced);
        let own = forms.iter().map(|form| &form.name);
        let mut names = Names::besides(own.chain([&self.compiled.run]));
        let arguments = arguments::bind(self, forms, &sizes, &mut names);
        let outputs = results::outputs(self, &sizes, &mut names);
        let run = self.run(&sizes, &arguments.inputs, &outputs.written());
        let (checks, made) = (&arguments.statements, &outputs.statements);
        let parts = results::Parts { entry: self, forms, tensors: &arguments.tensors, outputs: &outputs };
        let (finish, value) = parts.value(&mut names);
        quote! { #checks #made #run #finish ::core::result::Result::Ok(#value) }
    }

    fn run(&self, sizes: &Sizes, inputs: &[Ident], outputs: &[TokenStream]) -> TokenStream {
        let run = &self.compiled.run;
        let dims = self.compiled.dims.iter().map(|sym| sizes.symbol(*sym));
        let bytes = &self.compiled.scratch;
        quote! {
            ::kiln::rt::scratch(#bytes, |scratch| {
                #run(#(#dims,)* #(#inputs,)* #(#outputs,)* scratch)
            });
        }
    }
}
