//! Windows and Fold: what convolutions and pools are made of.
//!
//! A convolution is `Contract` over `Windows`, a pool is `Reduce` over `Windows`: neither has a derivative of its own.

use super::array::{indices, offset};
use super::{Array, Context, Cotangents};
use crate::op::Window;
use crate::{Builder, Dim, Error, Fault, Node, Op, Ty, Value};

/// Windows: axis `axis` of length L becomes `[len, size]`, element `(o, k)` being `o·stride + k·dilation`.
/// Fold: axes `[len, size]` become one of length L, each element added where its window had it.
pub(super) fn infer(op: &Op, x: &Ty) -> Result<Ty, Fault> {
    let mut shape = x.shape.clone();
    match op {
        Op::Windows(w) => {
            check(op, w, x, w.axis)?;
            let fault = || Fault::Window { of: x.clone(), axis: w.axis, extent: w.extent() };
            if !fits(w, &shape[w.axis]) {
                return Err(fault());
            }
            shape.splice(w.axis..=w.axis, [w.len.clone(), Dim::from(w.size)]);
        }
        Op::Fold(w, full) => {
            super::number("fold", x)?;
            check(op, w, x, w.axis + 1)?;
            let found = [&shape[w.axis], &shape[w.axis + 1]];
            if *found[0] != w.len || !found[1].is(w.size) {
                let what = "the axes are not those of its windows".into();
                return Err(Fault::Attribute { op: "fold".into(), what });
            }
            if !fits(w, full) {
                return Err(Fault::Window { of: x.clone(), axis: w.axis, extent: w.extent() });
            }
            shape.splice(w.axis..w.axis + 2, [full.clone()]);
        }
        _ => unreachable!("the windows family has two operations"),
    }
    Ok(Ty::new(x.dtype, shape))
}

fn check(op: &Op, w: &Window, x: &Ty, last: usize) -> Result<(), Fault> {
    let op = || super::name(op).to_string();
    if last >= x.rank() {
        return Err(Fault::Axis { op: op(), axis: last as i64, of: x.clone() });
    }
    if w.size < 1 || w.stride < 1 || w.dilation < 1 || w.len.literal().is_some_and(|n| n < 0) {
        return Err(Fault::Attribute {
            op: op(),
            what: "sizes, strides and dilations are at least 1".into(),
        });
    }
    Ok(())
}

/// Whether all windows lie inside, as far as it is certain: symbols may still turn out large enough.
fn fits(w: &Window, full: &Dim) -> bool {
    w.len.is(0) || (full.clone() - w.extent()).literal().is_none_or(|room| room >= 0)
}

/// Windows ↔ Fold.
pub(super) fn vjp(b: &mut Builder, node: &Node, ct: Value) -> Result<Cotangents, Error> {
    let back = match &node.op {
        Op::Windows(w) => Op::Fold(w.clone(), b.ty(node.args[0]).shape[w.axis].clone()),
        Op::Fold(w, _) => Op::Windows(w.clone()),
        _ => unreachable!("the windows family has two operations"),
    };
    Ok(vec![Some(b.emit(back, &[ct])?)])
}

pub(super) fn eval(op: &Op, x: &Array, cx: &Context) -> Vec<f64> {
    let shape = cx.shape();
    match op {
        Op::Windows(w) => indices(&shape).map(|i| x.at(&whole(w, &i))).collect(),
        Op::Fold(w, _) => {
            let mut out = vec![0.0; shape.iter().product()];
            for (index, value) in indices(&x.shape).zip(&x.data) {
                out[offset(&shape, &whole(w, &index))] += value;
            }
            out
        }
        _ => unreachable!("the windows family has two operations"),
    }
}

/// The index in the whole of an index in the windows.
fn whole(w: &Window, index: &[usize]) -> Vec<usize> {
    let mut out = index.to_vec();
    let at = index[w.axis] * w.stride as usize + index[w.axis + 1] * w.dilation as usize;
    out.splice(w.axis..w.axis + 2, [at]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Role, Syms, eval::eval};

    fn window(axis: usize, len: i64, size: i64, stride: i64, dilation: i64) -> Window {
        Window { axis, len: len.into(), size, stride, dilation }
    }

    fn run(shape: &[i64], op: Op) -> Result<Vec<f64>, String> {
        let mut b = Builder::new("f", Syms::default());
        let dims: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
        let x = b.input("x", Ty::new(DType::F64, dims), Role::Argument);
        let y = b.emit(op, &[x]).map_err(|e| e.to_string())?;
        b.output("y", y, None);
        let n = shape.iter().product::<i64>();
        let data = (0..n).map(|i| i as f64).collect();
        let x = Array::rounded(DType::F64, shape.iter().map(|n| *n as usize).collect(), data);
        Ok(eval(&b.finish(), &[x])[0].data.clone())
    }

    #[test]
    fn windows_overlap_and_fold_adds() {
        let w = window(0, 3, 2, 1, 1);
        assert_eq!(run(&[4], Op::Windows(w.clone())).unwrap(), [0.0, 1.0, 1.0, 2.0, 2.0, 3.0]);
        assert_eq!(run(&[3, 2], Op::Fold(w, 4.into())).unwrap(), [0.0, 3.0, 7.0, 5.0]);
        let w = window(0, 2, 2, 2, 3);
        assert_eq!(run(&[6], Op::Windows(w)).unwrap(), [0.0, 3.0, 2.0, 5.0]);
    }

    #[test]
    fn a_window_that_sticks_out_is_refused() {
        let text = run(&[2, 5], Op::Windows(window(1, 3, 2, 2, 1))).unwrap_err();
        assert!(text.contains("windows reach 6 elements, but dim 1 of [2, 5] is shorter"), "{text}");
    }
}
