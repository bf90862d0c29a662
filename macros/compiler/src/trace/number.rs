//! Numbers and truth values that are known while compiling.

use super::Tracer;
use super::value::Value;
use crate::message::body as message;
use kiln_ir::{Dim, surface};
use syn::{BinOp, ExprBinary, ExprMethodCall};

const METHODS: [&str; 16] = [
    "sqrt", "powi", "powf", "exp", "ln", "abs", "min", "max", "sin", "cos", "tanh", "pow", "floor", "ceil",
    "recip", "log2",
];

/// `f32::consts::PI` and its like.
pub(crate) fn known_constant(path: &str) -> Option<f64> {
    use std::f64::consts as c;
    let (of, name) = path.rsplit_once("::")?;
    let f32s = of.ends_with("f32");
    match (of.ends_with("consts"), name) {
        (true, "PI") => Some(c::PI),
        (true, "TAU") => Some(c::TAU),
        (true, "E") => Some(c::E),
        (true, "SQRT_2") => Some(c::SQRT_2),
        (true, "FRAC_1_SQRT_2") => Some(c::FRAC_1_SQRT_2),
        (true, "FRAC_PI_2") => Some(c::FRAC_PI_2),
        (true, "FRAC_2_SQRT_PI") => Some(c::FRAC_2_SQRT_PI),
        (true, "LN_2") => Some(c::LN_2),
        (true, "LN_10") => Some(c::LN_10),
        (false, name) if f32s || of.ends_with("f64") => match name {
            "INFINITY" => Some(f64::INFINITY),
            "NEG_INFINITY" => Some(f64::NEG_INFINITY),
            "NAN" => Some(f64::NAN),
            "EPSILON" => Some(if f32s { f32::EPSILON as f64 } else { f64::EPSILON }),
            "MAX" => Some(if f32s { f32::MAX as f64 } else { f64::MAX }),
            "MIN" => Some(if f32s { f32::MIN as f64 } else { f64::MIN }),
            "MIN_POSITIVE" => Some(if f32s { f32::MIN_POSITIVE as f64 } else { f64::MIN_POSITIVE }),
            _ => None,
        },
        _ => None,
    }
}

impl Tracer<'_> {
    /// An operator between numbers.
    pub fn number_operator(&mut self, op: &BinOp, left: Value, right: Value, at: &ExprBinary) -> Value {
        match (left, right) {
            (Value::Int(x), Value::Int(y)) => self.whole(op, x, y, at),
            (Value::Float(x), Value::Float(y)) => match op {
                BinOp::Add(_) | BinOp::AddAssign(_) => Value::Float(x + y),
                BinOp::Sub(_) | BinOp::SubAssign(_) => Value::Float(x - y),
                BinOp::Mul(_) | BinOp::MulAssign(_) => Value::Float(x * y),
                BinOp::Div(_) | BinOp::DivAssign(_) => Value::Float(x / y),
                BinOp::Rem(_) | BinOp::RemAssign(_) => Value::Float(x % y),
                BinOp::Eq(_) => Value::Bool(x == y),
                BinOp::Ne(_) => Value::Bool(x != y),
                BinOp::Lt(_) => Value::Bool(x < y),
                BinOp::Le(_) => Value::Bool(x <= y),
                BinOp::Gt(_) => Value::Bool(x > y),
                BinOp::Ge(_) => Value::Bool(x >= y),
                other => self.fault(other, message::operator_unknown()),
            },
            (Value::Bool(x), Value::Bool(y)) => match op {
                BinOp::And(_) | BinOp::BitAnd(_) => Value::Bool(x && y),
                BinOp::Or(_) | BinOp::BitOr(_) => Value::Bool(x || y),
                BinOp::Eq(_) => Value::Bool(x == y),
                BinOp::Ne(_) | BinOp::BitXor(_) => Value::Bool(x != y),
                other => self.fault(other, message::operator_unknown()),
            },
            (Value::Choice(x), Value::Choice(y)) => self.same_choice(op, &x, &y),
            (left, right) => {
                let (l, r) = (self.describe(&left), self.describe(&right));
                self.fault(op, message::operator_kinds(&l, &r))
            }
        }
    }

    fn whole(&mut self, op: &BinOp, x: Dim, y: Dim, at: &ExprBinary) -> Value {
        match op {
            BinOp::Add(_) | BinOp::AddAssign(_) => self.bounded(x + y, at),
            BinOp::Sub(_) | BinOp::SubAssign(_) => self.bounded(x - y, at),
            BinOp::Mul(_) | BinOp::MulAssign(_) => {
                if degree(&x) + degree(&y) > 16 {
                    return self.fault(at, message::number_too_large());
                }
                self.bounded(x * y, at)
            }
            BinOp::Div(_) | BinOp::DivAssign(_) | BinOp::Rem(_) | BinOp::RemAssign(_) => {
                let rest = matches!(op, BinOp::Rem(_) | BinOp::RemAssign(_));
                let exact = x.divide(&y).is_some();
                let literals =
                    if exact { (x.literal(), y.literal()) } else { (self.number(&x), self.number(&y)) };
                match literals {
                    (_, Some(0)) => self.fault(op, message::division_by_zero()),
                    (Some(x), Some(y)) => Value::Int(Dim::from(if rest { x % y } else { x / y })),
                    _ => match x.divide(&y) {
                        Some(_) if rest => Value::Int(Dim::from(0)),
                        Some(quotient) => Value::Int(quotient),
                        None => {
                            let sizes = [x.clone(), y.clone()];
                            let (x, y) = (self.show_dim(&x), self.show_dim(&y));
                            self.unsettled(op, &sizes, message::division_unknown(&x, &y))
                        }
                    },
                }
            }
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                self.compared(op, x, y, at)
            }
            other => self.fault(other, message::operator_unknown()),
        }
    }

    fn compared(&mut self, op: &BinOp, x: Dim, y: Dim, at: &ExprBinary) -> Value {
        match self.number(&(x.clone() - y.clone())) {
            Some(off) => Value::Bool(match op {
                BinOp::Eq(_) => off == 0,
                BinOp::Ne(_) => off != 0,
                BinOp::Lt(_) => off < 0,
                BinOp::Le(_) => off <= 0,
                BinOp::Gt(_) => off > 0,
                _ => off >= 0,
            }),
            None => {
                let unknown = if x.literal().is_none() { &x } else { &y };
                let because = self.unknown_because(unknown);
                self.unsettled(at, &[x, y], message::comparison_unknown(&because))
            }
        }
    }

    fn bounded(&mut self, n: Dim, at: &ExprBinary) -> Value {
        if n.terms().iter().any(|(_, c)| c.abs() >= 1 << 48) || n.terms().len() > 1000 {
            return self.fault(at, message::number_too_large());
        }
        Value::Int(n)
    }

    /// A method of a number.
    pub fn number_method(&mut self, on: Value, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        let args: Vec<Value> = call.args.iter().map(|a| self.expr(a)).collect();
        if args.iter().any(Value::is_poison) {
            return Value::Poison;
        }
        let whole = |v: &Value| if let Value::Int(n) = v { n.literal() } else { None };
        match (&on, name.as_str(), args.as_slice()) {
            (_, "clone", []) => on,
            (Value::Float(x), "sqrt", []) => Value::Float(x.sqrt()),
            (Value::Float(x), "exp", []) => Value::Float(x.exp()),
            (Value::Float(x), "ln", []) => Value::Float(x.ln()),
            (Value::Float(x), "log2", []) => Value::Float(x.log2()),
            (Value::Float(x), "abs", []) => Value::Float(x.abs()),
            (Value::Float(x), "sin", []) => Value::Float(x.sin()),
            (Value::Float(x), "cos", []) => Value::Float(x.cos()),
            (Value::Float(x), "tanh", []) => Value::Float(x.tanh()),
            (Value::Float(x), "floor", []) => Value::Float(x.floor()),
            (Value::Float(x), "ceil", []) => Value::Float(x.ceil()),
            (Value::Float(x), "recip", []) => Value::Float(x.recip()),
            (Value::Float(x), "powf", [Value::Float(y)]) => Value::Float(x.powf(*y)),
            (Value::Float(x), "min", [Value::Float(y)]) => Value::Float(x.min(*y)),
            (Value::Float(x), "max", [Value::Float(y)]) => Value::Float(x.max(*y)),
            (Value::Float(x), "powi", [n]) if whole(n).is_some() => {
                let n = whole(n).unwrap_or(0).clamp(i32::MIN as i64, i32::MAX as i64);
                Value::Float(x.powi(n as i32))
            }
            (Value::Int(n), "min" | "max" | "pow", [m]) if n.literal().is_some() && whole(m).is_some() => {
                let (n, m) = (n.literal().unwrap_or(0), whole(m).unwrap_or(0));
                let result = match name.as_str() {
                    "min" => Some(n.min(m)),
                    "max" => Some(n.max(m)),
                    _ => u32::try_from(m).ok().and_then(|m| n.checked_pow(m)),
                };
                match result.filter(|n| n.abs() < 1 << 48) {
                    Some(n) => Value::Int(Dim::from(n)),
                    None => self.fault(&call.method, message::number_too_large()),
                }
            }
            (Value::Int(_), _, _) if surface::method(&name).is_some() || METHODS.contains(&name.as_str()) => {
                let got = self.describe(&on);
                self.fault(&call.method, message::method_of_size(&got, &name))
            }
            _ => {
                let near = surface::nearest(&name, METHODS);
                let what = self.describe(&on);
                self.fault(&call.method, message::unknown_method(&what, &name, near))
            }
        }
    }
}

fn degree(dim: &Dim) -> usize {
    dim.terms().iter().map(|(m, _)| m.len()).max().unwrap_or(0)
}
