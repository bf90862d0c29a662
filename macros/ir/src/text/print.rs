//! The printer.

use super::is_plain;
use crate::op::{PadAxis, SliceAxis, Window};
use crate::{Dim, Func, Literal, Op, Output, Role, SymInfo, SymKind, Syms, Ty, ops};
use std::fmt;

impl fmt::Display for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let syms = &quoted(&self.syms);
        writeln!(f, "fn {}{} {{", name(&self.name), head(syms))?;
        for (v, node) in self.values() {
            write!(f, "  %{}: {} = {}", v.0, ty(&node.ty, syms), operation(&node.op, self))?;
            let attributes = attributes(&node.op, self, syms);
            if !attributes.is_empty() {
                write!(f, "[{attributes}]")?;
            }
            node.args.iter().try_for_each(|a| write!(f, " %{}", a.0))?;
            match self.names[v.0 as usize].as_ref().filter(|n| !is_input_of(&node.op, n, self)) {
                Some(own) => writeln!(f, "  ; {}", name(own))?,
                None => writeln!(f)?,
            }
        }
        for out in &self.outputs {
            writeln!(f, "  return %{} as {}{}", out.value.0, name(&out.name), update(out, self))?;
        }
        writeln!(f, "}}")
    }
}

/// A name, in quotes where it is no path.
fn name(name: &str) -> String {
    if is_plain(name) { name.to_string() } else { format!("{name:?}") }
}

fn quoted(syms: &Syms) -> Syms {
    Syms(syms.0.iter().map(|s| SymInfo { name: name(&s.name), kind: s.kind.clone() }).collect())
}

fn head(syms: &Syms) -> String {
    let one = |s: &SymInfo| match &s.kind {
        SymKind::Free { bound: None } => s.name.clone(),
        SymKind::Free { bound: Some(most) } => format!("{} <= {most}", s.name),
        SymKind::Const => format!("const {}", s.name),
        SymKind::Turn => format!("turn {}", s.name),
        SymKind::Floor { of, by } => format!("floor {} = {} by {by}", s.name, of.display(syms)),
    };
    if syms.0.is_empty() { String::new() } else { format!("<{}>", list(&syms.0, one)) }
}

/// What an output updates: by the input's name where that is the only one, else by its value.
fn update(out: &Output, func: &Func) -> String {
    let Some(input) = out.updates else { return String::new() };
    let known = &func.inputs[input].name;
    if func.inputs.iter().filter(|i| i.name == *known).count() == 1 {
        return format!(" updates {}", name(known));
    }
    let is = |op: &Op| matches!(op, Op::Input(i) if *i as usize == input);
    let value = func.values().find(|(_, n)| is(&n.op)).map_or(0, |(v, _)| v.0);
    format!(" updates %{value}")
}

fn is_input_of(op: &Op, name: &str, func: &Func) -> bool {
    matches!(op, Op::Input(i) if func.inputs[*i as usize].name == name)
}

fn operation(op: &Op, func: &Func) -> &'static str {
    match op {
        Op::Input(i) => role(func.inputs[*i as usize].role),
        _ => ops::name(op),
    }
}

/// The word for an input of a role.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Argument => "input",
        Role::Parameter => "parameter",
        Role::Buffer => "buffer",
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

fn attributes(op: &Op, func: &Func, syms: &Syms) -> String {
    let dim = |d: &Dim| d.display(syms).to_string();
    let step = |n: i64| if n == 1 { String::new() } else { format!(" step {n}") };
    match op {
        Op::Input(i) => {
            let input = &func.inputs[*i as usize];
            format!("{}{}", name(&input.name), if input.apart { ", apart" } else { "" })
        }
        Op::Const(l, _) => literal(*l),
        Op::Iota { len, .. } => dim(len),
        Op::Map(_) | Op::StopGrad => String::new(),
        Op::Reshape(shape) => dims(shape, syms),
        Op::Permute(axes) | Op::Reduce(_, axes) => list(axes, usize::to_string),
        Op::Broadcast(axes) => list(axes, |(at, len)| format!("{at}: {}", dim(len))),
        Op::Slice(axes) => {
            list(axes, |a: &SliceAxis| format!("{} len {}{}", dim(&a.start), dim(&a.len), step(a.step)))
        }
        Op::Pad(axes) => {
            list(axes, |a: &PadAxis| format!("{}|{}{}", dim(&a.low), dim(&a.high), step(a.step)))
        }
        Op::Windows(w) => window(w, &dim),
        Op::Fold(w, full) => format!("{} to {}", window(w, &dim), dim(full)),
        Op::ScatterAdd(axis, len) => format!("{axis}: {}", dim(len)),
        Op::Concat(axis) | Op::ArgMax(axis) | Op::Gather(axis) | Op::Update(axis) => axis.to_string(),
        Op::Contract { lhs, rhs, out } => format!("{},{}->{}", letters(lhs), letters(rhs), letters(out)),
        Op::Cast(dtype) => dtype.name().to_string(),
        Op::Random(draw, shape) if shape.is_empty() => draw.name().to_string(),
        Op::Random(draw, shape) => format!("{}: {}", draw.name(), dims(shape, syms)),
        Op::Scan(s) => {
            let back = if s.reverse { " backwards" } else { "" };
            let again = if s.again { " again" } else { "" };
            let guard = s.guard.map_or(String::new(), |g| format!(" if {g}"));
            let head = format!(
                "{} turns{back}{again}{guard}, {} carried, {} scanned",
                dim(&s.trips),
                s.carries,
                s.scanned
            );
            format!("{head}\n{}", s.body.to_string().trim_end())
        }
        Op::Rule(rule) => format!("\n{}", rule.to_string().trim_end()),
        Op::Result(i, _) => i.to_string(),
    }
}

fn window(w: &Window, dim: &dyn Fn(&Dim) -> String) -> String {
    format!("{}: {} of {} every {} by {}", w.axis, dim(&w.len), w.size, w.stride, w.dilation)
}

/// Labels as letters; those behind `z` by number.
fn letters(labels: &[u8]) -> String {
    let one = |l: &u8| if *l < 26 { ((b'a' + l) as char).to_string() } else { format!("{{{l}}}") };
    labels.iter().map(one).collect()
}

/// Exact: what a float prints reads as the same bits.
fn literal(l: Literal) -> String {
    match l {
        Literal::Int(i) => i.to_string(),
        Literal::Bool(b) => b.to_string(),
        Literal::Float(bits) => {
            let x = f64::from_bits(bits);
            let text = format!("{x:?}");
            match x.is_nan() && bits != f64::NAN.to_bits() {
                true => format!("NaN {bits:#x}"),
                false => text.strip_suffix(".0").unwrap_or(&text).to_string(),
            }
        }
    }
}
