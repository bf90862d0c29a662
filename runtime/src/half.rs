//! Floats of 16 bits: what weights and activations are stored as. Arithmetic on them is arithmetic in f32: a function of the
//! surface (`a + b`, `x.softmax(1)`) computes in f32 and rounds its result once, compiled and eager alike.
//!
//! Conversions from f32 round to the nearest, halves to even; those to f32 are exact. Both are written without branches, so
//! that loops over them become vector code.

use std::cmp::Ordering;
use std::fmt;

/// bfloat16: the upper half of an f32. It has the range of f32 and 8 bits of precision.
///
/// In a model it is what is stored; `x.to(f32)` computes with it, and costs no copy where a product reads it:
///
/// ```
/// use kiln::prelude::*;
///
/// #[params]
/// pub struct Head {
///     weight: Tensor<bf16, 10, 64>,
/// }
///
/// #[model]
/// pub fn head<const N: usize>(net: &Head, x: Tensor<N, 64>) -> Tensor<N, 10> {
///     x.linear(net.weight.to(f32), None)
/// }
///
/// let y = head(&Head::init(&mut Rng::seed(0)), Tensor::<f32>::ones([3, 64]))?;
/// assert_eq!(y.shape(), [3, 10]);
/// assert_eq!(head::scratch_bytes(3), 0);
/// # Ok::<(), kiln::Error>(())
/// ```
///
/// Arithmetic between tensors of bf16 is that of f32, and each result is rounded once to bf16. Types are never mixed by
/// themselves: bf16 and f32 don't add.
///
/// ```
/// use kiln::bf16;
///
/// let x = bf16::from_f32(0.1);
/// assert_eq!((x.to_f32(), x.to_bits()), (0.100097656, 0x3dcd));
/// ```
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
#[allow(non_camel_case_types, reason = "the name of an element type, as f32 is")]
pub struct bf16(u16);

/// IEEE 754's binary16: 11 bits of precision, up to 65504.
///
/// ```
/// use kiln::f16;
///
/// let x = f16::from_f32(0.1);
/// assert_eq!((x.to_f32(), x.to_bits()), (0.099975586, 0x2e66));
/// assert_eq!(f16::from_f32(65520.0).to_f32(), f32::INFINITY);
/// ```
#[derive(Clone, Copy, Default)]
#[repr(transparent)]
#[allow(non_camel_case_types, reason = "the name of an element type, as f32 is")]
pub struct f16(u16);

/// One of two, without a branch.
#[inline(always)]
fn either(first: bool, yes: u32, no: u32) -> u32 {
    if first { yes } else { no }
}

impl bf16 {
    /// The nearest number, halves to even.
    #[inline(always)]
    pub const fn from_f32(x: f32) -> Self {
        let bits = x.to_bits();
        // A NaN stays one: its payload may lie in the lower half alone.
        let nan = (bits >> 16) | 0x40;
        let near = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
        Self(if bits & 0x7fff_ffff > 0x7f80_0000 { nan as u16 } else { near as u16 })
    }

    /// The same number.
    #[inline(always)]
    pub const fn to_f32(self) -> f32 {
        f32::from_bits((self.0 as u32) << 16)
    }
}

/// 2⁻¹⁴, the smallest normal number of f16, as f32's bits.
const NORMAL: u32 = 113 << 23;
/// What the exponents of f32 and f16 differ by, in f32's bits.
const BIAS: u32 = 112 << 23;
/// 0.5, in whose last place f16's smallest number lies.
const HALF: u32 = 126 << 23;

impl f16 {
    /// The nearest number, halves to even; infinite from 65520 on.
    #[inline(always)]
    pub fn from_f32(x: f32) -> Self {
        let bits = x.to_bits();
        let (sign, size) = ((bits >> 16) & 0x8000, bits & 0x7fff_ffff);
        // The addition rounds to multiples of 2⁻²⁴.
        let small = (f32::from_bits(size) + f32::from_bits(HALF)).to_bits().wrapping_sub(HALF);
        let normal = size.wrapping_sub(BIAS).wrapping_add(0xfff + ((size >> 13) & 1)) >> 13;
        let large = either(size > 0x7f80_0000, 0x7e00, 0x7c00);
        let near = either(size < NORMAL, small, either(size >= 143 << 23, large, normal));
        Self((near | sign) as u16)
    }

    /// The same number.
    #[inline(always)]
    pub fn to_f32(self) -> f32 {
        let (bits, sign) = (u32::from(self.0 & 0x7fff) << 13, u32::from(self.0 & 0x8000) << 16);
        let small = (f32::from_bits(bits + NORMAL) - f32::from_bits(NORMAL)).to_bits();
        let large = bits + (224 << 23);
        let size = either(bits < 1 << 23, small, either(bits >= 31 << 23, large, bits + BIAS));
        f32::from_bits(size | sign)
    }
}

/// A narrow float, for code that is the same for each.
pub(crate) trait Narrow: crate::Element {
    /// The nearest number.
    fn narrowed(x: f32) -> Self;
    /// The same number.
    #[cfg(test)]
    fn widened(self) -> f32;
    /// The two bytes, little end first.
    fn bytes(self) -> [u8; 2];
    /// The number of two bytes.
    fn of_bytes(bytes: [u8; 2]) -> Self;
}

macro_rules! both {
    ($($t:ident)*) => {$(
        impl $t {
            /// 0.
            pub const ZERO: Self = Self(0);

            /// The number of these bits.
            #[inline(always)]
            pub const fn from_bits(bits: u16) -> Self {
                Self(bits)
            }

            /// The bits.
            #[inline(always)]
            pub const fn to_bits(self) -> u16 {
                self.0
            }
        }

        impl Narrow for $t {
            #[inline(always)]
            fn narrowed(x: f32) -> Self {
                Self::from_f32(x)
            }
            #[cfg(test)]
            #[inline(always)]
            fn widened(self) -> f32 {
                self.to_f32()
            }
            fn bytes(self) -> [u8; 2] {
                self.0.to_le_bytes()
            }
            fn of_bytes(bytes: [u8; 2]) -> Self {
                Self(u16::from_le_bytes(bytes))
            }
        }

        impl From<f32> for $t {
            /// The nearest number, halves to even.
            fn from(x: f32) -> Self {
                Self::from_f32(x)
            }
        }

        impl From<$t> for f32 {
            fn from(x: $t) -> f32 {
                x.to_f32()
            }
        }

        impl From<$t> for f64 {
            fn from(x: $t) -> f64 {
                x.to_f32().into()
            }
        }

        impl PartialEq for $t {
            #[inline(always)]
            fn eq(&self, other: &Self) -> bool {
                self.to_f32() == other.to_f32()
            }
        }

        impl PartialOrd for $t {
            #[inline(always)]
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                self.to_f32().partial_cmp(&other.to_f32())
            }
        }

        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.to_f32(), f)
            }
        }

        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.to_f32(), f)
            }
        }
    )*};
}
both!(bf16 f16);

impl bf16 {
    /// 1.
    pub const ONE: Self = Self(0x3f80);
}

impl f16 {
    /// 1.
    pub const ONE: Self = Self(0x3c00);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of bits by definition: sign, exponent of so many bits, fraction.
    fn by_definition(bits: u16, exponent: u32) -> f64 {
        let fraction = 15 - exponent;
        let (e, m) = ((bits & 0x7fff) >> fraction, bits & ((1 << fraction) - 1));
        let bias = (1i32 << (exponent - 1)) - 1;
        let unit = 2f64.powi(i32::from(e.max(1)) - bias - fraction as i32);
        let size = match u32::from(e) == (1 << exponent) - 1 {
            true if m == 0 => f64::INFINITY,
            true => f64::NAN,
            false => (f64::from(m) + if e > 0 { f64::from(1u32 << fraction) } else { 0.0 }) * unit,
        };
        if bits >> 15 == 1 { -size } else { size }
    }

    /// Checks all patterns there and back, and what lies between neighbours.
    fn all<T: Narrow>(exponent: u32, of: fn(u16) -> T, bits: fn(T) -> u16) {
        for pattern in 0..=u16::MAX {
            let (x, want) = (of(pattern).widened(), by_definition(pattern, exponent));
            if want.is_nan() {
                assert!(x.is_nan() && T::narrowed(x).widened().is_nan(), "{pattern:#x}");
                continue;
            }
            assert_eq!(f64::from(x).to_bits(), want.to_bits(), "{pattern:#x}");
            assert_eq!(bits(T::narrowed(x)), pattern);
            let next = by_definition(pattern.wrapping_add(1), exponent);
            if !next.is_finite() || !want.is_finite() || next == 0.0 {
                continue;
            }
            // f32 has the middle exactly, and its neighbours lie to either side.
            let middle = ((want + next) / 2.0) as f32;
            assert_eq!(f64::from(middle), (want + next) / 2.0);
            let even = if pattern % 2 == 0 { pattern } else { pattern + 1 };
            assert_eq!(bits(T::narrowed(middle)), even, "the tie above {want}");
            let [below, above] = [middle.to_bits() - 1, middle.to_bits() + 1].map(f32::from_bits);
            assert_eq!(
                [below, above].map(|x| bits(T::narrowed(x))),
                [pattern, pattern + 1],
                "around {middle}"
            );
        }
    }

    #[test]
    fn every_pattern_and_every_tie() {
        all(8, bf16::from_bits, bf16::to_bits);
        all(5, f16::from_bits, f16::to_bits);
    }

    #[test]
    fn the_ends() {
        let far =
            [65504.0f32, 65519.996, 65520.0, 1e30, f32::INFINITY, 2f32.powi(-25), 2f32.powi(-26), 1e-45];
        let got = far.map(|x| f16::from_f32(-x).to_bits());
        assert_eq!(got, [0xfbff, 0xfbff, 0xfc00, 0xfc00, 0xfc00, 0x8000, 0x8000, 0x8000]);
        assert_eq!(f16::from_f32(2f32.powi(-25) * 1.0001).to_bits(), 1);
        assert_eq!(bf16::from_f32(f32::MAX).to_f32(), f32::INFINITY);
        assert!(bf16::from_f32(f32::from_bits(0x7f80_0001)).to_f32().is_nan());
        assert!(f16::from_f32(f32::from_bits(0xff80_0001)).to_f32().is_nan());
        assert_eq!([bf16::ONE.to_f32(), f16::ONE.to_f32()], [1.0, 1.0]);
        assert!(bf16::ZERO == bf16::from_f32(-0.0) && f16::ZERO == f16::from_f32(-0.0));
    }

    #[cfg(feature = "eager")]
    #[test]
    fn the_graph_rounds_the_same() {
        let mut bits = 1u32;
        for _ in 0..200_000 {
            bits = bits.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            let x = f32::from_bits(bits);
            let wide = f64::from(x);
            let same = |got: f32, want: f64| {
                got.is_nan() && want.is_nan() || f64::from(got).to_bits() == want.to_bits()
            };
            assert!(same(bf16::from_f32(x).to_f32(), kiln_ir::DType::BF16.round(wide)), "{x}");
            assert!(same(f16::from_f32(x).to_f32(), kiln_ir::DType::F16.round(wide)), "{x}");
        }
    }
}
