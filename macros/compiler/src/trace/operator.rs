//! Operators: on tensors as the surface has them, on numbers while compiling.

use super::Tracer;
use super::value::Value;
use crate::message::body as message;
use kiln_ir::{Dim, surface};
use syn::{BinOp, Expr, ExprBinary, ExprUnary, UnOp};

impl Tracer<'_> {
    /// `a + b`, `a += b`
    pub fn binary(&mut self, b: &ExprBinary) -> Value {
        if compound(&b.op) {
            let value = self.operator(b);
            return self.assign(&b.left, value, &b.op);
        }
        self.operator(b)
    }

    /// The condition of an `if`: a comparison of tensors is none.
    pub fn decision(&mut self, cond: &Expr) -> Value {
        match cond {
            Expr::Paren(p) => self.decision(&p.expr),
            Expr::Binary(b) if comparison(&b.op) => match (self.expr(&b.left), self.expr(&b.right)) {
                (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
                (Value::Tensor(_), _) | (_, Value::Tensor(_)) => self.fault(cond, message::if_tensor()),
                (left, right) => self.number_operator(&b.op, left, right, b),
            },
            other => self.expr(other),
        }
    }

    fn operator(&mut self, b: &ExprBinary) -> Value {
        let left = self.expr(&b.left);
        // `&&` and `||` look at the right side only if they must.
        match (&b.op, &left) {
            (BinOp::And(_), Value::Bool(false)) => return Value::Bool(false),
            (BinOp::Or(_), Value::Bool(true)) => return Value::Bool(true),
            _ => {}
        }
        let right = self.expr(&b.right);
        match (&left, &right) {
            (Value::Poison, _) | (_, Value::Poison) => Value::Poison,
            (Value::Tensor(_), _) | (_, Value::Tensor(_)) => self.tensor_operator(b, left, right),
            _ => self.number_operator(&b.op, left, right, b),
        }
    }

    fn tensor_operator(&mut self, b: &ExprBinary, left: Value, right: Value) -> Value {
        let name = match &b.op {
            BinOp::Add(_) | BinOp::AddAssign(_) => "add",
            BinOp::Sub(_) | BinOp::SubAssign(_) => "sub",
            BinOp::Mul(_) | BinOp::MulAssign(_) => "mul",
            BinOp::Div(_) | BinOp::DivAssign(_) => "div",
            BinOp::BitAnd(_) => "logical_and",
            BinOp::BitOr(_) => "logical_or",
            BinOp::Eq(_) => return self.fault(b.op, message::comparison("eq")),
            BinOp::Ne(_) => return self.fault(b.op, message::comparison("ne")),
            BinOp::Lt(_) => return self.fault(b.op, message::comparison("lt")),
            BinOp::Le(_) => return self.fault(b.op, message::comparison("le")),
            BinOp::Gt(_) => return self.fault(b.op, message::comparison("gt")),
            BinOp::Ge(_) => return self.fault(b.op, message::comparison("ge")),
            BinOp::And(_) => return self.fault(b.op, message::logic("logical_and")),
            BinOp::Or(_) => return self.fault(b.op, message::logic("logical_or")),
            other => return self.fault(other, message::operator_unknown()),
        };
        for (value, expr) in [(&left, &b.left), (&right, &b.right)] {
            let fits = match value {
                Value::Int(n) => n.literal().is_some(),
                Value::Tensor(_) | Value::Float(_) => true,
                _ => false,
            };
            if !fits {
                return self.operand_misfit(value, expr);
            }
        }
        let Some(entry) = surface::method(name) else { return Value::Poison };
        // The table's first operand of `add` and `mul` is a tensor; both commute.
        let swap = matches!(name, "add" | "mul") && !matches!(left, Value::Tensor(_));
        let (values, exprs): ([Value; 2], [&Expr; 2]) =
            if swap { ([right, left], [&b.right, &b.left]) } else { ([left, right], [&b.left, &b.right]) };
        self.surface_call(entry, &values, &exprs, &b.op)
    }

    fn operand_misfit(&mut self, value: &Value, expr: &Expr) -> Value {
        let got = self.describe(value);
        let text = self.text(expr);
        let message = match value {
            Value::Int(n) if self.is_constant(n) => message::constant_as_operand(&text),
            Value::Int(_) => message::size_as_operand(&text),
            Value::Tree(tree) => {
                let field = tree.form.fields.first().map_or("", String::as_str);
                message::tree_as_operand(&text, &got, field)
            }
            _ => message::operand(&got),
        };
        self.fault(expr, message)
    }

    /// `-x`, `!x`
    pub fn unary(&mut self, u: &ExprUnary) -> Value {
        let value = self.expr(&u.expr);
        match (&u.op, value) {
            (_, Value::Poison) => Value::Poison,
            (UnOp::Neg(_), Value::Int(n)) => Value::Int(Dim::from(0) - n),
            (UnOp::Neg(_), Value::Float(x)) => Value::Float(-x),
            (UnOp::Not(_), Value::Bool(x)) => Value::Bool(!x),
            (op, value @ Value::Tensor(_)) => {
                let name = if matches!(op, UnOp::Not(_)) { "logical_not" } else { "neg" };
                match surface::method(name) {
                    Some(entry) => self.surface_call(entry, &[value], &[&u.expr], op),
                    None => Value::Poison,
                }
            }
            (op, other) => {
                let got = self.describe(&other);
                self.fault(op, message::unary(&got))
            }
        }
    }
}

fn comparison(op: &BinOp) -> bool {
    use BinOp::{Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Eq(_) | Ne(_) | Lt(_) | Le(_) | Gt(_) | Ge(_))
}

fn compound(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
