//! Random graphs are fused, planned and emitted: nothing is overwritten that is read later, and the tokens parse.

#[path = "common/checker.rs"]
mod checker;
#[path = "../../ir/tests/common/mod.rs"]
mod ir;

use checker::check;
use ir::Rng;
use ir::graphs::Graph;
use kiln_compiler::emit::Unit;
use kiln_compiler::fuse::{self, Fused};
use kiln_compiler::plan::{self, Place, Plan, Step};
use kiln_ir::{Func, Value, text, verify::verify};

/// A random graph that returns some of its values, a few of them in place of inputs.
fn random(seed: u64) -> Func {
    let mut graph = Graph::new(seed);
    let mut rng = Rng(seed ^ 0x5eed);
    let values: Vec<Value> = graph.values.iter().map(|v| v.0).collect();
    let mut outputs: Vec<Value> = values.iter().rev().take(3).copied().collect();
    outputs.extend((0..4).map(|_| *rng.pick(&values)));
    // What has the type of an input may take its place.
    for v in values.iter().filter(|_| rng.chance(30)).collect::<Vec<_>>() {
        let fits = |i: &kiln_ir::Input| i.ty == *graph.b.ty(*v);
        if graph.b.func().inputs.iter().any(fits) {
            outputs.push(*v);
        }
    }
    let mut free = vec![true; graph.b.func().inputs.len()];
    for (i, v) in outputs.into_iter().enumerate() {
        let ty = graph.b.ty(v).clone();
        let fits: Vec<usize> =
            (0..free.len()).filter(|i| free[*i] && graph.b.func().inputs[*i].ty == ty).collect();
        let updates = if !fits.is_empty() && rng.chance(70) { Some(*rng.pick(&fits)) } else { None };
        updates.into_iter().for_each(|i| free[i] = false);
        graph.b.output(&format!("v{i}"), v, updates);
    }
    graph.b.finish()
}

fn planned(func: &Func) -> (Func, Fused, Plan) {
    let func = fuse::lay_out(func);
    let fused = fuse::fuse(&func);
    let plan = plan::plan(&func, &fused);
    (func, fused, plan)
}

fn told(seed: u64, func: &Func, fused: &Fused, plan: &Plan) -> String {
    let kernels = fuse::text::text(func, fused);
    format!("graph {seed}\n{func}\n{kernels}\n{}", plan::memory::text(func, fused, plan))
}

#[test]
fn what_is_still_read_is_never_overwritten() {
    let mut in_place = 0;
    for seed in 0..400 {
        let (func, fused, plan) = planned(&random(seed));
        verify(&func).unwrap_or_else(|e| panic!("graph {seed}: {e}"));
        check(&func, &fused, &plan).unwrap_or_else(|e| panic!("{e}\n{}", told(seed, &func, &fused, &plan)));
        let computed = |(v, p): (&Value, &Place)| {
            matches!(p, Place::Input(_)) && !matches!(func.node(*v).op, kiln_ir::Op::Input(_))
        };
        in_place += plan.places.iter().filter(|(v, p)| computed((v, p))).count();
    }
    assert!(in_place > 50, "{in_place} values are computed in place: the graphs have too few");
}

#[test]
fn what_is_emitted_parses_and_is_always_the_same() {
    for seed in 0..150 {
        let func = random(seed);
        let tokens = || {
            let mut unit = Unit::new();
            unit.add(&func);
            unit.finish()
        };
        let once = tokens();
        syn::parse2::<syn::File>(once.clone()).unwrap_or_else(|e| panic!("graph {seed}: {e}\n{func}"));
        assert_eq!(once.to_string(), tokens().to_string(), "graph {seed}");
    }
}

/// `x·w + exp(x·w)` and a sum of it, `w` changed in place after the product has read it.
const STEP: &str = "fn step<N> {
  %0: f32[N, 4] = input[x]
  %1: f32[4, 4] = parameter[w]
  %2: f32[N, 4] = contract[ab,bc->ac] %0 %1
  %3: f32[N, 4] = contract[ab,bc->ac] %2 %1
  %4: f32[N, 4] = contract[ab,bc->ac] %3 %1
  %5: f32[4, 4] = exp %1
  return %4 as out
  return %5 as w updates w
  return %0 as same
}";

/// Whether the checker finds that fault in the plan of `STEP` once it has been made worse.
fn rejected(worsen: impl Fn(&mut Plan), fault: &str) {
    let (func, fused, mut plan) = planned(&text::parse(STEP).expect("a graph"));
    check(&func, &fused, &plan).expect("the plan as it is made is sound");
    worsen(&mut plan);
    let found = check(&func, &fused, &plan).expect_err(fault);
    assert!(found.contains(fault), "{found}\n{}", plan::memory::text(&func, &fused, &plan));
}

#[test]
fn faulty_plans_are_rejected() {
    // The steps: the copy of x, three products, the update of w.
    rejected(|p| p.steps.swap(1, 2), "where nothing lies");
    rejected(|p| p.steps.swap(3, 4), "is read in Input(1), where %5 lies");
    rejected(|p| p.steps.truncate(4), "3 of 4 kernels run");
    rejected(|p| p.steps.insert(2, p.steps[1].clone()), "runs twice");
    rejected(|p| p.steps = p.steps[1..].to_vec(), "in the end, %0 is read in Output(2)");
    rejected(|p| p.slots[0] = 16.into(), "must not lie in Slot(0)");
    // Two values that live at one time in one slot: the second product would write what it reads.
    let shared = |p: &mut Plan| p.places.values_mut().filter(|p| matches!(p, Place::Slot(_))).for_each(first);
    rejected(shared, "which is read elsewhere");
    // An input that nobody may write.
    rejected(|p| p.places.extend([(Value(2), Place::Input(0))]), "must not lie in Input(0)");
    let place = Place::Output(2);
    let onto_itself = Step::Copy { value: Value(0), from: place, to: place };
    rejected(|p| p.steps.push(onto_itself.clone()), "a copy onto itself");
}

fn first(place: &mut Place) {
    *place = Place::Slot(0);
}

/// A dim of no elements counts none, and rustc refuses a division by 0 that never runs.
#[test]
fn nothing_is_divided_by_0() {
    let source = "fn f<N> {
  %0: f32[0, N, 3] = input[x]
  %1: f32[N, 0, 3] = permute[1, 0, 2] %0
  %2: f32[N, 0] = sum[2] %1
  return %2 as y
}";
    let mut unit = Unit::new();
    unit.add(&text::parse(source).expect("a graph"));
    let tokens = unit.finish().to_string();
    assert!(tokens.contains("row % 1") && !tokens.contains("% 0"), "{tokens}");
}
