//! AVX-512: a vector is sixteen floats.

use super::{Math, Real};
use crate::kernels::lanes::{LANES, Lanes};
use std::arch::x86_64::*;
use std::ops::{Add, Mul, Neg, Sub};

/// As [`super::Fused`], with vectors of 512 bits. Only [`crate::kernels::isa`] names it, inside the boundary for processors that
/// have AVX-512: that is what all of [`Vector`] relies on.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Wide;

impl Math for Wide {
    type Lanes = Vector;
    #[inline(always)]
    fn mul_add<T: Real>(a: T, b: T, c: T) -> T {
        a.fused(b, c)
    }
}

/// A vector, of [`Wide`] alone.
#[derive(Clone, Copy, Debug)]
pub struct Vector(__m512);

macro_rules! vector {
    ($($op:ident $name:ident $intrinsic:ident;)*) => {$(
        impl $op for Vector {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: there are vectors only where the processor has AVX-512, as `Wide` says.
                Vector(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    )*};
}
vector!(Add add _mm512_add_ps; Sub sub _mm512_sub_ps; Mul mul _mm512_mul_ps;);

impl Neg for Vector {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        // SAFETY: as above.
        Vector(unsafe { _mm512_sub_ps(_mm512_set1_ps(-0.0), self.0) })
    }
}

/// Of two vectors, every fourth element from 0 on, then every fourth from 1 on; from 2 and 3 on are two further.
const DEAL: [i32; LANES] = [0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29];
/// Of two pairs of halves `a b` and `c d`, `a0 b0 c0 d0` and so on, for the lower four of each half; the upper are four further.
const JOIN: [i32; LANES] = [0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27];

impl Lanes for Vector {
    #[inline(always)]
    fn of(from: &[f32; LANES]) -> Self {
        // SAFETY: as above; an array has as many elements as a vector.
        Vector(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }

    #[inline(always)]
    fn put(self, to: &mut [f32; LANES]) {
        // SAFETY: as in `of`.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn all(x: f32) -> Self {
        // SAFETY: as above.
        Vector(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    fn mul_add(self, b: Self, c: Self) -> Self {
        // SAFETY: as above.
        Vector(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }

    #[inline(always)]
    fn deal(line: &[f32; 4 * LANES]) -> [Self; 4] {
        // SAFETY: as above; four vectors are in the line.
        unsafe {
            let low = _mm512_loadu_si512(DEAL.as_ptr().cast());
            let high = _mm512_add_epi32(low, _mm512_set1_epi32(2));
            let (a, b) = (_mm512_loadu_ps(line.as_ptr()), _mm512_loadu_ps(line.as_ptr().add(16)));
            let (c, d) = (_mm512_loadu_ps(line.as_ptr().add(32)), _mm512_loadu_ps(line.as_ptr().add(48)));
            // Of eight fours each: their first and second elements, and their third and fourth.
            let (ab, cd) = (_mm512_permutex2var_ps(a, low, b), _mm512_permutex2var_ps(c, low, d));
            let (ab_up, cd_up) = (_mm512_permutex2var_ps(a, high, b), _mm512_permutex2var_ps(c, high, d));
            [
                Vector(_mm512_shuffle_f32x4::<0b01_00_01_00>(ab, cd)),
                Vector(_mm512_shuffle_f32x4::<0b11_10_11_10>(ab, cd)),
                Vector(_mm512_shuffle_f32x4::<0b01_00_01_00>(ab_up, cd_up)),
                Vector(_mm512_shuffle_f32x4::<0b11_10_11_10>(ab_up, cd_up)),
            ]
        }
    }

    #[inline(always)]
    fn join([a, b, c, d]: [Self; 4], to: &mut [f32; 4 * LANES]) {
        let to = to.as_mut_ptr();
        // SAFETY: as in `deal`.
        unsafe {
            let low = _mm512_loadu_si512(JOIN.as_ptr().cast());
            let high = _mm512_add_epi32(low, _mm512_set1_epi32(4));
            // The lower eight of each two, and the upper.
            let ab = _mm512_shuffle_f32x4::<0b01_00_01_00>(a.0, b.0);
            let cd = _mm512_shuffle_f32x4::<0b01_00_01_00>(c.0, d.0);
            let ab_up = _mm512_shuffle_f32x4::<0b11_10_11_10>(a.0, b.0);
            let cd_up = _mm512_shuffle_f32x4::<0b11_10_11_10>(c.0, d.0);
            _mm512_storeu_ps(to, _mm512_permutex2var_ps(ab, low, cd));
            _mm512_storeu_ps(to.add(16), _mm512_permutex2var_ps(ab, high, cd));
            _mm512_storeu_ps(to.add(32), _mm512_permutex2var_ps(ab_up, low, cd_up));
            _mm512_storeu_ps(to.add(48), _mm512_permutex2var_ps(ab_up, high, cd_up));
        }
    }

    #[inline(always)]
    fn turn(lines: &[&[f32; 4]; LANES]) -> [Self; 4] {
        // SAFETY: as above; each line is read whole.
        unsafe {
            // Of every fourth line, its four elements.
            let mut fours = [_mm512_setzero_ps(); 4];
            for (i, four) in fours.iter_mut().enumerate() {
                let one = _mm512_castps128_ps512(_mm_loadu_ps(lines[i].as_ptr()));
                let two = _mm512_insertf32x4::<1>(one, _mm_loadu_ps(lines[i + 4].as_ptr()));
                let three = _mm512_insertf32x4::<2>(two, _mm_loadu_ps(lines[i + 8].as_ptr()));
                *four = _mm512_insertf32x4::<3>(three, _mm_loadu_ps(lines[i + 12].as_ptr()));
            }
            let [a, b, c, d] = fours;
            let (ab, ab_up) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let (cd, cd_up) = (_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            [
                Vector(_mm512_shuffle_ps::<0b01_00_01_00>(ab, cd)),
                Vector(_mm512_shuffle_ps::<0b11_10_11_10>(ab, cd)),
                Vector(_mm512_shuffle_ps::<0b01_00_01_00>(ab_up, cd_up)),
                Vector(_mm512_shuffle_ps::<0b11_10_11_10>(ab_up, cd_up)),
            ]
        }
    }
}
