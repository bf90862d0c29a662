//! `match` on what is known while compiling: the first arm that fits is the only one that is traced.

use super::Tracer;
use super::value::{Choice, Value};
use crate::message::body as message;
use crate::source::Number;
use kiln_ir::Dim;
use syn::{BinOp, Expr, ExprMatch, ExprRange, Pat, PatIdent, Path, RangeLimits};

/// Whether a pattern fits; `None` where a fault was noted.
type Fits = Option<bool>;

impl Tracer<'_> {
    /// `match act { Activation::Relu => … }`
    pub fn choose(&mut self, m: &ExprMatch) -> Value {
        let value = self.expr(&m.expr);
        if value.is_poison() {
            return Value::Poison;
        }
        if self.holds_tensor(&value) {
            return self.fault(&m.expr, message::match_tensor());
        }
        for arm in &m.arms {
            let chosen = self.scoped(|tracer| {
                if !tracer.fits_pattern(&arm.pat, &value)? {
                    return Some(None);
                }
                tracer.bind_chosen(&arm.pat, &value);
                match &arm.pat {
                    Pat::Guard(p) if !tracer.guarded(&p.guard)? => Some(None),
                    _ => Some(Some(tracer.expr(&arm.body))),
                }
            });
            match chosen {
                None => return Value::Poison,
                Some(Some(value)) => return value,
                Some(None) => {}
            }
        }
        let got = self.describe(&value);
        self.fault(&m.expr, message::no_arm(&got))
    }

    fn guarded(&mut self, guard: &Expr) -> Fits {
        match self.decision(guard) {
            Value::Bool(holds) => Some(holds),
            Value::Poison => None,
            Value::Tensor(_) => self.unfit(guard, message::if_tensor()),
            other => {
                let got = self.describe(&other);
                self.unfit(guard, message::if_kind(&got))
            }
        }
    }

    fn unfit(&mut self, at: impl quote::ToTokens, message: String) -> Fits {
        self.fault(at, message);
        None
    }

    fn holds_tensor(&self, value: &Value) -> bool {
        match self.read(value.clone()) {
            Value::Tensor(_) | Value::Tree(_) | Value::Series(_) => true,
            Value::Tuple(list) | Value::Array(list) => list.iter().any(|v| self.holds_tensor(v)),
            _ => false,
        }
    }

    fn fits_pattern(&mut self, pat: &Pat, value: &Value) -> Fits {
        match pat {
            Pat::Wild(_) | Pat::Rest(_) => Some(true),
            Pat::Paren(p) => self.fits_pattern(&p.pat, value),
            Pat::Guard(p) => self.fits_pattern(&p.pat, value),
            Pat::Reference(p) => self.fits_pattern(&p.pat, value),
            Pat::Ident(p) => match (named(p), &p.subpat) {
                (Some(path), _) => self.fits_path(pat, &path, value),
                (None, Some((_, inner))) => self.fits_pattern(inner, value),
                (None, None) => Some(true),
            },
            Pat::Path(p) => self.fits_path(pat, &p.path, value),
            Pat::Or(p) => {
                for case in &p.cases {
                    if self.fits_pattern(case, value)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Pat::Lit(p) => {
                let want = self.expr(&Expr::Lit(p.clone()));
                self.equals(pat, &want, value)
            }
            Pat::Range(p) => self.fits_range(pat, p, value),
            Pat::Tuple(p) => match value {
                Value::Tuple(list) if list.len() == p.elems.len() => {
                    self.fits_all(p.elems.iter(), &list.clone())
                }
                other => self.misfits(pat, other),
            },
            Pat::Slice(p) => match value {
                Value::Array(list) if list.len() == p.elems.len() => {
                    self.fits_all(p.elems.iter(), &list.clone())
                }
                other => self.misfits(pat, other),
            },
            other => self.unfit(other, message::match_pattern()),
        }
    }

    /// Whether all parts fit. Each is looked at, for its own faults.
    fn fits_all<'p>(&mut self, pats: impl Iterator<Item = &'p Pat>, values: &[Value]) -> Fits {
        let each: Vec<Fits> = pats.zip(values).map(|(p, v)| self.fits_pattern(p, v)).collect();
        each.into_iter().try_fold(true, |all, fits| Some(all && fits?))
    }

    fn misfits(&mut self, pat: &Pat, value: &Value) -> Fits {
        let got = self.describe(value);
        self.unfit(pat, message::match_kind(&got))
    }

    fn fits_path(&mut self, pat: &Pat, path: &Path, value: &Value) -> Fits {
        match (value, self.variant(path)) {
            (Value::Choice(_), Some(want)) if want.of.is_empty() => {
                self.unfit(pat, message::bare_variant(&want.name))
            }
            (Value::Choice(got), Some(want)) if got.of == want.of => Some(got.name == want.name),
            (_, Some(_)) => self.misfits(pat, value),
            (_, None) => {
                let path = syn::ExprPath { attrs: Vec::new(), qself: None, path: path.clone() };
                let want = self.expr(&Expr::Path(path));
                self.equals(pat, &want, value)
            }
        }
    }

    fn equals(&mut self, pat: &Pat, want: &Value, value: &Value) -> Fits {
        match (want, value) {
            (Value::Poison, _) | (_, Value::Poison) => None,
            (Value::Int(x), Value::Int(y)) => self.order(pat, x, y).map(|off| off == 0),
            (Value::Float(x), Value::Float(y)) => Some(x == y),
            (Value::Bool(x), Value::Bool(y)) => Some(x == y),
            (Value::Text(x), Value::Text(y)) => Some(x == y),
            (Value::Dtype(x), Value::Dtype(y)) => Some(x == y),
            _ => self.misfits(pat, value),
        }
    }

    /// How much one size is larger than another.
    fn order(&mut self, pat: &Pat, x: &Dim, y: &Dim) -> Option<i64> {
        let off = self.number(&(x.clone() - y.clone()));
        if off.is_none() {
            let unknown = if x.literal().is_none() { x } else { y };
            let because = self.unknown_because(unknown);
            self.unsettled(pat, &[x.clone(), y.clone()], message::comparison_unknown(&because));
        }
        off
    }

    fn fits_range(&mut self, pat: &Pat, range: &ExprRange, value: &Value) -> Fits {
        let mut bound = |end: &Option<Box<Expr>>| match end.as_ref().map(|e| self.expr(e)) {
            None => Some(None),
            Some(Value::Poison) => None,
            Some(value) => Some(Some(value)),
        };
        let (low, high) = (bound(&range.start)?, bound(&range.end)?);
        let above = match low {
            Some(low) => self.difference(pat, value, &low)? >= 0.0,
            None => true,
        };
        let below = match high {
            Some(high) => {
                let off = self.difference(pat, &high, value)?;
                if matches!(range.limits, RangeLimits::Closed(_)) { off >= 0.0 } else { off > 0.0 }
            }
            None => true,
        };
        Some(above && below)
    }

    fn difference(&mut self, pat: &Pat, x: &Value, y: &Value) -> Option<f64> {
        match (x, y) {
            (Value::Int(x), Value::Int(y)) => self.order(pat, x, y).map(|off| off as f64),
            (Value::Float(x), Value::Float(y)) => Some(x - y),
            (x, y) => {
                let (x, y) = (self.describe(x), self.describe(y));
                self.fault(pat, message::operator_kinds(&x, &y));
                None
            }
        }
    }

    /// Binds the names in the pattern of the arm that was chosen.
    fn bind_chosen(&mut self, pat: &Pat, value: &Value) {
        match (pat, value) {
            (Pat::Ident(p), value) if named(p).is_none() => {
                let var = self.variable(&p.ident.to_string(), value.clone(), p.mutability.is_some(), None);
                self.bind(&p.ident.to_string(), var);
                if let Some((_, inner)) = &p.subpat {
                    self.bind_chosen(inner, value);
                }
            }
            (Pat::Paren(p), value) => self.bind_chosen(&p.pat, value),
            (Pat::Guard(p), value) => self.bind_chosen(&p.pat, value),
            (Pat::Reference(p), value) => self.bind_chosen(&p.pat, value),
            (Pat::Or(p), value) => {
                for case in &p.cases {
                    if self.fits_pattern(case, value) == Some(true) {
                        return self.bind_chosen(case, value);
                    }
                }
            }
            (Pat::Tuple(p), Value::Tuple(list)) => {
                p.elems.iter().zip(list).for_each(|(p, v)| self.bind_chosen(p, v));
            }
            (Pat::Slice(p), Value::Array(list)) => {
                p.elems.iter().zip(list).for_each(|(p, v)| self.bind_chosen(p, v));
            }
            _ => {}
        }
    }

    /// `==` and `!=` of two variants.
    pub fn same_choice(&mut self, op: &BinOp, left: &Choice, right: &Choice) -> Value {
        let one = left.of == right.of;
        match op {
            BinOp::Eq(_) if one => Value::Bool(left.name == right.name),
            BinOp::Ne(_) if one => Value::Bool(left.name != right.name),
            op => {
                let (l, r) = (Value::Choice(left.clone()), Value::Choice(right.clone()));
                let (l, r) = (self.describe(&l), self.describe(&r));
                self.fault(op, message::operator_kinds(&l, &r))
            }
        }
    }

    /// The variant that a path names, by the way it is written: `Activation::Relu`, or `Relu` alone. One in capitals
    /// (`Norm::L2`) is written as a constant is: the enum's file says that it is a variant.
    pub fn variant(&self, path: &Path) -> Option<Choice> {
        let camel = |name: &str| name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
        let mut names = path.segments.iter().rev().map(|s| s.ident.to_string());
        let (name, of) = (names.next()?, names.next().unwrap_or_default());
        let seen = || self.library.values.get(&super::types::plain(path)) == Some(&Number::Variant);
        let named = (of.is_empty() || of.starts_with(char::is_uppercase)) && camel(&name);
        (named || seen()).then_some(Choice { of, name })
    }
}

/// The path that a name in a pattern is, where it binds nothing: a constant or a variant.
fn named(pat: &PatIdent) -> Option<Path> {
    let upper = pat.ident.to_string().starts_with(char::is_uppercase);
    (upper && pat.subpat.is_none() && pat.by_ref.is_none() && pat.mutability.is_none())
        .then(|| pat.ident.clone().into())
}
