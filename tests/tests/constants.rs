//! Constants whose numbers stand in a file: depths, conditions, factors.
#![allow(missing_docs)]

use kiln::prelude::*;
use layers::{Block, WIDTH};

const DEPTH: usize = HALF * 2;
const HALF: usize = 2;
const SCALE: f32 = -1.0 / 3.0;

mod layers {
    use kiln::prelude::*;

    pub const WIDTH: usize = 3;
    const SHIFT: f32 = 0.5;

    #[params]
    pub struct Block {
        pub weight: Tensor<WIDTH>,
    }

    #[model(inline)]
    pub fn shifted<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        x + SHIFT
    }
}

#[params]
struct Deep {
    blocks: [Block; DEPTH],
}

#[model]
fn deep<const N: usize>(net: &Deep, x: Tensor<N, WIDTH>) -> Tensor<N, WIDTH> {
    let mut h = x;
    for block in &net.blocks {
        h = h + block.weight;
    }
    for i in 0..DEPTH {
        h = h + net.blocks[DEPTH - 1 - i].weight;
    }
    h
}

#[model]
fn chosen<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    if WIDTH == 3 && DEPTH > layers::WIDTH { layers::shifted(x * SCALE) } else { x }
}

#[model]
fn halves<const N: usize>(x: Tensor<N, DEPTH>) -> Tensor<N, HALF> {
    x.narrow(1, DEPTH / HALF, HALF)
}

const CHANNELS: usize = 2 * GROUPS;
const GROUPS: usize = 4;

#[params]
struct Normed {
    norm: GroupNorm<GROUPS, CHANNELS>,
}

/// Only numbers tell that the groups divide the channels, and the channels the square of the factor.
#[model]
fn normed<const N: usize>(net: &Normed, x: Tensor<N, CHANNELS, 3, 3>) -> Tensor<N, 2, 6, 6> {
    net.norm.forward(x).pixel_shuffle(2)
}

#[test]
fn groups_of_constant_channels() {
    let mut rng = Rng::seed(0);
    let net = Normed::init(&mut rng);
    let x = randn([2, CHANNELS, 3, 3], &mut rng);
    let (compiled, eager) = (normed(&net, &x).expect("shapes fit"), normed::eager(&net, &x));
    let far = compiled
        .as_slice()
        .iter()
        .zip(eager.as_slice())
        .map(|(a, b)| (a - b).abs())
        .max_by(f32::total_cmp)
        .unwrap_or(0.0);
    assert!(far < 1e-6 && compiled.shape() == [2, 2, 6, 6], "{far}");
}

#[test]
fn the_depth_of_a_net_is_a_constant() {
    let mut net = Deep::init(&mut Rng::seed(0));
    for block in &mut net.blocks {
        block.weight = Tensor::from([1.0, 2.0, 3.0]);
    }
    let y = deep(&net, [[0.0; 3]]).unwrap();
    assert_eq!(y.as_slice(), [8.0, 16.0, 24.0]);
}

#[test]
fn conditions_and_factors_are_constants() {
    let y = chosen([3.0, -3.0]).unwrap();
    assert_eq!(y.as_slice(), [-0.5, 1.5]);
    assert_eq!(halves([[1.0, 2.0, 3.0, 4.0]]).unwrap().as_slice(), [3.0, 4.0]);
}
