//! Random loops: a random graph as the body, of whose inputs some are carried and some scanned, and its gradient.

use super::common::Rng;
use super::common::graphs::{GUARD, Graph};
use super::{Case, of_random, single};
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Dim, Func, Role, Scan, Value, differentiate::vjp};
use std::sync::Arc;

/// The loop of a seed and its gradient; nothing for a body that can't be compared to the last place.
pub fn random(seed: u64) -> Vec<Case> {
    let mut graph = Graph::new(seed);
    let mut order: Vec<usize> = (0..graph.inputs.len()).collect();
    graph.rng.shuffle(&mut order);
    let (carries, scanned) = (1 + graph.rng.below(3), graph.rng.below(3));
    let n = graph.b.ty(graph.values[2].0).shape[0].clone();
    let trips: Dim = graph.rng.pick(&[3.into(), n, 1.into()]).clone();
    let reverse = graph.rng.chance(50);
    let body = body(&mut graph, &order, carries);
    if body.nodes.iter().any(single) {
        return vec![];
    }
    let tolerance = of_random(&body);
    let guard = order.iter().position(|at| *at == GUARD).filter(|_| graph.rng.chance(60));
    let scan =
        Scan { body: Arc::new(body), trips: trips.clone(), carries, scanned, reverse, again: false, guard };
    let mut rng = Rng(seed ^ 0x6c6f_6f70);
    let inputs: Vec<(usize, Vec<Array>)> = (0..3)
        .map(|k| {
            let size = graph.sizes[k];
            let turns = trips.eval(&|_| size) as usize;
            let input = |(i, at): (usize, &usize)| {
                let array = &graph.inputs[*at][k];
                let is_scanned = (carries..carries + scanned).contains(&i);
                if is_scanned { stacked(array, turns, &mut rng) } else { array.clone() }
            };
            (size as usize, order.iter().enumerate().map(input).collect())
        })
        .collect();
    let mut forward = whole(&format!("loop{seed}"), &scan, graph.b.func());
    let floats: Vec<usize> =
        (0..forward.inputs.len()).filter(|i| forward.inputs[*i].ty.dtype == DType::F64).collect();
    let mut backward = vjp(&forward, &floats).unwrap_or_else(|e| panic!("loop{seed}: {e}"));
    let mut spread = Rng(seed + 7);
    lie_apart(&mut backward, &mut spread);
    lie_apart(&mut forward, &mut spread);
    update(&mut forward, &mut spread);
    let with_cotangents = |(size, arrays): &(usize, Vec<Array>)| {
        let cts = backward.inputs[arrays.len()..].iter().map(|input| {
            let shape: Vec<usize> =
                input.ty.shape.iter().map(|d| d.eval(&|_| *size as i64) as usize).collect();
            Array::rounded(input.ty.dtype, shape.clone(), rng.array(&shape).data)
        });
        (*size, arrays.iter().cloned().chain(cts).collect())
    };
    let both: Vec<_> = inputs.iter().map(with_cotangents).collect();
    let case = |name: String, func: Func, inputs| Case { name, func, inputs, tolerance };
    vec![case(format!("loop{seed}"), forward, inputs), case(format!("loop{seed}_vjp"), backward, both)]
}

/// The graph as one turn: an output for each carry, of its type, and a few more.
fn body(graph: &mut Graph, order: &[usize], carries: usize) -> Func {
    let values: Vec<Value> = graph.values.iter().map(|v| v.0).collect();
    let inputs: Vec<Value> = values[..graph.inputs.len()].to_vec();
    for (j, at) in order[..carries].iter().enumerate() {
        let ty = graph.b.ty(inputs[*at]).clone();
        let fits: Vec<Value> = values.iter().copied().filter(|v| *graph.b.ty(*v) == ty).collect();
        // The newest are the most worth looking at.
        let newest = &fits[fits.len().saturating_sub(3)..];
        let v = *graph.rng.pick(newest);
        graph.b.output(&format!("carry{j}"), v, None);
    }
    for i in 0..graph.rng.below(3) {
        let v = *graph.rng.pick(&values[values.len() - 8..]);
        graph.b.output(&format!("y{i}"), v, None);
    }
    let func = std::mem::take(&mut graph.b).finish();
    let mut b = Builder::new("turn", func.syms.clone());
    let mut place = vec![None; order.len()];
    for at in order {
        let input = &func.inputs[*at];
        place[*at] = Some(b.input(&input.name, input.ty.clone(), input.role));
    }
    let args: Vec<Value> = place.into_iter().map(|v| v.expect("every input has a place")).collect();
    let results = b.inline(&func, &args).expect("a sound graph");
    func.outputs.iter().zip(results).for_each(|(o, v)| b.output(&o.name, v, None));
    graph.b = Builder::new("random", func.syms.clone());
    b.finish()
}

fn whole(name: &str, scan: &Scan, like: &Func) -> Func {
    let mut b = Builder::new(name, like.syms.clone());
    let args: Vec<Value> = (0..scan.body.inputs.len())
        .map(|i| b.input(&scan.body.inputs[i].name, scan.argument(i), Role::Argument))
        .collect();
    let results = b.scan(scan.clone(), &args).expect("a sound loop");
    for (i, v) in results.into_iter().enumerate() {
        b.output(&format!("out{i}"), v, None);
    }
    b.finish()
}

/// Inputs whose elements along the first axis have memory of their own, as the layers of an array.
pub(super) fn lie_apart(func: &mut Func, rng: &mut Rng) {
    for input in &mut func.inputs {
        let layers = input.ty.shape.first().and_then(Dim::literal);
        input.apart = input.ty.dtype.is_float() && layers.is_some_and(|n| n > 0) && rng.chance(60);
    }
}

/// Results in place of inputs of their types.
fn update(func: &mut Func, rng: &mut Rng) {
    for i in 0..func.outputs.len() {
        let ty = func.ty(func.outputs[i].value).clone();
        let free = |at: &usize| func.outputs.iter().all(|o| o.updates != Some(*at));
        let at = (0..func.inputs.len()).filter(|at| func.inputs[*at].ty == ty).find(free);
        func.outputs[i].updates = at.filter(|_| rng.chance(50));
    }
}

/// So many arrays of that type, one behind the other.
pub(super) fn stacked(array: &Array, turns: usize, rng: &mut Rng) -> Array {
    let shape: Vec<usize> = std::iter::once(turns).chain(array.shape.iter().copied()).collect();
    let data =
        (0..shape.iter().product()).map(|_| *rng.pick(&[-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 1.5])).collect();
    Array::rounded(array.dtype, shape, data)
}
