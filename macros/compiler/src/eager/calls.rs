//! Calls: of models, functions and methods of the surface, closures, and what trees have.

use super::hidden;
use super::statements::{Body, Name};
use crate::library::Item;
use crate::source::Number;
use crate::syntax::ast::{ArgKind, Model};
use crate::trace::control::CONTROL;
use kiln_ir::surface::{self, Kind, Param};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::rc::Rc;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, GenericArgument, Path};

/// An argument: as the user wrote it, or a copy to differentiate.
#[derive(Clone)]
pub enum Given<'e> {
    /// An expression.
    Written(&'e Expr),
    /// A variable.
    Copy(Ident),
}

/// What a path that is called leads to.
pub enum Callee<'a> {
    /// A model.
    Model(&'a Model),
    /// A function or transform that the compiler knows.
    Builtin(&'a str),
    /// A closure that has a name, by its number.
    Closure(usize),
    /// What a name stands for that is no closure.
    Function(Rc<Expr>),
    /// An item that has a fault of its own.
    Faulty,
    /// Something of Rust's own.
    Other,
}

impl<'a> Body<'a> {
    pub fn callee(&self, path: &ExprPath) -> Callee<'a> {
        match self.local(&Expr::Path(path.clone())) {
            Some((_, Name::Closure(known))) => return Callee::Closure(known),
            Some((_, Name::Function(known))) => return Callee::Function(self.functions[known].clone()),
            _ => {}
        }
        let entry = self.entry.deps.get(&plain(&path.path)).and_then(|key| self.library.entries.get(key));
        match entry.map(|e| &e.item) {
            Some(Item::Model(model)) => Callee::Model(model),
            Some(Item::Builtin(name)) => Callee::Builtin(name),
            Some(Item::Faulty) => Callee::Faulty,
            _ => Callee::Other,
        }
    }

    /// `f(x, y)`
    pub fn call(&mut self, call: &ExprCall) -> TokenStream {
        let given: Vec<Given> = call.args.iter().map(Given::Written).collect();
        match bare(&call.func) {
            Expr::Path(path) if path.path.is_ident("Some") => {
                let args = call.args.iter().map(|arg| self.value(unreferenced(arg)));
                quote!(Some(#(#args),*))
            }
            Expr::Call(transform) => self.transformed(transform, &given),
            func => self.called(func, &given),
        }
    }

    /// A function applied to arguments.
    pub fn called(&mut self, func: &Expr, given: &[Given]) -> TokenStream {
        match bare(func) {
            Expr::Closure(closure) => self.applied(closure, given),
            Expr::Call(transform) => self.transformed(transform, given),
            Expr::Path(path) => match self.callee(path) {
                Callee::Model(model) => self.model(path, model, given),
                Callee::Builtin(name) if CONTROL.contains(&name) => self.control(name, given),
                Callee::Builtin(name) => match surface::function(name) {
                    Some(entry) => {
                        let (name, args) =
                            (format_ident!("{}", entry.name), self.arguments(entry.params, given));
                        quote!(::kiln::functional::#name(#args))
                    }
                    None => self.refuse("a transform without arguments"),
                },
                Callee::Closure(known) => {
                    let args = given.iter().enumerate().map(|(i, g)| match g {
                        Given::Copy(ident) if self.changes(func, i) => quote!(&mut #ident),
                        _ => self.given(g),
                    });
                    let (name, args) = (closure_name(known), args.collect::<Vec<_>>());
                    quote!(#name!(#(#args),*))
                }
                Callee::Function(function) => self.called(&function, given),
                Callee::Faulty => self.refuse("a model that has a fault"),
                Callee::Other => {
                    let args = given.iter().map(|g| self.given(g));
                    quote!(#path(#(#args),*))
                }
            },
            _ => self.refuse("a call of what has no name"),
        }
    }

    pub fn given(&mut self, given: &Given) -> TokenStream {
        match given {
            Given::Written(expr) => self.value(expr),
            Given::Copy(ident) => quote!(::core::clone::Clone::clone(&#ident)),
        }
    }

    fn model(&mut self, path: &ExprPath, model: &Model, given: &[Given]) -> TokenStream {
        if model.args.len() != given.len() {
            return self.refuse("another number of arguments");
        }
        let mut plain = path.path.clone();
        plain.segments.iter_mut().for_each(|segment| segment.arguments = syn::PathArguments::None);
        let changes = |kind: &ArgKind| matches!(kind, ArgKind::ParamsMut(_) | ArgKind::TensorMut(_));
        let any = model.args.iter().any(|arg| changes(&arg.kind));
        let mut lets = TokenStream::new();
        let args =
            model.args.iter().zip(given).enumerate().map(|(i, (arg, given))| match (&arg.kind, given) {
                (kind, Given::Written(expr)) if changes(kind) => self.changed(expr),
                (kind, Given::Copy(ident)) if changes(kind) => quote!(&mut #ident),
                (ArgKind::Params(_), Given::Copy(ident)) => quote!(&#ident),
                (ArgKind::Params(_), Given::Written(expr)) => self.shared(expr),
                _ => {
                    let value = self.given(given);
                    if !any {
                        return value;
                    }
                    // Read before the state is borrowed to be changed.
                    let name = hidden(&format!("argument{i}"));
                    lets.extend(quote!(let #name = #value;));
                    quote!(#name)
                }
            });
        let args: Vec<TokenStream> = args.collect();
        if any { quote!({ #lets #plain::eager(#(#args),*) }) } else { quote!(#plain::eager(#(#args),*)) }
    }

    /// A tree that is read.
    fn shared(&mut self, expr: &Expr) -> TokenStream {
        match self.local(expr) {
            Some((ident, Name::Tree)) => quote!(&*#ident),
            _ => self.value(expr),
        }
    }

    /// A tree or tensor that is changed.
    pub fn changed(&mut self, expr: &Expr) -> TokenStream {
        match (self.local(expr), expr) {
            (Some((ident, Name::Tree | Name::State | Name::States)), _) => quote!(&mut *#ident),
            (None, Expr::Reference(r)) if r.mutability.is_some() => self.value(expr),
            _ => {
                let place = self.place(expr);
                quote!(&mut #place)
            }
        }
    }

    /// `x.f(y)`
    pub fn method(&mut self, call: &ExprMethodCall) -> TokenStream {
        let (receiver, name) = (self.place(&call.receiver), &call.method);
        let text = name.to_string();
        let args: Vec<&Expr> = call.args.iter().collect();
        if let (Some(generics), "to" | "cast", []) = (&call.turbofish, text.as_str(), args.as_slice())
            && let Some(GenericArgument::Type(ty)) = generics.args.first()
        {
            return quote!(#receiver.#name(::kiln::autograd::#ty));
        }
        match (text.as_str(), args.as_slice()) {
            ("step", [net, grads]) => {
                let (net, grads) = (self.changed(net), self.value(grads));
                // The only place where something fails that yields no tensor.
                quote! {{
                    let __kiln_grads = #grads;
                    if let ::core::result::Result::Err(error) = #receiver.step(#net, __kiln_grads) {
                        return ::kiln::rt::eager::failure(error);
                    }
                }}
            }
            ("size" | "dim", [axis]) => {
                let axis = self.value(axis);
                quote!(#receiver.size(::kiln::rt::eager::int(#axis)))
            }
            _ => {
                let given: Vec<Given> = args.iter().map(|arg| Given::Written(arg)).collect();
                let args = match surface::method(&text) {
                    Some(entry) if entry.params.len() == given.len() + 1 => {
                        self.arguments(&entry.params[1..], &given)
                    }
                    _ => {
                        let args = given.iter().map(|g| self.given(g));
                        quote!(#(#args),*)
                    }
                };
                quote!(#receiver.#name(#args))
            }
        }
    }

    /// Arguments of an entry of the surface.
    fn arguments(&mut self, params: &[Param], given: &[Given]) -> TokenStream {
        let args = given.iter().enumerate().map(|(i, given)| match (params.get(i).map(|p| p.kind), given) {
            (Some(Kind::Axis | Kind::Size), Given::Written(expr)) => {
                let value = self.value(expr);
                quote!(::kiln::rt::eager::int(#value))
            }
            (Some(Kind::Axes | Kind::Sizes), Given::Written(expr)) => self.dims(expr),
            (Some(Kind::Rng), Given::Written(expr)) => self.changed(expr),
            _ => self.given(given),
        });
        let args: Vec<TokenStream> = args.collect();
        quote!(#(#args),*)
    }

    /// Dims or sizes, of which one may be `usize` and another −1.
    fn dims(&mut self, expr: &Expr) -> TokenStream {
        match unreferenced(expr) {
            // Of a scalar: of what type its no sizes are, nothing else says.
            Expr::Array(array) if array.elems.is_empty() => quote!([0i64; 0]),
            Expr::Array(array) => {
                let elems = array.elems.iter().map(|e| self.value(e));
                quote!([#(::kiln::rt::eager::int(#elems)),*])
            }
            _ => self.value(expr),
        }
    }
}

/// The macro that a closure is.
pub fn closure_name(known: usize) -> Ident {
    hidden(&format!("closure{known}"))
}

fn unreferenced(expr: &Expr) -> &Expr {
    match bare(expr) {
        Expr::Reference(r) => unreferenced(&r.expr),
        other => other,
    }
}

/// An expression without parentheses, and without the groups that a macro leaves.
pub fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(p) => bare(&p.expr),
        Expr::Group(g) => bare(&g.expr),
        other => other,
    }
}

impl Body<'_> {
    /// Whether a path leads to a constant of floats.
    pub fn is_float(&self, path: &ExprPath) -> bool {
        matches!(self.library.values.get(&plain(&path.path)), Some(Number::Float(_)))
    }
}

/// A path's text, as the deps of a library have it.
pub fn plain(path: &Path) -> String {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    let lead = if path.leading_colon.is_some() { "::" } else { "" };
    format!("{lead}{}", names.join("::"))
}
