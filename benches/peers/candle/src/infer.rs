//! Inference: the net's outputs checked for plausibility, then timed.

use crate::Forward;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{VarBuilder, VarMap};
use clock::{Outcome, Run, plausible};
use std::collections::HashMap;

/// A call of a net that `build` makes, on random numbers.
pub fn infer(
    build: fn(VarBuilder) -> Result<Forward>,
    input: &[usize],
    params: usize,
    output: &[usize],
) -> Outcome<Run> {
    let x = Tensor::randn(0f32, 1.0, input, &Device::Cpu)?;
    let (tensors, count) = weights(build)?;
    let net = build(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))?;
    let y = net(&x)?;
    plausible((count, y.dims()), (params, output), &y.flatten_all()?.to_vec1::<f32>()?)?;
    Ok(Box::new(move || Ok(drop(net(&x)?))))
}

/// Random weights under the names that `build` asks for, and how many of them are parameters.
fn weights(build: fn(VarBuilder) -> Result<Forward>) -> Result<(HashMap<String, Tensor>, usize)> {
    let vars = VarMap::new();
    drop(build(VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?);
    let data = vars.data().lock().expect("no other thread has it");
    let tensors: HashMap<String, Tensor> =
        data.iter().map(|(name, var)| (name.clone(), var.as_detached_tensor())).collect();
    let count =
        tensors.iter().filter(|(name, _)| !name.contains("running")).map(|(_, t)| t.elem_count()).sum();
    Ok((tensors, count))
}
