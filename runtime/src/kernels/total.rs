//! Sums of everything: over blocks whose size hangs on the number of elements alone, combined in their order, so that
//! the result is the same on any number of threads.

use super::isa::{Body, simd_run_at};
use super::launch::{Kernel, Outs, Part, launch, part};
use super::math::Math;
use std::ops::Range;

/// Elements of a block, at least: some microseconds.
const BLOCK: usize = 1 << 15;
/// Most blocks.
const BLOCKS: usize = 64;

/// An emitted kernel of sums (or maxima) over all its elements. Mark its functions `#[inline(always)]`.
pub trait Total: Sync {
    /// The sums.
    type Sums: Copy + Send + 'static;
    /// Where it writes.
    type Out<'o>: Outs;
    /// The sums over some units: elements, or runs of them.
    fn block<M: Math>(&self, units: Range<usize>) -> Self::Sums;
    /// The sums over both parts.
    fn combine(first: Self::Sums, second: Self::Sums) -> Self::Sums;
    /// Stores what comes of the sums over all.
    fn finish<M: Math>(&self, sums: Self::Sums, out: Self::Out<'_>);
}

struct Blocks<'k, K> {
    kernel: &'k K,
    units: usize,
    /// Units of a block.
    size: usize,
}

impl<K: Total> Kernel for Blocks<'_, K> {
    type Out<'o> = (Part<'o, Option<K::Sums>>, ());
    #[inline(always)]
    fn run<M: Math>(&self, blocks: Range<usize>, (mut sums, ()): Self::Out<'_>) {
        for (i, block) in blocks.enumerate() {
            let start = block * self.size;
            sums.unit(i)[0] = Some(self.kernel.block::<M>(start..(start + self.size).min(self.units)));
        }
    }
}

struct Finish<'k, 'o, K: Total> {
    kernel: &'k K,
    sums: K::Sums,
    out: K::Out<'o>,
}

impl<K: Total> Body for Finish<'_, '_, K> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        self.kernel.finish::<M>(self.sums, self.out);
    }
}

/// Runs a kernel of sums over `units` units of `elements` elements and `cost` operations each.
pub fn total<K: Total>(kernel: &K, units: usize, elements: usize, cost: usize, out: K::Out<'_>) {
    let size = (BLOCK / elements.max(1)).max(units.div_ceil(BLOCKS)).max(1);
    let blocks = units.div_ceil(size).max(1);
    let mut sums = [None; BLOCKS];
    let sums = &mut sums[..blocks];
    launch(&Blocks { kernel, units, size }, blocks, cost.saturating_mul(size), (part(sums, 1), ()));
    if let Some(sums) = sums.iter().copied().flatten().reduce(K::combine) {
        simd_run_at::<K, _>(Finish { kernel, sums, out });
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::set_threads;
    use super::*;

    struct Sum<'a>(&'a [f32]);

    impl Total for Sum<'_> {
        type Sums = (f32, (f32, ()));
        type Out<'o> = (Part<'o, f32>, (Part<'o, f32>, ()));
        #[inline(always)]
        fn block<M: Math>(&self, units: Range<usize>) -> Self::Sums {
            let x = &self.0[units];
            (x.iter().sum(), (x.iter().copied().fold(f32::NEG_INFINITY, f32::max), ()))
        }
        #[inline(always)]
        fn combine(first: Self::Sums, second: Self::Sums) -> Self::Sums {
            (first.0 + second.0, (first.1.0.max(second.1.0), ()))
        }
        #[inline(always)]
        fn finish<M: Math>(&self, sums: Self::Sums, (mut sum, (mut max, ())): Self::Out<'_>) {
            sum.unit(0)[0] = sums.0;
            max.unit(0)[0] = sums.1.0;
        }
    }

    fn of(x: &[f32], cost: usize) -> (f32, f32) {
        let (mut sum, mut max) = ([f32::NAN], [f32::NAN]);
        total(&Sum(x), x.len(), 1, cost, (part(&mut sum, 1), (part(&mut max, 1), ())));
        (sum[0], max[0])
    }

    #[test]
    fn any_number_of_threads_gives_the_same_sum() {
        for n in [0, 1, BLOCK, BLOCK + 1, 5 * BLOCK + 7, 200 * BLOCK + 3] {
            let x: Vec<f32> = (0..n).map(|i| ((i * 7919) % 1009) as f32 / 1009.0).collect();
            let alone = of(&x, 0);
            let exact: f64 = x.iter().map(|x| f64::from(*x)).sum();
            assert!((f64::from(alone.0) - exact).abs() <= 1e-4 * exact, "{n}: {alone:?}, {exact}");
            assert_eq!(alone.1, x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            for threads in [2, 3] {
                set_threads(threads);
                assert_eq!(of(&x, 1 << 20), alone, "{n} on {threads}");
            }
            set_threads(0);
        }
    }
}
