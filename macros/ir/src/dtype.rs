//! Element types and the type of a value.

use crate::Dim;

/// The type of an element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// The upper half of an f32: its range, 8 bits of precision.
    BF16,
    /// IEEE's 16-bit float: 11 bits of precision, up to 65504.
    F16,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// 8-bit unsigned integer.
    U8,
    /// Truth value.
    Bool,
}

impl DType {
    /// Every element type, in the order of the enum.
    pub const ALL: [DType; 8] =
        [DType::F32, DType::F64, DType::BF16, DType::F16, DType::I64, DType::I32, DType::U8, DType::Bool];

    /// Rust's name for it: `"f32"`.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::BF16 => "bf16",
            DType::F16 => "f16",
            DType::I64 => "i64",
            DType::I32 => "i32",
            DType::U8 => "u8",
            DType::Bool => "bool",
        }
    }

    /// The element type of that name.
    pub fn from_name(name: &str) -> Option<DType> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }

    /// Size in bytes.
    pub fn size(self) -> usize {
        match self {
            DType::F64 | DType::I64 => 8,
            DType::F32 | DType::I32 => 4,
            DType::BF16 | DType::F16 => 2,
            DType::U8 | DType::Bool => 1,
        }
    }

    /// Whether it is a float: only floats have gradients.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64) || self.is_narrow()
    }

    /// Whether it is a float that is stored only: arithmetic on it is that of f32 (`narrow`).
    pub fn is_narrow(self) -> bool {
        matches!(self, DType::BF16 | DType::F16)
    }

    /// The nearest number of the type, halves to even; whole numbers are cut. What is narrow goes by way of f32.
    pub fn round(self, x: f64) -> f64 {
        match self {
            DType::F32 => x as f32 as f64,
            DType::F64 => x,
            DType::BF16 => rounded(x as f32, 8, -126, 3.389_531_389_251_535_5e38),
            DType::F16 => rounded(x as f32, 11, -14, 65504.0),
            DType::I64 => x as i64 as f64,
            DType::I32 => x as i32 as f64,
            DType::U8 => x as u8 as f64,
            DType::Bool => (x != 0.0) as u8 as f64,
        }
    }
}

/// The nearest number with so many bits of precision whose exponent is at least `least`; infinite beyond `most`.
fn rounded(x: f32, bits: i32, least: i32, most: f64) -> f64 {
    let x = f64::from(x);
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    // The exponent as f64 stores it: f32's numbers are all normal there.
    let exponent = ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    let step = 2f64.powi(exponent.max(least) - (bits - 1));
    let near = (x / step).round_ties_even() * step;
    if near.abs() > most { f64::INFINITY.copysign(x) } else { near }
}

/// Element type and dims, outermost first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ty {
    /// Element type.
    pub dtype: DType,
    /// Dims, outermost first; empty for a scalar.
    pub shape: Vec<Dim>,
}

impl Ty {
    /// The type of these dims.
    pub fn new(dtype: DType, shape: impl Into<Vec<Dim>>) -> Ty {
        Ty { dtype, shape: shape.into() }
    }

    /// A rank-0 type.
    pub fn scalar(dtype: DType) -> Ty {
        Ty { dtype, shape: Vec::new() }
    }

    /// The type with each dim replaced.
    pub fn map_dims(&self, of: &dyn Fn(&Dim) -> Dim) -> Ty {
        Ty { dtype: self.dtype, shape: self.shape.iter().map(of).collect() }
    }

    /// Number of dims.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements.
    pub fn numel(&self) -> Dim {
        self.shape.iter().fold(Dim::from(1), |n, d| n * d.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_floats_round_to_even() {
        let (bf16, f16) = (|x| DType::BF16.round(x), |x| DType::F16.round(x));
        // One bit below the last place of 1: a half goes to the even side.
        assert_eq!([1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0].map(bf16), [1.0, 1.0 + 4.0 / 256.0]);
        assert_eq!([1.0 + 1.0 / 2048.0, 1.0 + 3.0 / 2048.0].map(f16), [1.0, 1.0 + 4.0 / 2048.0]);
        assert_eq!(
            [65504.0, 65519.9, 65520.0, -1e9].map(f16),
            [65504.0, 65504.0, f64::INFINITY, -f64::INFINITY]
        );
        assert_eq!([3.38e38, 3.4e38].map(|x| bf16(x).is_finite()), [true, false]);
        // The smallest numbers: 2⁻²⁴ and 2⁻¹³³, and halves of them.
        assert_eq!(
            [2f64.powi(-24), 2f64.powi(-25), 1.5 * 2f64.powi(-25)].map(f16),
            [2f64.powi(-24), 0.0, 2f64.powi(-24)]
        );
        assert_eq!(
            [2f64.powi(-133), 2f64.powi(-134), -2f64.powi(-140)].map(bf16),
            [2f64.powi(-133), 0.0, -0.0]
        );
        assert!(f16(f64::NAN).is_nan() && bf16(-0.0).is_sign_negative());
    }

    #[test]
    fn what_is_rounded_stays() {
        for dtype in [DType::BF16, DType::F16] {
            for i in 0..4000 {
                let x = dtype.round(f64::from(i - 2000).powi(3) * 0.001);
                assert_eq!(dtype.round(x).to_bits(), x.to_bits());
            }
        }
    }
}
