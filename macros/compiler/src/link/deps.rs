//! The paths that lead out of an item: models that a body names, types of fields and arguments, and constants.

use super::answer::{OPTIMIZERS, TRANSFORMS};
use super::state::{Kind, Root};
use crate::syntax::tensor::{holds_tensor, is_tensor};
use crate::trace::control::CONTROL;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{
    Arm, Block, Expr, ExprCall, ExprClosure, ExprForLoop, ExprPath, FnArg, GenericArgument, GenericParam,
    Generics, Item, ItemFn, ItemStruct, Local, Pat, PatIdent, Path, PathArguments, ReturnType, Type,
    TypePath,
};

/// The paths and types that the item asks for, each once, in the order of the source.
pub fn of_item(root: &Root) -> Vec<TokenStream> {
    match (root.kind, syn::parse2(root.item.clone())) {
        (Kind::Model, Ok(Item::Fn(item))) => distinct(names_in(&item).models),
        (Kind::Params, Ok(Item::Struct(item))) => distinct(of_struct(root, &item)),
        _ => Vec::new(),
    }
}

fn of_struct(root: &Root, item: &ItemStruct) -> Vec<TokenStream> {
    let forward = crate::syntax::options::forward(root.attr.clone());
    in_fields(item).into_iter().chain(forward.map(|path| path.to_token_stream())).collect()
}

/// The types of params among a struct's fields.
pub fn in_fields(item: &ItemStruct) -> Vec<TokenStream> {
    let nested = item.fields.iter().filter(|f| !is_tensor(&f.ty)).filter_map(|f| type_path(&f.ty));
    nested.map(|path| path.to_token_stream()).collect()
}

/// The types of params in a model's signature, each once.
pub fn of_signature(root: &Root) -> Vec<TokenStream> {
    syn::parse2::<ItemFn>(root.item.clone()).map(|item| in_signature(&item)).unwrap_or_default()
}

/// The same of a function.
pub fn in_signature(item: &ItemFn) -> Vec<TokenStream> {
    let types = item.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(arg) => match crate::syntax::tensor::strip(&arg.ty) {
            Type::Reference(r) if !holds_tensor(&r.elem) => type_path(&r.elem),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    let mut all: Vec<&Path> = types.collect();
    if let ReturnType::Type(_, ty) = &item.sig.output {
        returned(ty, &mut all);
    }
    distinct(all.into_iter().map(|path| path.to_token_stream()))
}

/// The types of params in a result.
fn returned<'t>(ty: &'t Type, out: &mut Vec<&'t Path>) {
    match crate::syntax::tensor::strip(ty) {
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|part| returned(part, out)),
        ty if !holds_tensor(ty) => out.extend(type_path(ty)),
        _ => {}
    }
}

/// The types among a type's generic arguments: of `Adam<Mlp>`, `Mlp`.
pub fn type_arguments(ty: &TokenStream) -> Vec<TokenStream> {
    let Ok(path) = syn::parse2::<Path>(ty.clone()) else { return Vec::new() };
    let types = path.segments.last().into_iter().flat_map(|s| types_in(&s.arguments)).filter_map(type_path);
    types.map(|path| path.to_token_stream()).collect()
}

/// The path of a type, or of the elements of an array.
pub fn type_path(ty: &Type) -> Option<&Path> {
    match crate::syntax::tensor::strip(ty) {
        Type::Path(p) if p.qself.is_none() => Some(&p.path),
        Type::Array(a) => type_path(&a.elem),
        _ => None,
    }
}

/// A path without generic arguments.
pub fn bare(path: &TokenStream) -> TokenStream {
    let Ok(mut path) = syn::parse2::<Path>(path.clone()) else { return path.clone() };
    path.segments.iter_mut().for_each(|segment| segment.arguments = PathArguments::None);
    quote!(#path)
}

fn distinct(paths: impl IntoIterator<Item = TokenStream>) -> Vec<TokenStream> {
    let mut seen = BTreeSet::new();
    paths.into_iter().filter(|path| seen.insert(path.to_string())).collect()
}

/// The names in an item that lead out of it.
#[derive(Default)]
pub struct Names {
    /// Paths to functions, without generic arguments.
    pub models: Vec<TokenStream>,
    /// Paths to constants.
    pub consts: Vec<TokenStream>,
    /// The texts of paths that are called, or handed to what takes a function.
    pub called: BTreeSet<String>,
    /// Every name that is bound in it.
    pub bound: BTreeSet<String>,
    /// The const generics.
    pub sizes: BTreeSet<String>,
    scopes: Vec<BTreeSet<String>>,
}

/// The names in a model.
pub fn names_in(item: &ItemFn) -> Names {
    let mut names = Names::new(&item.sig.generics);
    for input in &item.sig.inputs {
        if let FnArg::Typed(arg) = input {
            names.visit_type(&arg.ty);
            names.bind(&arg.pat);
        }
    }
    names.visit_return_type(&item.sig.output);
    names.visit_block(&item.block);
    names
}

/// The names in the types of a params struct.
pub fn names_in_fields(item: &ItemStruct) -> Names {
    let mut names = Names::new(&item.generics);
    item.fields.iter().for_each(|field| names.visit_type(&field.ty));
    names
}

impl Names {
    fn new(generics: &Generics) -> Names {
        let sizes = generics.params.iter().filter_map(|p| match p {
            GenericParam::Const(p) => Some(p.ident.to_string()),
            _ => None,
        });
        let sizes: BTreeSet<String> = sizes.collect();
        Names { scopes: vec![sizes.clone()], sizes, ..Names::default() }
    }

    fn bind(&mut self, pat: &Pat) {
        let mut bound = Bound::default();
        bound.visit_pat(pat);
        self.bound.extend(bound.0.iter().cloned());
        self.scopes.last_mut().expect("a scope is open from the start").extend(bound.0);
    }

    /// A name in capitals binds nothing in an arm of `match`: it is a constant.
    fn bind_chosen(&mut self, pat: &Pat) {
        let mut bound = Bound::default();
        bound.visit_pat(pat);
        bound.0.retain(|name| !is_const(name));
        self.bound.extend(bound.0.iter().cloned());
        self.scopes.last_mut().expect("a scope is open from the start").extend(bound.0);
    }

    fn scoped(&mut self, inside: impl FnOnce(&mut Names)) {
        self.scopes.push(BTreeSet::new());
        inside(self);
        self.scopes.pop();
    }

    fn is_local(&self, path: &Path) -> bool {
        path.get_ident().is_some_and(|name| self.scopes.iter().any(|s| s.contains(&name.to_string())))
    }

    /// An operand: a name alone is a constant or a variable.
    fn value(&mut self, expr: &Expr) {
        match expr {
            Expr::Path(p) if p.path.get_ident().is_some_and(|name| !is_const(&name.to_string())) => {}
            other => self.visit_expr(other),
        }
    }

    /// What is called, and what a transform of functions is given.
    fn note_called(&mut self, call: &ExprCall) {
        let path = |expr: &Expr| match expr {
            Expr::Path(p) => Some(super::answer::text(&p.path.to_token_stream())),
            _ => None,
        };
        let Some(callee) = path(&call.func) else { return };
        if TRANSFORMS.iter().chain(&CONTROL).any(|name| callee.rsplit("::").next() == Some(name)) {
            self.called.extend(call.args.iter().filter_map(path));
        }
        self.called.insert(callee);
    }

    fn record(&mut self, path: &Path) {
        if self.is_local(path) {
            return;
        }
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let [before @ .., last] = names.as_slice() else { return };
        let owner = before.last().map_or("", String::as_str);
        let of_rust = PRIMITIVES.contains(&owner)
            || (before.is_empty() && PRIMITIVES.contains(&last.as_str()))
            || (!before.is_empty() && ["std", "core", "alloc"].contains(&names[0].as_str()));
        if of_rust || (owner == "consts" && !before.is_empty()) {
            // An element type, or a number of the library's own: neither is a model or a size.
        } else if is_const(last) {
            self.consts.push(path.to_token_stream());
        } else if last.starts_with(char::is_uppercase) || owner.starts_with(char::is_uppercase) {
            // A type, a variant, or a function of a type: none is a model.
        } else {
            self.models.push(bare(&path.to_token_stream()));
        }
    }
}

const PRIMITIVES: [&str; 17] = [
    "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
    "bool", "char", "str",
];

/// Whether a name is written as Rust writes constants.
fn is_const(name: &str) -> bool {
    name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
}

impl<'ast> Visit<'ast> for Names {
    fn visit_block(&mut self, block: &'ast Block) {
        self.scoped(|names| visit::visit_block(names, block));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Pat::Type(typed) = &local.pat {
            self.visit_type(&typed.ty);
        }
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
        }
        self.bind(&local.pat);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.scoped(|names| {
            closure.inputs.iter().for_each(|pat| names.bind(pat));
            names.visit_expr(&closure.body);
        });
    }

    fn visit_expr_for_loop(&mut self, each: &'ast ExprForLoop) {
        self.visit_expr(&each.expr);
        self.scoped(|names| {
            names.bind(&each.pat);
            names.visit_block(&each.body);
        });
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.scoped(|names| {
            names.bind_chosen(&arm.pat);
            visit::visit_arm(names, arm);
        });
    }

    // Only patterns of `match` are visited.
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        if is_const(&pat.ident.to_string()) {
            self.record(&pat.ident.clone().into());
        }
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if path.qself.is_none() {
            self.record(&path.path);
        }
        for segment in &path.path.segments {
            self.visit_path_arguments(&segment.arguments);
        }
    }

    fn visit_type_path(&mut self, ty: &'ast TypePath) {
        match ty.path.segments.last() {
            // What an optimizer is of is a type, however it is written.
            Some(last) if OPTIMIZERS.iter().any(|name| last.ident == name) => {
                types_in(&last.arguments).for_each(|ty| self.visit_type(ty));
            }
            _ => visit::visit_type_path(self, ty),
        }
    }

    // A constant among types stands where a size does; elsewhere a name in capitals is a struct (`&MLP`).
    fn visit_path_arguments(&mut self, arguments: &'ast PathArguments) {
        for ty in types_in(arguments) {
            if let Type::Path(p) = ty
                && p.path
                    .segments
                    .last()
                    .is_some_and(|s| is_const(&s.ident.to_string()) && s.arguments.is_none())
            {
                self.record(&p.path);
            }
        }
        visit::visit_path_arguments(self, arguments);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        // What can't be a function is no dependency, though it isn't known: the tracer says so better.
        let (values, rest): (Vec<&Expr>, Vec<&Expr>) = match expr {
            Expr::Binary(b) => (vec![&b.left, &b.right], vec![]),
            Expr::Unary(u) => (vec![&u.expr], vec![]),
            Expr::Field(f) => (vec![&f.base], vec![]),
            Expr::MethodCall(m) if m.method != "map" && m.method != "fold" => {
                (std::iter::once(&*m.receiver).chain(&m.args).collect(), vec![])
            }
            Expr::MethodCall(m) => (vec![&m.receiver], m.args.iter().collect()),
            Expr::Call(call) => {
                self.note_called(call);
                return visit::visit_expr(self, expr);
            }
            _ => return visit::visit_expr(self, expr),
        };
        values.into_iter().for_each(|value| self.value(value));
        rest.into_iter().for_each(|expr| self.visit_expr(expr));
    }

    // Of items in a body only constants have a name here; patterns' own paths and macros are not traced.
    fn visit_item(&mut self, item: &'ast Item) {
        if let Item::Const(item) = item {
            self.scopes.last_mut().expect("a scope is open from the start").insert(item.ident.to_string());
        }
    }
}

/// The types among generic arguments.
fn types_in(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let list = match arguments {
        PathArguments::AngleBracketed(list) => Some(&list.args),
        _ => None,
    };
    list.into_iter().flatten().filter_map(|arg| match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The names that a pattern binds.
#[derive(Default)]
struct Bound(BTreeSet<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        self.0.insert(pat.ident.to_string());
        visit::visit_pat_ident(self, pat);
    }
}
