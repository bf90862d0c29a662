//! Dims and positions as `usize` expressions.

use crate::fuse::affine::{Affine, Derived, Var};
use crate::fuse::expr::Id;
use kiln_ir::{Dim, SymKind, Syms};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

/// The variable of a free dim, the path of a constant one, or what a floor comes to; `dim` writes what that divides.
pub fn symbol(name: &str, kind: &SymKind, dim: &dyn Fn(&Dim) -> TokenStream) -> TokenStream {
    match kind {
        SymKind::Floor { of, by } => {
            let (of, by) = (dim(of), Literal::i64_unsuffixed(*by));
            quote!(((#of) / #by))
        }
        // A counter is never part of a finished graph.
        SymKind::Free { .. } | SymKind::Turn => {
            let ident = ident(name);
            quote!(#ident)
        }
        // The text of a path or expression that the user wrote.
        SymKind::Const => name.parse().unwrap_or_else(|_| {
            let ident = ident(name);
            quote!(#ident)
        }),
    }
}

/// An identifier from any text, itself where it is one.
pub fn ident(text: &str) -> Ident {
    let mut clean: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    if clean.is_empty() || clean.starts_with(|c: char| c.is_numeric()) {
        clean.insert(0, '_');
    }
    syn::parse_str(&clean).unwrap_or_else(|_| Ident::new(&format!("{clean}_"), Span::call_site()))
}

/// Suffixed where a method is called on it.
fn number(n: i64, suffixed: bool) -> TokenStream {
    let n = n.unsigned_abs() as usize;
    let literal = if suffixed { Literal::usize_suffixed(n) } else { Literal::usize_unsuffixed(n) };
    quote!(#literal)
}

/// A sum of products, those with a minus last. `wrapping` where a part may be below 0 and is not used then.
fn sum(terms: Vec<(i64, Vec<TokenStream>)>, wrapping: bool) -> TokenStream {
    let product = |c: i64, factors: &[TokenStream]| {
        let mut parts = factors.to_vec();
        if c != 1 || parts.is_empty() {
            parts.push(number(c, wrapping));
        }
        let first = parts[0].clone();
        match wrapping {
            true => parts[1..].iter().fold(first, |p, f| quote!(usize::wrapping_mul(#p, #f))),
            false => parts[1..].iter().fold(first, |p, f| quote!(#p * #f)),
        }
    };
    let (plus, minus): (Vec<_>, Vec<_>) = terms.into_iter().partition(|(c, _)| *c > 0);
    let total = |terms: &[(i64, Vec<TokenStream>)]| {
        let products: Vec<TokenStream> = terms.iter().map(|(c, f)| product(c.abs(), f)).collect();
        let Some((first, rest)) = products.split_first() else {
            return if wrapping { quote!(0usize) } else { quote!(0) };
        };
        match wrapping {
            true => rest.iter().fold(first.clone(), |s, t| quote!(usize::wrapping_add(#s, #t))),
            false => quote!(#first #(+ #rest)*),
        }
    };
    let sum = total(&plus);
    match (minus.is_empty(), wrapping) {
        (true, _) => sum,
        (false, true) => {
            let less = total(&minus);
            quote!(usize::wrapping_sub(#sum, #less))
        }
        (false, false) => {
            let less = total(&minus);
            quote!((#sum) - (#less))
        }
    }
}

/// Names of dims and loop counters in emitted code.
pub struct Dims<'a> {
    /// The function's symbols.
    pub syms: &'a Syms,
}

impl Dims<'_> {
    fn factors(&self, monomial: &[kiln_ir::Sym]) -> Vec<TokenStream> {
        monomial
            .iter()
            .map(|s| {
                let info = self.syms.info(*s);
                symbol(&info.name, &info.kind, &|d| self.dim(d))
            })
            .collect()
    }

    /// The axes of a side of an operand: their sizes and strides.
    pub fn axes(&self, axes: &[(Dim, Dim)]) -> TokenStream {
        let axes = axes.iter().map(|(len, stride)| {
            let (len, stride) = (self.dim(len), self.dim(stride));
            quote!((#len, #stride))
        });
        quote!(&[#(#axes),*])
    }

    /// The dim's value: an expression that binds as a sum does, unless it is one term.
    pub fn dim(&self, dim: &Dim) -> TokenStream {
        let terms = dim.terms().iter().map(|(m, c)| (*c, self.factors(m)));
        let (plus, minus): (Vec<_>, Vec<_>) = terms.partition(|(c, _)| *c > 0);
        let less = minus.into_iter().map(|(c, factors)| (-c, factors)).collect::<Vec<_>>();
        let (plus, is_whole) = (sum(plus, false), less.is_empty());
        if is_whole {
            return plus;
        }
        // A run has been checked; what a run would take may be asked for any size.
        let less = sum(less, false);
        quote!(usize::saturating_sub(#plus, #less))
    }

    /// The dim's value as an operand of any operator.
    pub fn operand(&self, dim: &Dim) -> TokenStream {
        let value = self.dim(dim);
        match dim.literal().is_some() || dim.symbol().is_some() {
            true => value,
            false => quote!((#value)),
        }
    }

    /// What an index is divided by. A dim of no elements has none, but rustc refuses to divide by 0 all the same.
    pub fn divisor(&self, dim: &Dim) -> TokenStream {
        if dim.is(0) { quote!(1) } else { self.operand(dim) }
    }

    /// The value of a position.
    pub fn affine(&self, at: &Affine, var: &dyn Fn(Var) -> TokenStream, wrapping: bool) -> TokenStream {
        let mut terms = Vec::new();
        for (v, coefficient) in &at.terms {
            let v = var(*v);
            for (m, c) in coefficient.terms() {
                let mut factors = vec![v.clone()];
                factors.extend(self.factors(m));
                terms.push((*c, factors));
            }
        }
        terms.extend(at.constant.terms().iter().map(|(m, c)| (*c, self.factors(m))));
        sum(terms, wrapping)
    }

    /// The definition of a derived variable; `element` writes an expression's value.
    pub fn derived(
        &self,
        what: &Derived,
        var: &dyn Fn(Var) -> TokenStream,
        element: &dyn Fn(Id) -> TokenStream,
    ) -> TokenStream {
        let at = what.affine().map(|at| self.affine(at, var, true));
        match what {
            Derived::Element(id) => {
                let value = element(*id);
                quote!(#value as usize)
            }
            Derived::Quotient(_, by) => {
                let by = self.divisor(by);
                quote!((#at) / #by)
            }
            Derived::Remainder(_, by) => {
                let by = self.divisor(by);
                quote!((#at) % #by)
            }
        }
    }
}

/// The counter of an axis, or a derived variable.
pub fn variable(var: Var) -> Ident {
    match var {
        Var::Axis(i) => format_ident!("i{i}"),
        Var::Derived(i) => format_ident!("d{i}"),
    }
}
