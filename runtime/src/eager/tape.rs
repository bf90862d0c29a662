//! The tape: how each tensor was computed, as long as a gradient may be asked.

use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Any;
use super::call::Compiled;
use super::rule::Rule;
use crate::{Error, Result};

/// Where a tensor comes from. Most come from nowhere.
#[derive(Clone, Default)]
pub struct Track(Option<Origin>);

#[derive(Clone)]
pub(crate) enum Origin {
    /// It is asked for a gradient.
    Leaf(Arc<Leaf>),
    /// It is that output of a call.
    Output(Arc<Call>, usize),
    /// It stands for an operation that failed.
    Fault(Arc<Fault>),
}

/// A tensor that [`crate::Tensor::requires_grad`] made, with all its clones.
pub(crate) struct Leaf {
    pub id: u64,
    grad: Mutex<Option<Any>>,
}

/// A function applied to tensors.
pub(crate) struct Call {
    /// Later calls have larger numbers, so that descending order is from results to arguments.
    pub id: u64,
    pub function: Arc<Compiled>,
    pub inputs: Vec<Any>,
    /// Its value and the rule for its gradient, if that isn't the function's own.
    pub rule: Option<(Any, Rule)>,
}

/// The first error of a computation.
pub(crate) struct Fault {
    what: String,
    at: &'static Location<'static>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local!(static RECORDING: Cell<bool> = const { Cell::new(true) });

/// Whether calls are kept for gradients.
pub(crate) fn recording() -> bool {
    RECORDING.get()
}

/// Runs `f` with calls kept or not.
pub(crate) fn with_recording<R>(on: bool, f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(on));
    f()
}

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Track {
    pub(crate) fn leaf() -> Track {
        Track(Some(Origin::Leaf(Arc::new(Leaf { id: next(), grad: Mutex::new(None) }))))
    }

    pub(crate) fn output(call: &Arc<Call>, index: usize) -> Track {
        Track(Some(Origin::Output(Arc::clone(call), index)))
    }

    pub(crate) fn fault(what: String, at: &'static Location<'static>) -> Track {
        Track(Some(Origin::Fault(Arc::new(Fault { what, at }))))
    }

    pub(crate) fn origin(&self) -> Option<&Origin> {
        self.0.as_ref()
    }

    /// Whether a gradient may be asked of it.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.0, Some(Origin::Leaf(_) | Origin::Output(..)))
    }

    pub(crate) fn is_fault(&self) -> bool {
        matches!(self.0, Some(Origin::Fault(_)))
    }

    /// The tensor is written to: it is no longer what was computed.
    pub(crate) fn written(&mut self) {
        if let Some(Origin::Output(..)) = self.0 {
            self.0 = None;
        }
    }

    /// An error if the tensor stands for an operation that failed.
    pub(crate) fn sound(&self) -> Result<()> {
        match &self.0 {
            Some(Origin::Fault(fault)) => Err(fault.error()),
            _ => Ok(()),
        }
    }
}

impl Fault {
    fn error(&self) -> Error {
        Error::Operation { what: self.what.clone(), at: self.at }
    }
}

impl Leaf {
    pub fn grad(&self) -> Option<Any> {
        self.grad.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_grad(&self, grad: Option<Any>) {
        *self.grad.lock().unwrap_or_else(PoisonError::into_inner) = grad;
    }
}

impl Call {
    pub fn new(function: Arc<Compiled>, inputs: Vec<Any>) -> Arc<Call> {
        Arc::new(Call { id: next(), function, inputs, rule: None })
    }

    /// A call of one result whose gradient is by a rule.
    pub fn by_rule(function: Arc<Compiled>, inputs: Vec<Any>, value: Any, rule: Rule) -> Arc<Call> {
        Arc::new(Call { id: next(), function, inputs, rule: Some((value, rule)) })
    }
}

impl Drop for Call {
    /// One call after the other: a chain of a million would overflow the stack.
    fn drop(&mut self) {
        let mut stack = std::mem::take(&mut self.inputs);
        while let Some(input) = stack.pop() {
            if let Some(Origin::Output(call, _)) = input.into_track().0
                && let Some(mut call) = Arc::into_inner(call)
            {
                stack.append(&mut call.inputs);
            }
        }
    }
}
