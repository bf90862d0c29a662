//! Causal convolutions, each twice as far apart, in a block for any distance.

use kiln::prelude::*;
#[params]
pub struct Layer<const D: usize> {
    conv: Conv1d<16, 32, 2, 1, 0, D>,
    res: Conv1d<16, 16, 1>,
    skip: Conv1d<16, 16, 1>,
}
#[params]
pub struct Wave {
    inp: Conv1d<1, 16, 1>,
    l1: Layer<1>,
    l2: Layer<2>,
    l4: Layer<4>,
    l8: Layer<8>,
    out: Conv1d<16, 1, 1>,
}
#[model(inline)]
pub fn layer<const D: usize, const B: usize, const T: usize>(
    l: &Layer<D>,
    x: Tensor<B, 16, T>,
) -> (Tensor<B, 16, T>, Tensor<B, 16, T>) {
    let h = l.conv.forward(x.pad([D, 0], 0.0));
    let [a, b] = h.chunk(2, 1);
    let g = a.tanh() * b.sigmoid();
    (x + l.res.forward(g), l.skip.forward(g))
}
#[model]
pub fn wave<const B: usize, const T: usize>(w: &Wave, x: Tensor<B, 1, T>) -> Tensor<B, 1, T> {
    let h = w.inp.forward(x);
    let (h, s1) = layer(&w.l1, h);
    let (h, s2) = layer(&w.l2, h);
    let (h, s3) = layer(&w.l4, h);
    let (_, s4) = layer(&w.l8, h);
    w.out.forward((s1 + s2 + s3 + s4).relu())
}

#[model]
pub fn wave_loss<const B: usize, const T: usize>(w: &Wave, x: Tensor<B, 1, T>) -> Tensor {
    mse_loss(wave(w, x), x)
}
