//! Where a loop reads: affine expressions over loop variables, with dims as coefficients.

use super::expr::Id;
use kiln_ir::Dim;

/// A loop variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Var {
    /// The counter of the kernel's axis with that number, outermost first.
    Axis(usize),
    /// A number derived from counters by division: see `Derived`.
    Derived(usize),
}

/// `constant + Σ coefficient · variable`. Terms are sorted by variable; no coefficient is 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Affine {
    /// Terms.
    pub terms: Vec<(Var, Dim)>,
    /// The part without variables.
    pub constant: Dim,
}

/// A variable that is no counter: where a reshape cuts the elements differently than the loop's axes do, or where a
/// place is data.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Derived {
    /// The whole part of `affine / dim`.
    Quotient(Affine, Dim),
    /// What remains.
    Remainder(Affine, Dim),
    /// The value of an expression.
    Element(Id),
}

impl Derived {
    /// What is divided.
    pub fn affine(&self) -> Option<&Affine> {
        match self {
            Derived::Quotient(a, _) | Derived::Remainder(a, _) => Some(a),
            Derived::Element(_) => None,
        }
    }

    /// By what.
    pub fn divisor(&self) -> Option<&Dim> {
        match self {
            Derived::Quotient(_, by) | Derived::Remainder(_, by) => Some(by),
            Derived::Element(_) => None,
        }
    }

    /// The same derivation of another number.
    pub fn map(&self, of: &dyn Fn(&Affine) -> Affine) -> Derived {
        match self {
            Derived::Quotient(at, by) => Derived::Quotient(of(at), by.clone()),
            Derived::Remainder(at, by) => Derived::Remainder(of(at), by.clone()),
            Derived::Element(id) => Derived::Element(*id),
        }
    }
}

impl From<Var> for Affine {
    fn from(var: Var) -> Affine {
        Affine { terms: vec![(var, Dim::from(1))], constant: Dim::from(0) }
    }
}

impl From<Dim> for Affine {
    fn from(constant: Dim) -> Affine {
        Affine { terms: vec![], constant }
    }
}

impl Affine {
    /// 0.
    pub fn zero() -> Affine {
        Dim::from(0).into()
    }

    /// The sum.
    pub fn plus(mut self, other: Affine) -> Affine {
        for (var, c) in other.terms {
            match self.terms.binary_search_by_key(&var, |(v, _)| *v) {
                Ok(at) => self.terms[at].1 = self.terms[at].1.clone() + c,
                Err(at) => self.terms.insert(at, (var, c)),
            }
        }
        self.terms.retain(|(_, c)| !c.is(0));
        self.constant = self.constant + other.constant;
        self
    }

    /// The product with a dim.
    pub fn times(self, by: &Dim) -> Affine {
        let terms = self.terms.into_iter().map(|(v, c)| (v, c * by.clone())).filter(|(_, c)| !c.is(0));
        Affine { terms: terms.collect(), constant: self.constant * by.clone() }
    }

    /// The coefficient of a variable.
    pub fn coefficient(&self, var: Var) -> Dim {
        self.terms.iter().find(|(v, _)| *v == var).map_or(Dim::from(0), |(_, c)| c.clone())
    }

    /// The expression without the term of a variable.
    pub fn without(&self, var: Var) -> Affine {
        let terms = self.terms.iter().filter(|(v, _)| *v != var).cloned().collect();
        Affine { terms, constant: self.constant.clone() }
    }

    /// Whether it is the variable itself.
    pub fn is(&self, var: Var) -> bool {
        self.constant.is(0) && matches!(&*self.terms, [(v, c)] if *v == var && c.is(1))
    }
}

/// Counters of so many axes.
pub fn counters(n: usize) -> Vec<Affine> {
    (0..n).map(|i| Var::Axis(i).into()).collect()
}

/// Position of the element at `index` among all of a row-major tensor.
pub fn flat(index: &[Affine], shape: &[Dim]) -> Affine {
    index.iter().zip(shape).fold(Affine::zero(), |at, (i, len)| {
        let at = at.times(len);
        // The index of an axis of one element is 0, whatever stands for it.
        if len.is(1) { at } else { at.plus(i.clone()) }
    })
}

/// The index into a tensor of shape `into` of the element that a reshape to `from` has at `index`.
pub fn reshape(index: &[Affine], from: &[Dim], into: &[Dim], derived: &mut Vec<Derived>) -> Vec<Affine> {
    let mut out = vec![Affine::zero(); into.len()];
    for (a, b) in groups(from, into) {
        let at = a.iter().fold(Affine::zero(), |at, &i| at.times(&from[i]).plus(index[i].clone()));
        unflatten(at, &b, into, derived, &mut out);
    }
    out
}

/// Cuts both shapes into runs of axes that hold the same elements. Axes of one element are in none.
fn groups(from: &[Dim], into: &[Dim]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let wide = |shape: &[Dim]| (0..shape.len()).filter(|&i| !shape[i].is(1)).collect::<Vec<_>>();
    let (mut left, mut right) = (wide(from).into_iter(), wide(into).into_iter());
    let mut groups = Vec::new();
    while let (Some(i), Some(j)) = (left.next(), right.next()) {
        let (mut a, mut b) = (vec![i], vec![j]);
        let (mut n, mut m) = (from[i].clone(), into[j].clone());
        while n != m {
            // The side that can grow into the other one goes on; both where neither divides.
            let (grow_a, grow_b) = (m.divide(&n).is_some(), n.divide(&m).is_some());
            let i = if grow_b && !grow_a { None } else { left.next() };
            let j = if grow_a && !grow_b { None } else { right.next() };
            if i.is_none() && j.is_none() {
                a.extend(left.by_ref());
                b.extend(right.by_ref());
                break;
            }
            a.extend(i);
            b.extend(j);
            n = i.map_or(n.clone(), |i| n * from[i].clone());
            m = j.map_or(m.clone(), |j| m * into[j].clone());
        }
        groups.push((a, b));
    }
    groups
}

/// Cuts a position into the indices of these axes.
fn unflatten(at: Affine, axes: &[usize], shape: &[Dim], derived: &mut Vec<Derived>, out: &mut [Affine]) {
    let mut rest = at;
    for &axis in axes[1..].iter().rev() {
        let len = shape[axis].clone();
        out[axis] = derive(Derived::Remainder(rest.clone(), len.clone()), derived);
        rest = derive(Derived::Quotient(rest, len), derived);
    }
    out[axes[0]] = rest;
}

/// The variable of a derivation, a known one where there is one.
pub fn derive(what: Derived, derived: &mut Vec<Derived>) -> Affine {
    let at = derived.iter().position(|d| *d == what).unwrap_or_else(|| {
        derived.push(what);
        derived.len() - 1
    });
    Var::Derived(at).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(of: &[i64]) -> Vec<Dim> {
        of.iter().map(|d| Dim::from(*d)).collect()
    }

    fn axes(n: usize) -> Vec<Affine> {
        (0..n).map(|i| Var::Axis(i).into()).collect()
    }

    #[test]
    fn merging_axes_needs_no_division() {
        let mut derived = Vec::new();
        let index = reshape(&axes(3), &dims(&[2, 3, 4]), &dims(&[2, 1, 12]), &mut derived);
        assert!(derived.is_empty());
        assert!(index[0].is(Var::Axis(0)) && index[1] == Affine::zero());
        assert_eq!(index[2], Affine::from(Var::Axis(1)).times(&Dim::from(4)).plus(Var::Axis(2).into()));
    }

    #[test]
    fn ones_come_and_go_freely() {
        for (from, into) in
            [(vec![3, 1, 4, 1], vec![3, 4]), (vec![3, 4], vec![1, 3, 1, 4, 1]), (vec![1], vec![])]
        {
            let mut derived = Vec::new();
            let index = reshape(&axes(from.len()), &dims(&from), &dims(&into), &mut derived);
            assert!(derived.is_empty(), "{from:?} {into:?}");
            assert_eq!(index.len(), into.len());
        }
    }

    #[test]
    fn splitting_an_axis_divides() {
        let mut derived = Vec::new();
        let index = reshape(&axes(1), &dims(&[12]), &dims(&[3, 4]), &mut derived);
        let at = Affine::from(Var::Axis(0));
        assert_eq!(derived[0], Derived::Remainder(at.clone(), Dim::from(4)));
        assert_eq!(derived[1], Derived::Quotient(at, Dim::from(4)));
        assert_eq!(index, [Var::Derived(1).into(), Var::Derived(0).into()]);
    }
}
