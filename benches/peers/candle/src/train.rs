//! A training step: forward, backward and Adam.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, VarBuilder, VarMap};
use clock::{Outcome, Run, learns};

/// The loss of a batch.
pub type Loss = Box<dyn Fn() -> Result<Tensor>>;

/// A step on the batch of `build`, whose loss is seen to fall.
pub fn train(build: fn(VarBuilder) -> Result<Loss>) -> Outcome<Run> {
    let vars = VarMap::new();
    let loss = build(VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    let adam = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut adam = AdamW::new(vars.all_vars(), adam)?;
    learns(|| {
        let loss = loss()?;
        adam.backward_step(&loss)?;
        Ok(loss.to_scalar::<f32>()?)
    })?;
    Ok(Box::new(move || Ok(adam.backward_step(&loss()?)?)))
}

/// Random classes below `most`.
pub fn classes(shape: &[usize], most: usize) -> Result<Tensor> {
    Tensor::rand(0f32, most as f32, shape, &Device::Cpu)?.to_dtype(DType::U32)
}
