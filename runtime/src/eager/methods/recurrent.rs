//! Recurrent layers as functions: one layer in one direction each.

use super::free_functions;
use crate::Tensor;

free_functions! {
    /// `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` (or `"relu"`) over the steps of x `[T, B, I]`: `torch.nn.RNN` of one layer.
    /// Weights `[H, I]` and `[H, H]`, biases `[H]`; no h is zeros. In reverse from the last step to the first.
    /// Yields all states `[T, B, H]` and the last `[B, H]`. Elman (1990).
    rnn[T](
        x: Tensor, h: Maybe, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Maybe, bias_hh: Maybe,
        nonlinearity: Text, reverse: Bool
    ) -> Both,
        "let one: Tensor = Tensor::from([[1.0]]);\nlet x = Tensor::from([[[1.0]], [[2.0]]]);\nlet (all, last) = rnn(x, None, &one, &one, None, None, \"relu\", false);\nassert_eq!((all.flatten(0, -1).to_string(), last.to_string()), (\"[1, 3]\".into(), \"[[3]]\".into()));";
    /// `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')` over the steps of x `[T, B, I]`: `torch.nn.LSTM` of one layer.
    /// Weights `[4H, I]` and `[4H, H]`, biases `[4H]`, gates i, f, g, o; no h or c is zeros. In reverse from the last step to the
    /// first. Yields all states `[T, B, H]`, the last h and the last c `[B, H]`. Hochreiter and Schmidhuber (1997).
    lstm[T](
        x: Tensor, h: Maybe, c: Maybe, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Maybe, bias_hh: Maybe,
        reverse: Bool
    ) -> Triple,
        "let w: Tensor = Tensor::from([[0.0], [0.0], [0.0], [0.0]]);\nlet c = Tensor::from([[8.0]]);\nlet x = Tensor::from([[[1.0]], [[2.0]]]);\nlet (all, _, c) = lstm(x, None, Some(c), &w, &w, None, None, false);\n// Each gate is a half, so that c halves with each step.\nassert_eq!((all.shape(), c.to_string()), (&[2, 1, 1][..], \"[[2]]\".into()));";
    /// `n = tanh(W_in x + b_in + σ(r) (W_hn h + b_hn))`, `h' = (1 − σ(z)) n + σ(z) h` over the steps of x `[T, B, I]`:
    /// `torch.nn.GRU` of one layer. Weights `[3H, I]` and `[3H, H]`, biases `[3H]`, gates r, z, n; no h is zeros. In reverse
    /// from the last step to the first. Yields all states `[T, B, H]` and the last `[B, H]`. Cho et al. (2014).
    gru[T](
        x: Tensor, h: Maybe, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Maybe, bias_hh: Maybe, reverse: Bool
    ) -> Both,
        "let w: Tensor = Tensor::from([[0.0], [0.0], [0.0]]);\nlet h = Tensor::from([[8.0]]);\nlet x = Tensor::from([[[1.0]], [[2.0]]]);\nlet (_, last) = gru(x, Some(h), &w, &w, None, None, false);\nassert_eq!(last.to_string(), \"[[2]]\");";
}
