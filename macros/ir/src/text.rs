//! The textual form of a function: a line a node, for file tests, dumps and bug reports.

use crate::op::{PadAxis, SliceAxis, Window};
use crate::{Dim, Func, Op, Syms, Ty, ops};
use std::fmt;

impl fmt::Display for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "fn {} {{", self.name)?;
        for (v, node) in self.values() {
            write!(f, "  %{}: {} = {}", v.0, ty(&node.ty, &self.syms), ops::name(&node.op))?;
            let attributes = attributes(&node.op, self);
            if !attributes.is_empty() {
                write!(f, "[{attributes}]")?;
            }
            node.args.iter().try_for_each(|a| write!(f, " %{}", a.0))?;
            match &self.names[v.0 as usize] {
                Some(name) => writeln!(f, "  ; {name}")?,
                None => writeln!(f)?,
            }
        }
        for out in &self.outputs {
            let update = out.updates.map_or(String::new(), |i| format!(" updates {}", self.inputs[i].name));
            writeln!(f, "  return %{} as {}{update}", out.value.0, out.name)?;
        }
        writeln!(f, "}}")
    }
}

fn ty(ty: &Ty, syms: &Syms) -> String {
    format!("{}[{}]", ty.dtype.name(), dims(&ty.shape, syms))
}

fn dims(dims: &[Dim], syms: &Syms) -> String {
    list(dims, |d| d.display(syms).to_string())
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn attributes(op: &Op, func: &Func) -> String {
    let syms = &func.syms;
    let dim = |d: &Dim| d.display(syms).to_string();
    let letters = |labels: &[u8]| labels.iter().map(|l| (b'a' + l) as char).collect::<String>();
    match op {
        Op::Input(i) => func.inputs[*i as usize].name.clone(),
        Op::Const(literal, _) => format!("{}", literal.value()),
        Op::Iota { len, .. } => dim(len),
        Op::Map(_) | Op::StopGrad => String::new(),
        Op::Reshape(shape) => dims(shape, syms),
        Op::Permute(axes) | Op::Reduce(_, axes) => list(axes, usize::to_string),
        Op::Broadcast(axes) => list(axes, |(at, len)| format!("{at}: {}", dim(len))),
        Op::Slice(axes) => {
            list(axes, |a: &SliceAxis| format!("{}+{}*{}", dim(&a.start), dim(&a.len), a.step))
        }
        Op::Pad(axes) => list(axes, |a: &PadAxis| format!("{}|{}|{}", dim(&a.low), a.step, dim(&a.high))),
        Op::Windows(w) => window(w, &dim),
        Op::Fold(w, full) => format!("{} to {}", window(w, &dim), dim(full)),
        Op::Concat(axis) | Op::ArgMax(axis) => axis.to_string(),
        Op::Contract { lhs, rhs, out } => format!("{},{}->{}", letters(lhs), letters(rhs), letters(out)),
        Op::Cast(dtype) => dtype.name().to_string(),
    }
}

fn window(w: &Window, dim: &dyn Fn(&Dim) -> String) -> String {
    format!("{}: {}x{} by {} every {}", w.axis, dim(&w.len), w.size, w.dilation, w.stride)
}
