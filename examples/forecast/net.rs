//! The net: from growth over a year, month by month, to the next month's.

use kiln::prelude::*;

/// Width of the state.
pub const WIDTH: usize = 16;
/// What is known of a month: its growth over a year, and where in the year it stands as a sine and a cosine.
pub const FEATURES: usize = 3;

/// An LSTM and a dense layer.
#[params]
pub struct Net {
    lstm: Lstm<FEATURES, WIDTH>,
    head: Linear<WIDTH, 1>,
}

/// The growth that follows each month.
#[model]
pub fn growth<const T: usize, const B: usize>(net: &Net, x: Tensor<T, B, FEATURES>) -> Tensor<T, B, 1> {
    let (all, _, _) = net.lstm.forward(x);
    net.head.forward(all)
}

/// Mean squared error over all months.
#[model]
pub fn loss<const T: usize, const B: usize>(
    net: &Net,
    x: Tensor<T, B, FEATURES>,
    y: Tensor<T, B, 1>,
) -> Tensor {
    mse_loss(growth(net, x), y)
}

/// Forward, backward through time, clip and AdamW in one function.
#[model]
pub fn train_step<const T: usize, const B: usize>(
    net: &mut Net,
    opt: &mut AdamW<Net>,
    x: Tensor<T, B, FEATURES>,
    y: Tensor<T, B, 1>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads.clip_norm(1.0));
    loss
}
