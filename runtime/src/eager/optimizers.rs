//! A step of an optimizer, outside of models: the graph's update rule for each trained leaf.

use std::borrow::Borrow;
use std::panic::Location;

use kiln_ir::composite::optim;
use kiln_ir::{Builder, DType, Error as Fault, Op, Value};

use super::Any;
use super::tape::{Origin, Track, with_recording};
use super::trees::function;
use crate::optim::{Adam, AdamW, Sgd};
use crate::{Error, Leaf, LeafKind, LeafMut, Params, Result, Tensor};

impl<P: Params> Sgd<P> {
    /// Moves the parameters against the gradient, and the velocities with them. `torch.optim.SGD.step`.
    ///
    /// ```
    /// use kiln::autograd::value_and_grad;
    /// use kiln::prelude::*;
    ///
    /// let mut net = LayerNorm::<2>::init(&mut Rng::seed(0));
    /// let mut opt = Sgd::new(&net, 0.1);
    /// let (loss, grads) = value_and_grad(&net, |net| net.weight.square().sum())?;
    /// opt.step(&mut net, &grads)?;
    /// assert_eq!((loss.item()?, net.weight.as_slice()), (2.0, &[0.8, 0.8][..]));
    /// # Ok::<(), kiln::Error>(())
    /// ```
    ///
    /// # Errors
    /// If a gradient stands for a failed operation or has another shape than its parameter; nothing has changed then.
    #[track_caller]
    pub fn step(&mut self, params: &mut P, grads: impl Borrow<P>) -> Result<()> {
        let (nesterov, first) = (self.__kiln_fields().4 != &0.0, self.steps() == 0);
        let numbers = [self.lr, self.momentum, self.dampening, self.weight_decay].map(number);
        let (.., velocity, step) = self.__kiln_fields_mut();
        update(
            params,
            grads.borrow(),
            [velocity],
            |b, leaf| {
                let [lr, momentum, dampening, weight_decay] = leaf.numbers(b, &numbers)?;
                let first = b.constant(f64::from(u8::from(first)), DType::Bool);
                let h = optim::Sgd { lr, momentum: Some(momentum), dampening, weight_decay, nesterov };
                Ok(optim::sgd(b, h, leaf.param, leaf.grad, leaf.moments[0], first)?.to_vec())
            },
            &numbers,
        )?;
        *step += 1;
        Ok(())
    }
}

macro_rules! adam {
    ($name:ident, $decoupled:literal, $doc:literal) => {
        impl<P: Params> $name<P> {
            #[doc = $doc]
            ///
            /// ```
            /// use kiln::autograd::value_and_grad;
            /// use kiln::prelude::*;
            ///
            /// let mut net = LayerNorm::<2>::init(&mut Rng::seed(0));
            #[doc = concat!("let mut opt = ", stringify!($name), "::new(&net, 0.1).weight_decay(0.0);")]
            /// let (_, grads) = value_and_grad(&net, |net| net.weight.square().sum())?;
            /// opt.step(&mut net, grads.clip_norm(1.0))?;
            /// assert!((net.weight.as_slice()[0] - 0.9).abs() < 1e-6);
            /// # Ok::<(), kiln::Error>(())
            /// ```
            ///
            /// # Errors
            /// If a gradient stands for a failed operation or has another shape than its parameter; nothing has changed
            /// then.
            #[track_caller]
            pub fn step(&mut self, params: &mut P, grads: impl Borrow<P>) -> Result<()> {
                let t = (self.steps() + 1) as f64;
                let numbers = [self.lr, self.beta1, self.beta2, self.eps, self.weight_decay, t].map(number);
                let (.., m, v, step) = self.__kiln_fields_mut();
                update(
                    params,
                    grads.borrow(),
                    [m, v],
                    |b, leaf| {
                        let [lr, beta1, beta2, eps, weight_decay, t] = leaf.wide();
                        let h = optim::Adam { lr, beta1, beta2, eps, weight_decay, decoupled: $decoupled };
                        Ok(optim::adam(b, h, leaf.param, leaf.grad, [leaf.moments[0], leaf.moments[1]], t)?
                            .to_vec())
                    },
                    &numbers,
                )?;
                *step += 1;
                Ok(())
            }
        }
    };
}
adam!(
    Adam,
    false,
    "Moves the parameters against the gradient, and the moments with them. `torch.optim.Adam.step`."
);
adam!(
    AdamW,
    true,
    "Moves the parameters against the gradient, and the moments with them. `torch.optim.AdamW.step`."
);

fn number(x: f64) -> Any {
    Any::new(Tensor::scalar(x))
}

/// A leaf while its update is built.
struct Values {
    param: Value,
    grad: Value,
    moments: Vec<Value>,
    numbers: Vec<Value>,
}

impl Values {
    /// The hyper-parameters as they are given, f64.
    fn wide<const N: usize>(&self) -> [Value; N] {
        std::array::from_fn(|i| self.numbers[i])
    }

    /// The hyper-parameters in the element type of the parameter.
    fn numbers<const N: usize>(&self, b: &mut Builder, _: &[Any; N]) -> Result<[Value; N], Fault> {
        let mut narrow = self.wide();
        for v in &mut narrow {
            *v = b.emit(Op::Cast(b.ty(self.param).dtype), &[*v])?;
        }
        Ok(narrow)
    }
}

/// Replaces every trained leaf and its moments by what `rule` builds: parameter, then moments.
#[track_caller]
fn update<P: Params, const MOMENTS: usize>(
    params: &mut P,
    grads: &P,
    mut moments: [&mut P; MOMENTS],
    rule: impl Fn(&mut Builder, &Values) -> Result<Vec<Value>, Fault>,
    numbers: &[Any],
) -> Result<()> {
    let at = Location::caller();
    let new = {
        let moments: Vec<Vec<Leaf<'_>>> = moments.iter().map(|m| m.named_leaves()).collect();
        let (params, grads) = (params.named_leaves(), grads.named_leaves());
        let trained = (0..params.len()).filter(|i| params[*i].kind == LeafKind::Parameter);
        let updated = trained.map(|i| {
            let tensors: Vec<&Tensor> = [params[i].tensor, grads[i].tensor]
                .into_iter()
                .chain(moments.iter().map(|m| m[i].tensor))
                .collect();
            fitting(&params[i].name, &tensors, at)?;
            let inputs = tensors.into_iter().cloned().map(Any::new).chain(numbers.iter().cloned()).collect();
            let built = with_recording(false, || {
                function("step", inputs, |b, values| {
                    let (leaf, numbers) = values.split_at(2 + MOMENTS);
                    let (numbers, moments) = (numbers.to_vec(), leaf[2..].to_vec());
                    rule(b, &Values { param: leaf[0], grad: leaf[1], moments, numbers })
                })
            });
            built.map_err(|what| Error::Operation { what, at })
        });
        updated.collect::<Result<Vec<Vec<Tensor>>>>()?
    };
    let mut targets: Vec<std::vec::IntoIter<LeafMut<'_>>> =
        std::iter::once(&mut *params).chain(moments.iter_mut().map(|m| &mut **m)).map(trained_mut).collect();
    for tensors in new {
        for (target, tensor) in targets.iter_mut().zip(tensors) {
            if let Some(leaf) = target.next() {
                let track = kept(leaf.tensor.track());
                *leaf.tensor = tensor.tracked(track);
            }
        }
    }
    Ok(())
}

fn trained_mut<P: Params>(tree: &mut P) -> std::vec::IntoIter<LeafMut<'_>> {
    let mut leaves = Vec::new();
    tree.leaves_mut("", &mut leaves);
    leaves.retain(|leaf| leaf.kind == LeafKind::Parameter);
    leaves.into_iter()
}

/// A parameter that requires a gradient does so after the step.
fn kept(track: &Track) -> Track {
    match track.origin() {
        Some(Origin::Leaf(_)) => track.clone(),
        _ => Track::default(),
    }
}

/// An error unless a parameter, its gradient and its moments are of one shape.
fn fitting(name: &str, tensors: &[&Tensor], at: &'static Location<'static>) -> Result<()> {
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
