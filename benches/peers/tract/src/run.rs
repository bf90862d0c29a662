//! A graph checked for plausibility, then timed.

use crate::graph::{Graph, numbers};
use clock::{Bench, Outcome, Run, plausible};
use tract_linalg::multithread::{Executor, set_default_executor};
use tract_onnx::prelude::*;

/// What is timed.
pub struct Peer(Bench);

impl Peer {
    /// Products run on as many threads as the bench has.
    pub fn new(bench: Bench) -> Peer {
        if bench.threads() > 1 {
            set_default_executor(Executor::multithread(bench.threads()));
        }
        Peer(bench)
    }

    /// A call of the net that `build` makes, on random numbers.
    pub fn infer(
        &self,
        workload: &str,
        build: fn(&mut Graph) -> String,
        inputs: &[&[usize]],
        params: usize,
        output: &[usize],
    ) {
        self.0.time(workload, || call(build, inputs, params, output));
    }
}

fn call(
    build: fn(&mut Graph) -> String,
    inputs: &[&[usize]],
    params: usize,
    output: &[usize],
) -> Outcome<Run> {
    let mut graph = Graph::new(inputs);
    let out = build(&mut graph);
    let count = graph.params;
    let model = tract_onnx::onnx().model_for_proto_model(&graph.finish(&out))?;
    let model = model.into_optimized()?.into_runnable()?;
    let feed = |(seed, shape): (usize, &&[usize])| {
        let n = shape.iter().product();
        Ok(Tensor::from_shape(shape, &numbers(seed as u64 + 1, n, 1.0))?.into_tvalue())
    };
    let inputs = inputs.iter().enumerate().map(feed).collect::<TractResult<TVec<TValue>>>()?;
    let outputs = model.run(inputs.clone())?;
    let view = outputs[0].to_plain_array_view::<f32>()?;
    plausible((count, view.shape()), (params, output), view.as_slice().ok_or("an output with gaps")?)?;
    Ok(Box::new(move || Ok(drop(model.run(inputs.clone())?))))
}
