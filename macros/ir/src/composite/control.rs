//! Control that data decides: a branch, and a loop that ends when its condition does. Both are loops whose turns are guarded.

use crate::{Builder, Dim, Error, Func, Role, Scalar, Scan, Ty, Value};
use std::sync::Arc;

/// A function, and the values that it takes behind its own arguments.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The function.
    pub func: &'a Func,
    /// What it captures.
    pub captures: &'a [Value],
}

impl Part<'_> {
    fn types(&self) -> impl Iterator<Item = &Ty> {
        self.func.outputs.iter().map(|o| self.func.ty(o.value))
    }

    /// The inputs that stand for what it captures.
    fn captured(&self, body: &mut Builder) -> Vec<Value> {
        let own = self.func.inputs.len() - self.captures.len();
        self.func.inputs[own..].iter().map(|i| body.input(&i.name, i.ty.clone(), Role::Argument)).collect()
    }
}

/// The results of the first function where `pred` holds, else of the second; only that one is run. Both take nothing but
/// what they capture, and their results are of equal types.
///
/// # Errors
/// If `pred` is no scalar truth value, or the types differ.
pub fn cond(b: &mut Builder, pred: Value, then: Part, other: Part) -> Result<Vec<Value>, Error> {
    let against = b.map(Scalar::Not, &[pred])?;
    let mut results = Vec::new();
    for ty in then.types() {
        let zero = b.constant(0.0, ty.dtype);
        results.push(b.broadcast_to(zero, &ty.shape)?);
    }
    for (guard, part) in [(pred, then), (against, other)] {
        results = branch(b, guard, part, &results)?;
    }
    Ok(results)
}

/// What the function makes where the guard holds, else what was there before.
fn branch(b: &mut Builder, guard: Value, part: Part, before: &[Value]) -> Result<Vec<Value>, Error> {
    let mut body = Builder::new(&part.func.name, b.func().syms.clone());
    for (v, output) in before.iter().zip(&part.func.outputs) {
        body.input(&output.name, b.ty(*v).clone(), Role::Argument);
    }
    let captured = part.captured(&mut body);
    body.input("taken", b.ty(guard).clone(), Role::Argument);
    for (output, v) in part.func.outputs.iter().zip(body.inline(part.func, &captured)?) {
        body.output(&output.name, v, None);
    }
    let at = before.len() + captured.len();
    let scan = Scan {
        body: Arc::new(body.finish()),
        trips: 1.into(),
        carries: before.len(),
        scanned: 0,
        reverse: false,
        again: false,
        guard: Some(at),
    };
    b.scan(scan, &[before, part.captures, &[guard]].concat())
}

/// `turn` again and again while `going` holds of the state, at most `max` times: the last state.
///
/// # Errors
/// If `going` gives no scalar truth value, or `turn` another state than it takes.
pub fn while_loop(
    b: &mut Builder,
    max: &Dim,
    state: &[Value],
    going: Part,
    turn: Part,
) -> Result<Vec<Value>, Error> {
    let first = b.inline(going.func, &[state, going.captures].concat())?;
    let mut body = Builder::new(&turn.func.name, b.func().syms.clone());
    let carried: Vec<Value> = state
        .iter()
        .zip(&turn.func.inputs)
        .map(|(v, input)| body.input(&input.name, b.ty(*v).clone(), Role::Argument))
        .collect();
    body.input("going", b.ty(first[0]).clone(), Role::Argument);
    let captured = [turn.captured(&mut body), going.captured(&mut body)];
    let next = body.inline(turn.func, &[carried, captured[0].clone()].concat())?;
    let goes_on = body.inline(going.func, &[next.as_slice(), &captured[1]].concat())?;
    for (input, v) in turn.func.inputs.iter().zip(&next) {
        body.output(&input.name, *v, None);
    }
    body.output("going", goes_on[0], None);
    let scan = Scan {
        body: Arc::new(body.finish()),
        trips: max.clone(),
        carries: state.len() + 1,
        scanned: 0,
        reverse: false,
        again: false,
        guard: Some(state.len()),
    };
    let mut results = b.scan(scan, &[state, &first[..1], turn.captures, going.captures].concat())?;
    results.truncate(state.len());
    Ok(results)
}
