//! Kernels as a text: loops, expressions in the order of their computation, reductions, stores.
//!
//! ```text
//! kernel p: rows [N] of [37]
//!   t0: f32 = load %0[37*i0 + i1]
//!   r0 = max t0
//!   t1: f32 = r0
//!   t2: f32 = sub t0 t1
//!   store %7 = t2
//! ```
//!
//! `i0` is the outermost loop, `d0` a number derived from loops by division, `%7` a value of the laid-out graph.

use super::Fused;
use super::affine::{Affine, Derived, Var};
use super::expr::{Expr, Guard, Id};
use super::kernel::{
    Computed, Gemm, How, Kernel, Loops, Matrix, Operand, Pixels, Role, Side, Sides, Turns, Windows,
};
use kiln_ir::{Dim, Func, Literal, Value};
use std::fmt::Write;

/// The kernels of a function, one after the other, and as what its outputs are stored.
pub fn text(func: &Func, fused: &Fused) -> String {
    let mut out = String::new();
    fused.kernels.iter().for_each(|k| kernel(&Writer { func, kernel: k }, &mut out));
    for (output, value) in func.outputs.iter().zip(&fused.outputs) {
        let _ = writeln!(out, "output {} is %{}", output.name, value.0);
    }
    out
}

struct Writer<'a> {
    func: &'a Func,
    kernel: &'a Kernel,
}

fn kernel(w: &Writer, out: &mut String) {
    let k = w.kernel;
    let _ = writeln!(out, "kernel {}: {}", k.name, w.loops());
    if let Loops::Turns(turns) = &k.loops {
        return loops(w, turns, out);
    }
    if let Loops::Gemm(g) = &k.loops {
        w.operand("a", &g.a, out);
        w.operand("b", &g.b, out);
        let _ = writeln!(out, "  r0 = %{}", g.value.0);
    }
    for (i, d) in k.exprs.derived.iter().enumerate() {
        let _ = writeln!(out, "  d{i} = {}", w.derived(d));
    }
    // A reduction stands behind what it combines, and before what needs it.
    let mut printed = vec![false; k.exprs.nodes.len()];
    for (n, reduce) in k.reduces().iter().enumerate() {
        w.expressions(&[reduce.expr], &mut printed, out);
        let how = match reduce.how {
            How::Sum => "sum",
            How::Max => "max",
            How::ArgMax => "argmax",
        };
        let _ = writeln!(out, "  r{n} = {how} t{}  ; %{}", reduce.expr.0, reduce.value.0);
    }
    for store in &k.stores {
        w.expressions(&[store.expr], &mut printed, out);
        let row = if store.per_row { " a row" } else { "" };
        let _ = writeln!(out, "  store{row} %{} = t{}", store.value.0, store.expr.0);
    }
}

/// A loop's arguments and results, then the kernels of a turn.
fn loops(w: &Writer, turns: &Turns, out: &mut String) {
    let list = |values: &mut dyn Iterator<Item = Value>| {
        values.map(|v| format!("%{}", v.0)).collect::<Vec<_>>().join(", ")
    };
    let args = list(&mut turns.args.iter().copied());
    let results = list(&mut w.kernel.stores.iter().map(|s| s.value));
    let _ = writeln!(out, "  of {args}\n  store {results}");
    for line in text(&turns.part.func, &turns.part.fused).lines() {
        let _ = writeln!(out, "  {line}");
    }
}

impl Writer<'_> {
    fn dim(&self, d: &Dim) -> String {
        d.display(&self.func.syms).to_string()
    }

    fn dims(&self, of: &[Dim]) -> String {
        of.iter().map(|d| self.dim(d)).collect::<Vec<_>>().join(", ")
    }

    fn loops(&self) -> String {
        let axes = &self.kernel.axes;
        match &self.kernel.loops {
            Loops::Flat => format!("flat [{}]", self.dims(axes)),
            Loops::Scatter { outer, width, inside, at, onto } => {
                let (rows, row) = axes.split_at(*outer);
                let width = self.dim(width);
                let (rows, row) = (self.dims(rows), self.dims(row));
                let onto = onto.map_or(String::new(), |base| format!(" over %{}", base.0));
                format!("scatter [{rows}] of [{row}] into {width} at t{} if t{}{onto}", at.0, inside.0)
            }
            Loops::Rows { outer, .. } => {
                format!("rows [{}] of [{}]", self.dims(&axes[..*outer]), self.dims(&axes[*outer..]))
            }
            Loops::Columns { outer, .. } => {
                let (kept, rest) = axes.split_at(*outer);
                format!("columns [{}] of [{}]", self.dims(kept), self.dims(rest))
            }
            Loops::Gemm(g) => self.product(g),
            Loops::Turns(t) => format!("{} turns", self.dim(&t.scan.trips)),
            Loops::Operand(computed) => self.computed(computed),
        }
    }

    fn product(&self, g: &Gemm) -> String {
        let role = |r: &Role| match r {
            Role::Batch => "batch",
            Role::M => "rows",
            Role::N => "columns",
        };
        let axes: Vec<String> = self
            .kernel
            .axes
            .iter()
            .zip(&g.roles)
            .map(|(d, r)| format!("{} {}", self.dim(d), role(r)))
            .collect();
        format!("product [{}] of {} terms", axes.join(", "), self.dim(&g.k))
    }

    /// How a computed operand's elements are counted.
    fn computed(&self, of: &Computed) -> String {
        let axis = |i: Option<usize>| {
            i.map_or("1".into(), |i| format!("i{i} of {}", self.dim(&self.kernel.axes[i])))
        };
        let side = if of.side == Side::Rows { "rows" } else { "columns" };
        format!("computed, {side} {} along lines {}", axis(of.along), axis(of.lines))
    }

    fn operand(&self, name: &str, o: &Operand, out: &mut String) {
        let kernel = match o {
            Operand::Stored(matrix) => {
                let _ = writeln!(out, "  {name}: {}", self.matrix(matrix));
                return;
            }
            Operand::Windows(windows) => {
                let _ = writeln!(out, "  {name}: {}", self.windows(windows));
                return;
            }
            Operand::Pixels(pixels) => {
                let _ = writeln!(out, "  {name}: {}", self.pixels(pixels));
                return;
            }
            Operand::Computed(kernel) => kernel,
        };
        let inner = Writer { func: self.func, kernel };
        let _ = writeln!(out, "  {name}: {}", inner.loops());
        let mut text = String::new();
        inner.expressions(&kernel.roots(), &mut vec![false; kernel.exprs.nodes.len()], &mut text);
        text.lines().for_each(|line| {
            let _ = writeln!(out, "  {line}");
        });
    }

    fn matrix(&self, o: &Matrix) -> String {
        let side = |axes: &[(Dim, Dim)]| {
            let one = |(len, stride): &(Dim, Dim)| format!("{} by {}", self.dim(len), self.dim(stride));
            axes.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        format!(
            "%{}[{}] rows [{}] columns [{}]",
            o.buffer.0,
            self.affine(&o.offset),
            side(&o.rows),
            side(&o.cols)
        )
    }

    fn windows(&self, w: &Windows) -> String {
        let each = if w.each.is(0) { String::new() } else { format!(" each row by {}", self.dim(&w.each)) };
        let over = self.over(&w.size, &w.first, [&w.places, &w.windows]);
        let (at, channels) = (self.affine(&w.offset), self.side(&w.channels));
        let images = match w.images.0.is(1) {
            true => String::new(),
            false => format!(" images [{}]", self.side(&w.images)),
        };
        format!("%{}[{at}]{each} channels [{channels}]{images} {over}", w.buffer.0)
    }

    fn pixels(&self, p: &Pixels) -> String {
        let channels = match &p.channels {
            Some(n) => format!("{} of {}", self.dim(n), self.dim(&p.pitch)),
            None => format!("of {}, each column one", self.dim(&p.pitch)),
        };
        let over = self.over(&p.size, &p.first, [&p.places, &p.windows]);
        let (at, images) = (self.affine(&p.offset), self.side(&p.images));
        format!("%{}[{at}] images [{images}] of pixels, channels {channels}, {over}", p.buffer.0)
    }

    fn side(&self, (len, by): &(Dim, Dim)) -> String {
        format!("{} by {}", self.dim(len), self.dim(by))
    }

    fn over(&self, size: &[Dim; 2], first: &[Affine; 2], sides: [&Sides; 2]) -> String {
        let [height, width] = size.each_ref().map(|d| self.dim(d));
        let [top, left] = first.each_ref().map(|at| self.affine(at));
        let [[r, s], [y, x]] = sides.map(|of| of.each_ref().map(|side| self.side(side)));
        format!("of [{height}, {width}] from [{top}, {left}], places [{r}, {s}], windows [{y}, {x}]")
    }

    fn derived(&self, d: &Derived) -> String {
        match d {
            Derived::Quotient(a, by) => format!("({}) / ({})", self.affine(a), self.dim(by)),
            Derived::Remainder(a, by) => format!("({}) % ({})", self.affine(a), self.dim(by)),
            Derived::Element(id) => format!("t{}", id.0),
        }
    }

    fn affine(&self, a: &Affine) -> String {
        let var = |v: &Var| match v {
            Var::Axis(i) => format!("i{i}"),
            Var::Derived(d) => format!("d{d}"),
        };
        let term = |(v, c): &(Var, Dim)| match (c.is(1), c.terms().len() > 1) {
            (true, _) => var(v),
            (_, true) => format!("({})*{}", self.dim(c), var(v)),
            _ => format!("{}*{}", self.dim(c), var(v)),
        };
        let mut parts: Vec<String> = a.terms.iter().map(term).collect();
        if !a.constant.is(0) || parts.is_empty() {
            parts.push(self.dim(&a.constant));
        }
        parts.join(" + ").replace("+ -", "- ")
    }

    fn guards(&self, guards: &[Guard]) -> String {
        let one = |g: &Guard| {
            let step = if g.step == 1 { String::new() } else { format!(" step {}", g.step) };
            format!("{} in 0..{}{step}", self.affine(&g.at), self.dim(&g.span))
        };
        guards.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn expressions(&self, roots: &[Id], printed: &mut [bool], out: &mut String) {
        for id in self.kernel.exprs.needed(roots) {
            if !std::mem::replace(&mut printed[id.0], true) {
                let dtype = self.kernel.exprs.dtype(id).name();
                let _ = writeln!(out, "  t{}: {dtype} = {}", id.0, self.expression(id));
            }
        }
    }

    fn expression(&self, id: Id) -> String {
        let args = |of: &[Id]| of.iter().map(|a| format!(" t{}", a.0)).collect::<String>();
        match self.kernel.exprs.get(id) {
            Expr::Load(v, at, guards) if guards.is_empty() => format!("load %{}[{}]", v.0, self.affine(at)),
            Expr::Load(v, at, guards) => {
                format!("load %{}[{}] if {}", v.0, self.affine(at), self.guards(guards))
            }
            Expr::Index(at) => format!("index {}", self.affine(at)),
            Expr::Random(draw, state, at) => {
                format!("random {}[{}]{}", draw.name(), self.affine(at), args(state))
            }
            Expr::Const(literal) => format!("const {}", constant(*literal)),
            Expr::Map(scalar, of) => format!("{}{}", scalar.name(), args(of)),
            Expr::Cast(arg) => format!("cast t{}", arg.0),
            Expr::Inside(guards) => format!("inside {}", self.guards(guards)),
            Expr::Reduced(n) => format!("r{n}"),
        }
    }
}

fn constant(literal: Literal) -> String {
    match literal {
        Literal::Int(i) => i.to_string(),
        Literal::Bool(b) => b.to_string(),
        Literal::Float(bits) => f64::from_bits(bits).to_string(),
    }
}
