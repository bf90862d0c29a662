//! The scalar table: name, arity, meaning in f64 and derivative of each element-wise function.

use super::{Array, Cotangents, number, same};
use crate::{Builder, DType, Error, Fault, Scalar, Ty, Value};
use Scalar::*;

impl Scalar {
    /// Every scalar, in the order of the enum.
    pub const ALL: [Scalar; 32] = [
        Add, Sub, Mul, Div, Max, Min, Pow, Atan2, Neg, Abs, Sign, Floor, Ceil, Round, Exp, Expm1, Log, Log1p,
        Sqrt, Sin, Cos, Tan, Tanh, Sigmoid, Erf, Eq, Lt, Le, And, Or, Not, Select,
    ];

    /// Name in the text form and of the runtime's function.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 32] = [
            "add", "sub", "mul", "div", "max", "min", "pow", "atan2", "neg", "abs", "sign", "floor", "ceil",
            "round", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "erf",
            "eq", "lt", "le", "and", "or", "not", "select",
        ];
        NAMES[self as usize]
    }

    /// Number of arguments.
    pub fn arity(self) -> usize {
        match self {
            Select => 3,
            Add | Sub | Mul | Div | Max | Min | Pow | Atan2 | Eq | Lt | Le | And | Or => 2,
            _ => 1,
        }
    }

    /// Whether it takes floats only.
    pub fn floats_only(self) -> bool {
        matches!(
            self,
            Pow | Atan2
                | Floor
                | Ceil
                | Round
                | Exp
                | Expm1
                | Log
                | Log1p
                | Sqrt
                | Sin
                | Cos
                | Tan
                | Tanh
                | Sigmoid
                | Erf
        )
    }

    /// The reference meaning; bools are 0 and 1. `Round` takes halves to even, `Max` and `Min` pass NaN on.
    pub fn reference(self, x: &[f64]) -> f64 {
        let truth = |b: bool| b as u8 as f64;
        match self {
            Add => x[0] + x[1],
            Sub => x[0] - x[1],
            Mul => x[0] * x[1],
            Div => x[0] / x[1],
            Max | Min if x[0].is_nan() || x[1].is_nan() => f64::NAN,
            Max => x[0].max(x[1]),
            Min => x[0].min(x[1]),
            Pow => x[0].powf(x[1]),
            Atan2 => x[0].atan2(x[1]),
            Neg => -x[0],
            Abs => x[0].abs(),
            Sign if x[0] == 0.0 || x[0].is_nan() => x[0],
            Sign => x[0].signum(),
            Floor => x[0].floor(),
            Ceil => x[0].ceil(),
            Round => x[0].round_ties_even(),
            Exp => x[0].exp(),
            Expm1 => x[0].exp_m1(),
            Log => x[0].ln(),
            Log1p => x[0].ln_1p(),
            Sqrt => x[0].sqrt(),
            Sin => x[0].sin(),
            Cos => x[0].cos(),
            Tan => x[0].tan(),
            Tanh => x[0].tanh(),
            Sigmoid => 1.0 / (1.0 + (-x[0]).exp()),
            Erf => erf(x[0]),
            Eq => truth(x[0] == x[1]),
            Lt => truth(x[0] < x[1]),
            Le => truth(x[0] <= x[1]),
            And => truth(x[0] != 0.0 && x[1] != 0.0),
            Or => truth(x[0] != 0.0 || x[1] != 0.0),
            Not => truth(x[0] == 0.0),
            Select => [x[2], x[1]][(x[0] != 0.0) as usize],
        }
    }
}

pub(super) fn infer(s: Scalar, args: &[&Ty]) -> Result<Ty, Fault> {
    let refuse = |want, got: &Ty| Err(Fault::DType { op: s.name().into(), want, got: got.clone() });
    match s {
        Select => {
            if args[0].dtype != DType::Bool {
                return refuse("a bool condition", args[0]);
            }
            same(s.name(), args[1], args[2])?;
            same(s.name(), &Ty::new(args[1].dtype, args[0].shape.clone()), args[1])?;
            return Ok(args[1].clone());
        }
        And | Or | Not => {
            if let Some(bad) = args.iter().find(|t| t.dtype != DType::Bool) {
                return refuse("bools", bad);
            }
        }
        Eq => {}
        _ if s.floats_only() => {
            if let Some(bad) = args.iter().find(|t| !t.dtype.is_float()) {
                return refuse("floats", bad);
            }
        }
        _ => args.iter().try_for_each(|t| number(s.name(), t))?,
    }
    args[1..].iter().try_for_each(|t| same(s.name(), args[0], t))?;
    match s {
        Eq | Lt | Le => Ok(Ty::new(DType::Bool, args[0].shape.clone())),
        _ => Ok(args[0].clone()),
    }
}

/// Derivatives in the same scalars. At kinks as torch: `Abs` 0, `Max` and `Min` half to each.
pub(crate) fn vjp(
    b: &mut Builder,
    s: Scalar,
    args: &[Value],
    out: Value,
    ct: Value,
) -> Result<Cotangents, Error> {
    let x = args[0];
    if !b.ty(ct).dtype.is_float() {
        return Ok(vec![None; args.len()]);
    }
    let one = |cotangent| Ok(vec![Some(cotangent)]);
    match s {
        Add => Ok(vec![Some(ct), Some(ct)]),
        Sub => Ok(vec![Some(ct), Some(b.map(Neg, &[ct])?)]),
        Mul => Ok(vec![Some(b.map(Mul, &[ct, args[1]])?), Some(b.map(Mul, &[ct, x])?)]),
        Div => {
            let dx = b.map(Div, &[ct, args[1]])?;
            let dy = b.map(Mul, &[dx, out])?;
            Ok(vec![Some(dx), Some(b.map(Neg, &[dy])?)])
        }
        Max => extremum(b, ct, args[1], x),
        Min => extremum(b, ct, x, args[1]),
        Pow => power(b, args, out, ct),
        Atan2 => {
            let squares = [b.map(Mul, &[x, x])?, b.map(Mul, &[args[1], args[1]])?];
            let norm = b.map(Add, &squares)?;
            let share = b.map(Div, &[ct, norm])?;
            let dx = b.map(Mul, &[share, x])?;
            Ok(vec![Some(b.map(Mul, &[share, args[1]])?), Some(b.map(Neg, &[dx])?)])
        }
        Neg => one(b.map(Neg, &[ct])?),
        Abs => {
            let sign = b.map(Sign, &[x])?;
            one(b.map(Mul, &[ct, sign])?)
        }
        Exp => one(b.map(Mul, &[ct, out])?),
        Expm1 => {
            let unit = b.splat(1.0, x)?;
            let slope = b.map(Add, &[out, unit])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Log => one(b.map(Div, &[ct, x])?),
        Log1p => {
            let unit = b.splat(1.0, x)?;
            let below = b.map(Add, &[x, unit])?;
            one(b.map(Div, &[ct, below])?)
        }
        Sqrt => {
            let twice = b.map(Add, &[out, out])?;
            one(b.map(Div, &[ct, twice])?)
        }
        Sin => {
            let slope = b.map(Cos, &[x])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Cos => {
            let sin = b.map(Sin, &[x])?;
            let slope = b.map(Neg, &[sin])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Tan => {
            let square = b.map(Mul, &[out, out])?;
            let unit = b.splat(1.0, x)?;
            let slope = b.map(Add, &[square, unit])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Tanh => {
            let (unit, square) = (b.splat(1.0, x)?, b.map(Mul, &[out, out])?);
            let slope = b.map(Sub, &[unit, square])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Sigmoid => {
            // σ′ = σ (1 − σ)
            let unit = b.splat(1.0, x)?;
            let rest = b.map(Sub, &[unit, out])?;
            let slope = b.map(Mul, &[out, rest])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Erf => {
            // erf′(x) = 2/√π · exp(−x²)
            let square = b.map(Mul, &[x, x])?;
            let fall = b.map(Neg, &[square])?;
            let bell = b.map(Exp, &[fall])?;
            let scale = b.splat(std::f64::consts::FRAC_2_SQRT_PI, x)?;
            let slope = b.map(Mul, &[bell, scale])?;
            one(b.map(Mul, &[ct, slope])?)
        }
        Select => {
            let zero = b.splat(0.0, ct)?;
            let kept = b.map(Select, &[x, ct, zero])?;
            Ok(vec![None, Some(kept), Some(b.map(Select, &[x, zero, ct])?)])
        }
        Sign | Floor | Ceil | Round | Eq | Lt | Le | And | Or | Not => Ok(vec![None; args.len()]),
    }
}

/// The cotangents of the larger of two (or the smaller, with the arguments of `lo < hi` swapped).
fn extremum(b: &mut Builder, ct: Value, lo: Value, hi: Value) -> Result<Cotangents, Error> {
    let (zero, half) = (b.splat(0.0, ct)?, b.splat(0.5, ct)?);
    let shared = b.map(Mul, &[ct, half])?;
    let tie = b.map(Eq, &[lo, hi])?;
    let first = b.map(Lt, &[lo, hi])?;
    let mut side = |yes, no| {
        let apart = b.map(Select, &[first, yes, no])?;
        b.map(Select, &[tie, shared, apart])
    };
    Ok(vec![Some(side(ct, zero)?), Some(side(zero, ct)?)])
}

/// d/dx xʸ = y·xʸ⁻¹ (0 where y = 0), d/dy xʸ = xʸ·ln x (0 where x = 0 and y ≥ 0), as torch.
fn power(b: &mut Builder, args: &[Value], out: Value, ct: Value) -> Result<Cotangents, Error> {
    let (x, y) = (args[0], args[1]);
    let (zero, unit) = (b.splat(0.0, x)?, b.splat(1.0, x)?);
    let less = b.map(Sub, &[y, unit])?;
    let lower = b.map(Pow, &[x, less])?;
    let slope = b.map(Mul, &[y, lower])?;
    let flat = b.map(Eq, &[y, zero])?;
    let slope = b.map(Select, &[flat, zero, slope])?;
    let dx = b.map(Mul, &[ct, slope])?;
    let root = [b.map(Eq, &[x, zero])?, b.map(Le, &[zero, y])?];
    let still = b.map(And, &root)?;
    let safe = b.map(Select, &[still, unit, x])?;
    let log = b.map(Log, &[safe])?;
    let slope = b.map(Mul, &[out, log])?;
    let slope = b.map(Select, &[still, zero, slope])?;
    Ok(vec![Some(dx), Some(b.map(Mul, &[ct, slope])?)])
}

pub(super) fn eval(s: Scalar, args: &[&Array]) -> Vec<f64> {
    let mut x = vec![0.0; args.len()];
    let at = |i: usize| {
        x.iter_mut().zip(args).for_each(|(x, a)| *x = a.data[i]);
        s.reference(&x)
    };
    (0..args[0].data.len()).map(at).collect()
}

/// The error function: its Taylor series near 0, the continued fraction of erfc in the tails (Abramowitz
/// and Stegun 7.1.6 and 7.1.14); both converge to the last places of f64 where they are used.
fn erf(x: f64) -> f64 {
    let (a, square) = (x.abs(), x * x);
    if x.is_nan() || x == 0.0 {
        return x;
    }
    if a < 2.5 {
        let mut term = a;
        let mut sum = a;
        for n in 1..80 {
            term *= 2.0 * square / (2 * n + 1) as f64;
            sum += term;
        }
        return (std::f64::consts::FRAC_2_SQRT_PI * (-square).exp() * sum).copysign(x);
    }
    if a > 6.0 {
        return 1f64.copysign(x);
    }
    let fraction = (1..120).rev().fold(a, |below, n| a + n as f64 / 2.0 / below);
    let erfc = (-square).exp() / (fraction * std::f64::consts::PI.sqrt());
    (1.0 - erfc).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_has_the_tabulated_values() {
        // Abramowitz and Stegun, table 7.1, and values of mpmath.
        for (x, want) in [
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (2.5, 0.999_593_047_982_555),
            (3.0, 0.999_977_909_503_001_4),
        ] {
            assert!((erf(x) - want).abs() < 4e-16, "erf({x}) = {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, s) in Scalar::ALL.iter().enumerate() {
            assert_eq!(*s as usize, i);
        }
        assert_eq!((Erf.name(), Select.name(), Select.arity()), ("erf", "select", 3));
    }
}
