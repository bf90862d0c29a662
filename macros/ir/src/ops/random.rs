//! Random: numbers of a counter-based generator, so that they are the same on one thread and on many, and can be made
//! again.
//!
//! Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Element `i`
//! in row-major order is word `i % 4` of block `counter + i / 4`: what the runtime's `Rng` gives, one after the other.
//! Several counters draw a shape each. The words are written out here once more, because this is the oracle of those.

use super::{Array, Context, Cotangents};
use crate::{DType, Dim, Draw, Fault, Ty};

impl Draw {
    /// All of them.
    pub const ALL: [Draw; 2] = [Draw::Uniform, Draw::Bits];

    /// Its name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Draw::Uniform => "uniform",
            Draw::Bits => "bits",
        }
    }

    /// The type of what is drawn.
    pub fn dtype(self) -> DType {
        match self {
            Draw::Uniform => DType::F32,
            Draw::Bits => DType::I64,
        }
    }
}

/// The type of a generator's key: its low word and its high one.
pub fn key_type() -> Ty {
    Ty::new(DType::I32, [Dim::from(2)])
}

/// The type of its counter.
pub fn counter_type() -> Ty {
    Ty::scalar(DType::I64)
}

pub(super) fn infer(draw: Draw, shape: &[Dim], key: &Ty, counter: &Ty) -> Result<Ty, Fault> {
    super::same("random", &key_type(), key)?;
    super::same("random", &Ty::new(DType::I64, counter.shape.clone()), counter)?;
    if shape.iter().any(|d| d.literal().is_some_and(|n| n < 0)) {
        return Err(Fault::Attribute { op: "random".into(), what: "a size is negative".into() });
    }
    Ok(Ty::new(draw.dtype(), [&counter.shape, shape].concat()))
}

/// What is drawn hangs on no float.
pub(super) fn vjp() -> Cotangents {
    vec![None, None]
}

pub(super) fn eval(draw: Draw, key: &Array, counter: &Array, cx: &Context) -> Vec<f64> {
    let key = [key.data[0] as i64 as u32, key.data[1] as i64 as u32];
    let all: usize = cx.shape().iter().product();
    let counters = counter.numbers();
    let each = all / counters.len().max(1);
    let word = |at: usize| {
        let (first, i) = (counters[at / each], at % each);
        let block = first.wrapping_add(i as i64 / 4) as u64;
        philox([block as u32, (block >> 32) as u32, 0, 0], key)[i % 4]
    };
    let number = |i: usize| match draw {
        Draw::Uniform => f64::from(word(i) >> 8) / f64::from(1 << 24),
        Draw::Bits => f64::from(word(i)),
    };
    (0..all).map(number).collect()
}

fn philox(block: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut words = block.map(u64::from);
    let mut key = key.map(u64::from);
    let low = |x: u64| x & 0xFFFF_FFFF;
    for _ in 0..10 {
        let (p, q) = (0xD251_1F53 * words[0], 0xCD9E_8D57 * words[2]);
        words = [(q >> 32) ^ words[1] ^ key[0], low(q), (p >> 32) ^ words[3] ^ key[1], low(p)];
        key = [low(key[0] + 0x9E37_79B9), low(key[1] + 0xBB67_AE85)];
    }
    words.map(|w| w as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Op, Role, Syms, eval::eval};

    /// The vectors of the authors' Random123 distribution, `tests/kat_vectors`.
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        assert_eq!(
            philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    fn drawn(draw: Draw, n: usize, seed: f64, counter: f64) -> Vec<f64> {
        let mut b = Builder::new("f", Syms::default());
        let key = b.input("key", key_type(), Role::Buffer);
        let from = b.input("counter", counter_type(), Role::Buffer);
        let y = b.emit(Op::Random(draw, vec![Dim::from(n)]), &[key, from]).unwrap();
        b.output("y", y, None);
        let key = Array::rounded(DType::I32, vec![2], vec![seed, 0.0]);
        let from = Array::rounded(DType::I64, vec![], vec![counter]);
        eval(&b.finish(), &[key, from])[0].data.clone()
    }

    #[test]
    fn blocks_follow_each_other() {
        let all = drawn(Draw::Bits, 10, 0.0, 0.0);
        assert_eq!(all[..4], [0x6627e8d5u32, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map(f64::from));
        assert_eq!(all[4..], drawn(Draw::Bits, 6, 0.0, 1.0));
        assert_ne!(drawn(Draw::Bits, 4, -1.0, 0.0), drawn(Draw::Bits, 4, 0.0, 0.0));
        let unit = |x: &f64| (x / 256.0).floor() / f64::from(1 << 24);
        assert_eq!(drawn(Draw::Uniform, 10, 0.0, 0.0), all.iter().map(unit).collect::<Vec<_>>());
    }

    /// Mean, variance, and the chi-square of 64 bins: 63 degrees of freedom, so that 3 deviations are 63 ± 34.
    #[test]
    fn uniform_numbers_are_even() {
        let n = 100_000;
        let all = drawn(Draw::Uniform, n, 7.0, 1000.0);
        let mean = all.iter().sum::<f64>() / n as f64;
        let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.003 && (variance - 1.0 / 12.0).abs() < 0.001, "{mean} {variance}");
        let mut bins = [0.0; 64];
        all.iter().for_each(|x| bins[(x * 64.0) as usize] += 1.0);
        let expected = n as f64 / 64.0;
        let chi: f64 = bins.iter().map(|k| (k - expected) * (k - expected) / expected).sum();
        assert!((29.0..97.0).contains(&chi), "{chi}");
    }

    #[test]
    fn key_and_counter_have_their_types() {
        let fault = |key: Ty, counter: Ty| infer(Draw::Bits, &[], &key, &counter).is_err();
        assert!(fault(Ty::new(DType::I64, [Dim::from(2)]), counter_type()));
        assert!(fault(key_type(), Ty::scalar(DType::I32)));
        let several = infer(Draw::Bits, &[3.into()], &key_type(), &Ty::new(DType::I64, [Dim::from(2)]));
        assert_eq!(several.unwrap(), Ty::new(DType::I64, [Dim::from(2), 3.into()]));
        assert!(infer(Draw::Bits, &[Dim::from(-1)], &key_type(), &counter_type()).is_err());
    }
}
