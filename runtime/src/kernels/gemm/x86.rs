//! The micro-kernels for x86-64: AVX-512 and AVX2 with FMA.
//!
//! `R` rows by `V` vectors of sums; each step of k loads `V` vectors of B and broadcasts `R` elements of A. AVX-512
//! has 6×4 sums in 32 registers, AVX2 6×2 in 16.

use super::kernel::{CROSS, Call, DOTS, Dots, Kernels, portable_dots, table, total};
use super::pack::LINE;
use super::stored::Reads;
use crate::half::{bf16, f16};
use std::arch::x86_64::*;

/// Rows of B that are brought near ahead of those that are packed: far from each other, they are no stream that the processor sees.
const FILL_AHEAD: isize = 8;

/// The kernels of an instruction set: names, features, element and the operations.
macro_rules! kernel {
    ($name:ident, $fill:ident, $sums:ident, $dots:ident, $cross:ident, $features:literal, $t:ty, $lanes:literal, $zero:ident, $set:ident, $load:ident, $store:ident,
     $add:ident, $fma:ident) => {
        #[target_feature(enable = $features)]
        unsafe fn $name<const R: usize, const V: usize>(call: Call<$t>) {
            // SAFETY: what the caller promises is what is asked; nothing is filled.
            unsafe { $sums::<R, V, false>(call, std::ptr::null_mut()) }
        }

        #[target_feature(enable = $features)]
        unsafe fn $fill<const R: usize, const V: usize>(call: Call<$t>, to: *mut $t) {
            // SAFETY: what the caller promises is what is asked.
            unsafe { $sums::<R, V, true>(call, to) }
        }

        #[target_feature(enable = $features)]
        #[inline]
        unsafe fn $sums<const R: usize, const V: usize, const FILL: bool>(call: Call<$t>, mut to: *mut $t) {
            let mut sums = [[$zero(); V]; R];
            let (mut a, mut b, mut ahead) = (call.a, call.b, call.ahead);
            for _ in 0..call.k {
                // Few rows do nothing but load: one more each step would cost more than it brings.
                if R > 2 && !FILL {
                    _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                    ahead = ahead.wrapping_add(LINE / size_of::<$t>());
                }
                let mut line = [$zero(); V];
                for (v, line) in line.iter_mut().enumerate() {
                    // SAFETY: the caller lets `V` vectors of each of the `k` rows of B be read.
                    *line = unsafe { $load(b.add(v * $lanes)) };
                    if FILL {
                        let later = b.wrapping_offset(FILL_AHEAD * call.b_stride).wrapping_add(v * $lanes);
                        _mm_prefetch::<_MM_HINT_T0>(later.cast());
                        // SAFETY: the caller lets `V` vectors be written for each row of B.
                        unsafe { $store(to.add(v * $lanes), *line) };
                    }
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller lets `a[i, p]` be read for each `i < R` and `p < k`.
                    let a = $set(unsafe { *a.offset(i as isize * call.a_strides.0) });
                    for (sum, b) in sums.iter_mut().zip(line) {
                        *sum = $fma(a, b, *sum);
                    }
                }
                a = a.wrapping_offset(call.a_strides.1);
                b = b.wrapping_offset(call.b_stride);
                to = to.wrapping_add(V * $lanes);
            }
            for (i, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    // SAFETY: the caller gives `V` vectors of sums a row, initialized if `add`, to this call alone.
                    unsafe {
                        let c = call.c.add(i * call.c_stride + v * $lanes);
                        $store(c, if call.add { $add(*sum, $load(c)) } else { *sum });
                    }
                }
            }
        }

        #[target_feature(enable = $features)]
        unsafe fn $cross(
            len: usize,
            at: &[[isize; 2]],
            a: [*const $t; CROSS[0]],
            b: [*const $t; CROSS[1]],
        ) -> [[$t; CROSS[1]]; CROSS[0]] {
            let mut sums = [[$zero(); CROSS[1]]; CROSS[0]];
            for [in_a, in_b] in at {
                for p in (0..len as isize).step_by($lanes) {
                    // SAFETY: `p + lanes <= len`, and the caller lets `len` elements be read at each from the line on.
                    let line = b.map(|b| unsafe { $load(b.offset(in_b + p)) });
                    for (a, sums) in a.iter().zip(&mut sums) {
                        // SAFETY: likewise.
                        let a = unsafe { $load(a.offset(in_a + p)) };
                        for (sum, b) in sums.iter_mut().zip(line) {
                            *sum = $fma(a, b, *sum);
                        }
                    }
                }
            }
            sums.map(|sums| {
                sums.map(|sum| {
                    let mut lanes = [0.0; $lanes];
                    // SAFETY: as many elements as a vector has.
                    unsafe { $store(lanes.as_mut_ptr(), sum) };
                    total(lanes)
                })
            })
        }

        dots!($dots, $features, $t, $t, $lanes, $zero, $load, $load, $store, $add, $fma);
    };
}

/// Dot products with lines of some element, which `line` loads a vector of.
macro_rules! dots {
    ($dots:ident, $features:literal, $t:ty, $of:ty, $lanes:literal, $zero:ident, $load:ident, $line:ident, $store:ident,
     $add:ident, $fma:ident) => {
        #[target_feature(enable = $features)]
        unsafe fn $dots(k: usize, a: *const $t, lines: [*const $of; DOTS]) -> [$t; DOTS] {
            // Two vectors of sums a line: enough to hide what an addition takes, and all in registers.
            let mut sums = [[$zero(); 2]; DOTS];
            let whole = k - k % (2 * $lanes);
            for p in (0..whole).step_by(2 * $lanes) {
                // SAFETY: `p + 2 * lanes <= k`, and the caller lets `k` elements be read at `a` and at each line.
                unsafe {
                    let x = [$load(a.add(p)), $load(a.add(p + $lanes))];
                    for (sums, line) in sums.iter_mut().zip(lines) {
                        sums[0] = $fma(x[0], $line(line.add(p)), sums[0]);
                        sums[1] = $fma(x[1], $line(line.add(p + $lanes)), sums[1]);
                    }
                }
            }
            let mut dots = [0.0; DOTS];
            for (c, dot) in dots.iter_mut().enumerate() {
                let mut lanes = [0.0; $lanes];
                // SAFETY: as many elements as a vector has.
                unsafe { $store(lanes.as_mut_ptr(), $add(sums[c][0], sums[c][1])) };
                *dot = total(lanes);
                for p in whole..k {
                    // SAFETY: `p < k`.
                    *dot += unsafe { *a.add(p) * Reads::<$t>::read(*lines[c].add(p)) };
                }
            }
            dots
        }
    };
}

/// Kernels for `f32`.
pub(super) mod f32 {
    use super::*;
    use std::primitive::f32;

    kernel!(
        wide,
        wide_fill,
        wide_sums,
        wide_dots,
        wide_cross,
        "avx512f",
        f32,
        16,
        _mm512_setzero_ps,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps
    );
    kernel!(
        narrow,
        narrow_fill,
        narrow_sums,
        narrow_dots,
        narrow_cross,
        "avx2,fma",
        f32,
        8,
        _mm256_setzero_ps,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    /// Loads of 16, and of 8, narrow floats as f32.
    macro_rules! widening {
        ($name:ident, $features:literal, $of:ty => $vector:ty, |$at:ident| $load:expr) => {
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn $name($at: *const $of) -> $vector {
                // SAFETY: the caller lets as many elements be read as the vector has, at any alignment.
                unsafe { $load }
            }
        };
    }
    widening!(wide_bf16, "avx512f", bf16 => __m512, |at| {
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(at.cast()))))
    });
    widening!(wide_f16, "avx512f", f16 => __m512, |at| _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())));
    widening!(narrow_bf16, "avx2,fma", bf16 => __m256, |at| {
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()))))
    });
    widening!(narrow_f16, "avx2,fma,f16c", f16 => __m256, |at| _mm256_cvtph_ps(_mm_loadu_si128(at.cast())));

    dots!(
        wide_bf16_dots,
        "avx512f",
        f32,
        bf16,
        16,
        _mm512_setzero_ps,
        _mm512_loadu_ps,
        wide_bf16,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps
    );
    dots!(
        wide_f16_dots,
        "avx512f",
        f32,
        f16,
        16,
        _mm512_setzero_ps,
        _mm512_loadu_ps,
        wide_f16,
        _mm512_storeu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps
    );
    dots!(
        narrow_bf16_dots,
        "avx2,fma",
        f32,
        bf16,
        8,
        _mm256_setzero_ps,
        _mm256_loadu_ps,
        narrow_bf16,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    dots!(
        narrow_f16_dots,
        "avx2,fma,f16c",
        f32,
        f16,
        8,
        _mm256_setzero_ps,
        _mm256_loadu_ps,
        narrow_f16,
        _mm256_storeu_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    pub const AVX512: Kernels<f32> = Kernels {
        rows: 6,
        lanes: 16,
        vectors: 4,
        table: &table!(wide, f32),
        fill: Some(wide_fill::<6, 4>),
        dots: wide_dots,
        cross: wide_cross,
        narrow_dots: (wide_bf16_dots, wide_f16_dots),
    };
    pub const AVX2: Kernels<f32> = Kernels {
        rows: 6,
        lanes: 8,
        vectors: 2,
        table: &table!(narrow, f32),
        fill: Some(narrow_fill::<6, 2>),
        dots: narrow_dots,
        cross: narrow_cross,
        narrow_dots: (narrow_bf16_dots, narrow_f16_dots),
    };
}

/// Kernels for `f64`.
pub(super) mod f64 {
    use super::*;
    use std::primitive::f64;

    kernel!(
        wide,
        wide_fill,
        wide_sums,
        wide_dots,
        wide_cross,
        "avx512f",
        f64,
        8,
        _mm512_setzero_pd,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_add_pd,
        _mm512_fmadd_pd
    );
    kernel!(
        narrow,
        narrow_fill,
        narrow_sums,
        narrow_dots,
        narrow_cross,
        "avx2,fma",
        f64,
        4,
        _mm256_setzero_pd,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_add_pd,
        _mm256_fmadd_pd
    );
    const NARROW: (Dots<f64, bf16>, Dots<f64, f16>) = (portable_dots, portable_dots);
    pub const AVX512: Kernels<f64> = Kernels {
        rows: 6,
        lanes: 8,
        vectors: 4,
        table: &table!(wide, f64),
        fill: Some(wide_fill::<6, 4>),
        dots: wide_dots,
        cross: wide_cross,
        narrow_dots: NARROW,
    };
    pub const AVX2: Kernels<f64> = Kernels {
        rows: 6,
        lanes: 4,
        vectors: 2,
        table: &table!(narrow, f64),
        fill: Some(narrow_fill::<6, 2>),
        dots: narrow_dots,
        cross: narrow_cross,
        narrow_dots: NARROW,
    };
}
