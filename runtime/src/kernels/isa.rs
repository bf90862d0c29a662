//! The instruction set, chosen when the program runs.
//!
//! [`simd_run`] runs its work inside a `#[target_feature]` function, so that LLVM vectorizes the loops inlined into it
//! although the crate is compiled for the baseline processor. The environment variable `KILN_ISA` (`portable`,
//! `avx2`, `avx512`) can only narrow the choice: what the processor lacks is never chosen.

#[cfg(target_arch = "x86_64")]
use super::math::Wide;
use super::math::{Fused, Math, Rounded};
use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set the kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Isa {
    /// What every processor of the target has.
    Portable = 1,
    /// x86-64 with AVX2, FMA and F16C: 256-bit vectors.
    Avx2 = 2,
    /// x86-64 with AVX-512 F, BW, DQ and VL: 512-bit vectors.
    Avx512 = 3,
    /// 64-bit ARM: 128-bit vectors, always there.
    Neon = 4,
}

/// The choice as its discriminant; 0 before the first question.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Isa {
    /// The instruction set in use. Asks the processor and the environment at the first call only.
    #[inline]
    pub fn detect() -> Isa {
        match CHOSEN.load(Ordering::Relaxed) {
            1 => Isa::Portable,
            2 => Isa::Avx2,
            3 => Isa::Avx512,
            4 => Isa::Neon,
            _ => Isa::choose(),
        }
    }

    /// Every instruction set this processor can run, the narrowest first, whatever the environment says.
    pub fn available() -> Vec<Isa> {
        let all = [Isa::Portable, Isa::Avx2, Isa::Avx512, Isa::Neon];
        all.into_iter().filter(|isa| isa.supported()).collect()
    }

    #[cold]
    fn choose() -> Isa {
        let wanted = std::env::var("KILN_ISA").ok();
        let chosen = narrow(&Isa::available(), wanted.as_deref());
        CHOSEN.store(chosen as u8, Ordering::Relaxed);
        chosen
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn supported(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match self {
            Isa::Portable => true,
            Isa::Avx2 => avx2,
            Isa::Avx512 => avx512,
            Isa::Neon => false,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn supported(self) -> bool {
        self == Isa::Portable || (self == Isa::Neon && cfg!(target_arch = "aarch64"))
    }
}

/// The widest of `available`, unless `wanted` names a narrower one. An unknown name is as none.
fn narrow(available: &[Isa], wanted: Option<&str>) -> Isa {
    let widest = available.last().copied().unwrap_or(Isa::Portable);
    let limit = match wanted {
        Some("portable") => Isa::Portable,
        Some("avx2") => Isa::Avx2,
        _ => widest,
    };
    available.iter().copied().rfind(|isa| (*isa as u8) <= limit as u8).unwrap_or(Isa::Portable)
}

/// Work for [`simd_run`].
pub trait Body {
    /// What the work gives.
    type Output;
    /// The work, with the polynomials of `M`. Mark it `#[inline(always)]`, as all it calls: then it is sure to be compiled for each instruction set.
    fn run<M: Math>(self) -> Self::Output;
}

struct Closure<F>(F);

impl<R, F: FnOnce() -> R> Body for Closure<F> {
    type Output = R;
    #[inline(always)]
    fn run<M: Math>(self) -> R {
        (self.0)()
    }
}

/// Runs `f` with the widest instruction set in use enabled around it.
///
/// Only what is inlined into the boundary profits, and LLVM doesn't inline a large closure: use [`simd_run`] for more
/// than a few lines.
#[inline]
pub fn simd<R>(f: impl FnOnce() -> R) -> R {
    simd_as(Isa::detect(), Closure(f))
}

/// Runs `body` with the widest instruction set in use enabled around it.
#[inline]
pub fn simd_run<B: Body>(body: B) -> B::Output {
    simd_as(Isa::detect(), body)
}

/// [`simd_run`] for work of the emitted type `Home`, whose module gets the machine code. rustc compiles modules side by side, and
/// again only those that have changed; without it everything emitted would be one piece, as functions of this module.
#[inline]
pub fn simd_run_at<Home, B: Body>(body: B) -> B::Output {
    <Home as Boundary<B>>::cross(Isa::detect(), body)
}

#[inline]
pub(super) fn simd_as<B: Body>(isa: Isa, body: B) -> B::Output {
    <B as Boundary<B>>::cross(isa, body)
}

/// The body, compiled for each instruction set. Provided methods belong to the module of `Self`.
trait Boundary<B: Body> {
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn cross(isa: Isa, body: B) -> B::Output {
        match isa {
            // SAFETY: `detect` answers `Avx512` only if the processor has every feature that `avx512` enables.
            Isa::Avx512 => unsafe { Self::avx512(body) },
            // SAFETY: `detect` answers `Avx2` only if the processor has AVX2, FMA and F16C.
            Isa::Avx2 => unsafe { Self::avx2(body) },
            Isa::Portable | Isa::Neon => Self::portable(body),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    fn cross(isa: Isa, body: B) -> B::Output {
        match isa {
            Isa::Neon => body.run::<Fused>(),
            _ => Self::portable(body),
        }
    }

    fn portable(body: B) -> B::Output {
        body.run::<Rounded>()
    }

    /// # Safety
    /// The processor must have these features.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
    unsafe fn avx512(body: B) -> B::Output {
        body.run::<Wide>()
    }

    /// # Safety
    /// The processor must have these features.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn avx2(body: B) -> B::Output {
        body.run::<Fused>()
    }
}

impl<Home, B: Body> Boundary<B> for Home {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_only_narrows() {
        let all = [Isa::Portable, Isa::Avx2, Isa::Avx512];
        assert_eq!(narrow(&all, None), Isa::Avx512);
        assert_eq!(narrow(&all, Some("avx2")), Isa::Avx2);
        assert_eq!(narrow(&all, Some("portable")), Isa::Portable);
        assert_eq!(narrow(&all, Some("nonsense")), Isa::Avx512);
        assert_eq!(narrow(&all[..2], Some("avx512")), Isa::Avx2);
        assert_eq!(narrow(&all[..1], Some("avx2")), Isa::Portable);
    }

    #[test]
    fn every_boundary_computes_the_same() {
        let x: Vec<f32> = (0..1000).map(|i| i as f32 * 0.5).collect();
        for isa in Isa::available() {
            let y: Vec<f32> = simd_as(isa, Closure(|| x.iter().map(|v| v * v + 1.0).collect()));
            assert!(y.iter().zip(&x).all(|(y, x)| *y == x * x + 1.0), "{isa:?}");
        }
        assert_eq!(Isa::detect(), Isa::detect());
    }

    /// The kernels' tests once more, each set in a process of its own, as what runs by boundaries takes the widest.
    #[test]
    fn kernels_on_every_instruction_set() {
        for set in ["portable", "avx2"] {
            let program = std::env::current_exe().expect("the test program");
            let tests = ["kernels::gemm", "--skip", "every_instruction_set"];
            let run = std::process::Command::new(program).env("KILN_ISA", set).args(tests).output();
            let run = run.expect("the test program runs");
            assert!(run.status.success(), "{set}: {}", String::from_utf8_lossy(&run.stdout));
        }
    }
}
