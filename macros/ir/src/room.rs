//! What the sizes of a call must leave room for: lengths that aren't negative, slices that lie in what they cut.
//!
//! Sizes that are known are checked while building; these are the others.

use crate::{Dim, Func, Op, SliceAxis, SymKind};

/// Dims that must not be negative, each once, without those that others imply.
pub fn room(func: &Func) -> Vec<Dim> {
    let mut all = Vec::new();
    collect(func, &mut all);
    let free =
        |d: &Dim| func.syms.roots(d).iter().any(|s| matches!(func.syms.info(*s).kind, SymKind::Free { .. }));
    all.retain(|d| is_open(d) && free(d));
    let implied = |(i, d): (usize, &Dim)| {
        let by = |(j, other): (usize, &Dim)| {
            j != i && !is_open(&(d.clone() - other.clone())) && (d != other || j < i)
        };
        all.iter().enumerate().any(by)
    };
    all.iter().enumerate().filter(|(i, d)| !implied((*i, *d))).map(|(_, d)| d.clone()).collect()
}

/// Whether it may be negative: a term is.
fn is_open(d: &Dim) -> bool {
    d.terms().iter().any(|(_, c)| *c < 0)
}

fn collect(func: &Func, all: &mut Vec<Dim>) {
    for node in &func.nodes {
        all.extend(node.ty.shape.iter().cloned());
        match &node.op {
            Op::Slice(axes) => {
                let whole = &func.ty(node.args[0]).shape;
                all.extend(axes.iter().zip(whole).map(|(a, n)| n.clone() - end(a)));
            }
            Op::Scan(scan) => {
                all.push(scan.trips.clone());
                collect(&scan.body, all);
            }
            _ => {}
        }
    }
}

/// Behind the last element that a slice takes.
fn end(a: &SliceAxis) -> Dim {
    let last = (a.len.clone() - Dim::from(1)) * Dim::from(a.step) + Dim::from(1);
    a.start.clone() + if a.len.is(0) { Dim::from(0) } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, DType, Role, Syms, Ty};

    #[test]
    fn what_may_be_negative_is_named_once() {
        let mut b = Builder::new("f", Syms::default());
        let n = Dim::from(b.syms().intern("N", SymKind::Free { bound: None }));
        let x = b.input("x", Ty::new(DType::F32, vec![n.clone()]), Role::Argument);
        let cut = |start: i64, len: Dim| Op::Slice(vec![SliceAxis { start: start.into(), len, step: 1 }]);
        let y = b.emit(cut(1, n.clone() - 2.into()), &[x]).expect("it may fit");
        let z = b.emit(cut(0, 5.into()), &[y]).expect("it may fit");
        b.output("z", z, None);
        let texts: Vec<String> =
            room(b.func()).iter().map(|d| d.display(&b.func().syms).to_string()).collect();
        assert_eq!(texts, ["N - 7"]);
    }
}
