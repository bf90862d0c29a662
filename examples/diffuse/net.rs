//! The net, its loss and a step of sampling.
//!
//! A picture x of numbers from −1 to 1 and noise ε are mixed by an angle, `cos φ · x + sin φ · ε`, from nearly the picture to
//! nearly noise: the cosine schedule of Nichol and Dhariwal (2021). The net tells the mixture's direction
//! `v = cos φ · ε − sin φ · x` (Salimans and Ho, 2022), from which both follow: `x = cos φ · mixture − sin φ · v` and
//! `ε = sin φ · mixture + cos φ · v`. It is a U-Net with attention in its middle, which is told of angle and class.

use kiln::prelude::*;

/// Classes, behind which is one more: none.
pub const CLASSES: usize = 10;
/// The class of no class.
const NONE: f64 = 10.0;
/// Channels at 14 × 14.
const C: usize = 48;
/// Channels at 7 × 7.
const D: usize = 128;
/// Width of what is known of angle and class.
const E: usize = 128;
/// Waves by which the angle is told, half of them sines.
const WAVES: usize = 32;

/// Two convolutions, scaled and shifted between them by angle and class: Ho et al. (2020).
#[params]
pub struct Block<const I: usize, const O: usize> {
    norm1: GroupNorm<8, I>,
    conv1: Conv2d<I, O, 3, 1, 1>,
    scale: Linear<E, O>,
    shift: Linear<E, O>,
    norm2: GroupNorm<8, O>,
    conv2: Conv2d<O, O, 3, 1, 1>,
    skip: Conv2dNoBias<I, O, 1>,
}

#[model(inline)]
fn block<const I: usize, const O: usize>(b: &Block<I, O>, x: Tensor, told: Tensor) -> Tensor {
    let h = b.norm2.forward(b.conv1.forward(b.norm1.forward(x).silu()));
    let (scale, shift) = (b.scale.forward(told), b.shift.forward(told));
    let h = h * (scale.unsqueeze(2).unsqueeze(3) + 1.0) + shift.unsqueeze(2).unsqueeze(3);
    b.skip.forward(x) + b.conv2.forward(h.silu())
}

/// Attention of 49 places to each other.
#[params]
pub struct Look {
    norm: GroupNorm<8, D>,
    qkv: Linear<D, { 3 * D }>,
    out: Linear<D, D>,
}

#[model(inline)]
fn look<const N: usize>(l: &Look, x: Tensor<N, D, 7, 7>) -> Tensor<N, D, 7, 7> {
    let places = l.norm.forward(x).flatten(2, -1).transpose(1, 2);
    let parts = l.qkv.forward(places).reshape([N, 49, 3, 4, D / 4]).permute([2, 0, 3, 1, 4]);
    let seen = scaled_dot_product_attention(parts.select(0, 0), parts.select(0, 1), parts.select(0, 2));
    let seen = l.out.forward(seen.transpose(1, 2).reshape([N, 49, D]));
    x + seen.transpose(1, 2).reshape([N, D, 7, 7])
}

/// The net.
#[params]
pub struct UNet {
    #[init(normal(0.0, 0.02))]
    class: Tensor<{ CLASSES + 1 }, E>,
    time1: Linear<{ 2 * WAVES }, E>,
    time2: Linear<E, E>,
    first: Conv2d<4, C, 3, 1, 1>,
    down1: Block<C, C>,
    half: Conv2d<C, D, 3, 2, 1>,
    down2: Block<D, D>,
    look: Look,
    up2: Block<D, D>,
    twice: Conv2d<D, C, 3, 1, 1>,
    up1: Block<{ 2 * C }, C>,
    norm: GroupNorm<8, C>,
    last: Conv2d<C, 4, 3, 1, 1>,
}

/// The direction of each mixture. The net sees four pixels as the channels of one place.
#[model]
pub fn direction<const N: usize>(
    net: &UNet,
    mixture: Tensor<N, 1, 28, 28>,
    class: Tensor<i64, N>,
    angle: Tensor<N>,
) -> Tensor<N, 1, 28, 28> {
    let rates = (arange(WAVES).to(f32) * 0.2).exp();
    let waves = angle.unsqueeze(1) * rates;
    let waves = cat(&[waves.sin(), waves.cos()], 1);
    let told = net.time2.forward(net.time1.forward(waves).silu()) + net.class.embedding(class);
    let told = told.silu();
    let fine = block(&net.down1, net.first.forward(mixture.pixel_unshuffle(2)), told);
    let coarse = block(&net.down2, net.half.forward(fine), told);
    let coarse = block(&net.up2, look(&net.look, coarse), told);
    let up = net.twice.forward(coarse.interpolate_nearest([14, 14]));
    let up = block(&net.up1, cat(&[up, fine], 1), told);
    net.last.forward(net.norm.forward(up).silu()).pixel_shuffle(2)
}

/// The mean squared error of the direction at these angles.
#[model]
pub fn loss<const N: usize>(
    net: &UNet,
    x: Tensor<N, 1, 28, 28>,
    class: Tensor<i64, N>,
    angle: Tensor<N>,
    rng: &mut Rng,
) -> Tensor {
    let (cos, sin) = (angle.cos().reshape([N, 1, 1, 1]), angle.sin().reshape([N, 1, 1, 1]));
    let noise = randn([N, 1, 28, 28], rng);
    mse_loss(direction(net, cos * x + sin * noise, class, angle), cos * noise - sin * x)
}

/// Forward, backward, clip and AdamW in one function.
#[model]
pub fn train_step<const N: usize>(
    net: &mut UNet,
    opt: &mut AdamW<UNet>,
    x: Tensor<N, 1, 28, 28>,
    class: Tensor<i64, N>,
    angle: Tensor<N>,
    rng: &mut Rng,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, class, angle, rng);
    opt.step(net, grads.clip_norm(1.0));
    loss
}

/// A step of sampling, from an angle to a smaller one: DDIM of Song et al. (2021), `noise` being the deviation of what is drawn
/// anew. The direction is that of the class, and beyond it by `guidance` times what the class makes of it (Ho and Salimans, 2022).
#[model]
pub fn sample_step<const N: usize>(
    net: &UNet,
    mixture: Tensor<N, 1, 28, 28>,
    class: Tensor<i64, N>,
    angle: Tensor,
    next: Tensor,
    noise: Tensor,
    guidance: Tensor,
    rng: &mut Rng,
) -> Tensor<N, 1, 28, 28> {
    let angles = angle.expand([N]);
    let with = direction(net, mixture, class, angles);
    let without = direction(net, mixture, class.full_like(NONE), angles);
    let v = with + guidance * (with - without);
    let x = (angle.cos() * mixture - angle.sin() * v).clamp(-1.0, 1.0);
    let left = (mixture - angle.cos() * x) / angle.sin();
    let share = (next.sin().square() - noise.square()).clamp_min(0.0).sqrt();
    next.cos() * x + share * left + noise * randn([N, 1, 28, 28], rng)
}
