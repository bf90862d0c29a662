//! Sizes: symbols shared by all graphs of an entry, constants that only rustc knows, and how sizes and types read.

use super::Tracer;
use super::value::Value;
use crate::message::body as message;
use crate::source::Number;
use crate::traced::Const;
use kiln_ir::{DType, Dim, Sym, SymKind, Ty};
use quote::ToTokens;

impl Tracer<'_> {
    /// The size that a constant has; the same text of two owners is one constant, which is asserted later.
    pub fn constant(&mut self, text: &str, owner: &str) -> Dim {
        let name = match self.syms.0.iter().find(|s| s.name == text) {
            // A free dim has that name: what is meant in another function is another thing.
            Some(info) if info.kind != SymKind::Const => format!("{text}'"),
            _ => text.to_string(),
        };
        let sym = self.syms.intern(&name, SymKind::Const);
        match self.consts.iter_mut().find(|c| c.sym == sym) {
            Some(known) if known.owners.iter().any(|o| o == owner) => {}
            Some(known) => known.owners.push(owner.to_string()),
            None => {
                self.consts.push(Const { sym, text: text.to_string(), owners: vec![owner.to_string()] });
            }
        }
        let mut size = Dim::from(sym);
        // An assumption may lead to another; each leads on at most once.
        for _ in 0..self.assumed.len() {
            size = size.substitute(&|s| self.assumption(s));
        }
        size
    }

    fn assumption(&self, sym: Sym) -> Dim {
        let name = &self.syms.info(sym).name;
        let found = self.assumed.iter().find(|(assumed, _)| assumed == name);
        found.map_or(Dim::from(sym), |(_, size)| size.clone())
    }

    /// Whether two sizes are equal. Where only rustc can tell, they are taken to be: tracing starts over with that.
    pub fn same_size(&mut self, left: &Dim, right: &Dim) -> bool {
        if left == right {
            return true;
        }
        let off = left.clone() - right.clone();
        // What stands before each product of free dims must vanish by itself.
        let mut groups: Vec<(Vec<Sym>, Dim)> = Vec::new();
        for (symbols, factor) in off.terms() {
            let (constants, free): (Vec<Sym>, Vec<Sym>) =
                symbols.iter().partition(|s| self.syms.info(**s).kind == SymKind::Const);
            let term = constants.iter().fold(Dim::from(*factor), |d, s| d * Dim::from(*s));
            match groups.iter_mut().find(|(f, _)| *f == free) {
                Some((_, sum)) => *sum = sum.clone() + term,
                None => groups.push((free, term)),
            }
        }
        let solutions: Option<Vec<(Sym, Dim)>> = groups.iter().map(|(_, sum)| solve(sum)).collect();
        let Some(solutions) = solutions else { return false };
        for (sym, size) in solutions {
            let name = self.syms.info(sym).name.clone();
            if !self.assumed.iter().any(|(known, _)| *known == name) {
                self.assumed.push((name, size));
                self.again = true;
            }
        }
        true
    }

    /// A size as a number. Where the files tell the values of its constants, they are taken for that: tracing starts
    /// over with it, as with any assumption.
    pub fn number(&mut self, size: &Dim) -> Option<i64> {
        if let Some(n) = size.literal() {
            return Some(n);
        }
        let value = |sym: Sym| match self.library.values.get(&self.constant_text(sym)?)? {
            Number::Whole(n) => Some(Dim::from(*n)),
            Number::Float(_) | Number::Variant => None,
        };
        let known: Vec<(Sym, Dim)> =
            size.syms().iter().map(|s| Some((*s, value(*s)?))).collect::<Option<_>>()?;
        let find = |s: Sym| known.iter().find(|(k, _)| *k == s).map_or(Dim::from(s), |(_, n)| n.clone());
        let number = size.substitute(&find).literal()?;
        for (sym, value) in known {
            let name = self.syms.info(sym).name.clone();
            if !self.assumed.iter().any(|(known, _)| *known == name) {
                self.assumed.push((name, value));
                self.again = true;
            }
        }
        Some(number)
    }

    fn constant_text(&self, sym: Sym) -> Option<String> {
        self.consts.iter().find(|c| c.sym == sym).map(|c| c.text.clone())
    }

    /// Whether two shapes are equal, by `same_size`.
    pub fn same_shape(&mut self, left: &[Dim], right: &[Dim]) -> bool {
        // No shortcut: all assumptions are found at once.
        left.len() == right.len()
            && left.iter().zip(right).fold(true, |same, (l, r)| self.same_size(l, r) && same)
    }

    /// Whether a size is made of constants alone.
    pub fn is_constant(&self, size: &Dim) -> bool {
        self.syms.roots(size).iter().all(|s| self.syms.info(*s).kind == SymKind::Const)
    }

    /// Notes that sizes must be known. A building block learns them from a call, where it is looked at again.
    pub fn unsettled(&mut self, at: impl ToTokens, sizes: &[Dim], message: String) -> Value {
        let free = |s: &Sym| matches!(self.syms.info(*s).kind, SymKind::Free { .. });
        if self.block && sizes.iter().any(|size| self.syms.roots(size).iter().any(free)) {
            self.open = true;
            return Value::Poison;
        }
        self.fault(at, message)
    }

    /// Why a size isn't known while compiling.
    pub fn unknown_because(&self, size: &Dim) -> String {
        let shown = self.show_dim(size);
        let turn = |s: &Sym| self.syms.info(*s).kind == SymKind::Turn;
        match size.syms().iter().any(turn) {
            true => message::turn_knows(&shown),
            false if self.is_constant(size) => message::rustc_knows(&shown),
            false => message::call_knows(&shown),
        }
    }

    /// A size in the user's names.
    pub fn show_dim(&self, dim: &Dim) -> String {
        dim.display(&self.syms).to_string()
    }

    /// A type as users write it.
    pub fn show_ty(&self, ty: &Ty) -> String {
        let mut parts: Vec<String> = Vec::new();
        if ty.dtype != DType::F32 {
            parts.push(ty.dtype.name().to_string());
        }
        parts.extend(ty.shape.iter().map(|d| match (d.literal(), d.symbol()) {
            (None, None) => format!("{{ {} }}", self.show_dim(d)),
            _ => self.show_dim(d),
        }));
        format!("Tensor<{}>", parts.join(", "))
    }
}

/// The symbol and the size that it must have for the sum to vanish: one that stands alone, times a number.
fn solve(sum: &Dim) -> Option<(Sym, Dim)> {
    sum.terms().iter().rev().find_map(|(symbols, factor)| {
        let [sym] = symbols.as_slice() else { return None };
        let rest = sum.clone() - Dim::from(*sym) * Dim::from(*factor);
        if rest.syms().contains(sym) {
            return None;
        }
        let size = (Dim::from(0) - rest).divide(&Dim::from(*factor))?;
        size.literal().is_none_or(|n| n >= 0).then_some((*sym, size))
    })
}
