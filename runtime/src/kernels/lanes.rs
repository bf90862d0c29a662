//! Sixteen floats at a time, for what must become instructions for whole vectors whatever stands around it: LLVM finds these in short loops
//! over arrays, but not in long chains of them. Where a processor has no vectors of that size, they are arrays.

use super::math::Math;
use std::marker::PhantomData;
use std::ops::{Add, Mul, Neg, Sub};

/// How many there are.
pub const LANES: usize = 16;

/// Sixteen floats.
pub trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// Those of an array.
    fn of(from: &[f32; LANES]) -> Self;
    /// Writes them to an array.
    fn put(self, to: &mut [f32; LANES]);
    /// The same float in each.
    fn all(x: f32) -> Self;
    /// `self b + c`
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// Every fourth element of a line: from the first on, from the second, the third and the fourth.
    fn deal(line: &[f32; 4 * LANES]) -> [Self; 4];
    /// Writes the line that [`Lanes::deal`] takes apart so.
    fn join(parts: [Self; 4], to: &mut [f32; 4 * LANES]);
    /// Rows and columns exchanged.
    fn turn(lines: &[&[f32; 4]; LANES]) -> [Self; 4];
}

/// An array, whose products are added to as `M` says.
#[derive(Clone, Copy, Debug)]
pub struct Plain<M>([f32; LANES], PhantomData<M>);

impl<M> Plain<M> {
    #[inline(always)]
    fn by(f: impl Fn(usize) -> f32) -> Self {
        let mut lanes = [0.0; LANES];
        (0..LANES).for_each(|l| lanes[l] = f(l));
        Plain(lanes, PhantomData)
    }
}

macro_rules! plain {
    ($($op:ident $name:ident $sign:tt;)*) => {$(
        impl<M> $op for Plain<M> {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                Plain::by(|l| self.0[l] $sign other.0[l])
            }
        }
    )*};
}
plain!(Add add +; Sub sub -; Mul mul *;);

impl<M> Neg for Plain<M> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Plain::by(|l| -self.0[l])
    }
}

impl<M: Math> Lanes for Plain<M> {
    #[inline(always)]
    fn of(from: &[f32; LANES]) -> Self {
        Plain(*from, PhantomData)
    }

    #[inline(always)]
    fn put(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn all(x: f32) -> Self {
        Plain([x; LANES], PhantomData)
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        Plain::by(|l| M::mul_add(self.0[l], b.0[l], c.0[l]))
    }

    #[inline(always)]
    fn deal(line: &[f32; 4 * LANES]) -> [Self; 4] {
        std::array::from_fn(|c| Plain::by(|l| line[4 * l + c]))
    }

    #[inline(always)]
    fn join(parts: [Self; 4], to: &mut [f32; 4 * LANES]) {
        for (c, part) in parts.iter().enumerate() {
            (0..LANES).for_each(|l| to[4 * l + c] = part.0[l]);
        }
    }

    #[inline(always)]
    fn turn(lines: &[&[f32; 4]; LANES]) -> [Self; 4] {
        std::array::from_fn(|i| Plain::by(|l| lines[l][i]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::isa::{Body, Isa, simd_as};
    use super::*;

    /// A line dealt and joined again, and its fours turned.
    struct Moved([f32; 64]);

    impl Body for Moved {
        type Output = [[[f32; LANES]; 4]; 3];
        #[inline(always)]
        fn run<M: Math>(self) -> Self::Output {
            let mut joined = [0.0; 64];
            let dealt = M::Lanes::deal(&self.0);
            M::Lanes::join(dealt, &mut joined);
            let fours: [&[f32; 4]; LANES] =
                std::array::from_fn(|l| self.0[4 * l..].first_chunk().expect("four"));
            let mut all = [[[0.0; LANES]; 4]; 3];
            for (to, lanes) in all.iter_mut().zip([dealt, M::Lanes::turn(&fours)]) {
                to.iter_mut().zip(lanes).for_each(|(to, lanes)| lanes.put(to));
            }
            all[2] = std::array::from_fn(|i| *joined[LANES * i..].first_chunk().expect("a vector"));
            all
        }
    }

    #[test]
    fn lines_are_dealt_turned_and_joined() {
        let line: [f32; 64] = std::array::from_fn(|i| i as f32);
        for isa in Isa::available() {
            let [dealt, turned, joined] = simd_as(isa, Moved(line));
            assert_eq!(joined.as_flattened(), line, "{isa:?}");
            assert_eq!(dealt, turned, "{isa:?}");
            for (at, x) in dealt.iter().flatten().enumerate() {
                assert_eq!(*x, (at % 16 * 4 + at / 16) as f32, "{isa:?}");
            }
        }
    }

    /// `a b + c`, `a + b`, `a - b`, `a b` and `-a`.
    struct Combined([f32; LANES], f32, f32);

    impl Body for Combined {
        type Output = [[f32; LANES]; 5];
        #[inline(always)]
        fn run<M: Math>(self) -> Self::Output {
            let (a, b, c) = (M::Lanes::of(&self.0), M::Lanes::all(self.1), M::Lanes::all(self.2));
            let mut all = [[0.0; LANES]; 5];
            for (to, lanes) in all.iter_mut().zip([a.mul_add(b, c), a + b, a - b, a * b, -a]) {
                lanes.put(to);
            }
            all
        }
    }

    #[test]
    fn lanes_are_combined_one_by_one() {
        let a: [f32; LANES] = std::array::from_fn(|l| l as f32 - 7.0);
        for isa in Isa::available() {
            let got = simd_as(isa, Combined(a, 3.0, 5.0));
            let want = [
                a.map(|a| a * 3.0 + 5.0),
                a.map(|a| a + 3.0),
                a.map(|a| a - 3.0),
                a.map(|a| a * 3.0),
                a.map(|a| -a),
            ];
            assert_eq!(got, want, "{isa:?}");
        }
    }
}
