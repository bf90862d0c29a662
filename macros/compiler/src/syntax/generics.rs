//! Generics of models and params: `const N: usize` and nothing else.

use super::ast::Free;
use super::dims::Scope;
use crate::message;
use kiln_ir::SymKind;
use quote::ToTokens;
use syn::{GenericParam, Generics};

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
                    scope.errors.at(&p.ty, message::generic_const(&name, &ty));
                }
                if let Some((_, default)) = &p.default {
                    scope.errors.at(default, message::generic_default(&name));
                }
                // Declared all the same, so that its uses are no faults of their own.
                let sym = scope.syms.intern(&name, SymKind::Free { bound: None });
                frees.push(Free { ident: p.ident.clone(), sym, bound: None });
            }
        }
    }
    if let Some(clause) = &generics.where_clause {
        scope.errors.at(clause, message::where_clause(attr));
    }
    frees
}
