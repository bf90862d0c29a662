//! The nets: each is its parameters and `scores`, which trains or evaluates.

pub mod alexnet;
pub mod mobilenet;
pub mod nasnet;
pub mod resnet;
pub mod vgg;

use kiln::prelude::*;

/// What is done with a net.
pub trait Net: Params {
    /// Forward, backward and AdamW over images `[N, 1, 28, 28]` and their digits; the mean loss.
    fn step(&mut self, opt: &mut AdamW<Self>, x: &Tensor, y: &[i64], rng: &mut Rng) -> kiln::Result<f32>;

    /// The digits of images.
    fn read(&mut self, x: &Tensor) -> kiln::Result<Vec<i64>>;
}

/// Loss, training step and evaluation of a net that has `scores`.
macro_rules! trains {
    ($Net:ident) => {
        #[model]
        fn loss<const N: usize>(
            net: &mut $Net,
            x: Tensor<N, 1, 28, 28>,
            y: Tensor<i64, N>,
            rng: &mut Rng,
        ) -> Tensor {
            cross_entropy(scores(net, x, rng, true), y)
        }

        #[model]
        fn train_step<const N: usize>(
            net: &mut $Net,
            opt: &mut AdamW<$Net>,
            x: Tensor<N, 1, 28, 28>,
            y: Tensor<i64, N>,
            rng: &mut Rng,
        ) -> Tensor {
            let (loss, grads) = value_and_grad(loss)(net, x, y, rng);
            opt.step(net, grads);
            loss
        }

        #[model]
        fn digits<const N: usize>(net: &mut $Net, x: Tensor<N, 1, 28, 28>, rng: &mut Rng) -> Tensor<i64, N> {
            scores(net, x, rng, false).argmax(1)
        }

        impl crate::nets::Net for $Net {
            fn step(
                &mut self,
                opt: &mut AdamW<Self>,
                x: &Tensor,
                y: &[i64],
                rng: &mut Rng,
            ) -> kiln::Result<f32> {
                train_step(self, opt, x, y, rng)?.item()
            }

            fn read(&mut self, x: &Tensor) -> kiln::Result<Vec<i64>> {
                Ok(digits(self, x, &mut Rng::seed(0))?.into_vec())
            }
        }
    };
}
use trains;
