//! The micro-kernels for 64-bit ARM: 6×4 vectors of sums in 32 registers of 128 bits.

use super::kernel::{CROSS, Call, DOTS, Dots, Kernels, portable_dots, table, total};
use super::pack::LINE;
use super::stored::Reads;
use super::vector::{FILL_AHEAD, dots, kernel};
use crate::half::{bf16, f16};
use std::arch::aarch64::*;

/// Rust has no stable prefetch for this processor, which sees streams of its own.
#[inline(always)]
fn soon<T>(_: *const T) {}

/// Likewise.
#[inline(always)]
fn next<T>(_: *const T) {}

/// Zero and the fused product, in the form in which the kernels want them.
macro_rules! forms {
    ($t:ty, $vector:ty, $set:ident, $fma:ident) => {
        #[target_feature(enable = "neon")]
        #[inline]
        fn zero() -> $vector {
            $set(0.0)
        }

        #[target_feature(enable = "neon")]
        #[inline]
        fn fused(a: $vector, b: $vector, sum: $vector) -> $vector {
            $fma(sum, a, b)
        }
    };
}

/// Kernels for `f32`.
pub(super) mod f32 {
    use super::*;
    use std::primitive::f32;

    forms!(f32, float32x4_t, vdupq_n_f32, vfmaq_f32);
    kernel!(
        neon,
        neon_fill,
        neon_sums,
        neon_dots,
        neon_cross,
        "neon",
        f32,
        4,
        zero,
        vdupq_n_f32,
        vld1q_f32,
        vst1q_f32,
        vaddq_f32,
        fused
    );

    /// Four of bf16 as f32.
    #[target_feature(enable = "neon")]
    #[inline]
    unsafe fn widened(at: *const bf16) -> float32x4_t {
        // SAFETY: the caller lets as many elements be read as the vector has, at any alignment.
        vreinterpretq_f32_u32(vshll_n_u16::<16>(unsafe { vld1_u16(at.cast()) }))
    }

    dots!(bf16_dots, "neon", f32, bf16, 4, zero, vld1q_f32, widened, vst1q_f32, vaddq_f32, fused);

    pub const NEON: Kernels<f32> = Kernels {
        rows: 6,
        lanes: 4,
        vectors: 4,
        table: &table!(neon, vectors 1 2 3 4),
        fill: Some(neon_fill::<6, 4>),
        dots: neon_dots,
        cross: neon_cross,
        narrow_dots: (bf16_dots, portable_dots),
    };
}

/// Kernels for `f64`.
pub(super) mod f64 {
    use super::*;
    use std::primitive::f64;

    forms!(f64, float64x2_t, vdupq_n_f64, vfmaq_f64);
    kernel!(
        neon,
        neon_fill,
        neon_sums,
        neon_dots,
        neon_cross,
        "neon",
        f64,
        2,
        zero,
        vdupq_n_f64,
        vld1q_f64,
        vst1q_f64,
        vaddq_f64,
        fused
    );
    const NARROW: (Dots<f64, bf16>, Dots<f64, f16>) = (portable_dots, portable_dots);

    pub const NEON: Kernels<f64> = Kernels {
        rows: 6,
        lanes: 2,
        vectors: 4,
        table: &table!(neon, vectors 1 2 3 4),
        fill: Some(neon_fill::<6, 4>),
        dots: neon_dots,
        cross: neon_cross,
        narrow_dots: NARROW,
    };
}
