//! Connectionist temporal classification: labels without a place in time. Graves et al., *Connectionist Temporal Classification* (2006).

use super::Built;
use super::index::gather;
use super::loss::{Reduce, reduced};
use super::reduce;
use super::shape::{cat, expand, reshape, slice, stack, unsqueeze};
use crate::{Builder, DType, Dim, Error, Fault, Op, Role, Scalar, Scan, Ty, Value};
use std::sync::Arc;

/// The logarithm of no probability: finite, so that sums of it are no NaN.
const NEVER: f64 = -1e30;

/// What `ctc` takes.
#[derive(Clone, Copy, Debug)]
pub struct Ctc {
    /// Logarithms of probabilities, `[T, N, C]`.
    pub log_probs: Value,
    /// Labels, i64 `[N, S]`; what stands behind a sequence's own counts for nothing.
    pub targets: Value,
    /// How many steps each sequence has, i64 `[N]`.
    pub input_lengths: Value,
    /// How many labels each sequence has, i64 `[N]`.
    pub target_lengths: Value,
    /// The class of no label.
    pub blank: i64,
    /// Whether a loss that is infinite, the labels being too many for the steps, counts 0.
    pub zero_infinity: bool,
    /// How the losses become one; the mean is that of losses over their numbers of labels.
    pub reduction: Reduce,
}

/// −ln of the probability that the steps say the labels, between which any blanks and repetitions of a label may stand.
///
/// # Errors
/// If the shapes or types don't fit.
pub fn ctc(b: &mut Builder, told: Ctc) -> Built {
    check(b, &told)?;
    let states = states(b, told.targets, told.blank)?;
    let (said, live) = steps(b, &told, states)?;
    let jumps = jumps(b, states, told.blank)?;
    let last = forward(b, said, live, jumps)?;
    let loss = ended(b, last, &told)?;
    if told.reduction != Reduce::Mean {
        return reduced(b, loss, told.reduction);
    }
    let one = b.splat(1.0, told.target_lengths)?;
    let labels = b.map(Scalar::Max, &[told.target_lengths, one])?;
    let labels = b.emit(Op::Cast(b.ty(loss).dtype), &[labels])?;
    let share = b.div(loss, labels)?;
    reduce::mean(b, share, &[])
}

fn check(b: &Builder, told: &Ctc) -> Result<(), Error> {
    let fault = |what: String| Err(b.error(Fault::Attribute { op: "ctc_loss".into(), what }));
    let (x, targets) = (b.ty(told.log_probs), b.ty(told.targets));
    if x.rank() != 3 || !x.dtype.is_float() {
        return fault(format!("`log_probs` must be floats [T, N, C], and has rank {}", x.rank()));
    }
    if targets.rank() != 2 || targets.dtype != DType::I64 || targets.shape[0] != x.shape[1] {
        return fault("`targets` must be i64 [N, S], with the N of `log_probs` [T, N, C]".into());
    }
    let lengths = Ty::new(DType::I64, &x.shape[1..2]);
    if *b.ty(told.input_lengths) != lengths || *b.ty(told.target_lengths) != lengths {
        return fault("`input_lengths` and `target_lengths` must be i64 [N]".into());
    }
    let classes = x.shape[2].literal().unwrap_or(i64::MAX);
    if !(0..classes).contains(&told.blank) {
        return fault(format!("`blank` must be one of the classes, and is {}", told.blank));
    }
    Ok(())
}

/// The labels with a blank before each and behind all, `[N, 2S + 1]`.
fn states(b: &mut Builder, targets: Value, blank: i64) -> Built {
    let shape = b.ty(targets).shape.clone();
    let blanks = b.splat(blank as f64, targets)?;
    let pairs = stack(b, &[blanks, targets], 2)?;
    let flat = reshape(b, pairs, &[shape[0].clone(), shape[1].clone() * 2.into()])?;
    let blank = b.constant(blank as f64, DType::I64);
    let end = b.broadcast_to(blank, &[shape[0].clone(), 1.into()])?;
    cat(b, &[flat, end], 1)
}

/// For each step the logarithm of each state's probability `[T, N, L]`, and whether the sequence still goes on `[T, N]`.
fn steps(b: &mut Builder, told: &Ctc, states: Value) -> Result<(Value, Value), Error> {
    let time = b.ty(told.log_probs).shape[0].clone();
    let all = [&b.ty(told.log_probs).shape[..1], &b.ty(states).shape[..]].concat();
    let index = expand(b, states, &all)?;
    let said = gather(b, told.log_probs, 2, index)?;
    let step = b.emit(Op::Iota { len: time, dtype: DType::I64 }, &[])?;
    let step = unsqueeze(b, step, 1)?;
    let live = b.elementwise(Scalar::Lt, &[step, told.input_lengths])?;
    Ok((said, live))
}

/// Where a state may follow the one before the last, `[N, L]`: at labels other than the label before.
fn jumps(b: &mut Builder, states: Value, blank: i64) -> Built {
    let no = b.splat(-1.0, states)?;
    let before = shifted(b, states, no, 2)?;
    let blank = b.splat(blank as f64, states)?;
    let mut may = None;
    for (one, other) in [(states, before), (states, blank), (before, no)] {
        let same = b.map(Scalar::Eq, &[one, other])?;
        let differ = b.map(Scalar::Not, &[same])?;
        may = Some(may.map_or(Ok(differ), |may| b.map(Scalar::And, &[may, differ]))?);
    }
    Ok(may.expect("three conditions"))
}

/// `x[…, l − by]`, and for the first states what `with` has.
fn shifted(b: &mut Builder, x: Value, with: Value, by: i64) -> Built {
    let len = b.ty(x).shape[1].clone();
    let first = slice(b, with, 1, 0.into(), by.into(), 1)?;
    let rest = slice(b, x, 1, 0.into(), len - Dim::from(by), 1)?;
    cat(b, &[first, rest], 1)
}

/// The logarithms of the probabilities of being in each state behind all steps, `[N, L]`.
fn forward(b: &mut Builder, said: Value, live: Value, jumps: Value) -> Built {
    let (ty, going) = (b.ty(said).clone(), b.ty(live).clone());
    let state = Ty::new(ty.dtype, &ty.shape[1..]);
    let mut turn = Builder::new("ctc", b.func().syms.clone());
    let alpha = turn.input("alpha", state.clone(), Role::Argument);
    let each = turn.input("said", state.clone(), Role::Argument);
    let live_now = turn.input("live", Ty::new(going.dtype, &going.shape[1..]), Role::Argument);
    let may = turn.input("jumps", b.ty(jumps).clone(), Role::Argument);
    let next = step(&mut turn, alpha, each, live_now, may)?;
    turn.output("alpha", next, None);
    let (trips, body) = (ty.shape[0].clone(), Arc::new(turn.finish()));
    let scan = Scan { body, trips, carries: 1, scanned: 2, reverse: false, again: false, guard: None };
    // Before the first step it is in the blank before all labels.
    let len = state.shape[1].clone();
    let place = b.emit(Op::Iota { len, dtype: DType::I64 }, &[])?;
    let first = b.splat(0.0, place)?;
    let first = b.map(Scalar::Eq, &[place, first])?;
    let (sure, never) = (b.constant(0.0, ty.dtype), b.constant(NEVER, ty.dtype));
    let start = b.elementwise(Scalar::Select, &[first, sure, never])?;
    let start = b.broadcast_to(start, &state.shape)?;
    Ok(b.scan(scan, &[start, said, live, jumps])?[0])
}

/// A state is reached from itself, from the one before, and by a jump from the one before that.
fn step(b: &mut Builder, alpha: Value, said: Value, live: Value, may: Value) -> Built {
    let never = b.splat(NEVER, alpha)?;
    let (moved, far) = (shifted(b, alpha, never, 1)?, shifted(b, alpha, never, 2)?);
    let jumped = b.map(Scalar::Select, &[may, far, never])?;
    let reached = logsumexp(b, &[alpha, moved, jumped])?;
    let next = b.map(Scalar::Add, &[reached, said])?;
    let live = unsqueeze(b, live, 1)?;
    b.elementwise(Scalar::Select, &[live, next, alpha])
}

fn logsumexp(b: &mut Builder, terms: &[Value]) -> Built {
    let mut top = terms[0];
    for term in &terms[1..] {
        top = b.map(Scalar::Max, &[top, *term])?;
    }
    let top = b.emit(Op::StopGrad, &[top])?;
    let mut sum = None;
    for term in terms {
        let low = b.map(Scalar::Sub, &[*term, top])?;
        let e = b.map(Scalar::Exp, &[low])?;
        sum = Some(sum.map_or(Ok(e), |sum| b.map(Scalar::Add, &[sum, e]))?);
    }
    let log = b.map(Scalar::Log, &[sum.expect("some terms")])?;
    b.map(Scalar::Add, &[log, top])
}

/// −ln of the probability of having ended in the last label or the blank behind it, `[N]`.
fn ended(b: &mut Builder, last: Value, told: &Ctc) -> Built {
    let labels = told.target_lengths;
    let (zero, one) = (b.splat(0.0, labels)?, b.splat(1.0, labels)?);
    let blank = b.map(Scalar::Add, &[labels, labels])?;
    let label = b.map(Scalar::Sub, &[blank, one])?;
    let at = |b: &mut Builder, place: Value| {
        let place = unsqueeze(b, place, 1)?;
        let picked = gather(b, last, 1, place)?;
        reduce::sum(b, picked, &[1])
    };
    let (blank, label) = (at(b, blank)?, at(b, label)?);
    let none = b.map(Scalar::Eq, &[labels, zero])?;
    let never = b.splat(NEVER, label)?;
    let label = b.map(Scalar::Select, &[none, never, label])?;
    let log = logsumexp(b, &[blank, label])?;
    let loss = b.map(Scalar::Neg, &[log])?;
    let far = b.splat(-NEVER / 10.0, loss)?;
    let impossible = b.map(Scalar::Lt, &[far, loss])?;
    let instead = b.splat(if told.zero_infinity { 0.0 } else { f64::INFINITY }, loss)?;
    b.map(Scalar::Select, &[impossible, instead, loss])
}
