//! Whole numbers exactly, as their types wrap: f64 holds neither all of i64 nor a product of two i32.
//!
//! Scalars compute in i64. Sums and products are those of f64 over digits of 16 bits, the largest of several is that of
//! their ranks, and what only moves elements moves their two parts: so each family's `eval` stays the only one.

use super::{Array, Context, floats};
use crate::{DType, Op, Reduction, Scalar, Ty};

/// Bits of a digit: a product of two digits may be added 2²¹ times.
const BITS: u32 = 16;

/// The value, where the operation computes with whole numbers or moves large ones.
pub(super) fn eval(op: &Op, args: &[&Array], cx: &Context) -> Option<Array> {
    let dtype = cx.ty.dtype;
    let made = |numbers: &[i64]| Some(Array::whole(dtype, cx.shape(), numbers));
    let first = args.first().filter(|a| is_whole(a.dtype));
    match op {
        Op::Const(crate::Literal::Int(n), DType::I64) => made(&[*n]),
        Op::Cast(_) => first.map(|x| cast(x, cx)),
        Op::Map(Scalar::Select) => (!is_small(args)).then(|| moved(op, args, cx)),
        Op::Map(s) => first.and_then(|_| made(&map(*s, args))),
        Op::Reduce(Reduction::Sum, _) | Op::Fold(..) | Op::ScatterAdd(..) => {
            first.and_then(|x| made(&linear(op, x, args, cx)))
        }
        Op::Contract { .. } => first.and_then(|_| made(&product(op, args, cx))),
        Op::Reduce(Reduction::Max, _) | Op::ArgMax(_) => first.and_then(|x| made(&ranked(op, x, cx))),
        Op::Random(..) | Op::Iota { .. } => None,
        _ => (!is_small(args)).then(|| moved(op, args, cx)),
    }
}

fn is_whole(dtype: DType) -> bool {
    matches!(dtype, DType::I64 | DType::I32 | DType::U8)
}

fn is_small(args: &[&Array]) -> bool {
    args.iter().all(|a| a.rest.is_empty())
}

/// To a float from the number itself, not by way of f64.
fn cast(x: &Array, cx: &Context) -> Array {
    let numbers = x.numbers();
    match cx.ty.dtype {
        to if is_whole(to) || to == DType::Bool => Array::whole(to, cx.shape(), &numbers),
        DType::F64 => Array::rounded(DType::F64, cx.shape(), numbers.iter().map(|n| *n as f64).collect()),
        to => Array::rounded(to, cx.shape(), numbers.iter().map(|n| f64::from(*n as f32)).collect()),
    }
}

/// Division truncates, as in Rust; by zero it is zero.
fn map(s: Scalar, args: &[&Array]) -> Vec<i64> {
    use Scalar::*;
    let numbers: Vec<Vec<i64>> = args.iter().map(|a| a.numbers()).collect();
    let of = |i: usize| {
        let (x, y) = (numbers[0][i], numbers.last().expect("an argument")[i]);
        match s {
            Add => x.wrapping_add(y),
            Sub => x.wrapping_sub(y),
            Mul => x.wrapping_mul(y),
            Div if y == 0 => 0,
            Div => x.wrapping_div(y),
            Max => x.max(y),
            Min => x.min(y),
            Neg => x.wrapping_neg(),
            Abs => x.wrapping_abs(),
            Sign => x.signum(),
            Eq => (x == y).into(),
            Lt => (x < y).into(),
            Le => (x <= y).into(),
            _ => unreachable!("{} takes no whole numbers", s.name()),
        }
    };
    (0..numbers[0].len()).map(of).collect()
}

/// An operation on arrays of f64 of the same shapes.
fn apart(op: &Op, args: &[&Array], cx: &Context) -> Vec<f64> {
    floats(op, args, &Context { ty: &Ty::new(DType::F64, cx.ty.shape.clone()), size: cx.size })
}

/// A digit of each number; all digits, each at its place, add up to the number modulo 2⁶⁴.
fn digit(x: &Array, place: u32) -> Array {
    let of = |n: &i64| ((*n as u64 >> (place * BITS)) & ((1 << BITS) - 1)) as f64;
    Array::rounded(DType::F64, x.shape.clone(), x.numbers().iter().map(of).collect())
}

/// Adds digits at a place.
fn add(sums: &mut Vec<i64>, digits: Vec<f64>, place: u32) {
    sums.resize(digits.len(), 0);
    for (sum, x) in sums.iter_mut().zip(digits) {
        *sum = sum.wrapping_add(((x as u64) << (place * BITS)) as i64);
    }
}

/// Sums of the first argument's elements.
fn linear(op: &Op, x: &Array, args: &[&Array], cx: &Context) -> Vec<i64> {
    let mut sums = Vec::new();
    for place in 0..u64::BITS / BITS {
        let digit = digit(x, place);
        let args: Vec<&Array> = std::iter::once(&digit).chain(args[1..].iter().copied()).collect();
        add(&mut sums, apart(op, &args, cx), place);
    }
    sums
}

/// Sums of products.
fn product(op: &Op, args: &[&Array], cx: &Context) -> Vec<i64> {
    let (mut sums, places) = (Vec::new(), u64::BITS / BITS);
    let digits = |x: &Array| (0..places).map(|place| digit(x, place)).collect::<Vec<_>>();
    let [left, right] = [0, 1].map(|i| digits(args[i]));
    for (i, x) in (0..).zip(&left) {
        for (j, y) in (0..places - i).zip(&right) {
            add(&mut sums, apart(op, &[x, y], cx), i + j);
        }
    }
    sums
}

/// The largest, or its place: those of the ranks. Of nothing it is the type's least number.
fn ranked(op: &Op, x: &Array, cx: &Context) -> Vec<i64> {
    let numbers = x.numbers();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let ranks = numbers.iter().map(|n| sorted.binary_search(n).expect("one of them") as f64).collect();
    let best = apart(op, &[&Array::rounded(DType::F64, x.shape.clone(), ranks)], cx);
    let least = match x.dtype {
        DType::I64 => i64::MIN,
        DType::I32 => i32::MIN.into(),
        _ => 0,
    };
    let number = |rank: f64| if rank < 0.0 { least } else { sorted[rank as usize] };
    match op {
        Op::ArgMax(_) => best.into_iter().map(|at| at as i64).collect(),
        _ => best.into_iter().map(number).collect(),
    }
}

/// Both parts of large numbers, moved alike. What says where to is no part of them.
fn moved(op: &Op, args: &[&Array], cx: &Context) -> Array {
    let moves = |i: usize| match op {
        Op::Gather(_) => i == 0,
        Op::Update(_) => i < 2,
        Op::Map(Scalar::Select) => i > 0,
        _ => true,
    };
    let rest = |(i, a): (usize, &&Array)| match (moves(i), a.rest.is_empty()) {
        (false, _) => (*a).clone(),
        (true, true) => Array::rounded(DType::F64, a.shape.clone(), vec![0.0; a.data.len()]),
        (true, false) => Array::rounded(DType::F64, a.shape.clone(), a.rest.clone()),
    };
    let rests: Vec<Array> = args.iter().enumerate().map(rest).collect();
    let [data, rest] = [apart(op, args, cx), apart(op, &rests.iter().collect::<Vec<_>>(), cx)];
    let rest = if rest.iter().all(|x| *x == 0.0) { vec![] } else { rest };
    Array { dtype: cx.ty.dtype, shape: cx.shape(), data, rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Error, Role, Syms, Value, eval::eval};

    /// A function of arrays of three i64.
    fn of(
        numbers: &[[i64; 3]],
        build: impl Fn(&mut Builder, &[Value]) -> Result<Value, Error>,
    ) -> (Vec<i64>, Array) {
        let mut b = Builder::new("f", Syms::default());
        let ty = Ty::new(DType::I64, vec![3.into()]);
        let args: Vec<Value> = numbers.iter().map(|_| b.input("x", ty.clone(), Role::Argument)).collect();
        let y = build(&mut b, &args).expect("a sound function");
        b.output("y", y, None);
        let arrays: Vec<Array> = numbers.iter().map(|n| Array::whole(DType::I64, vec![3], n)).collect();
        let result = eval(&b.finish(), &arrays).remove(0);
        (result.numbers(), result)
    }

    #[test]
    fn arithmetic_wraps_as_that_of_i64() {
        let x = [i64::MAX, (1 << 53) + 1, -6_364_136_223_846_793_005];
        let y = [3, 1_442_695_040_888_963_407, i64::MIN];
        let both = |f: fn(i64, i64) -> i64| [0, 1, 2].map(|i| f(x[i], y[i])).to_vec();
        assert_eq!(of(&[x, y], |b, v| b.map(Scalar::Add, v)).0, both(i64::wrapping_add));
        assert_eq!(of(&[x, y], |b, v| b.map(Scalar::Mul, v)).0, both(i64::wrapping_mul));
        assert_eq!(of(&[x, y], |b, v| b.map(Scalar::Div, v)).0, both(i64::wrapping_div));
        assert_eq!(of(&[x, y], |b, v| b.map(Scalar::Max, v)).0, both(i64::max));
        assert_eq!(of(&[x, y], |b, v| b.map(Scalar::Lt, v)).1.data, [0.0, 1.0, 0.0]);
        let all = x.iter().fold(0i64, |sum, n| sum.wrapping_add(*n));
        assert_eq!(of(&[x], |b, v| b.emit(Op::Reduce(Reduction::Sum, vec![0]), v)).0, [all]);
        let dot = (0..3).fold(0i64, |sum, i| sum.wrapping_add(x[i].wrapping_mul(y[i])));
        let contract = Op::Contract { lhs: vec![0], rhs: vec![0], out: vec![] };
        assert_eq!(of(&[x, y], |b, v| b.emit(contract.clone(), v)).0, [dot]);
        assert_eq!(of(&[x], |b, v| b.emit(Op::Reduce(Reduction::Max, vec![0]), v)).0, [i64::MAX]);
        assert_eq!(of(&[x], |b, v| b.emit(Op::ArgMax(0), v)).0, [0]);
        let cut = |n: i64| i64::from(n as i32);
        assert_eq!(of(&[x], |b, v| b.emit(Op::Cast(DType::I32), v)).0, x.map(cut));
        let single = |n: i64| f64::from(n as f32);
        assert_eq!(of(&[x], |b, v| b.emit(Op::Cast(DType::F32), v)).1.data, x.map(single));
    }

    #[test]
    fn large_numbers_are_moved_whole() {
        let (x, y) = ([i64::MAX, (1 << 53) + 1, 7], [-5, i64::MIN + 1, (1 << 60) + 3]);
        let both = of(&[x, y], |b, v| b.emit(Op::Concat(0), v)).0;
        assert_eq!(both, [x, y].concat());
        let index = [2, 0, 1];
        assert_eq!(of(&[y, index], |b, v| b.emit(Op::Gather(0), v)).0, [y[2], y[0], y[1]]);
    }

    #[test]
    fn products_of_i32_are_exact_before_they_wrap() {
        let mut b = Builder::new("f", Syms::default());
        let x = b.input("x", Ty::scalar(DType::I32), Role::Argument);
        let y = b.map(Scalar::Mul, &[x, x]).unwrap();
        b.output("y", y, None);
        let x = Array::whole(DType::I32, vec![], &[i64::from(i32::MAX)]);
        assert_eq!(eval(&b.finish(), &[x])[0].data, [1.0]);
    }
}
