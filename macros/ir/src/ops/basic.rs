//! Input, Const, Iota, Cast, StopGrad.

use super::{Array, Context, Cotangents};
use crate::{Builder, DType, Error, Fault, Literal, Node, Op, Ty, Value};

pub(super) fn infer(op: &Op, args: &[&Ty]) -> Result<Ty, Fault> {
    match op {
        Op::Const(_, dtype) => Ok(Ty::scalar(*dtype)),
        Op::Iota { len, dtype } => Ok(Ty::new(*dtype, vec![len.clone()])),
        Op::Cast(dtype) => Ok(Ty::new(*dtype, args[0].shape.clone())),
        Op::StopGrad => Ok(args[0].clone()),
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
