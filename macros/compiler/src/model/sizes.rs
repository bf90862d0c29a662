//! Dims as `usize` expressions of emitted code: a free dim is a local variable, a constant an item beside the
//! functions, both under the names that emission gives them.

use crate::emit::dims;
use crate::link::Consts;
use crate::traced::Traced;
use kiln_ir::{Dim, Sym, SymKind, Syms};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::{BTreeMap, BTreeSet};

/// The local variable that holds a free dim.
pub fn variable(name: &str) -> Ident {
    dims::ident(name)
}

/// The traced function with each constant under a name that may stand for an item.
pub fn plain_names(mut traced: Traced) -> Traced {
    for known in &traced.consts {
        let info = &mut traced.func.syms.0[known.sym.0 as usize];
        info.name = dims::ident(&info.name.replace("::", "_")).to_string();
    }
    traced
}

/// The constants of these graphs: their values as items to stand outside, under other names than the user's, and
/// the items that bear the graph's names, which may be the user's.
pub fn items<'a>(all: impl IntoIterator<Item = &'a Traced>, consts: &Consts) -> [TokenStream; 2] {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let mut frees: BTreeSet<&str> = BTreeSet::new();
    for traced in all {
        let free = traced.func.syms.0.iter().filter(|s| matches!(s.kind, SymKind::Free { .. }));
        frees.extend(free.map(|s| s.name.as_str()));
        let named =
            traced.consts.iter().map(|c| (traced.func.syms.info(c.sym).name.as_str(), c.text.as_str()));
        known.extend(named);
    }
    let (mut values, mut names) = (TokenStream::new(), TokenStream::new());
    // A variable can't be named as a constant of the user's is, but as a function it can.
    frees.iter().map(|name| dims::ident(name)).for_each(|name| names.extend(quote!(fn #name() {})));
    for (name, text) in known {
        let value = consts.value(text).cloned().unwrap_or_else(|| text.parse().unwrap_or_default());
        let (outside, name) = (format_ident!("CONST_{name}"), dims::ident(name));
        values.extend(quote!(const #outside: usize = #value;));
        names.extend(quote!(const #name: usize = #outside;));
    }
    [values, names]
}

/// What the symbols of a graph are in emitted code.
pub struct Sizes<'a> {
    syms: &'a Syms,
    /// The same symbols as the user writes them.
    written: Syms,
}

impl<'a> Sizes<'a> {
    /// Those of a traced function.
    pub fn new(traced: &'a Traced) -> Sizes<'a> {
        let mut written = traced.func.syms.clone();
        traced.consts.iter().for_each(|c| written.0[c.sym.0 as usize].name = c.text.clone());
        Sizes { syms: &traced.func.syms, written }
    }

    /// The user's name of a symbol.
    pub fn name(&self, sym: Sym) -> &'a str {
        &self.syms.info(sym).name
    }

    /// Whether a symbol is read from the arguments.
    pub fn is_free(&self, sym: Sym) -> bool {
        matches!(self.syms.info(sym).kind, SymKind::Free { .. })
    }

    /// Whether a dim has another value where the symbol has.
    pub fn rests_on(&self, dim: &Dim, sym: Sym) -> bool {
        self.syms.roots(dim).contains(&sym)
    }

    /// The declared bound of a free dim.
    pub fn bound(&self, sym: Sym) -> Option<u64> {
        match self.syms.info(sym).kind {
            SymKind::Free { bound } => bound,
            SymKind::Const | SymKind::Turn | SymKind::Floor { .. } => None,
        }
    }

    /// `2*N + 1`, in the user's terms.
    pub fn text(&self, dim: &Dim) -> String {
        dim.display(&self.written).to_string()
    }

    /// `[N, 784]`, in the user's terms.
    pub fn shape_text(&self, dims: &[Dim]) -> String {
        let texts: Vec<String> = dims.iter().map(|d| self.text(d)).collect();
        format!("[{}]", texts.join(", "))
    }

    /// The expression of a symbol.
    pub fn symbol(&self, sym: Sym) -> TokenStream {
        let info = self.syms.info(sym);
        dims::symbol(&info.name, &info.kind, &|d| self.expression(d))
    }

    /// The expression of a dim. A difference stops at 0: what is too small for a model has another shape than asked.
    pub fn expression(&self, dim: &Dim) -> TokenStream {
        match self.sums(dim) {
            [None, _] => quote!(0),
            [Some(plus), None] => plus,
            [Some(plus), Some(minus)] => quote!(usize::saturating_sub(#plus, #minus)),
        }
    }

    /// What is added in a dim, and what is taken from that.
    pub fn sums(&self, dim: &Dim) -> [Option<TokenStream>; 2] {
        [false, true].map(|negative| {
            let terms = dim.terms().iter().filter(|(_, c)| (*c < 0) == negative);
            let products: Vec<TokenStream> =
                terms.map(|(symbols, factor)| self.product(symbols, factor.unsigned_abs())).collect();
            (!products.is_empty()).then(|| joined(products, &quote!(+)))
        })
    }

    /// The expressions of dims between commas.
    pub fn list(&self, dims: &[Dim]) -> TokenStream {
        let dims = dims.iter().map(|d| self.expression(d));
        quote!(#(#dims),*)
    }

    fn product(&self, symbols: &[Sym], factor: u64) -> TokenStream {
        let number = (factor != 1 || symbols.is_empty()).then(|| {
            let literal = Literal::u64_unsuffixed(factor);
            quote!(#literal)
        });
        let factors = number.into_iter().chain(symbols.iter().map(|s| self.symbol(*s)));
        joined(factors, &quote!(*))
    }
}

fn joined(parts: impl IntoIterator<Item = TokenStream>, operator: &TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    for (i, part) in parts.into_iter().enumerate() {
        if i > 0 {
            out.extend(operator.clone());
        }
        out.extend(part);
    }
    out
}
