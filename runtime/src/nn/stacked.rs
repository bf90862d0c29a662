//! Recurrent layers of several layers or both directions, and the cells of which they are.

use crate::{model, params};

/// One step of a recurrent layer, `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')`: `torch.nn.LSTMCell`. Hochreiter and Schmidhuber, *Long Short-Term Memory* (1997).
///
/// Weights start uniform over ±1/√H, as PyTorch's do. `.forward(x, h, c)` takes the input `[B, I]` and the state, `[B, H]` each, to the
/// next state.
///
/// ```
/// use kiln::prelude::*;
///
/// let cell = LstmCell::<3, 5>::init(&mut Rng::seed(0));
/// let (h, c) = cell.forward(Tensor::ones([2, 3]), Tensor::zeros([2, 5]), Tensor::zeros([2, 5]));
/// assert_eq!((h.shape(), c.shape()), (&[2, 5][..], &[2, 5][..]));
/// ```
#[params(forward = lstm_cell_forward)]
pub struct LstmCell<const I: usize, const H: usize> {
    /// Factors of the input, `[4H, I]`, gates i, f, g, o.
    #[init(fan_uniform(H))]
    pub weight_ih: Tensor<{ 4 * H }, I>,
    /// Factors of the state, `[4H, H]`.
    #[init(fan_uniform(H))]
    pub weight_hh: Tensor<{ 4 * H }, H>,
    /// Offsets of the input, `[4H]`.
    #[init(fan_uniform(H))]
    pub bias_ih: Tensor<{ 4 * H }>,
    /// Offsets of the state, `[4H]`.
    #[init(fan_uniform(H))]
    pub bias_hh: Tensor<{ 4 * H }>,
}

/// `.forward(x, h, c)` of [`LstmCell`].
#[model(inline)]
pub fn lstm_cell_forward<const I: usize, const H: usize, const B: usize>(
    cell: &LstmCell<I, H>,
    x: Tensor<B, I>,
    h: Tensor<B, H>,
    c: Tensor<B, H>,
) -> (Tensor<B, H>, Tensor<B, H>) {
    let steps = x.unsqueeze(0);
    let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
    let (_, h, c) = kiln::lstm(steps, Some(h), Some(c), cell.weight_ih, cell.weight_hh, ih, hh, false);
    (h, c)
}

/// `1 + R` layers, each over the states of the one before: `torch.nn.LSTM(num_layers=1+R)`, with its names, `weight_ih_l0`,
/// `weight_ih_l1`, ….
///
/// `.forward(x)` takes `[T, B, I]` to all states of the last layer `[T, B, H]` and the last state of each, `[1 + R, B, H]`, from a
/// state of zeros; [`stacked_lstm`] from another.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = StackedLstm::<3, 5, 2>::init(&mut Rng::seed(0));
/// assert_eq!(layer.named_leaves()[8].name, "weight_ih_l2");
/// let (all, h, c) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), h.shape(), c.shape()), (&[7, 2, 5][..], &[3, 2, 5][..], &[3, 2, 5][..]));
/// ```
#[params(forward = stacked_lstm_forward)]
pub struct StackedLstm<const I: usize, const H: usize, const R: usize> {
    /// The layer over the input.
    #[name("*_l0")]
    pub first: LstmCell<I, H>,
    /// Those over states.
    #[name("*_l{1}")]
    pub rest: [LstmCell<H, H>; R],
}

/// [`StackedLstm`] from a state, `[1 + R, B, H]` each.
#[model(inline)]
pub fn stacked_lstm<const I: usize, const H: usize, const R: usize>(
    layer: &StackedLstm<I, H, R>,
    x: Tensor,
    h: Tensor,
    c: Tensor,
) -> (Tensor, Tensor, Tensor) {
    let (cell, ih, hh) = (&layer.first, Some(layer.first.bias_ih), Some(layer.first.bias_hh));
    let (mut all, first_h, first_c) = kiln::lstm(
        x,
        Some(h.select(0, 0)),
        Some(c.select(0, 0)),
        cell.weight_ih,
        cell.weight_hh,
        ih,
        hh,
        false,
    );
    let mut last_h = Vec::new();
    let mut last_c = Vec::new();
    for (i, cell) in layer.rest.iter().enumerate() {
        let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
        let (next, h_next, c_next) = kiln::lstm(
            all,
            Some(h.select(0, i + 1)),
            Some(c.select(0, i + 1)),
            cell.weight_ih,
            cell.weight_hh,
            ih,
            hh,
            false,
        );
        all = next;
        last_h.push(h_next);
        last_c.push(c_next);
    }
    (
        all,
        kiln::cat(&[first_h.unsqueeze(0), kiln::stack(&last_h, 0)], 0),
        kiln::cat(&[first_c.unsqueeze(0), kiln::stack(&last_c, 0)], 0),
    )
}

/// `.forward(x)` of [`StackedLstm`].
#[model(inline)]
pub fn stacked_lstm_forward<const I: usize, const H: usize, const R: usize>(
    layer: &StackedLstm<I, H, R>,
    x: Tensor,
) -> (Tensor, Tensor, Tensor) {
    stacked_lstm(layer, x, kiln::zeros([R + 1, x.size(1), H]), kiln::zeros([R + 1, x.size(1), H]))
}

/// A layer in both directions: `torch.nn.LSTM(bidirectional=True)`, with its names. Schuster and Paliwal, *Bidirectional Recurrent
/// Neural Networks* (1997).
///
/// `.forward(x)` takes `[T, B, I]` to the states of both ways side by side `[T, B, 2H]` and the last state of each way, `[2, B, H]`,
/// from a state of zeros.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = BiLstm::<3, 5>::init(&mut Rng::seed(0));
/// assert_eq!(layer.named_leaves()[4].name, "weight_ih_l0_reverse");
/// let (all, h, c) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), h.shape(), c.shape()), (&[7, 2, 10][..], &[2, 2, 5][..], &[2, 2, 5][..]));
/// ```
#[params(forward = bi_lstm_forward)]
pub struct BiLstm<const I: usize, const H: usize> {
    /// The way forward in time.
    #[name("*_l0")]
    pub forward: LstmCell<I, H>,
    /// The way back.
    #[name("*_l0_reverse")]
    pub backward: LstmCell<I, H>,
}

/// `.forward(x)` of [`BiLstm`].
#[model(inline)]
pub fn bi_lstm_forward<const I: usize, const H: usize>(
    layer: &BiLstm<I, H>,
    x: Tensor,
) -> (Tensor, Tensor, Tensor) {
    let (cell, ih, hh) = (&layer.forward, Some(layer.forward.bias_ih), Some(layer.forward.bias_hh));
    let (to, to_h, to_c) = kiln::lstm(x, None, None, cell.weight_ih, cell.weight_hh, ih, hh, false);
    let (cell, ih, hh) = (&layer.backward, Some(layer.backward.bias_ih), Some(layer.backward.bias_hh));
    let (fro, fro_h, fro_c) = kiln::lstm(x, None, None, cell.weight_ih, cell.weight_hh, ih, hh, true);
    (kiln::cat(&[to, fro], 2), kiln::stack(&[to_h, fro_h], 0), kiln::stack(&[to_c, fro_c], 0))
}

/// One step of a recurrent layer, `n = tanh(W_in x + b_in + σ(r) (W_hn h + b_hn))`, `h' = (1 − σ(z)) n + σ(z) h`: `torch.nn.GRUCell`. Cho et al., *Learning Phrase Representations* (2014).
///
/// Weights start uniform over ±1/√H, as PyTorch's do. `.forward(x, h)` takes the input `[B, I]` and the state, `[B, H]` each, to the
/// next state.
///
/// ```
/// use kiln::prelude::*;
///
/// let cell = GruCell::<3, 5>::init(&mut Rng::seed(0));
/// let h = cell.forward(Tensor::ones([2, 3]), Tensor::zeros([2, 5]));
/// assert_eq!(h.shape(), [2, 5]);
/// ```
#[params(forward = gru_cell_forward)]
pub struct GruCell<const I: usize, const H: usize> {
    /// Factors of the input, `[3H, I]`, gates r, z, n.
    #[init(fan_uniform(H))]
    pub weight_ih: Tensor<{ 3 * H }, I>,
    /// Factors of the state, `[3H, H]`.
    #[init(fan_uniform(H))]
    pub weight_hh: Tensor<{ 3 * H }, H>,
    /// Offsets of the input, `[3H]`.
    #[init(fan_uniform(H))]
    pub bias_ih: Tensor<{ 3 * H }>,
    /// Offsets of the state, `[3H]`.
    #[init(fan_uniform(H))]
    pub bias_hh: Tensor<{ 3 * H }>,
}

/// `.forward(x, h)` of [`GruCell`].
#[model(inline)]
pub fn gru_cell_forward<const I: usize, const H: usize, const B: usize>(
    cell: &GruCell<I, H>,
    x: Tensor<B, I>,
    h: Tensor<B, H>,
) -> Tensor<B, H> {
    let steps = x.unsqueeze(0);
    let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
    let (_, h) = kiln::gru(steps, Some(h), cell.weight_ih, cell.weight_hh, ih, hh, false);
    h
}

/// `1 + R` layers, each over the states of the one before: `torch.nn.GRU(num_layers=1+R)`, with its names, `weight_ih_l0`,
/// `weight_ih_l1`, ….
///
/// `.forward(x)` takes `[T, B, I]` to all states of the last layer `[T, B, H]` and the last state of each, `[1 + R, B, H]`, from a
/// state of zeros; [`stacked_gru`] from another.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = StackedGru::<3, 5, 2>::init(&mut Rng::seed(0));
/// assert_eq!(layer.named_leaves()[8].name, "weight_ih_l2");
/// let (all, h) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), h.shape()), (&[7, 2, 5][..], &[3, 2, 5][..]));
/// ```
#[params(forward = stacked_gru_forward)]
pub struct StackedGru<const I: usize, const H: usize, const R: usize> {
    /// The layer over the input.
    #[name("*_l0")]
    pub first: GruCell<I, H>,
    /// Those over states.
    #[name("*_l{1}")]
    pub rest: [GruCell<H, H>; R],
}

/// [`StackedGru`] from a state, `[1 + R, B, H]`.
#[model(inline)]
pub fn stacked_gru<const I: usize, const H: usize, const R: usize>(
    layer: &StackedGru<I, H, R>,
    x: Tensor,
    h: Tensor,
) -> (Tensor, Tensor) {
    let (cell, ih, hh) = (&layer.first, Some(layer.first.bias_ih), Some(layer.first.bias_hh));
    let (mut all, first_h) =
        kiln::gru(x, Some(h.select(0, 0)), cell.weight_ih, cell.weight_hh, ih, hh, false);
    let mut last_h = Vec::new();
    for (i, cell) in layer.rest.iter().enumerate() {
        let (ih, hh) = (Some(cell.bias_ih), Some(cell.bias_hh));
        let (next, h_next) =
            kiln::gru(all, Some(h.select(0, i + 1)), cell.weight_ih, cell.weight_hh, ih, hh, false);
        all = next;
        last_h.push(h_next);
    }
    (all, kiln::cat(&[first_h.unsqueeze(0), kiln::stack(&last_h, 0)], 0))
}

/// `.forward(x)` of [`StackedGru`].
#[model(inline)]
pub fn stacked_gru_forward<const I: usize, const H: usize, const R: usize>(
    layer: &StackedGru<I, H, R>,
    x: Tensor,
) -> (Tensor, Tensor) {
    stacked_gru(layer, x, kiln::zeros([R + 1, x.size(1), H]))
}

/// A layer in both directions: `torch.nn.GRU(bidirectional=True)`, with its names. Schuster and Paliwal, *Bidirectional Recurrent
/// Neural Networks* (1997).
///
/// `.forward(x)` takes `[T, B, I]` to the states of both ways side by side `[T, B, 2H]` and the last state of each way, `[2, B, H]`,
/// from a state of zeros.
///
/// ```
/// use kiln::prelude::*;
///
/// let layer = BiGru::<3, 5>::init(&mut Rng::seed(0));
/// assert_eq!(layer.named_leaves()[4].name, "weight_ih_l0_reverse");
/// let (all, h) = layer.forward(Tensor::zeros([7, 2, 3]));
/// assert_eq!((all.shape(), h.shape()), (&[7, 2, 10][..], &[2, 2, 5][..]));
/// ```
#[params(forward = bi_gru_forward)]
pub struct BiGru<const I: usize, const H: usize> {
    /// The way forward in time.
    #[name("*_l0")]
    pub forward: GruCell<I, H>,
    /// The way back.
    #[name("*_l0_reverse")]
    pub backward: GruCell<I, H>,
}

/// `.forward(x)` of [`BiGru`].
#[model(inline)]
pub fn bi_gru_forward<const I: usize, const H: usize>(layer: &BiGru<I, H>, x: Tensor) -> (Tensor, Tensor) {
    let (cell, ih, hh) = (&layer.forward, Some(layer.forward.bias_ih), Some(layer.forward.bias_hh));
    let (to, to_h) = kiln::gru(x, None, cell.weight_ih, cell.weight_hh, ih, hh, false);
    let (cell, ih, hh) = (&layer.backward, Some(layer.backward.bias_ih), Some(layer.backward.bias_hh));
    let (fro, fro_h) = kiln::gru(x, None, cell.weight_ih, cell.weight_hh, ih, hh, true);
    (kiln::cat(&[to, fro], 2), kiln::stack(&[to_h, fro_h], 0))
}
