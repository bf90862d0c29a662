//! GPT-2 of 12 layers: a training step, and a token over a cache.

mod attention;
mod gpt2;

use gpt2::{Cache, Gpt2, gpt2_step};
use kiln::prelude::*;
use train::train_step;

/// Apart, as the model has its module's name.
mod train {
    use crate::gpt2::{Gpt2, VOCABULARY, gpt2};
    use kiln::prelude::*;

    #[model]
    fn loss<const N: usize, const T: usize>(net: &Gpt2, ids: Tensor<i64, N, T>, next: Tensor<i64, N, T>) -> Tensor {
        cross_entropy(gpt2(net, ids).reshape([N * T, VOCABULARY]), next.reshape([N * T]))
    }

    #[model]
    pub fn train_step<const N: usize, const T: usize>(
        net: &mut Gpt2,
        opt: &mut Adam<Gpt2>,
        ids: Tensor<i64, N, T>,
        next: Tensor<i64, N, T>,
    ) -> Tensor {
        let (loss, grads) = value_and_grad(loss)(net, ids, next);
        opt.step(net, grads);
        loss
    }
}

fn main() -> kiln::Result<()> {
    let mut net = Gpt2::init(&mut Rng::seed(0));
    let mut opt = Adam::new(&net, 1e-3);
    println!("{:?}", train_step(&mut net, &mut opt, [[1i64; 8]], [[2i64; 8]])?);
    let mut cache = Cache::init(&mut Rng::seed(0));
    println!("{:?}", gpt2_step(&net, &mut cache, [[1i64]], [0i64])?.shape());
    Ok(())
}
