//! Inference and training steps, checked for plausibility before they are timed.

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Int, Tensor};
use clock::{Outcome, Run, learns, plausible};

/// Normally distributed.
pub fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Random classes below `most`.
pub fn classes<const D: usize>(shape: [usize; D], most: usize, device: &Device) -> Tensor<D, Int> {
    Tensor::<D>::random(shape, Distribution::Uniform(0.0, most as f64), device).int()
}

/// A call of a net on random numbers.
pub fn infer<M: Module + 'static, const I: usize, const O: usize>(
    net: M,
    forward: fn(&M, Tensor<I>) -> Tensor<O>,
    input: [usize; I],
    params: usize,
    output: [usize; O],
) -> Outcome<Run> {
    let x = normal(input, &Device::flex());
    let y = forward(&net, x.clone());
    let numbers = y.to_data_as::<f32>().try_to_vec::<f32>().map_err(|error| format!("{error:?}"))?;
    plausible((net.num_params(), &y.dims()), (params, &output), &numbers)?;
    Ok(Box::new(move || {
        drop(forward(&net, x.clone()));
        Ok(())
    }))
}

/// A step of Adam on a batch, whose loss is seen to fall.
pub fn train<M: Module + 'static>(net: M, loss: impl Fn(&M) -> Tensor<1> + 'static) -> Outcome<Run> {
    let (mut net, mut adam) = (Some(net), AdamConfig::new().with_epsilon(1e-8).init());
    let mut step = move || -> Outcome<Tensor<1>> {
        let before = net.take().ok_or("a step that broke off")?;
        let loss = loss(&before);
        let grads = GradientsParams::from_grads(loss.backward(), &before);
        net = Some(adam.step(1e-3, before, grads));
        Ok(loss)
    };
    learns(|| Ok(step()?.into_scalar::<f32>()))?;
    Ok(Box::new(move || step().map(drop)))
}
