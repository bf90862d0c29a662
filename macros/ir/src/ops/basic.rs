//! Input, Const, Iota, Cast, StopGrad.

use super::{Array, Context, Cotangents};
use crate::{Builder, DType, Error, Fault, Func, Literal, Node, Op, Ty, Value};

pub(super) fn infer(op: &Op, args: &[&Ty]) -> Result<Ty, Fault> {
    match op {
        Op::Const(_, dtype) => Ok(Ty::scalar(*dtype)),
        Op::Iota { len, dtype } => Ok(Ty::new(*dtype, vec![len.clone()])),
        Op::Cast(dtype) => Ok(Ty::new(*dtype, args[0].shape.clone())),
        Op::StopGrad => Ok(args[0].clone()),
        Op::Rule(rule) => {
            let own = rule.inputs.iter().map(|i| &i.ty).zip(args[1..].iter().chain([&args[0]; 2]));
            own.into_iter().try_for_each(|(want, got)| super::same("rule", want, got))?;
            let floats = args[1..].iter().filter(|t| t.dtype.is_float());
            if floats.clone().count() != rule.outputs.len() {
                return Err(Fault::Arity {
                    op: "rule".into(),
                    want: floats.count(),
                    got: rule.outputs.len(),
                });
            }
            floats
                .zip(&rule.outputs)
                .try_for_each(|(want, o)| super::same("rule", want, rule.ty(o.value)))?;
            Ok(args[0].clone())
        }
        _ => Err(Fault::Attribute { op: "input".into(), what: "is declared with Builder::input".into() }),
    }
}

/// Cast ↦ Cast back (between floats); the others have no cotangent.
pub(super) fn vjp(b: &mut Builder, node: &Node, ct: Value) -> Result<Cotangents, Error> {
    match node.op {
        Op::Cast(_) => {
            let from = b.ty(node.args[0]).dtype;
            if !(from.is_float() && node.ty.dtype.is_float()) {
                return Ok(vec![None]);
            }
            Ok(vec![Some(b.emit(Op::Cast(from), &[ct])?)])
        }
        _ => Ok(vec![None; node.args.len()]),
    }
}

/// What the rule gives; the value itself hands nothing on. The rule reads the value behind itself, so that a second
/// derivative goes by it, too.
pub(super) fn by_rule(
    b: &mut Builder,
    rule: &Func,
    args: &[Value],
    v: Value,
    ct: Value,
) -> Result<Cotangents, Error> {
    let made = b.inline(rule, &[&args[1..], &[v, ct]].concat())?;
    let mut made = made.into_iter();
    let mut of = |a: &Value| if b.ty(*a).dtype.is_float() { made.next() } else { None };
    let all: Vec<Option<Value>> = args[1..].iter().map(&mut of).collect();
    Ok([vec![None], all].concat())
}

pub(super) fn eval(op: &Op, args: &[&Array], cx: &Context) -> Vec<f64> {
    match op {
        Op::Const(literal, _) => vec![literal.value()],
        Op::Iota { len, .. } => (0..(cx.size)(len)).map(|i| i as f64).collect(),
        _ => args[0].data.clone(),
    }
}

impl Literal {
    /// The literal of a number in an element type.
    pub fn new(x: f64, dtype: DType) -> Literal {
        match dtype {
            _ if dtype.is_float() => Literal::Float(dtype.round(x).to_bits()),
            DType::Bool => Literal::Bool(x != 0.0),
            _ => Literal::Int(x as i64),
        }
    }

    /// Its value as f64.
    pub fn value(self) -> f64 {
        match self {
            Literal::Float(bits) => f64::from_bits(bits),
            Literal::Int(i) => i as f64,
            Literal::Bool(b) => b as u8 as f64,
        }
    }
}
