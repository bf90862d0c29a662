//! Which products of a function are computed by Winograd's tiles, and which inputs are frozen at his points or in panels.

use super::{Frozen, Ready};
use crate::fuse::Fused;
use crate::fuse::algorithm::{self, Gradient, Winograd};
use crate::fuse::cut::{self, Cut};
use crate::fuse::kernel::{Kernel, Loops, Matrix, Operand};
use crate::fuse::panels::{self, Panels, input_of};
use kiln_ir::{Func, Value};
use std::collections::BTreeMap;

/// What stays the same about a function's inputs from call to call.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Stays {
    /// So many first inputs stay the same, in whatever form is best.
    pub frozen: usize,
    /// Inputs that are in panels.
    pub panels: BTreeMap<usize, Panels>,
    /// As a turn of a loop, how it is cut.
    pub cut: Option<Cut>,
}

/// What is chosen for the kernels of a function.
#[derive(Default)]
pub struct Choice {
    /// By kernel.
    by_kernel: BTreeMap<Value, Winograd>,
    /// Gradients of factors, by kernel.
    gradients: BTreeMap<Value, Gradient>,
    /// By input: in what form it is frozen.
    pub frozen: Frozen,
    /// By input: the panels in which it is found.
    panels: BTreeMap<usize, Panels>,
    /// How the function is cut, of which then some rows are computed.
    pub cut: Option<Cut>,
    /// By the first result of a loop: arguments that are packed before its first turn.
    before: BTreeMap<Value, BTreeMap<usize, Panels>>,
}

impl Choice {
    /// Chooses for a function. `exact`: nothing but direct sums.
    pub fn of(func: &Func, fused: &Fused, stays: &Stays, exact: bool) -> Choice {
        let mut choice = Choice { panels: stays.panels.clone(), cut: stays.cut.clone(), ..Choice::default() };
        if !exact {
            choice.points(func, fused, stays.frozen);
        }
        for input in 0..stays.frozen {
            let at_points = choice.frozen.contains_key(&input);
            if let Some(panels) = panels::of_input(func, fused, input).filter(|_| !at_points) {
                choice.panels.insert(input, panels.clone());
                choice.frozen.insert(input, Ready::Panels(panels));
            }
        }
        for kernel in &fused.kernels {
            if let (Loops::Turns(turns), [first, ..]) = (&kernel.loops, &*kernel.stores) {
                let found = |i: usize| input_of(func, turns.args[i]).and_then(|i| choice.panels.get(&i));
                let before = panels::before(func, turns).into_iter().filter(|(i, _)| found(*i).is_none());
                let before = before.collect();
                choice.before.insert(first.value, before);
            }
        }
        choice
    }

    /// Chooses tiles.
    fn points(&mut self, func: &Func, fused: &Fused, frozen: usize) {
        for kernel in &fused.kernels {
            let Loops::Gemm(gemm) = &kernel.loops else { continue };
            if let Some(gradient) = algorithm::gradient(func, gemm) {
                self.gradients.insert(gemm.value, gradient);
            }
            let factors = factors(kernel);
            let input = factors.as_ref().and_then(|a| frozen_input(func, fused, a, frozen));
            let Some(winograd) = algorithm::winograd(func, kernel, gemm, input.is_some()) else { continue };
            self.by_kernel.insert(gemm.value, winograd);
            if let (Some(input), Some(a)) = (input, factors)
                && algorithm::is_whole(func, &a, &winograd)
            {
                self.frozen.insert(input, Ready::Points(winograd));
            }
        }
    }

    /// What the turns of a loop find.
    pub fn in_turns(&self, func: &Func, kernel: &Kernel) -> Stays {
        let Loops::Turns(turns) = &kernel.loops else { return Stays::default() };
        let found = turns.args.iter().enumerate().filter_map(|(i, arg)| {
            let panels = self.panels.get(&input_of(func, *arg)?)?;
            Some((i, panels.of_turn()))
        });
        let before = self.before(kernel).into_iter().flatten().map(|(i, panels)| (*i, panels.clone()));
        let panels = found.chain(before).collect();
        Stays { frozen: 0, cut: cut::cut(turns, &panels), panels }
    }

    /// The arguments that are packed before a loop's first turn.
    pub fn before(&self, kernel: &Kernel) -> Option<&BTreeMap<usize, Panels>> {
        self.before.get(&kernel.stores.first()?.value)
    }

    /// Whether a product finds this operand in panels.
    pub fn is_packed(&self, func: &Func, operand: &Operand) -> bool {
        let Operand::Stored(matrix) = operand else { return false };
        input_of(func, matrix.buffer).is_some_and(|i| self.panels.contains_key(&i))
    }

    /// What is chosen for a kernel, if it is no direct sum.
    pub fn winograd(&self, kernel: &Kernel) -> Option<Winograd> {
        let Loops::Gemm(gemm) = &kernel.loops else { return None };
        self.by_kernel.get(&gemm.value).copied()
    }

    /// What is chosen for a kernel that is a gradient of factors, if it is no direct sum.
    pub fn gradient(&self, kernel: &Kernel) -> Option<&Gradient> {
        let Loops::Gemm(gemm) = &kernel.loops else { return None };
        self.gradients.get(&gemm.value)
    }

    /// Whether a kernel finds its factors at the points.
    pub fn is_frozen(&self, func: &Func, kernel: &Kernel) -> bool {
        let input = factors(kernel).and_then(|a| input_of(func, a.buffer));
        self.winograd(kernel).is_some() && input.is_some_and(|i| self.frozen.contains_key(&i))
    }
}

fn factors(kernel: &Kernel) -> Option<Matrix> {
    match &kernel.loops {
        Loops::Gemm(gemm) => algorithm::factors(gemm),
        _ => None,
    }
}

/// The input that these factors are, if it stays the same and nothing else reads it.
fn frozen_input(func: &Func, fused: &Fused, a: &Matrix, frozen: usize) -> Option<usize> {
    let input = input_of(func, a.buffer).filter(|i| *i < frozen)?;
    let readers = fused.kernels.iter().filter(|k| k.reads().contains(&a.buffer)).count();
    (readers == 1 && !fused.outputs.contains(&a.buffer)).then_some(input)
}
