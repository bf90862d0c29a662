//! How an emitted kernel runs: on the widest instruction set, on as many threads as its work deserves.
//!
//! A kernel's results fall into units (rows or elements) that don't depend on each other. Threads get runs of units,
//! each with the part of every result that belongs to it: the parts are cut by `split_at_mut`, so nothing is shared.

use super::isa::{Body, simd_run_at};
use super::math::Math;
use super::threads::{parallel, threads_for};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Most pieces that a launch is cut into.
const PIECES: usize = 64;

/// An emitted kernel. Mark `run` `#[inline(always)]`, as [`Body`] asks.
pub trait Kernel: Sync {
    /// Where it writes.
    type Out<'o>: Outs;
    /// Computes these units into their parts of the results.
    fn run<M: Math>(&self, units: Range<usize>, out: Self::Out<'_>);
}

/// Several results: pairs `(first, (second, … ()))` of [`Part`]s.
pub trait Outs: Sized + Send {
    /// The parts of the first `units` units, and the rest.
    fn split(self, units: usize) -> (Self, Self);
}

impl Outs for () {
    fn split(self, _: usize) -> ((), ()) {
        ((), ())
    }
}

impl<T: Send, R: Outs> Outs for (Part<'_, T>, R) {
    fn split(self, units: usize) -> (Self, Self) {
        let Part { data, width } = self.0;
        let (head, tail) = data.split_at_mut(units * width);
        let (first, rest) = self.1.split(units);
        ((Part { data: head, width }, first), (Part { data: tail, width }, rest))
    }
}

/// A run of units of a result, `width` elements each.
#[derive(Debug)]
pub struct Part<'o, T> {
    data: &'o mut [T],
    width: usize,
}

/// A result whose units have `width` elements.
#[inline]
pub fn part<T>(data: &mut [T], width: usize) -> Part<'_, T> {
    Part { data, width }
}

impl<T> Part<'_, T> {
    /// Unit `i` of the run.
    #[inline(always)]
    pub fn unit(&mut self, i: usize) -> &mut [T] {
        &mut self.data[i * self.width..][..self.width]
    }

    /// All units of the run.
    #[inline(always)]
    pub fn all(&mut self) -> &mut [T] {
        self.data
    }
}

struct Run<'k, 'o, K: Kernel> {
    kernel: &'k K,
    units: Range<usize>,
    out: K::Out<'o>,
}

impl<K: Kernel> Body for Run<'_, '_, K> {
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        self.kernel.run::<M>(self.units, self.out);
    }
}

/// Runs a kernel over `units` units of `cost` operations each.
///
/// # Panics
/// If a result has fewer units.
pub fn launch<K: Kernel>(kernel: &K, units: usize, cost: usize, out: K::Out<'_>) {
    if units == 0 {
        return;
    }
    let threads = threads_for(units, cost);
    if threads <= 1 {
        return simd_run_at::<K, _>(Run { kernel, units: 0..units, out });
    }
    shared_out([4 * threads, units], cost, out, &|units, out| {
        simd_run_at::<K, _>(Run { kernel, units, out })
    });
}

/// Calls `f` for each of `count` products, or what else uses threads itself, with its part of every result: several at
/// a time where there are enough of them, `cost` operations each.
///
/// # Panics
/// If a result has fewer units.
pub fn batched<O: Outs>(count: usize, cost: usize, out: O, f: &(dyn Fn(usize, O) + Sync)) {
    let one_by_one = |units: Range<usize>, out: O| {
        let mut rest = out;
        for unit in units {
            let (first, others) = rest.split(1);
            f(unit, first);
            rest = others;
        }
    };
    let threads = threads_for(count, cost);
    match threads > 1 && count >= 2 * threads {
        true => shared_out([4 * threads, count], cost, out, &one_by_one),
        false => one_by_one(0..count, out),
    }
}

/// Calls `f` with runs of the units, so many at most, and their parts of the results, on several threads.
pub(super) fn shared_out<O: Outs>(
    [pieces, units]: [usize; 2],
    cost: usize,
    out: O,
    f: &(dyn Fn(Range<usize>, O) + Sync),
) {
    let pieces = pieces.min(units).min(PIECES);
    let mut rest = Some(out);
    let parts: [_; PIECES] = std::array::from_fn(|i| {
        let here = share(units, pieces, i);
        let (first, others) = rest.take().filter(|_| i < pieces)?.split(here.len());
        rest = Some(others);
        Some(Mutex::new(Some((here, first))))
    });
    parallel(pieces, cost.saturating_mul(units / pieces), &|range| {
        for part in parts[range].iter().flatten() {
            if let Some((units, out)) = part.lock().unwrap_or_else(PoisonError::into_inner).take() {
                f(units, out);
            }
        }
    });
}

/// Piece `i` of `pieces` of `0..units`.
fn share(units: usize, pieces: usize, i: usize) -> Range<usize> {
    let at = |i: usize| units * i.min(pieces) / pieces;
    at(i)..at(i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Rows<'a>(&'a [u32]);

    impl Kernel for Rows<'_> {
        type Out<'o> = (Part<'o, u32>, (Part<'o, u64>, ()));
        #[inline(always)]
        fn run<M: Math>(&self, units: Range<usize>, out: Self::Out<'_>) {
            let (mut doubled, (mut sums, ())) = out;
            for (i, r) in units.enumerate() {
                let (x, y) = (&self.0[r * 3..][..3], doubled.unit(i));
                (0..3).for_each(|j| y[j] = 2 * x[j]);
                sums.unit(i)[0] = x.iter().map(|x| u64::from(*x)).sum();
            }
        }
    }

    #[test]
    fn every_unit_is_computed_once_however_it_is_cut() {
        for units in [0, 1, 2, 7, 63, 64, 65, 1000] {
            let x: Vec<u32> = (0..3 * units as u32).collect();
            for cost in [1, 1 << 22] {
                let (mut y, mut sums) = (vec![0; 3 * units], vec![0; units]);
                launch(&Rows(&x), units, cost, (part(&mut y, 3), (part(&mut sums, 1), ())));
                assert!(x.iter().zip(&y).all(|(x, y)| 2 * x == *y));
                assert!(sums.iter().enumerate().all(|(i, s)| *s == 9 * i as u64 + 3));
            }
        }
    }

    #[test]
    fn every_batch_is_called_once_with_its_part() {
        for count in [0, 1, 3, 4, 64, 100] {
            for cost in [1, 1 << 22] {
                let mut y = vec![0; 3 * count];
                batched(count, cost, (part(&mut y, 3), ()), &|i, (mut y, ())| {
                    y.all().iter_mut().enumerate().for_each(|(j, y)| *y += 10 * i + j);
                });
                assert!(
                    y.iter().enumerate().all(|(at, y)| *y == at / 3 * 10 + at % 3),
                    "{count} {cost}: {y:?}"
                );
            }
        }
    }

    #[test]
    fn shares_are_all_units() {
        for (units, pieces) in [(5, 2), (64, 64), (1000, 8)] {
            let all: Vec<usize> = (0..pieces).flat_map(|i| share(units, pieces, i)).collect();
            assert_eq!(all, (0..units).collect::<Vec<_>>());
        }
    }
}
