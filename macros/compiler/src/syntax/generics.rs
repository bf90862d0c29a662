//! Generics of models and params: `const N: usize` and nothing else.

use super::ast::Free;
use super::dims::Scope;
use crate::message;
use kiln_ir::SymKind;
use quote::ToTokens;
use syn::{Expr, ExprLit, GenericParam, Generics, Lit};

/// Declares the const generics as free dims and notes all that can't be compiled.
pub fn generics(scope: &mut Scope, generics: &Generics, attr: &str) -> Vec<Free> {
    let mut frees = Vec::new();
    for param in &generics.params {
        match param {
            GenericParam::Type(p) => scope.errors.at(p, message::generic_type(&p.ident.to_string(), attr)),
            GenericParam::Lifetime(p) => {
                scope.errors.at(p, message::generic_lifetime(&p.lifetime.to_string(), attr));
            }
            GenericParam::Const(p) => {
                let name = p.ident.to_string();
                let ty = p.ty.to_token_stream().to_string();
                if ty != "usize" {
                    scope.errors.at(&p.ty, message::generic_const(&name, &ty, attr));
                }
                let default = p.default.as_ref().and_then(|(_, default)| {
                    let known = if attr == "params" { literal(default) } else { None };
                    if known.is_none() {
                        scope.errors.at(default, message::generic_default(&name, attr));
                    }
                    known
                });
                // Declared all the same, so that its uses are no faults of their own.
                let sym = scope.syms.intern(&name, SymKind::Free { bound: None });
                frees.push(Free { ident: p.ident.clone(), sym, bound: None, default });
            }
        }
    }
    if let Some(clause) = &generics.where_clause {
        scope.errors.at(clause, message::where_clause(attr));
    }
    frees
}

/// A whole number that is small enough for a dim.
fn literal(default: &Expr) -> Option<i64> {
    match default {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse::<u32>().ok().map(i64::from),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}
