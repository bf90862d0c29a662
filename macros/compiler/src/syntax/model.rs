//! `#[model]` functions: options and signature. The body is kept for the tracer.

use super::ast::{Arg, ArgKind, Free, Known, Model, ModelOptions, Tensors};
use super::dims::Scope;
use super::{generics, options, tensor, tidy};
use crate::{Errors, message};
use kiln_ir::{DType, Sym, SymKind, Syms};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, Expr, FnArg, Item, ItemFn, Pat, PatType, Path, ReturnType, Safety, Signature, Type};

/// Parses a model; `None` where a part is missing, with the faults noted.
pub fn model(errors: &Errors, attr: TokenStream, item: &Item) -> Option<Model> {
    let Item::Fn(item) = item else {
        let what = match item {
            Item::Struct(_) => "a struct; that is `#[params]`",
            _ => "this",
        };
        errors.at(item, message::model_wants_fn(what));
        return None;
    };
    let options = options::model_options(errors, attr);
    let mut scope = Scope { errors, syms: Syms::default(), bare: options.inline };
    qualifiers(errors, &item.sig);
    let mut frees = generics::generics(&mut scope, &item.sig.generics, "model");
    bounds(&mut scope, &mut frees, &options);
    let inputs = item.sig.inputs.len();
    let args: Vec<Arg> =
        item.sig.inputs.iter().filter_map(|a| argument(&mut scope, a, &item.block)).collect();
    let result = result(&mut scope, &item.sig);
    grads(errors, &options, &item.sig);
    if args.len() == inputs {
        readable(errors, &frees, &args);
    }
    if !options.inline {
        lengths(errors, &frees, &args);
    }
    finish(item, options, frees, scope.syms, args, result?)
}

fn finish(
    item: &ItemFn,
    options: ModelOptions,
    frees: Vec<Free>,
    syms: Syms,
    args: Vec<Arg>,
    result: Tensors,
) -> Option<Model> {
    Some(Model {
        attrs: item.attrs.clone(),
        vis: item.vis.clone(),
        ident: item.sig.ident.clone(),
        options,
        frees,
        syms,
        args,
        result,
        body: item.block.clone(),
    })
}

fn qualifiers(errors: &Errors, sig: &Signature) {
    if let Some(token) = &sig.constness {
        errors.at(token, message::fn_qualifier("const"));
    }
    if let Some(token) = &sig.asyncness {
        errors.at(token, message::fn_qualifier("async"));
    }
    if !matches!(sig.safety, Safety::Default) {
        errors.at(&sig.safety, message::fn_qualifier(&sig.safety.to_token_stream().to_string()));
    }
    if let Some(abi) = &sig.abi {
        errors.at(abi, message::fn_qualifier("extern"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, message::fn_variadic());
    }
}

fn bounds(scope: &mut Scope, frees: &mut [Free], options: &ModelOptions) {
    for (name, bound) in &options.bounds {
        match frees.iter_mut().find(|f| f.ident == *name) {
            Some(free) => {
                free.bound = Some(*bound);
                scope.syms.0[free.sym.0 as usize].kind = SymKind::Free { bound: Some(*bound) };
            }
            None => {
                scope.errors.at(name, message::bound_not_free(&name.to_string(), &scope.free_names()));
            }
        }
    }
}

fn argument(scope: &mut Scope, arg: &FnArg, body: &Block) -> Option<Arg> {
    let arg = match arg {
        FnArg::Typed(arg) => arg,
        FnArg::Receiver(receiver) => {
            scope.errors.at(receiver, message::fn_self());
            return None;
        }
    };
    let kind = kind(scope, arg, body);
    match &*arg.pat {
        Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() => {
            Some(Arg { ident: p.ident.clone(), local: p.mutability.is_some(), kind: kind? })
        }
        other => {
            scope.errors.at(other, message::arg_pattern());
            None
        }
    }
}

fn kind(scope: &mut Scope, arg: &PatType, body: &Block) -> Option<ArgKind> {
    let ty = tensor::strip(&arg.ty);
    if tensor::holds_tensor(ty) {
        return tensor::tensors(scope, ty, message::arg_part).map(ArgKind::Tensor);
    }
    let wrong = match ty {
        Type::Reference(r) if tensor::holds_tensor(&r.elem) => {
            let parsed = tensor::tensors(scope, &r.elem, message::arg_part);
            if r.mutability.is_some() {
                return parsed.map(ArgKind::TensorMut);
            }
            scope.errors.at(r.and_token, message::arg_tensor_ref());
            return None;
        }
        Type::Reference(r) if matches!(tensor::strip(&r.elem), Type::Path(_) | Type::Array(_)) => {
            let elem = r.elem.clone();
            return Some(if r.mutability.is_some() {
                ArgKind::ParamsMut(elem)
            } else {
                ArgKind::Params(elem)
            });
        }
        Type::Path(p) => match known(&p.path, arg, body) {
            Ok(known) => return Some(ArgKind::Known(known)),
            Err(wrong) => wrong,
        },
        other => message::arg_type(&tidy(other)),
    };
    scope.errors.at(ty, wrong);
    None
}

/// An argument that is known while compiling, or why it is none.
fn known(path: &Path, arg: &PatType, body: &Block) -> Result<Known, String> {
    let name = path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
    match (path.get_ident(), name.as_str()) {
        (Some(_), "bool") => Ok(Known::Bool),
        (Some(ty), "usize" | "i64") => Ok(Known::Whole(ty.clone())),
        (Some(ty), "f32" | "f64") => Ok(Known::Float(ty.clone())),
        (Some(_), text) if DType::from_name(text).is_some() => Err(message::arg_number(text)),
        // An enum has no fields and no `forward`.
        _ if is_taken_apart(&arg.pat, body) || !is_plain(path) => Err(message::arg_params_value(&tidy(path))),
        _ => Ok(Known::Choice(path.clone())),
    }
}

fn is_plain(path: &Path) -> bool {
    path.segments.iter().all(|s| s.arguments.is_none())
}

/// Whether the body reads fields or calls methods of an argument.
fn is_taken_apart(pat: &Pat, body: &Block) -> bool {
    struct Bases(String, bool);
    impl<'ast> Visit<'ast> for Bases {
        fn visit_expr(&mut self, expr: &'ast Expr) {
            let base = match expr {
                Expr::Field(field) => Some(&field.base),
                Expr::MethodCall(call) => Some(&call.receiver),
                _ => None,
            };
            self.1 |= base.is_some_and(|base| base.to_token_stream().to_string() == self.0);
            visit::visit_expr(self, expr);
        }
    }
    let mut bases = Bases(pat.to_token_stream().to_string(), false);
    bases.visit_block(body);
    bases.1
}

fn result(scope: &mut Scope, sig: &Signature) -> Option<Tensors> {
    let result = match &sig.output {
        ReturnType::Type(_, ty) => tensor::returned(scope, ty)?,
        ReturnType::Default => Tensors::Tuple(Vec::new()),
    };
    let nothing = matches!(&result, Tensors::Tuple(list) if list.is_empty());
    if nothing && !sig.inputs.iter().any(is_changed) {
        scope.errors.at(&sig.ident, message::result_missing(&sig.ident.to_string()));
        return None;
    }
    Some(result)
}

/// Whether it is taken by `&mut`.
fn is_changed(arg: &FnArg) -> bool {
    matches!(arg, FnArg::Typed(arg) if matches!(tensor::strip(&arg.ty), Type::Reference(r) if r.mutability.is_some()))
}

fn grads(errors: &Errors, options: &ModelOptions, sig: &Signature) {
    let names: Vec<String> = sig
        .inputs
        .iter()
        .filter_map(|a| match a {
            FnArg::Typed(PatType { pat, .. }) => match &**pat {
                Pat::Ident(p) => Some(p.ident.to_string()),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        })
        .collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in options.grad.iter().filter(|g| !known.contains(&g.to_string().as_str())) {
        errors.at(name, message::grad_unknown(&name.to_string(), &known));
    }
}

/// Each free dim must be read from an argument: alone in a tensor's dims, or somewhere in a params type.
fn readable(errors: &Errors, frees: &[Free], args: &[Arg]) {
    let has = |sym: Sym, name: &str| {
        args.iter().any(|arg| match &arg.kind {
            ArgKind::Tensor(t) | ArgKind::TensorMut(t) => {
                let dims = t.types().into_iter().flat_map(|t| &t.dims);
                dims.chain(t.lengths()).any(|d| d.dim.syms().contains(&sym))
            }
            ArgKind::Params(ty) | ArgKind::ParamsMut(ty) => mentions(ty.to_token_stream(), name),
            ArgKind::Known(_) => false,
        })
    };
    for free in frees {
        let name = free.ident.to_string();
        if !has(free.sym, &name) {
            errors.at(&free.ident, message::dim_unreadable(&name));
        }
    }
}

/// The length of an array is known, but in a building block, where a call tells it.
fn lengths(errors: &Errors, frees: &[Free], args: &[Arg]) {
    for arg in args {
        let (ArgKind::Tensor(tensors) | ArgKind::TensorMut(tensors)) = &arg.kind else { continue };
        for length in tensors.lengths() {
            let free = frees.iter().find(|free| length.dim.syms().contains(&free.sym));
            if let Some(free) = free {
                errors.at(&length.tokens, message::array_of_any(&free.ident.to_string()));
            }
        }
    }
}

/// Whether a name occurs in tokens.
pub fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}
