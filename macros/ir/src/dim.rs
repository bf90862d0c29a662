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
    fn prints_with_names() {
        let mut syms = Syms::default();
        let n = Dim::from(syms.intern("N", SymKind::Free { bound: None }));
        let d = n.clone() * Dim::from(2i64) + Dim::from(1i64);
        assert_eq!(d.display(&syms).to_string(), "2*N + 1");
        assert_eq!((n - Dim::from(1i64)).display(&syms).to_string(), "N - 1");
    }
}
