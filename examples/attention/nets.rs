//! Small nets of the zoo's layers that are the same but for how places see each other, and what they learn.
//!
//! A sequence is noise, but for a mark at each of its last places, where the symbols of its first places are asked for, in order.

use kiln::prelude::*;
use kiln_zoo::{linformer, performer, transformer};

/// Places of a sequence.
pub const PLACES: usize = 256;
/// Symbols to copy, from the first places to the last.
pub const COPIED: usize = 16;
/// Symbols that there are; behind them is the mark.
pub const SYMBOLS: usize = 16;
/// Width.
const D: usize = 64;
/// Width of the layers between.
const FF: usize = 256;
/// Width of each of the 4 heads.
const HEAD: usize = 16;
/// Layers.
const LAYERS: usize = 2;
/// What Linformer projects the places to.
const PROJECTED: usize = 64;
/// Performer's random features: 16 ln 16, and some more.
const FEATURES: usize = 64;

/// What is done with a net.
pub trait Net: Params {
    /// Forward, backward and AdamW; the mean loss of a symbol.
    fn step(&mut self, opt: &mut AdamW<Self>, x: &Tensor<i64>, y: &Tensor<i64>) -> kiln::Result<f32>;

    /// The likeliest symbols, `[N, COPIED]`.
    fn read(&self, x: &Tensor<i64>) -> kiln::Result<Tensor<i64>>;
}

/// What comes before the layers and behind them.
#[params]
pub struct Ends {
    #[init(normal(0.0, 1.0))]
    symbols: Tensor<{ SYMBOLS + 1 }, D>,
    norm: LayerNorm<D>,
    head: Linear<D, SYMBOLS>,
}

/// Symbols as rows, and waves that tell the places (Vaswani et al., 2017).
#[model(inline)]
fn begun<const N: usize>(ends: &Ends, ids: Tensor<i64, N, PLACES>) -> Tensor<N, PLACES, D> {
    let rates = (arange(D / 2).to(f32) * (-9.210340371976184 / (D / 2) as f64)).exp();
    let waves = arange(PLACES).to(f32).unsqueeze(1) * rates;
    ends.symbols.embedding(ids) + cat(&[waves.sin(), waves.cos()], 1)
}

/// Scores of the symbols at the last places.
#[model(inline)]
fn asked<const N: usize>(ends: &Ends, x: Tensor<N, PLACES, D>) -> Tensor<N, COPIED, SYMBOLS> {
    ends.head.forward(ends.norm.forward(x.narrow(1, PLACES - COPIED, COPIED)))
}

/// Each place over all others.
#[params]
pub struct Exact {
    ends: Ends,
    layers: [transformer::Layer<D, FF>; LAYERS],
}

/// Each place over projections of all.
#[params]
pub struct Linformer {
    ends: Ends,
    layers: [linformer::Layer<D, FF, PLACES, PROJECTED>; LAYERS],
}

/// Each place by random features.
#[params]
pub struct Performer {
    ends: Ends,
    layers: [performer::Layer<D, FF, HEAD, FEATURES>; LAYERS],
}

/// Of a net of such layers scores, loss, training step and what it reads.
macro_rules! learns {
    ($Net:ident, $own:ident, $module:ident) => {
        mod $own {
            use super::*;
            use kiln_zoo::$module::layer;

            #[model(inline)]
            fn scores<const N: usize>(net: &$Net, ids: Tensor<i64, N, PLACES>) -> Tensor<N, COPIED, SYMBOLS> {
                let mut x = begun(&net.ends, ids);
                for l in &net.layers {
                    x = layer(l, x, 4);
                }
                asked(&net.ends, x)
            }

            #[model]
            fn loss<const N: usize>(
                net: &$Net,
                ids: Tensor<i64, N, PLACES>,
                y: Tensor<i64, N, COPIED>,
            ) -> Tensor {
                cross_entropy(scores(net, ids).flatten(0, 1), y.flatten(0, 1))
            }

            #[model]
            fn train_step<const N: usize>(
                net: &mut $Net,
                opt: &mut AdamW<$Net>,
                ids: Tensor<i64, N, PLACES>,
                y: Tensor<i64, N, COPIED>,
            ) -> Tensor {
                let (loss, grads) = value_and_grad(loss)(net, ids, y);
                opt.step(net, grads.clip_norm(1.0));
                loss
            }

            #[model]
            fn read<const N: usize>(net: &$Net, ids: Tensor<i64, N, PLACES>) -> Tensor<i64, N, COPIED> {
                scores(net, ids).argmax(2)
            }

            impl Net for $Net {
                fn step(
                    &mut self,
                    opt: &mut AdamW<Self>,
                    x: &Tensor<i64>,
                    y: &Tensor<i64>,
                ) -> kiln::Result<f32> {
                    train_step(self, opt, x, y)?.item()
                }

                fn read(&self, x: &Tensor<i64>) -> kiln::Result<Tensor<i64>> {
                    read(self, x)
                }
            }
        }
    };
}

learns!(Exact, exactly, transformer);
learns!(Linformer, projected, linformer);
learns!(Performer, by_features, performer);
