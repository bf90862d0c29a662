//! bf16 and f16 are how floats are stored; arithmetic on them is arithmetic in f32.
//!
//! A value of a narrow type is rounded where the graph has it, halves to even, and nowhere else: `a + b` of bf16 is
//! `cast[bf16](add(cast[f32] a, cast[f32] b))`, a sum or product of many accumulates in f32 and is rounded once. An entry of
//! the surface rounds its results only, not what it computes on the way (`surface`), as PyTorch does.
//!
//! Invariant: in a graph that a builder made, narrow values are only moved, and cast from and to f32.

use crate::{Builder, DType, Error, Op, Ty, Value};

/// The value of an operation that computes on narrow floats, by way of f32; `None` where that isn't the case.
pub(crate) fn through_f32(b: &mut Builder, op: &Op, args: &[Value], ty: &Ty) -> Result<Option<Value>, Error> {
    let computes = matches!(
        op,
        Op::Map(_) | Op::Contract { .. } | Op::Reduce(..) | Op::ArgMax(_) | Op::ScatterAdd(..) | Op::Fold(..)
    );
    match op {
        Op::Cast(to) => cast(b, *to, args[0]),
        Op::Iota { len, dtype } if dtype.is_narrow() => {
            let wide = b.emit(Op::Iota { len: len.clone(), dtype: DType::F32 }, &[])?;
            b.emit(Op::Cast(*dtype), &[wide]).map(Some)
        }
        _ if computes && args.iter().any(|a| b.ty(*a).dtype.is_narrow()) => {
            let wide = widened(b, args)?;
            let result = b.emit(op.clone(), &wide)?;
            if ty.dtype.is_narrow() {
                b.emit(Op::Cast(ty.dtype), &[result]).map(Some)
            } else {
                Ok(Some(result))
            }
        }
        _ => Ok(None),
    }
}

/// The values, in f32 where they are narrow.
pub(crate) fn widened(b: &mut Builder, values: &[Value]) -> Result<Vec<Value>, Error> {
    let wide =
        |v: &Value| if b.ty(*v).dtype.is_narrow() { b.emit(Op::Cast(DType::F32), &[*v]) } else { Ok(*v) };
    values.iter().map(wide).collect()
}

fn cast(b: &mut Builder, to: DType, x: Value) -> Result<Option<Value>, Error> {
    let (from, inner) = (b.ty(x).dtype, b.func().node(x).clone());
    // d(w(x)) = x, where w holds all of d
    let floats = from.is_float() && to.is_float();
    if floats && from.size() > to.size() && matches!(inner.op, Op::Cast(_)) && b.ty(inner.args[0]).dtype == to
    {
        return Ok(Some(inner.args[0]));
    }
    if !from.is_narrow() && !to.is_narrow() {
        return Ok(None);
    }
    // A constant everywhere is one of the other type.
    if matches!(inner.op, Op::Broadcast(_)) && b.uniform(x).is_some() {
        let c = b.emit(Op::Cast(to), &inner.args)?;
        return b.emit(inner.op, &[c]).map(Some);
    }
    if from == DType::F32 || to == DType::F32 {
        return Ok(None);
    }
    let wide = b.emit(Op::Cast(DType::F32), &[x])?;
    b.emit(Op::Cast(to), &[wide]).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, Scalar, Syms};

    fn with_x(check: impl Fn(&mut Builder, Value)) {
        let mut b = Builder::new("f", Syms::default());
        let x = b.input("x", Ty::new(DType::BF16, [2.into(), 3.into()]), Role::Argument);
        check(&mut b, x);
    }

    #[test]
    fn arithmetic_is_that_of_f32() {
        with_x(|b, x| {
            let sum = b.map(Scalar::Add, &[x, x]).unwrap();
            b.output("sum", sum, None);
            let text = std::mem::take(b).finish().to_string();
            assert!(
                text.contains("cast[f32] %0") && text.contains("add %1 %1") && text.contains("cast[bf16] %2")
            );
        });
    }

    #[test]
    fn there_and_back_is_nothing() {
        with_x(|b, x| {
            for wide in [DType::F32, DType::F64] {
                let there = b.emit(Op::Cast(wide), &[x]).unwrap();
                assert_eq!(b.emit(Op::Cast(DType::BF16), &[there]), Ok(x));
                assert_ne!(b.emit(Op::Cast(DType::F16), &[there]), Ok(x));
            }
            let one = b.splat(1.0, x).unwrap();
            assert_eq!(b.map(Scalar::Mul, &[x, one]), Ok(x));
        });
    }
}
