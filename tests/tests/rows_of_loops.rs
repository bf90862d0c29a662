//! Loops whose turns compute each row of a batch by itself, which threads share by rows: as what the body does eagerly, and the same
//! numbers on any number of threads.
#![allow(missing_docs)]

#[path = "common/sets.rs"]
mod sets;
#[path = "common/threads.rs"]
mod threads;

use kiln::prelude::*;
use threads::{apart, noise, on_threads};

const STEPS: usize = 48;

#[params]
struct Net {
    first: Lstm<16, 32>,
    second: Gru<32, 16>,
    head: Linear<16, 16>,
}

/// A layer's states go on to the next; the scale of each row is read in each turn.
#[model(inline)]
fn states<const B: usize>(net: &Net, x: Tensor<STEPS, B, 16>, scale: Tensor<B, 1>) -> Tensor<STEPS, B, 16> {
    let (y, _, _) = net.first.forward(x);
    let (z, _) = net.second.forward(y);
    let mut sum = zeros([B, 16]);
    let mut all = Vec::new();
    for t in 0..STEPS {
        sum = (sum.matmul(net.head.weight.t()) + z.select(0, t)) * scale;
        all.push(sum);
    }
    stack(&all, 0)
}

fn leaves(of: &Net) -> Vec<Tensor> {
    let mut leaves = Vec::new();
    of.leaves("", &mut leaves);
    leaves.iter().map(|leaf| leaf.tensor.as_f32().expect("floats").clone()).collect()
}

fn traced(net: &Net) -> Net {
    let mut traced = net.clone();
    let mut leaves = Vec::new();
    traced.leaves_mut("", &mut leaves);
    for leaf in leaves {
        let leaf = leaf.tensor.into_f32().expect("floats");
        *leaf = leaf.clone().requires_grad();
    }
    traced
}

macro_rules! batches {
    ($($name:ident $loss:ident $test:ident $batch:literal;)*) => {$(
        #[model]
        fn $name(
            net: &Net,
            x: Tensor<STEPS, $batch, 16>,
            scale: Tensor<$batch, 1>,
        ) -> Tensor<STEPS, $batch, 16> {
            states(net, x, scale)
        }

        #[model]
        fn $loss(net: &Net, x: Tensor<STEPS, $batch, 16>, scale: Tensor<$batch, 1>) -> Tensor<f32> {
            states(net, x, scale).sin().sum()
        }

        #[test]
        fn $test() {
            let rng = &mut Rng::seed($batch);
            let net = Net::init(rng);
            let (x, scale) = (noise(rng, [STEPS, $batch, 16]), noise(rng, [$batch, 1]).sigmoid());
            let own = format!("each of {} rows by itself", $batch);
            assert_eq!($name::PLAN.matches(&own).count(), 3, "{}", $name::PLAN);
            let y = on_threads(|| $name(&net, &x, &scale).unwrap());
            assert!(apart(&$name::eager(&net, &x, &scale), &y) < 5e-6);
            let frozen = $name::freeze(&net).unwrap();
            assert_eq!(on_threads(|| frozen.run(&x, &scale).unwrap()).as_slice(), y.as_slice());

            let traced = traced(&net);
            let eager = $loss::eager(&traced, &x, &scale);
            eager.backward().unwrap();
            let want: Vec<Tensor> = leaves(&traced).iter().filter_map(Tensor::grad).collect();
            let (value, got) = on_threads(|| {
                let (value, grads) = $loss::value_and_grad(&net, &x, &scale).unwrap();
                (value, leaves(&grads))
            });
            assert!(apart(&eager, &value) < 1e-5);
            // The head's bias, the last leaf, is read by nothing.
            got.iter().zip(&want).for_each(|(got, want)| {
                assert!(apart(want, got) < 2e-5, "{:?}: {}", got.shape(), apart(want, got));
            });
        }
    )*};
}
batches! {
    eight loss_of_eight eight_rows 8;
    eleven loss_of_eleven eleven_rows 11;
    thirty_three loss_of_thirty_three thirty_three_rows 33;
}

#[test]
fn on_every_instruction_set() {
    sets::narrower();
}
