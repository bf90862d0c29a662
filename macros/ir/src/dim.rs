//! A dim: a canonical polynomial with integer coefficients over symbols. Equality is structural.

use std::fmt;
use std::ops::{Add, Mul, Sub};

/// A symbol: an index into the `Syms` of the function it stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Sym(pub u32);

/// What a symbol stands for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SymKind {
    /// A size read from the arguments at each call, at most the bound where there is one.
    Free {
        /// Largest size, where declared.
        bound: Option<u64>,
    },
    /// The counter of a loop that is built: a place in a slice, never a size.
    Turn,
    /// A Rust constant expression whose value the compiler can't see; the name is its text.
    Const,
    /// `⌊of / by⌋`, of symbols before it; it has no multiple of `by` to take out.
    Floor {
        /// What is divided.
        of: Dim,
        /// A number above 1.
        by: i64,
    },
}

/// A symbol's name and kind.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SymInfo {
    /// The user's name (`N`, `HIDDEN`) or the text of a constant expression.
    pub name: String,
    /// What it stands for.
    pub kind: SymKind,
}

/// The symbols of a function, by `Sym` index.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Syms(pub Vec<SymInfo>);

impl Syms {
    /// The symbol of that name, added if it is new.
    pub fn intern(&mut self, name: &str, kind: SymKind) -> Sym {
        if let Some(i) = self.0.iter().position(|s| s.name == name) {
            return Sym(i as u32);
        }
        self.0.push(SymInfo { name: name.to_string(), kind });
        Sym(self.0.len() as u32 - 1)
    }

    /// `⌊dim / by⌋` of a positive number: what `by` divides is a polynomial, the rest a symbol of kind `Floor`.
    ///
    /// Equal quotients are equal dims: `⌊(⌊n/2⌋ + 1)/2⌋` is `⌊(n + 2)/4⌋`.
    pub fn floor_divide(&mut self, dim: &Dim, by: i64) -> Dim {
        if let Some(exact) = dim.floor_divide(by) {
            return exact;
        }
        // ⌊(⌊a/m⌋ + c) / by⌋ = ⌊(a + m·c) / (m·by)⌋ for whole numbers c.
        let (whole, rest) = dim.split(by);
        let nested = rest.syms().into_iter().find_map(|s| match &self.info(s).kind {
            SymKind::Floor { of, by } if rest.linear_in(s)?.0 == 1 => Some((s, of.clone(), *by)),
            _ => None,
        });
        if let Some((sym, of, inner)) = nested
            && let Some(all) = inner.checked_mul(by)
        {
            let (_, others) = rest.linear_in(sym).expect("just seen");
            return whole + self.floor_divide(&(of + others * Dim::from(inner)), all);
        }
        let name = match rest.terms().len() {
            1 => format!("⌊{}/{by}⌋", rest.display(self)),
            _ => format!("⌊({})/{by}⌋", rest.display(self)),
        };
        whole + Dim::from(self.intern(&name, SymKind::Floor { of: rest, by }))
    }

    /// The value of a dim, where that of each symbol is known but for floors.
    pub fn value(&self, dim: &Dim, of: &dyn Fn(Sym) -> Option<i64>) -> Option<i64> {
        let one = |s: Sym| match &self.info(s).kind {
            SymKind::Floor { of: inner, by } => Some(self.value(inner, of)?.div_euclid(*by)),
            _ => of(s),
        };
        dim.terms().iter().try_fold(0, |sum, (symbols, factor)| {
            Some(sum + symbols.iter().try_fold(*factor, |product, s| Some(product * one(*s)?))?)
        })
    }

    /// The symbols on which a dim rests that are no floors of others, sorted.
    pub fn roots(&self, dim: &Dim) -> Vec<Sym> {
        let root = |s: Sym| match &self.info(s).kind {
            SymKind::Floor { of, .. } => self.roots(of),
            _ => vec![s],
        };
        let mut all: Vec<Sym> = dim.syms().into_iter().flat_map(root).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The dim with each symbol replaced, and each floor by the floor of what it divides then, over the symbols `to`.
    pub fn replace(&self, dim: &Dim, to: &mut Syms, of: &dyn Fn(Sym, &mut Syms) -> Dim) -> Dim {
        let one = |s: Sym, to: &mut Syms| match &self.info(s).kind {
            SymKind::Floor { of: inner, by } => {
                let inner = self.replace(inner, to, of);
                to.floor_divide(&inner, *by)
            }
            _ => of(s, to),
        };
        dim.terms().iter().fold(Dim::from(0), |sum, (symbols, factor)| {
            sum + symbols.iter().fold(Dim::from(*factor), |product, s| product * one(*s, to))
        })
    }

    /// Name and kind of a symbol.
    pub fn info(&self, sym: Sym) -> &SymInfo {
        &self.0[sym.0 as usize]
    }
}

/// Sum of coefficient × product of symbols. Terms are sorted by their symbols, coefficients are not 0.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Dim {
    terms: Vec<(Vec<Sym>, i64)>,
}

impl From<i64> for Dim {
    fn from(n: i64) -> Dim {
        Dim { terms: if n == 0 { vec![] } else { vec![(vec![], n)] } }
    }
}

impl From<i32> for Dim {
    fn from(n: i32) -> Dim {
        Dim::from(n as i64)
    }
}

impl From<usize> for Dim {
    fn from(n: usize) -> Dim {
        Dim::from(n as i64)
    }
}

impl From<Sym> for Dim {
    fn from(s: Sym) -> Dim {
        Dim { terms: vec![(vec![s], 1)] }
    }
}

impl Dim {
    /// The number, if no symbol occurs.
    pub fn literal(&self) -> Option<i64> {
        match self.terms.as_slice() {
            [] => Some(0),
            [(m, c)] if m.is_empty() => Some(*c),
            _ => None,
        }
    }

    /// The symbol, if the dim is just one.
    pub fn symbol(&self) -> Option<Sym> {
        match self.terms.as_slice() {
            [(m, 1)] if m.len() == 1 => Some(m[0]),
            _ => None,
        }
    }

    /// Whether it is the number `n`.
    pub fn is(&self, n: i64) -> bool {
        self.literal() == Some(n)
    }

    /// Terms in canonical order: symbols (sorted, repeated for powers) and coefficient.
    pub fn terms(&self) -> &[(Vec<Sym>, i64)] {
        &self.terms
    }

    /// Every symbol that occurs, sorted.
    pub fn syms(&self) -> Vec<Sym> {
        let mut all: Vec<Sym> = self.terms.iter().flat_map(|(m, _)| m.iter().copied()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The polynomial with each symbol replaced.
    pub fn substitute(&self, of: &dyn Fn(Sym) -> Dim) -> Dim {
        self.terms
            .iter()
            .fold(Dim::from(0), |sum, (m, c)| sum + m.iter().fold(Dim::from(*c), |p, s| p * of(*s)))
    }

    /// `c` and the rest of `c·sym + rest`, where no other term has the symbol.
    pub fn linear_in(&self, sym: Sym) -> Option<(i64, Dim)> {
        let (with, without): (Vec<_>, Vec<_>) =
            self.terms.iter().cloned().partition(|(m, _)| m.contains(&sym));
        match with.as_slice() {
            [(m, c)] if m.len() == 1 => Some((*c, Dim { terms: without })),
            [] => Some((0, self.clone())),
            _ => None,
        }
    }

    /// Its value under an assignment of the symbols.
    pub fn eval(&self, of: &dyn Fn(Sym) -> i64) -> i64 {
        self.terms.iter().map(|(m, c)| m.iter().fold(*c, |p, s| p * of(*s))).sum()
    }

    /// Exact quotient, if the division leaves no remainder for every value of the symbols.
    pub fn divide(&self, by: &Dim) -> Option<Dim> {
        let lead = by.terms.last()?;
        let mut rest = self.clone();
        let mut quotient = Dim::from(0);
        while let Some((m, c)) = rest.terms.last().cloned() {
            let monomial = remove_all(&m, &lead.0)?;
            if c % lead.1 != 0 {
                return None;
            }
            let term = Dim { terms: vec![(monomial, c / lead.1)] };
            rest = rest - term.clone() * by.clone();
            quotient = quotient + term;
        }
        Some(quotient)
    }

    /// `⌊self / by⌋` where that is a polynomial: all coefficients of symbols are multiples of `by`.
    pub fn floor_divide(&self, by: i64) -> Option<Dim> {
        let each = self.terms.iter().map(|(m, c)| match m.is_empty() {
            true => Some((m.clone(), c.checked_div_euclid(by)?)),
            false => (c.checked_rem(by)? == 0).then(|| (m.clone(), c / by)),
        });
        (by > 0).then(|| each.collect::<Option<_>>()).flatten().map(Dim::normalize)
    }

    /// `q` and `r` of `self = by·q + r`, the coefficients of `r` from 0 to `by − 1`.
    fn split(&self, by: i64) -> (Dim, Dim) {
        let each = |of: &dyn Fn(i64) -> i64| {
            Dim::normalize(self.terms.iter().map(|(m, c)| (m.clone(), of(*c))).collect())
        };
        (each(&|c| c.div_euclid(by)), each(&|c| c.rem_euclid(by)))
    }

    /// Text with the symbols' names: `N`, `2*N + 1`.
    pub fn display<'a>(&'a self, syms: &'a Syms) -> impl fmt::Display + 'a {
        DisplayDim { dim: self, syms }
    }

    fn normalize(mut terms: Vec<(Vec<Sym>, i64)>) -> Dim {
        // Graded order, so that the leading term of a product is the product of the leading terms.
        terms.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
        let mut out: Vec<(Vec<Sym>, i64)> = Vec::new();
        for (m, c) in terms {
            match out.last_mut() {
                // Sizes that no machine has are as good as the largest.
                Some(last) if last.0 == m => last.1 = last.1.saturating_add(c),
                _ => out.push((m, c)),
            }
        }
        out.retain(|(_, c)| *c != 0);
        Dim { terms: out }
    }
}

/// `from` without one occurrence of each of `what`, if they all occur.
fn remove_all(from: &[Sym], what: &[Sym]) -> Option<Vec<Sym>> {
    let mut left = from.to_vec();
    for s in what {
        let at = left.iter().position(|x| x == s)?;
        left.remove(at);
    }
    Some(left)
}

impl Add for Dim {
    type Output = Dim;
    fn add(mut self, other: Dim) -> Dim {
        self.terms.extend(other.terms);
        Dim::normalize(self.terms)
    }
}

impl Sub for Dim {
    type Output = Dim;
    fn sub(self, other: Dim) -> Dim {
        self + other * Dim::from(-1)
    }
}

impl Mul for Dim {
    type Output = Dim;
    fn mul(self, other: Dim) -> Dim {
        let mut terms = Vec::new();
        for (a, x) in &self.terms {
            for (b, y) in &other.terms {
                let mut m = [a.as_slice(), b.as_slice()].concat();
                m.sort();
                terms.push((m, x.saturating_mul(*y)));
            }
        }
        Dim::normalize(terms)
    }
}

struct DisplayDim<'a> {
    dim: &'a Dim,
    syms: &'a Syms,
}

impl fmt::Display for DisplayDim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dim.terms.is_empty() {
            return write!(f, "0");
        }
        // Highest degree first, as mathematicians write it.
        for (i, (m, c)) in self.dim.terms.iter().rev().enumerate() {
            match (i, *c < 0) {
                (0, true) => write!(f, "-")?,
                (0, false) => {}
                (_, true) => write!(f, " - ")?,
                (_, false) => write!(f, " + ")?,
            }
            if m.is_empty() || c.unsigned_abs() != 1 {
                write!(f, "{}", c.unsigned_abs())?;
            }
            for (j, s) in m.iter().enumerate() {
                let star = if j > 0 || c.unsigned_abs() != 1 { "*" } else { "" };
                write!(f, "{star}{}", self.syms.info(*s).name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_quotients_are_canonical() {
        let (n, m) = (Dim::from(Sym(0)), Dim::from(Sym(1)));
        let p = (n.clone() + Dim::from(2i64)) * m.clone();
        assert_eq!(p, m.clone() * n.clone() + m.clone() * Dim::from(2i64));
        assert_eq!(p.divide(&m), Some(n.clone() + Dim::from(2i64)));
        assert_eq!(p.divide(&n), None);
        assert_eq!(Dim::from(7i64).divide(&Dim::from(2i64)), None);
        let even = n.clone() * Dim::from(4i64);
        assert_eq!((even - Dim::from(1i64)).floor_divide(2), Some(n.clone() * 2i64.into() - 1i64.into()));
        assert_eq!(n.floor_divide(2), None);
        assert_eq!(Dim::from(-1i64).floor_divide(0), None);
        assert_eq!((n.clone() - n).literal(), Some(0));
    }

    #[test]
    fn floors_are_canonical() {
        let mut syms = Syms::default();
        let n = Dim::from(syms.intern("N", SymKind::Free { bound: None }));
        let half = syms.floor_divide(&(n.clone() * 5.into() - 3.into()), 2);
        assert_eq!(half.display(&syms).to_string(), "⌊(N + 1)/2⌋ + 2*N - 2");
        let quarter = syms.floor_divide(&(half.clone() + 1.into()), 2);
        let known = |s: Sym| s == Sym(0);
        for at in 0..20 {
            let of = |d: &Dim| syms.value(d, &|s| known(s).then_some(at));
            assert_eq!(of(&half), Some((5 * at - 3).div_euclid(2)), "N = {at}");
            assert_eq!(of(&quarter), Some(((5 * at - 3).div_euclid(2) + 1).div_euclid(2)), "N = {at}");
        }
        let first = syms.floor_divide(&n, 2);
        let second = syms.floor_divide(&(first + 1.into()), 2);
        assert_eq!(second, syms.floor_divide(&(n.clone() + 2.into()), 4));
        assert_eq!(
            (syms.roots(&second), syms.floor_divide(&(n.clone() * 4.into()), 2)),
            (vec![Sym(0)], n * 2.into())
        );
    }

    #[test]
    fn prints_with_names() {
        let mut syms = Syms::default();
        let n = Dim::from(syms.intern("N", SymKind::Free { bound: None }));
        let d = n.clone() * Dim::from(2i64) + Dim::from(1i64);
        assert_eq!(d.display(&syms).to_string(), "2*N + 1");
        assert_eq!((n - Dim::from(1i64)).display(&syms).to_string(), "N - 1");
    }
}
