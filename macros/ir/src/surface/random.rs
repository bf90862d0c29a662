//! Random numbers, and what is dropped at random.

use super::{Args, table};
use crate::composite::Built;
use crate::composite::random::{self, Generator};
use crate::{Builder, Error, Op, Value};

table! {
    /// Numbers of [0, 1) (f32).
    Function rand(shape: Sizes, rng: Rng) -> Drawn
        |b, a| drawn(b, a, 1, |b, g| random::rand(b, g, &a.sizes(0)));
    /// Numbers of the normal distribution (f32).
    Function randn(shape: Sizes, rng: Rng) -> Drawn
        |b, a| drawn(b, a, 1, |b, g| random::randn(b, g, &a.sizes(0)));
    /// Whole numbers of low .. high (i64).
    Function randint(low: Axis, high: Axis, shape: Sizes, rng: Rng) -> Drawn
        |b, a| drawn(b, a, 3, |b, g| random::randint(b, g, [a.axis(0), a.axis(1)], &a.sizes(2)));
    /// Numbers of [0, 1) in the type of another tensor.
    Method rand_like(x: Tensor, rng: Rng) -> Drawn |b, a| drawn(b, a, 1, |b, g| {
        let ty = b.ty(a.tensor(0)).clone();
        let u = random::rand(b, g, &ty.shape)?;
        b.emit(Op::Cast(ty.dtype), &[u])
    });
    /// Numbers of the normal distribution in the type of another tensor.
    Method randn_like(x: Tensor, rng: Rng) -> Drawn |b, a| drawn(b, a, 1, |b, g| {
        let ty = b.ty(a.tensor(0)).clone();
        let z = random::randn(b, g, &ty.shape)?;
        b.emit(Op::Cast(ty.dtype), &[z])
    });
    /// 1 with the probability that each element is, else 0.
    Both bernoulli(p: Tensor, rng: Rng) -> Drawn
        |b, a| drawn(b, a, 1, |b, g| random::bernoulli(b, g, a.tensor(0)));
    /// Elements are 0 with probability p, others divided by 1 − p.
    Function dropout(x: Tensor, p: Float, rng: Rng) -> Drawn
        |b, a| drawn(b, a, 2, |b, g| random::dropout(b, g, a.tensor(0), a.float(1)));
    /// The same for whole channels of [N, C, L].
    Function dropout1d(x: Tensor, p: Float, rng: Rng) -> Drawn |b, a| channels(b, a, 1);
    /// The same for whole channels of [N, C, H, W].
    Function dropout2d(x: Tensor, p: Float, rng: Rng) -> Drawn |b, a| channels(b, a, 2);
    /// The same for whole channels of [N, C, D, H, W].
    Function dropout3d(x: Tensor, p: Float, rng: Rng) -> Drawn |b, a| channels(b, a, 3);
}

/// What is made with the generator at that place, and its counter afterwards.
fn drawn(
    b: &mut Builder,
    a: &Args,
    at: usize,
    build: impl FnOnce(&mut Builder, &mut Generator) -> Built,
) -> Result<[Value; 2], Error> {
    let mut generator = a.rng(at);
    let value = build(b, &mut generator)?;
    Ok([value, generator.counter])
}

fn channels(b: &mut Builder, a: &Args, spatial: usize) -> Result<[Value; 2], Error> {
    drawn(b, a, 2, |b, g| random::dropout_channels(b, g, a.tensor(0), a.float(1), spatial))
}
