//! Recurrent layers of one layer and direction; several layers and both directions are [`StackedLstm`](super::StackedLstm) and
//! [`BiLstm`](super::BiLstm).
//!
//! With dropout between layers they are one after the other, with `dropout(all, p, rng)` between in training: PyTorch's `num_layers` and `dropout=p`.

use crate::{model, params};

/// `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)` from step to step: `torch.nn.RNN`. Elman, *Finding Structure in Time* (1990).
///
/// Weights start uniform over ±1/√H, as PyTorch's do. `.forward(x)` takes `[T, B, I]` to all states `[T, B, H]` and the last `[B, H]`, from a state of zeros.
/// [`rnn_from`] goes on from another; for one direction back there is [`rnn`](crate::functional::rnn).
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = Rnn::<3, 5>::init(&mut Rng::seed(0));
/// let (all, last) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), last.shape()), (&[7, 2, 5][..], &[2, 5][..]));
/// ```
#[params(forward = rnn_forward)]
pub struct Rnn<const I: usize, const H: usize> {
    /// Factors of the input, `[H, I]`.
    #[init(fan_uniform(H))]
    pub weight_ih_l0: Tensor<H, I>,
    /// Factors of the state, `[H, H]`.
    #[init(fan_uniform(H))]
    pub weight_hh_l0: Tensor<H, H>,
    /// Offsets of the input, `[H]`.
    #[init(fan_uniform(H))]
    pub bias_ih_l0: Tensor<H>,
    /// Offsets of the state, `[H]`.
    #[init(fan_uniform(H))]
    pub bias_hh_l0: Tensor<H>,
}

/// `.forward(x)` of [`Rnn`].
#[model(inline)]
pub fn rnn_forward<const I: usize, const H: usize>(layer: &Rnn<I, H>, x: Tensor) -> (Tensor, Tensor) {
    let (ih, hh) = (Some(layer.bias_ih_l0), Some(layer.bias_hh_l0));
    kiln::rnn(x, None, layer.weight_ih_l0, layer.weight_hh_l0, ih, hh, "tanh", false)
}

/// `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')` from step to step: `torch.nn.LSTM`. Hochreiter and Schmidhuber,
/// *Long Short-Term Memory* (1997).
///
/// Weights start uniform over ±1/√H, as PyTorch's do. `.forward(x)` takes `[T, B, I]` to all states `[T, B, H]`, the last h and the last c
/// `[B, H]`, from a state of zeros.
/// [`lstm_from`] goes on from another; for one direction back there is [`lstm`](crate::functional::lstm).
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = Lstm::<3, 5>::init(&mut Rng::seed(0));
/// let (all, h, c) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), h.shape(), c.shape()), (&[7, 2, 5][..], &[2, 5][..], &[2, 5][..]));
/// ```
#[params(forward = lstm_forward)]
pub struct Lstm<const I: usize, const H: usize> {
    /// Factors of the input, `[4H, I]`, gates i, f, g, o.
    #[init(fan_uniform(H))]
    pub weight_ih_l0: Tensor<{ 4 * H }, I>,
    /// Factors of the state, `[4H, H]`.
    #[init(fan_uniform(H))]
    pub weight_hh_l0: Tensor<{ 4 * H }, H>,
    /// Offsets of the input, `[4H]`.
    #[init(fan_uniform(H))]
    pub bias_ih_l0: Tensor<{ 4 * H }>,
    /// Offsets of the state, `[4H]`.
    #[init(fan_uniform(H))]
    pub bias_hh_l0: Tensor<{ 4 * H }>,
}

/// `.forward(x)` of [`Lstm`].
#[model(inline)]
pub fn lstm_forward<const I: usize, const H: usize>(
    layer: &Lstm<I, H>,
    x: Tensor,
) -> (Tensor, Tensor, Tensor) {
    let (ih, hh) = (Some(layer.bias_ih_l0), Some(layer.bias_hh_l0));
    kiln::lstm(x, None, None, layer.weight_ih_l0, layer.weight_hh_l0, ih, hh, false)
}

/// `n = tanh(W_in x + b_in + σ(r) (W_hn h + b_hn))`, `h' = (1 − σ(z)) n + σ(z) h` from step to step: `torch.nn.GRU`. Cho et al.,
/// *Learning Phrase Representations* (2014).
///
/// Weights start uniform over ±1/√H, as PyTorch's do. `.forward(x)` takes `[T, B, I]` to all states `[T, B, H]` and the last `[B, H]`, from a state of zeros.
/// [`gru_from`] goes on from another; for one direction back there is [`gru`](crate::functional::gru).
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = Gru::<3, 5>::init(&mut Rng::seed(0));
/// let (all, last) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), last.shape()), (&[7, 2, 5][..], &[2, 5][..]));
/// ```
#[params(forward = gru_forward)]
pub struct Gru<const I: usize, const H: usize> {
    /// Factors of the input, `[3H, I]`, gates r, z, n.
    #[init(fan_uniform(H))]
    pub weight_ih_l0: Tensor<{ 3 * H }, I>,
    /// Factors of the state, `[3H, H]`.
    #[init(fan_uniform(H))]
    pub weight_hh_l0: Tensor<{ 3 * H }, H>,
    /// Offsets of the input, `[3H]`.
    #[init(fan_uniform(H))]
    pub bias_ih_l0: Tensor<{ 3 * H }>,
    /// Offsets of the state, `[3H]`.
    #[init(fan_uniform(H))]
    pub bias_hh_l0: Tensor<{ 3 * H }>,
}

/// `.forward(x)` of [`Gru`].
#[model(inline)]
pub fn gru_forward<const I: usize, const H: usize>(layer: &Gru<I, H>, x: Tensor) -> (Tensor, Tensor) {
    let (ih, hh) = (Some(layer.bias_ih_l0), Some(layer.bias_hh_l0));
    kiln::gru(x, None, layer.weight_ih_l0, layer.weight_hh_l0, ih, hh, false)
}

/// [`Rnn`] from a state `[B, H]`: all states `[T, B, H]` and the last, `torch.nn.RNN(x, h)`.
#[model(inline)]
pub fn rnn_from<const I: usize, const H: usize>(layer: &Rnn<I, H>, x: Tensor, h: Tensor) -> (Tensor, Tensor) {
    let (ih, hh) = (Some(layer.bias_ih_l0), Some(layer.bias_hh_l0));
    kiln::rnn(x, Some(h), layer.weight_ih_l0, layer.weight_hh_l0, ih, hh, "tanh", false)
}

/// [`Lstm`] from a state `[B, H]` each: all h `[T, B, H]`, the last h and the last c, `torch.nn.LSTM(x, (h, c))`.
///
/// A sequence in two parts, of which the second goes on where the first ended:
///
/// ```
/// use kiln::nn::lstm_from;
/// use kiln::prelude::*;
///
/// #[model]
/// fn parts(layer: &Lstm<3, 5>, x: Tensor<8, 2, 3>) -> Tensor<4, 2, 5> {
///     let [first, second] = x.chunk(2, 0);
///     let (_, h, c) = layer.forward(first);
///     lstm_from(layer, second, h, c).0
/// }
///
/// let mut rng = Rng::seed(0);
/// let (layer, x) = (Lstm::init(&mut rng), randn([8, 2, 3], &mut rng));
/// let whole = layer.forward(&x).0;
/// let apart = (parts(&layer, &x)? - whole.narrow(0, 4, 4)).abs().amax([0, 1, 2]);
/// assert!(apart.item()? < 1e-6);
/// # Ok::<(), kiln::Error>(())
/// ```
#[model(inline)]
pub fn lstm_from<const I: usize, const H: usize>(
    layer: &Lstm<I, H>,
    x: Tensor,
    h: Tensor,
    c: Tensor,
) -> (Tensor, Tensor, Tensor) {
    let (ih, hh) = (Some(layer.bias_ih_l0), Some(layer.bias_hh_l0));
    kiln::lstm(x, Some(h), Some(c), layer.weight_ih_l0, layer.weight_hh_l0, ih, hh, false)
}

/// [`Gru`] from a state `[B, H]`: all states `[T, B, H]` and the last, `torch.nn.GRU(x, h)`.
#[model(inline)]
pub fn gru_from<const I: usize, const H: usize>(layer: &Gru<I, H>, x: Tensor, h: Tensor) -> (Tensor, Tensor) {
    let (ih, hh) = (Some(layer.bias_ih_l0), Some(layer.bias_hh_l0));
    kiln::gru(x, Some(h), layer.weight_ih_l0, layer.weight_hh_l0, ih, hh, false)
}
