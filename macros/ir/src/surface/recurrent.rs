//! Recurrent layers: one layer in one direction each.

use super::{Args, table};
use crate::Error;
use crate::composite::recurrent::{self, Weights};
use crate::{Builder, Fault, Value};

table! {
    /// An Elman network over x [T, B, I], nonlinearity "tanh" or "relu": all states [T, B, H] and the last [B, H].
    Function rnn(
        x: Tensor, h: Maybe, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Maybe, bias_hh: Maybe,
        nonlinearity: Text, reverse: Bool
    ) -> Pair |b, a| rnn(b, a);
    /// An LSTM over x [T, B, I], gates i, f, g, o: all states [T, B, H], the last h and c [B, H].
    Function lstm(
        x: Tensor, h: Maybe, c: Maybe, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Maybe, bias_hh: Maybe,
        reverse: Bool
    ) -> Triple
        |b, a| recurrent::lstm(b, a.tensor(0), a.maybe(1), a.maybe(2), weights(a, 3), a.bool(7));
    /// A GRU over x [T, B, I], gates r, z, n: all states [T, B, H] and the last [B, H].
    Function gru(
        x: Tensor, h: Maybe, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Maybe, bias_hh: Maybe, reverse: Bool
    ) -> Pair
        |b, a| recurrent::gru(b, a.tensor(0), a.maybe(1), weights(a, 2), a.bool(6));
}

fn weights(a: &Args, first: usize) -> Weights {
    Weights {
        weight_ih: a.tensor(first),
        weight_hh: a.tensor(first + 1),
        bias_ih: a.maybe(first + 2),
        bias_hh: a.maybe(first + 3),
    }
}

fn rnn(b: &mut Builder, a: &Args) -> Result<[Value; 2], Error> {
    let is_relu = match a.text(6) {
        "tanh" => false,
        "relu" => true,
        other => {
            let what = format!("`nonlinearity` is \"tanh\" or \"relu\", not {other:?}");
            return Err(b.error(Fault::Attribute { op: "rnn".into(), what }));
        }
    };
    recurrent::rnn(b, a.tensor(0), a.maybe(1), weights(a, 2), is_relu, a.bool(7))
}
