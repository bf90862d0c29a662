//! Which products of a function are computed by Winograd's tiles, and which inputs are frozen at his points.

use super::Frozen;
use crate::fuse::Fused;
use crate::fuse::algorithm::{self, Winograd};
use crate::fuse::kernel::{Kernel, Loops, Matrix, Operand};
use crate::part::Part;
use kiln_ir::{Func, Op, Value};
use std::collections::BTreeMap;

/// What is chosen for the kernels of a function.
#[derive(Default)]
pub struct Choice {
    /// By kernel.
    by_kernel: BTreeMap<Value, Winograd>,
    /// By input: the factors that are frozen at the points.
    pub frozen: Frozen,
    exact: bool,
}

impl Choice {
    /// Chooses for a function whose first `frozen` inputs stay the same. `exact`: nothing but direct sums.
    pub fn of(func: &Func, fused: &Fused, frozen: usize, exact: bool) -> Choice {
        let mut choice = Choice { exact, ..Choice::default() };
        if exact {
            return choice;
        }
        for kernel in &fused.kernels {
            let Loops::Gemm(gemm) = &kernel.loops else { continue };
            let input = factors(kernel).and_then(|a| frozen_input(func, fused, a, frozen));
            let Some(winograd) = algorithm::winograd(func, kernel, gemm, input.is_some()) else { continue };
            choice.by_kernel.insert(gemm.value, winograd);
            if let (Some(input), Some(a)) = (input, factors(kernel))
                && algorithm::is_whole(func, a, &winograd)
            {
                choice.frozen.insert(input, winograd);
            }
        }
        choice
    }

    /// What is chosen for the turns of a loop.
    pub fn of_turns(&self, part: &Part) -> Choice {
        Choice::of(&part.func, &part.fused, 0, self.exact)
    }

    /// What is chosen for a kernel, if it is no direct sum.
    pub fn winograd(&self, kernel: &Kernel) -> Option<Winograd> {
        let Loops::Gemm(gemm) = &kernel.loops else { return None };
        self.by_kernel.get(&gemm.value).copied()
    }

    /// Whether a kernel finds its factors at the points.
    pub fn is_frozen(&self, func: &Func, kernel: &Kernel) -> bool {
        let input = factors(kernel).and_then(|a| input_of(func, a.buffer));
        self.winograd(kernel).is_some() && input.is_some_and(|i| self.frozen.contains_key(&i))
    }
}

fn factors(kernel: &Kernel) -> Option<&Matrix> {
    match &kernel.loops {
        Loops::Gemm(gemm) => match &gemm.a {
            Operand::Stored(matrix) => Some(matrix),
            Operand::Computed(_) => None,
        },
        _ => None,
    }
}

fn input_of(func: &Func, v: Value) -> Option<usize> {
    match func.node(v).op {
        Op::Input(i) => Some(i as usize),
        _ => None,
    }
}

/// The input that these factors are, if it stays the same and nothing else reads it.
fn frozen_input(func: &Func, fused: &Fused, a: &Matrix, frozen: usize) -> Option<usize> {
    let input = input_of(func, a.buffer).filter(|i| *i < frozen)?;
    let readers = fused.kernels.iter().filter(|k| k.reads().contains(&a.buffer)).count();
    (readers == 1 && !fused.outputs.contains(&a.buffer)).then_some(input)
}
