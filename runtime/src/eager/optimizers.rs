//! A step of an optimizer, outside of models: the graph's update rule for each trained leaf.

use std::borrow::Borrow;
use std::panic::Location;

use kiln_ir::composite::rule::Rule;

use super::Any;
use super::tape::{Origin, Track, with_recording};
use super::trees::function;
use crate::optim::{Adam, AdamW, AmsGrad, Lamb, Lion, Number, Optimizer, RmsProp, Sgd};
use crate::{Error, LeafKind, LeafMut, LeafTensor, Params, Result, Tensor};

/// `step` of each optimizer: its name, its source, an example's optimizer, and the weight after it, which was 1.
macro_rules! steps {
    ($($name:ident $source:literal: $example:literal => $weight:literal;)*) => {$(
        impl<P: Params> $name<P> {
            #[doc = concat!("Moves the parameters against the gradient, and the moments with them. ", $source, ".")]
            ///
            /// ```
            /// use kiln::autograd::value_and_grad;
            /// use kiln::prelude::*;
            ///
            /// let mut net = LayerNorm::<2>::init(&mut Rng::seed(0));
            #[doc = concat!("let mut opt = ", $example, ";")]
            /// let (loss, grads) = value_and_grad(&net, |net| net.weight.square().sum())?;
            /// opt.step(&mut net, &grads)?;
            /// assert_eq!(loss.item()?, 2.0);
            #[doc = concat!("assert!((net.weight.as_slice()[0] - ", $weight, ").abs() < 1e-6);")]
            /// # Ok::<(), kiln::Error>(())
            /// ```
            ///
            /// # Errors
            /// If a gradient stands for a failed operation or has another shape than its parameter; nothing has changed then.
            #[track_caller]
            pub fn step(&mut self, params: &mut P, grads: impl Borrow<P>) -> Result<()> {
                step(Rule::$name, self, params, grads.borrow())
            }
        }
    )*};
}
steps! {
    Sgd "`torch.optim.SGD.step`": "Sgd::new(&net, 0.1)" => 0.8;
    Adam "`torch.optim.Adam.step`": "Adam::new(&net, 0.1)" => 0.9;
    AdamW "`torch.optim.AdamW.step`": "AdamW::new(&net, 0.1).weight_decay(0.0)" => 0.9;
    AmsGrad "`torch.optim.Adam.step`": "AmsGrad::new(&net, 0.1)" => 0.9;
    RmsProp "`torch.optim.RMSprop.step`": "RmsProp::new(&net, 0.1).alpha(0.75)" => 0.8;
    Lion "Chen et al., 2023": "Lion::new(&net, 0.1)" => 0.9;
    Lamb "You et al., 2020": "Lamb::new(&net, 0.1)" => 0.9;
}

/// The hyper-parameters as f64 scalars, and the steps taken.
fn numbers(opt: &impl Optimizer) -> (Vec<Any>, i64) {
    let (mut all, mut steps) = (Vec::new(), 0);
    for (_, number) in opt.numbers() {
        match number {
            Number::F64(x) => all.push(Any::new(Tensor::scalar(x))),
            Number::I64(n) => steps = n,
        }
    }
    (all, steps)
}

/// Replaces every trained leaf and its moments by what the rule makes of them, and counts the step.
#[track_caller]
fn step<P: Params>(rule: Rule, opt: &mut impl Optimizer, params: &mut P, grads: &P) -> Result<()> {
    let at = Location::caller();
    let ((numbers, taken), count) = (numbers(opt), rule.moments().len());
    let new = {
        let (moments, params, grads) = (opt.moments(), params.named_leaves(), grads.named_leaves());
        let trained = (0..params.len()).filter(|i| params[*i].kind == LeafKind::Parameter);
        let updated = trained.map(|i| {
            let own = (0..count).map(|k| moments[k * params.len() + i].tensor);
            let tensors: Vec<Any> =
                [params[i].tensor, grads[i].tensor].into_iter().chain(own).map(LeafTensor::any).collect();
            fitting(&params[i].name, &tensors, at)?;
            let steps = Any::new(Tensor::<i64>::scalar(taken));
            let inputs = tensors.into_iter().chain(numbers.iter().cloned()).chain([steps]).collect();
            let built = with_recording(false, || {
                function("step", inputs, |b, values| {
                    let (leaf, rest) = values.split_at(2 + count);
                    let (numbers, steps) = rest.split_at(rest.len() - 1);
                    rule.step(b, numbers, steps[0], [leaf[0], leaf[1]], &leaf[2..])
                })
            });
            built.map_err(|what| Error::Operation { what, at })
        });
        updated.collect::<Result<Vec<Vec<Any>>>>()?
    };
    let mut first = trained(leaves_mut(params)).into_iter();
    let mut moments: Vec<Option<LeafMut>> = trained(opt.moments_mut()).into_iter().map(Some).collect();
    let leaves = new.len();
    for (i, tensors) in new.into_iter().enumerate() {
        let mut tensors = tensors.into_iter();
        if let (Some(leaf), Some(tensor)) = (first.next(), tensors.next()) {
            replace(leaf, tensor);
        }
        for (k, tensor) in tensors.enumerate() {
            moments[k * leaves + i].take().into_iter().for_each(|leaf| replace(leaf, tensor.clone()));
        }
    }
    let after = opt.numbers().into_iter().map(|(_, number)| match number {
        Number::I64(n) => Number::I64(n + 1),
        number => number,
    });
    let after: Vec<Number> = after.collect();
    opt.set_numbers(&after);
    Ok(())
}

fn replace(leaf: LeafMut<'_>, tensor: Any) {
    let track = kept(leaf.tensor.as_ref().any().track());
    leaf.tensor.set(tensor.tracked(track));
}

fn leaves_mut<P: Params>(tree: &mut P) -> Vec<LeafMut<'_>> {
    let mut leaves = Vec::new();
    tree.leaves_mut("", &mut leaves);
    leaves
}

fn trained(leaves: Vec<LeafMut<'_>>) -> Vec<LeafMut<'_>> {
    leaves.into_iter().filter(|leaf| leaf.kind == LeafKind::Parameter).collect()
}

/// A parameter that requires a gradient does so after the step.
fn kept(track: &Track) -> Track {
    match track.origin() {
        Some(Origin::Leaf(_)) => track.clone(),
        _ => Track::default(),
    }
}

/// An error unless a parameter, its gradient and its moments are of one shape.
fn fitting(name: &str, tensors: &[Any], at: &'static Location<'static>) -> Result<()> {
    for tensor in tensors {
        tensor.sound()?;
        if tensor.shape() != tensors[0].shape() {
            let (want, got) = (tensors[0].shape(), tensor.shape());
            let what = format!("`{name}` has shape {want:?}, but its gradient or a moment has {got:?}");
            return Err(Error::Operation { what, at });
        }
    }
    Ok(())
}
