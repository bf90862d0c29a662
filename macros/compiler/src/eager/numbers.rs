//! Numbers: all floats are f64, which take a tensor's element type where they meet one.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::{ExprLit, ExprPath, Lit, Type};

/// A literal: a float gets its type, so that methods can be called on it.
pub fn literal(lit: &ExprLit) -> TokenStream {
    let digits = match &lit.lit {
        Lit::Float(float) => float.base10_digits(),
        Lit::Int(int) if matches!(int.suffix(), "f32" | "f64") => int.base10_digits(),
        other => return other.to_token_stream(),
    };
    match digits.parse::<f64>() {
        Ok(x) if x.is_finite() => {
            let mut literal = Literal::f64_suffixed(x);
            literal.set_span(lit.lit.span());
            literal.to_token_stream()
        }
        _ => lit.to_token_stream(),
    }
}

/// A path that is no local: an element type, a constant, a size.
pub fn path(path: &ExprPath) -> TokenStream {
    let names: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [name] if kiln_ir::DType::from_name(name).is_some() => quote!(::kiln::autograd::#path),
        [.., "f32", "consts", _] | [.., "f64", "consts", _] => {
            let name = &path.path.segments.last().expect("just seen").ident;
            quote!(::core::f64::consts::#name)
        }
        [.., "f32", _] => quote!((#path as f64)),
        _ => path.to_token_stream(),
    }
}

/// The type that a number is cast to.
pub fn ty(ty: &Type) -> TokenStream {
    match ty {
        Type::Path(p) if p.path.is_ident("f32") => quote!(f64),
        other => other.to_token_stream(),
    }
}
