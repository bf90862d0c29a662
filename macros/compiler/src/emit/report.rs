//! The plan as a text to read, and what a call costs.

use super::choice::Choice;
use super::kept::{self, Kept};
use crate::fuse::Fused;
use crate::fuse::affine::Var;
use crate::fuse::expr::Expr;
use crate::fuse::kernel::{Kernel, Loops, Operand, Role};
use crate::plan::{Place, Plan, Step};
use kiln_ir::{Dim, Func, Node, Op, Value};

/// Floating-point operations of a call.
pub fn flops(fused: &Fused) -> Dim {
    fused.kernels.iter().map(of).fold(Dim::from(0), |sum, n| sum + n)
}

/// Multiplications of products in a call of the graph, each with its addition, whatever is fused: what papers count.
pub fn multiply_adds(func: &Func) -> Dim {
    let of = |node: &Node| match &node.op {
        Op::Contract { lhs, rhs, .. } => {
            let (left, right) = (func.ty(node.args[0]), func.ty(node.args[1]));
            let alone = rhs.iter().zip(&right.shape).filter(|(label, _)| !lhs.contains(label));
            alone.fold(product(&left.shape), |n, (_, length)| n * length.clone())
        }
        Op::Scan(scan) => multiply_adds(&scan.body) * scan.trips.clone(),
        _ => Dim::from(0),
    };
    func.nodes.iter().map(of).fold(Dim::from(0), |sum, n| sum + n)
}

fn product(axes: &[Dim]) -> Dim {
    axes.iter().fold(Dim::from(1), |n, d| n * d.clone())
}

fn of(kernel: &Kernel) -> Dim {
    let all = product(&kernel.axes);
    let maps = maps(kernel) + kernel.reduces().len();
    let own = all.clone() * Dim::from(maps);
    match &kernel.loops {
        Loops::Turns(t) => flops(&t.part.fused) * t.scan.trips.clone(),
        Loops::Gemm(g) => {
            let operands = g.operands().into_iter().map(computed).fold(own, |sum, n| sum + n);
            operands + all * g.k.clone() * Dim::from(2)
        }
        _ => own,
    }
}

/// What computing an operand costs.
fn computed(operand: &Operand) -> Dim {
    match operand {
        Operand::Stored(_) | Operand::Windows(_) | Operand::Pixels(_) => Dim::from(0),
        Operand::Computed(kernel) => {
            let batch = (0..kernel.axes.len())
                .filter(|i| kernel.exprs.affines().any(|at| !at.coefficient(Var::Axis(*i)).is(0)));
            batch.fold(Dim::from(maps(kernel)), |n, i| n * kernel.axes[i].clone())
        }
    }
}

fn maps(kernel: &Kernel) -> usize {
    let needed = kernel.exprs.needed(&kernel.roots());
    needed
        .iter()
        .filter(|id| matches!(kernel.exprs.get(**id), Expr::Map(..)) && kernel.exprs.dtype(**id).is_float())
        .count()
}

/// A line a step: what is stored where, by which loops, from what.
pub fn text(func: &Func, fused: &Fused, plan: &Plan, choice: &Choice, exact: bool) -> String {
    let mut lines = vec![summary(func, fused, plan)];
    for step in &plan.steps {
        lines.push(match step {
            Step::Run(k) => run(func, &fused.kernels[*k], plan, choice, exact),
            Step::Copy { value, from, to } => {
                format!("{} = copy of {} in {}", place(func, *to), name(func, *value), place(func, *from))
            }
        });
    }
    lines.join("\n")
}

/// How much there is of each, and what a training step keeps.
pub fn summary(func: &Func, fused: &Fused, plan: &Plan) -> String {
    match kept::kept(func, fused, plan) {
        Some(kept) => format!("{}\n{}", head(func, fused, plan), told(func, &kept)),
        None => head(func, fused, plan),
    }
}

fn dim(func: &Func, d: &Dim) -> String {
    d.display(&func.syms).to_string()
}

fn head(func: &Func, fused: &Fused, plan: &Plan) -> String {
    let slots: Vec<String> = plan.slots.iter().map(|s| dim(func, s)).collect();
    let memory = match (plan.bytes(), slots.is_empty()) {
        (_, true) => "no scratch memory".to_string(),
        (Some(bytes), _) => format!("{bytes} bytes of scratch memory at the peak"),
        (None, _) => format!("scratch memory of {} bytes at the peak", slots.join(" + ")),
    };
    let kernels = if fused.kernels.len() == 1 { "kernel" } else { "kernels" };
    format!("{}: {} {kernels}, {memory}, {} flops", func.name, fused.kernels.len(), dim(func, &flops(fused)))
}

/// What is kept for the gradients, with its bytes.
fn told(func: &Func, kept: &[Kept]) -> String {
    let one =
        |k: &Kept| format!("{} (slot {}) of {} bytes", name(func, k.value), k.slot, dim(func, &k.bytes));
    let all: Vec<String> = kept.iter().map(one).collect();
    let sum = kept.iter().fold(Dim::from(0), |sum, k| sum + k.bytes.clone());
    match all.is_empty() {
        true => "kept for the gradients: nothing".into(),
        false => format!("kept for the gradients, {} bytes: {}", dim(func, &sum), all.join(", ")),
    }
}

fn name(func: &Func, v: Value) -> String {
    match func.node(v).op {
        Op::Input(i) => func.inputs[i as usize].name.clone(),
        _ => func.names[v.0 as usize].clone().unwrap_or_else(|| format!("%{}", v.0)),
    }
}

fn place(func: &Func, place: Place) -> String {
    match place {
        Place::Input(i) => func.inputs[i].name.clone(),
        Place::Output(o) => func.outputs[o].name.clone(),
        Place::Slot(s) => format!("slot {s}"),
    }
}

fn run(func: &Func, kernel: &Kernel, plan: &Plan, choice: &Choice, exact: bool) -> String {
    let list = |of: &[Dim]| of.iter().map(|d| dim(func, d)).collect::<Vec<_>>().join(", ");
    let loops = match &kernel.loops {
        Loops::Gemm(g) => {
            let side = |role: Role| {
                g.roles.iter().position(|r| *r == role).map_or("1".into(), |i| dim(func, &kernel.axes[i]))
            };
            let batch: Vec<Dim> = (0..g.roles.len())
                .filter(|i| g.roles[*i] == Role::Batch)
                .map(|i| kernel.axes[i].clone())
                .collect();
            let times = if batch.is_empty() { String::new() } else { format!(" × [{}]", list(&batch)) };
            let how = choice.winograd(kernel).map_or(String::new(), |w| {
                let frozen = if choice.is_frozen(func, kernel) { ", factors frozen" } else { "" };
                format!(" by winograd {0}×{0} ({1} % of direct{frozen})", w.tile, w.percent)
            });
            let how = match choice.gradient(kernel) {
                Some(g) => format!(" by winograd {0}×{0} ({1} % of direct)", g.tile, g.percent),
                None => how,
            };
            let how = match &g.b {
                Operand::Windows(w) if !w.each.is(0) => ", each row of images of its own".to_string(),
                _ => how,
            };
            let how = match &g.a {
                Operand::Pixels(p) if p.channels.is_none() => ", each channel by itself".to_string(),
                Operand::Pixels(_) if how.is_empty() => " over pixels".to_string(),
                _ => how,
            };
            let (m, n, k) = (side(Role::M), side(Role::N), dim(func, &g.k));
            let packed = if choice.is_packed(func, &g.b) { " by panels" } else { "" };
            format!("product [{m}, {n}] of {k} terms{times}{how}{packed}")
        }
        Loops::Turns(t) => {
            let cut = choice.in_turns(func, kernel).cut;
            let by_itself =
                cut.map_or(String::new(), |cut| format!(", each of {} rows by itself", cut.batch));
            format!("{} turns{by_itself}", dim(func, &t.scan.trips))
        }
        Loops::Flat => format!("loop [{}]", list(&kernel.axes)),
        Loops::Rows { outer, .. } => {
            format!("rows [{}] of [{}]", list(&kernel.axes[..*outer]), list(&kernel.axes[*outer..]))
        }
        Loops::Columns { .. } => format!("columns of [{}]", list(&kernel.axes)),
        Loops::Operand(_) => format!("lines of [{}]", list(&kernel.axes)),
        Loops::Scatter { onto: Some(_), .. } => format!("update by [{}]", list(&kernel.axes)),
        Loops::Scatter { .. } => format!("scattered sums of [{}]", list(&kernel.axes)),
    };
    let stores: Vec<String> = kernel
        .stores
        .iter()
        .map(|s| match plan.places[&s.value] {
            Place::Slot(slot) => format!("{} (slot {slot})", name(func, s.value)),
            other => place(func, other),
        })
        .collect();
    let reads: Vec<String> = kernel.reads().iter().map(|v| name(func, *v)).collect();
    let inside = match &kernel.loops {
        Loops::Gemm(g) => g
            .operands()
            .into_iter()
            .map(|o| match o {
                Operand::Computed(kernel) => maps(kernel),
                Operand::Stored(_) | Operand::Windows(_) | Operand::Pixels(_) => 0,
            })
            .sum(),
        _ => 0,
    };
    let maps = match maps(kernel) + inside {
        0 => String::new(),
        1 => ", 1 map".into(),
        n => format!(", {n} maps"),
    };
    let line = format!("{} = {loops}{maps} from {}", stores.join(", "), reads.join(", "));
    match &kernel.loops {
        Loops::Turns(t) => {
            let stays = choice.in_turns(func, kernel);
            let inside = Choice::of(&t.part.func, &t.part.fused, &stays, exact);
            let turn = text(&t.part.func, &t.part.fused, &t.part.plan, &inside, exact);
            turn.lines().fold(line, |all, turn| format!("{all}\n    {turn}"))
        }
        _ => line,
    }
}
