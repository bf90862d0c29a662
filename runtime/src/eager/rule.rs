//! `custom_vjp(f, rule)(…)` when a model runs eagerly: a call whose gradient is what the rule computes when it is asked.

use std::panic::Location;
use std::sync::Arc;

use kiln_ir::{Builder, Role, Syms, Ty};

use super::Any;
use super::call::Compiled;
use super::tape::{Call, Track, recording, with_recording};
use super::transform::Outcome;
use crate::{Error, Result};

/// From the arguments, the value and its cotangent to a cotangent for each argument of floats.
pub(crate) type Rule = Arc<dyn Fn(&[Any], Any, Any) -> Vec<Any> + Send + Sync>;

/// The value of `f(args…)`, whose gradient is by the rule.
#[track_caller]
pub fn custom_vjp<A, R, G>(args: A, value: R, rule: impl Fn(A, R, R) -> G + Send + Sync + 'static) -> R
where
    A: Outcome + Send + Sync + 'static,
    R: Outcome + Send + Sync + 'static,
    G: Outcome,
{
    let (mut inputs, mut of) = (Vec::new(), Vec::new());
    args.tensors(&mut inputs);
    let (args, value) = (args.detached(), value.detached());
    value.tensors(&mut of);
    let sound = inputs.iter().chain(&of).all(|x| !x.track().is_fault());
    if !sound || !recording() || !inputs.iter().any(|x| x.track().is_active()) {
        return value;
    }
    let like = value.rebuilt(&mut of.iter().cloned());
    let by_rule: Rule = Arc::new(move |inputs, value, cotangent| {
        let args = args.rebuilt(&mut inputs.iter().cloned());
        let one = |x: Any| like.rebuilt(&mut std::iter::once(x));
        let mut made = Vec::new();
        rule(args, one(value), one(cotangent)).tensors(&mut made);
        made
    });
    let call = Call::by_rule(identity(&of[0]), inputs, of[0].clone(), by_rule);
    value.rebuilt(&mut std::iter::once(of.remove(0).tracked(Track::output(&call, 0))))
}

/// A function with the value as its result.
fn identity(value: &Any) -> Arc<Compiled> {
    let mut b = Builder::new("custom_vjp", Syms::default());
    let shape: Vec<kiln_ir::Dim> = value.shape().iter().map(|n| (*n as i64).into()).collect();
    let v = b.input("value", Ty::new(value.dtype(), shape), Role::Argument);
    b.output("value", v, None);
    Compiled::new(b.finish())
}

/// The cotangents of the arguments that are floats, from that of the value.
pub(crate) fn cotangents(
    call: &Arc<Call>,
    cotangent: Any,
    at: &'static Location<'static>,
) -> Result<Option<Vec<(usize, Any)>>> {
    let Some((value, rule)) = &call.rule else { return Ok(None) };
    // A rule may take gradients itself, for which it must be recorded, whether its own are asked or not.
    let made = if recording() {
        rule(&call.inputs, value.clone().tracked(Track::output(call, 0)), cotangent)
    } else {
        let inputs: Vec<Any> = call.inputs.iter().map(Any::detach).collect();
        let made = with_recording(true, || rule(&inputs, value.detach(), cotangent));
        made.iter().map(Any::detach).collect()
    };
    let floats: Vec<usize> = (0..call.inputs.len()).filter(|i| call.inputs[*i].dtype().is_float()).collect();
    made.iter().try_for_each(|x| x.track().sound())?;
    let fits = |(i, x): (&usize, &Any)| call.inputs[*i].ty() == x.ty();
    if made.len() != floats.len() || !floats.iter().zip(&made).all(fits) {
        let what = "the rule of `custom_vjp` gives a cotangent for each argument of floats, of its type";
        return Err(Error::Operation { what: what.into(), at });
    }
    Ok(Some(floats.into_iter().zip(made).collect()))
}
