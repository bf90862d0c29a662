//! The micro-kernels for x86-64: AVX-512, 6×4 vectors of sums in 32 registers, and AVX2 with FMA, 6×2 in 16.

use super::kernel::{CROSS, Call, DOTS, Dots, Kernels, portable_dots, table, total};
use super::pack::LINE;
use super::stored::Reads;
use super::vector::{FILL_AHEAD, dots, kernel};
use crate::half::{bf16, f16};
use std::arch::x86_64::*;

/// Brings near what is read soon.
#[inline(always)]
fn soon<T>(at: *const T) {
    // SAFETY: each processor of the target has it, any address will do, and it reads nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) };
}

/// Brings near what is read next.
#[inline(always)]
fn next<T>(at: *const T) {
    // SAFETY: likewise.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
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
        table: &table!(wide, vectors 1 2 3 4),
        fill: Some(wide_fill::<6, 4>),
        dots: wide_dots,
        cross: wide_cross,
        narrow_dots: (wide_bf16_dots, wide_f16_dots),
    };
    pub const AVX2: Kernels<f32> = Kernels {
        rows: 6,
        lanes: 8,
        vectors: 2,
        table: &table!(narrow, vectors 1 2 2 2),
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
        table: &table!(wide, vectors 1 2 3 4),
        fill: Some(wide_fill::<6, 4>),
        dots: wide_dots,
        cross: wide_cross,
        narrow_dots: NARROW,
    };
    pub const AVX2: Kernels<f64> = Kernels {
        rows: 6,
        lanes: 4,
        vectors: 2,
        table: &table!(narrow, vectors 1 2 2 2),
        fill: Some(narrow_fill::<6, 2>),
        dots: narrow_dots,
        cross: narrow_cross,
        narrow_dots: NARROW,
    };
}
