//! `value_and_grad(f)(x, y)`, `grad(f)(…)`, `vjp(f)(…)`, `jvp(f)(…)`: the arguments to differentiate become copies of their own, the
//! function is applied to them, and the gradients are taken.

use super::calls::{Callee, Given, bare};
use super::hidden;
use super::statements::Body;
use crate::trace::Transform;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Expr, ExprCall};

impl Body<'_> {
    /// A transform's function applied to arguments.
    pub fn transformed(&mut self, transform: &ExprCall, given: &[Given]) -> TokenStream {
        let how = match bare(&transform.func) {
            Expr::Path(path) => match self.callee(path) {
                Callee::Builtin(name) if Transform::from_name(name).is_some() => name.to_string(),
                _ => return self.refuse("a call of what a call yields"),
            },
            _ => return self.refuse("a call of what a call yields"),
        };
        let Some(inner) = transform.args.first() else { return self.refuse("a transform of nothing") };
        if how == "custom_vjp" {
            return match transform.args.get(1) {
                Some(rule) => self.ruled(inner, rule, given),
                None => self.refuse("a gradient without a rule"),
            };
        }
        if how == "checkpoint" {
            // Operation by operation nothing is saved by it: the value and its gradient are the same.
            return self.called(inner, given);
        }
        if how == "vmap" {
            return self.batched(inner, given);
        }
        if how == "tree_map" {
            return self.tree_mapped(inner, given);
        }
        let own = match (how.as_str(), self.arity(inner)) {
            ("vjp" | "jvp", Some(own)) => own,
            ("vjp" | "jvp", None) => {
                return self.refuse("a derivative of a function of how many arguments isn't seen");
            }
            _ => given.len(),
        };
        let Some((own, cotangents)) = given.split_at_checked(own) else {
            return self.refuse("another number of arguments");
        };
        let wrt = self.differentiated(inner);
        self.gradients += 1;
        let number = self.gradients;
        let copy = |i: usize| hidden(&format!("copy{number}_{i}"));
        let (mut lets, mut keeps) = (TokenStream::new(), TokenStream::new());
        let (mut inputs, mut copies) = (Vec::new(), Vec::<Ident>::new());
        for (i, argument) in own.iter().enumerate() {
            if !wrt.contains(&i) {
                inputs.push(argument.clone());
                continue;
            }
            let (name, place) = (copy(i), self.differentiable(argument));
            if self.changes(inner, i) {
                let original = match argument {
                    Given::Written(expr) => self.changed(expr),
                    Given::Copy(ident) => quote!(&mut #ident),
                };
                keeps.extend(quote!(#name.__kiln_keep(&__kiln_scope, #original);));
            }
            lets.extend(quote!(let mut #name = #place.__kiln_leaf(&mut __kiln_scope);));
            inputs.push(Given::Copy(name.clone()));
            copies.push(name);
        }
        if copies.is_empty() {
            return self.refuse("a gradient of nothing");
        }
        let value = self.called(inner, &inputs);
        if how == "jvp" {
            let tangents: Vec<TokenStream> =
                cotangents.iter().map(|given| self.differentiable(given)).collect();
            return quote!({
                use ::kiln::rt::eager::Wrt as _;
                let mut __kiln_scope = ::kiln::rt::eager::Scope::new();
                #lets
                let __kiln_value = #value;
                #keeps
                let __kiln_wrt = [#(#copies.__kiln_leaves()),*].concat();
                let __kiln_along = [#(#tangents.__kiln_leaves()),*].concat();
                ::kiln::rt::eager::jvp(__kiln_scope, __kiln_value, __kiln_wrt, __kiln_along)
            });
        }
        let cotangents: Vec<TokenStream> = cotangents
            .iter()
            .map(|given| match given {
                Given::Written(expr) => self.value(expr),
                Given::Copy(ident) => quote!(#ident.clone()),
            })
            .collect();
        let taken = if how == "vjp" {
            let cotangents = quote!(::std::vec![#(::kiln::rt::eager::cotangent(#cotangents)),*]);
            quote!(::kiln::rt::eager::vjp(__kiln_scope, __kiln_value, #cotangents, (#(&#copies,)*)))
        } else {
            quote!(::kiln::rt::eager::value_and_grad(__kiln_scope, __kiln_value, (#(&#copies,)*)))
        };
        let taken = if how == "grad" { quote!(#taken.1) } else { taken };
        quote!({
            use ::kiln::rt::eager::Wrt as _;
            let mut __kiln_scope = ::kiln::rt::eager::Scope::new();
            #lets
            let __kiln_value = #value;
            #keeps
            #taken
        })
    }

    /// `custom_vjp(f, rule)(…)`: the value of the function, and the rule for when a gradient is asked, which keeps what it captures.
    fn ruled(&mut self, inner: &Expr, rule: &Expr, given: &[Given]) -> TokenStream {
        self.gradients += 1;
        let number = self.gradients;
        let named = |what: &str| hidden(&format!("{what}{number}"));
        let copies: Vec<Ident> = (0..given.len()).map(|i| named(&format!("given{i}_"))).collect();
        let places: Vec<TokenStream> = given.iter().map(|g| self.differentiable(g)).collect();
        let mut inputs: Vec<Given> = copies.iter().cloned().map(Given::Copy).collect();
        let value = self.called(inner, &inputs);
        let (result, cotangent) = (named("value"), named("cotangent"));
        inputs.extend([result.clone(), cotangent.clone()].map(Given::Copy));
        let (kept, ruled) = self.rule(rule, &inputs);
        quote!({
            #(let #copies = #places.clone();)*
            let #result = #value;
            #kept
            ::kiln::rt::eager::custom_vjp((#(#copies,)*), #result, move |(#(#copies,)*), #result, #cotangent| #ruled)
        })
    }

    /// `vmap(f)(…)`: the function of each row, one after the other.
    fn batched(&mut self, inner: &Expr, given: &[Given]) -> TokenStream {
        self.gradients += 1;
        let number = self.gradients;
        let (mut lets, mut rows) = (TokenStream::new(), TokenStream::new());
        let (mut inputs, mut all) = (Vec::new(), Vec::<Ident>::new());
        for (i, argument) in given.iter().enumerate() {
            // A generator goes on from row to row.
            if self.changes(inner, i) {
                inputs.push(argument.clone());
                continue;
            }
            let (whole, row) = (hidden(&format!("all{number}_{i}")), hidden(&format!("row{number}_{i}")));
            let place = self.differentiable(argument);
            lets.extend(quote!(let #whole = ::core::clone::Clone::clone(&#place);));
            rows.extend(quote!(let mut #row = #whole.__kiln_row(__kiln_at, __kiln_count);));
            inputs.push(Given::Copy(row));
            all.push(whole);
        }
        let value = self.called(inner, &inputs);
        quote!({
            use ::kiln::rt::eager::Rows as _;
            #lets
            let __kiln_count = [#(#all.__kiln_count()),*].into_iter().flatten().next();
            let mut __kiln_rows = ::std::vec::Vec::new();
            for __kiln_at in 0..__kiln_count.unwrap_or(1).max(1) {
                #rows
                __kiln_rows.push(#value);
            }
            ::kiln::rt::eager::vmap(__kiln_rows, __kiln_count)
        })
    }

    /// `tree_map(f)(…)`: the function of the tensors in one place after the other.
    fn tree_mapped(&mut self, inner: &Expr, given: &[Given]) -> TokenStream {
        self.gradients += 1;
        let number = self.gradients;
        let named = |what: &str, i: usize| hidden(&format!("{what}{number}_{i}"));
        let places: Vec<TokenStream> = given.iter().map(|g| self.differentiable(g)).collect();
        let (trees, parts): (Vec<Ident>, Vec<Ident>) =
            (0..given.len()).map(|i| (named("tree", i), named("part", i))).unzip();
        let inputs: Vec<Given> = parts.iter().cloned().map(Given::Copy).collect();
        let value = self.called(inner, &inputs);
        quote!({
            use ::kiln::rt::eager::Whole as _;
            #(let #trees = #places.__kiln_whole();)*
            ::kiln::rt::eager::tree_map([#(&#trees),*], |[#(#parts),*]| #value)
        })
    }

    /// An argument as that of which a copy is made.
    fn differentiable(&mut self, given: &Given) -> TokenStream {
        match given {
            Given::Copy(ident) => quote!(#ident),
            Given::Written(expr) if matches!(bare(expr), Expr::Reference(_)) => {
                let Expr::Reference(r) = bare(expr) else { unreachable!("just seen") };
                let place = self.place(&r.expr);
                quote!((#place))
            }
            Given::Written(expr) => {
                let place = self.place(expr);
                quote!((#place))
            }
        }
    }
}
