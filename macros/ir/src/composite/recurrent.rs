//! Recurrent layers, one layer in one direction each, over `x` `[T, B, I]`: `torch.nn.RNN`, `LSTM`, `GRU`.
//!
//! The inputs' products are one product for all steps, before the loop. A state that isn't given is 0.

use super::Built;
use super::activation::{relu, sigmoid};
use super::linalg::linear;
use crate::{Builder, Error, Fault, Role, Scalar, Scan, SliceAxis, Ty, Value};
use std::sync::Arc;

/// A layer's weights: `weight_ih` `[G·H, I]`, `weight_hh` `[G·H, H]`, biases `[G·H]`; G gates one below the other.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Weights {
    pub weight_ih: Value,
    pub weight_hh: Value,
    pub bias_ih: Option<Value>,
    pub bias_hh: Option<Value>,
}

/// `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or ReLU in place of tanh. Returns all states `[T, B, H]` and the last.
/// Elman, *Finding Structure in Time* (1990).
///
/// # Errors
/// If the shapes don't fit.
pub fn rnn(
    b: &mut Builder,
    x: Value,
    h: Option<Value>,
    w: Weights,
    is_relu: bool,
    reverse: bool,
) -> Result<[Value; 2], Error> {
    let results = layer(b, "rnn", x, &[h], w, 1, reverse, &|b, _, from_x, from_h| {
        let sum = b.add(from_x, from_h)?;
        Ok(vec![if is_relu { relu(b, sum)? } else { b.map(Scalar::Tanh, &[sum])? }])
    })?;
    Ok([results[0], results[1]])
}

/// Gates i, f, g, o: `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')`. Returns all states `[T, B, H]`, the last `h` and `c`.
/// Hochreiter and Schmidhuber, *Long Short-Term Memory* (1997), with Gers' forget gate (2000).
///
/// # Errors
/// If the shapes don't fit.
pub fn lstm(
    b: &mut Builder,
    x: Value,
    h: Option<Value>,
    c: Option<Value>,
    w: Weights,
    reverse: bool,
) -> Result<[Value; 3], Error> {
    let results = layer(b, "lstm", x, &[h, c], w, 4, reverse, &|b, state, from_x, from_h| {
        let sum = b.add(from_x, from_h)?;
        let [i, f, g, o] = [0, 1, 2, 3].map(|n| gate(b, sum, n, 4));
        let (i, f, o) = (i?, f?, o?);
        let (i, f, o) = (sigmoid(b, i)?, sigmoid(b, f)?, sigmoid(b, o)?);
        let g = b.map(Scalar::Tanh, &[g?])?;
        let (kept, new) = (b.map(Scalar::Mul, &[f, state[1]])?, b.map(Scalar::Mul, &[i, g])?);
        let c = b.map(Scalar::Add, &[kept, new])?;
        let squashed = b.map(Scalar::Tanh, &[c])?;
        Ok(vec![b.map(Scalar::Mul, &[o, squashed])?, c])
    })?;
    Ok([results[0], results[1], results[2]])
}

/// Gates r, z, n: `n = tanh(W_in x + b_in + σ(r) (W_hn h + b_hn))`, `h' = (1 − σ(z)) n + σ(z) h`. Returns all states
/// `[T, B, H]` and the last. Cho et al., *Learning Phrase Representations* (2014).
///
/// # Errors
/// If the shapes don't fit.
pub fn gru(
    b: &mut Builder,
    x: Value,
    h: Option<Value>,
    w: Weights,
    reverse: bool,
) -> Result<[Value; 2], Error> {
    let results = layer(b, "gru", x, &[h], w, 3, reverse, &|b, state, from_x, from_h| {
        let sum = |b: &mut Builder, n| {
            let (x, h) = (gate(b, from_x, n, 3)?, gate(b, from_h, n, 3)?);
            let sum = b.map(Scalar::Add, &[x, h])?;
            sigmoid(b, sum)
        };
        let (r, z) = (sum(b, 0)?, sum(b, 1)?);
        let (x, h) = (gate(b, from_x, 2, 3)?, gate(b, from_h, 2, 3)?);
        let reset = b.map(Scalar::Mul, &[r, h])?;
        let n = b.map(Scalar::Add, &[x, reset])?;
        let n = b.map(Scalar::Tanh, &[n])?;
        // (1 − z) n + z h = n + z (h − n)
        let off = b.map(Scalar::Sub, &[state[0], n])?;
        let moved = b.map(Scalar::Mul, &[z, off])?;
        Ok(vec![b.map(Scalar::Add, &[n, moved])?])
    })?;
    Ok([results[0], results[1]])
}

/// What a step makes of the state and the gates' sums from x and from h `[B, G·H]`: the next state, h first.
type Step<'a> = dyn Fn(&mut Builder, &[Value], Value, Value) -> Result<Vec<Value>, Error> + 'a;

/// The loop: all states, then the last.
#[allow(clippy::too_many_arguments)]
fn layer(
    b: &mut Builder,
    name: &str,
    x: Value,
    state: &[Option<Value>],
    w: Weights,
    gates: usize,
    reverse: bool,
    step: &Step,
) -> Result<Vec<Value>, Error> {
    let state: Result<Vec<Value>, Error> =
        state.iter().map(|v| v.map_or_else(|| zero_state(b, x, w.weight_hh), Ok)).collect();
    let state = state?;
    check(b, name, x, &state, &w, gates)?;
    let from_x = linear(b, x, w.weight_ih, w.bias_ih)?;
    let stacked = b.ty(from_x).clone();
    let mut turn = Builder::new(name, b.func().syms.clone());
    let names = ["h", "c"];
    let carried: Vec<Value> = state
        .iter()
        .zip(names)
        .map(|(v, n): (&Value, _)| turn.input(n, b.ty(*v).clone(), Role::Argument))
        .collect();
    let each = turn.input("from_x", Ty::new(stacked.dtype, &stacked.shape[1..]), Role::Argument);
    let weight = turn.input("weight_hh", b.ty(w.weight_hh).clone(), Role::Argument);
    let bias = w.bias_hh.map(|v| turn.input("bias_hh", b.ty(v).clone(), Role::Argument));
    let from_h = linear(&mut turn, carried[0], weight, bias)?;
    let next = step(&mut turn, &carried, each, from_h)?;
    for (n, v) in names.iter().zip(&next) {
        turn.output(n, *v, None);
    }
    turn.output("y", next[0], None);
    let trips = stacked.shape[0].clone();
    let scan = Scan {
        body: Arc::new(turn.finish()),
        trips,
        carries: state.len(),
        scanned: 1,
        reverse,
        again: false,
        guard: None,
    };
    let args: Vec<Value> = state.iter().copied().chain([from_x, w.weight_hh]).chain(w.bias_hh).collect();
    let mut results = b.scan(scan, &args)?;
    let all = results.pop().expect("the states of all steps");
    results.insert(0, all);
    Ok(results)
}

/// Gate `n` of `gates` of `[B, G·H]`.
fn gate(b: &mut Builder, sums: Value, n: usize, gates: usize) -> Built {
    let shape = b.ty(sums).shape.clone();
    let hidden = shape[1].divide(&gates.into()).expect("as many rows as gates");
    let rows = SliceAxis { start: 0.into(), len: shape[0].clone(), step: 1 };
    let columns = SliceAxis { start: hidden.clone() * n.into(), len: hidden, step: 1 };
    b.emit(crate::Op::Slice(vec![rows, columns]), &[sums])
}

fn check(b: &Builder, op: &str, x: Value, state: &[Value], w: &Weights, gates: usize) -> Result<(), Error> {
    let rank = |v: Value, want: usize, what: &str| {
        let got = b.ty(v).clone();
        if got.rank() == want {
            return Ok(());
        }
        Err(b.error(Fault::Rank { op: op.into(), want: format!("{want} for {what}"), got }))
    };
    rank(x, 3, "x, [T, B, I]")?;
    rank(w.weight_ih, 2, "weight_ih, [G·H, I]")?;
    rank(w.weight_hh, 2, "weight_hh, [G·H, H]")?;
    let hidden = b.ty(w.weight_hh).shape[1].clone();
    let (time, input) = (b.ty(x).shape.clone(), b.ty(w.weight_ih).shape[1].clone());
    let dtype = b.ty(x).dtype;
    let all = hidden.clone() * gates.into();
    let mut wanted = vec![
        ("`x`", x, vec![time[0].clone(), time[1].clone(), input.clone()]),
        ("`weight_ih`", w.weight_ih, vec![all.clone(), input]),
        ("`weight_hh`", w.weight_hh, vec![all.clone(), hidden.clone()]),
    ];
    wanted.extend(state.iter().map(|v| ("the state", *v, vec![time[1].clone(), hidden.clone()])));
    wanted.extend(w.bias_ih.map(|v| ("`bias_ih`", v, vec![all.clone()])));
    wanted.extend(w.bias_hh.map(|v| ("`bias_hh`", v, vec![all.clone()])));
    for (what, v, shape) in wanted {
        let (want, got) = (Ty::new(dtype, shape), b.ty(v).clone());
        if want != got {
            let shown = |ty: &Ty| {
                let dims: Vec<String> =
                    ty.shape.iter().map(|d| d.display(&b.func().syms).to_string()).collect();
                format!("{} [{}]", ty.dtype.name(), dims.join(", "))
            };
            let what = format!("{what} must be {}, not {}", shown(&want), shown(&got));
            return Err(b.error(Fault::Attribute { op: op.into(), what }));
        }
    }
    Ok(())
}

/// Zeros `[B, H]`.
fn zero_state(b: &mut Builder, x: Value, weight_hh: Value) -> Built {
    let (batch, hidden) = (b.axis("recurrent layer", x, 1)?, b.axis("recurrent layer", weight_hh, 1)?);
    let shape = [b.ty(x).shape[batch].clone(), b.ty(weight_hh).shape[hidden].clone()];
    let dtype = b.ty(x).dtype;
    let zero = b.constant(0.0, dtype);
    b.broadcast_to(zero, &shape)
}
