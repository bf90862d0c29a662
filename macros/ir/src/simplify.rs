//! The algebraic rules that fire while a node is built. Each is exact in floating point.

use crate::{Builder, DType, Dim, Error, Literal, Op, PadAxis, Scalar, SliceAxis, Ty, Value, narrow, ops};

/// A value equal to `op(args)`, if a rule gives one.
pub fn simplify(b: &mut Builder, op: &Op, args: &[Value], ty: &Ty) -> Result<Option<Value>, Error> {
    if is_identity(b, op, args, ty) {
        return Ok(Some(args[0]));
    }
    if let Some(folded) = fold(b, op, args, ty) {
        return Ok(Some(folded));
    }
    if let Some(wide) = narrow::through_f32(b, op, args, ty)? {
        return Ok(Some(wide));
    }
    match op {
        Op::Map(s) => map(b, *s, args),
        _ => compose(b, op, args),
    }
}

/// Layout operations that move nothing.
fn is_identity(b: &Builder, op: &Op, args: &[Value], ty: &Ty) -> bool {
    let still_slice = |a: &SliceAxis| a.start.is(0) && a.step == 1;
    let still_pad = |a: &PadAxis| a.low.is(0) && a.high.is(0) && a.step == 1;
    match op {
        Op::Reshape(_) | Op::Cast(_) => b.ty(args[0]) == ty,
        Op::Permute(perm) => perm.is_sorted(),
        Op::Broadcast(axes) => axes.is_empty(),
        Op::Slice(axes) => b.ty(args[0]) == ty && axes.iter().all(still_slice),
        Op::Pad(axes) => axes.iter().all(still_pad),
        Op::Concat(_) => args.len() == 1,
        Op::Reduce(_, axes) => axes.is_empty(),
        _ => false,
    }
}

/// Scalars of constants are constants, unless whole numbers are so large that f64 has no exact form of them.
fn fold(b: &mut Builder, op: &Op, args: &[Value], ty: &Ty) -> Option<Value> {
    if !matches!(op, Op::Map(_) | Op::Cast(_)) || ty.rank() != 0 {
        return None;
    }
    let arrays: Option<Vec<ops::Array>> = args.iter().map(|&a| Some(array_of(b, a, b.literal(a)?))).collect();
    let arrays = arrays?;
    let exact = |a: &ops::Array| a.dtype != DType::I64 || a.data[0].abs() < EXACT;
    if !arrays.iter().all(exact) {
        return None;
    }
    let cx = ops::Context { ty, size: &|_: &Dim| unreachable!("a scalar has no dims") };
    let value = ops::eval(op, &arrays.iter().collect::<Vec<_>>(), &cx);
    exact(&value).then(|| b.constant(value.data[0], ty.dtype))
}

/// Below it every whole number is an f64: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn array_of(b: &Builder, v: Value, literal: Literal) -> ops::Array {
    ops::Array::rounded(b.ty(v).dtype, vec![], vec![literal.value()])
}

impl Builder {
    /// The literal, if the value is a rank-0 constant.
    fn literal(&self, v: Value) -> Option<Literal> {
        match self.func().node(v).op {
            Op::Const(literal, _) => Some(literal),
            _ => None,
        }
    }

    /// The number that each element of the value is, if it is a constant, broadcast or not.
    pub fn uniform(&self, v: Value) -> Option<f64> {
        let node = self.func().node(v);
        match node.op {
            Op::Broadcast(_) => self.uniform(node.args[0]),
            Op::Const(literal, _) => Some(literal.value()),
            _ => None,
        }
    }
}

fn map(b: &mut Builder, s: Scalar, args: &[Value]) -> Result<Option<Value>, Error> {
    let number = |i: usize| args.get(i).and_then(|a| b.uniform(*a));
    let (x, y) = (number(0), number(1));
    let inner = b.func().node(args[0]).clone();
    Ok(match s {
        // x·1 = x, 1·x = x, x/1 = x
        Scalar::Mul | Scalar::Div if y == Some(1.0) => Some(args[0]),
        Scalar::Mul if x == Some(1.0) => Some(args[1]),
        // x + −0 = x. (x + 0 is not x for x = −0.)
        Scalar::Add if y == Some(0.0) && y.is_some_and(|z| z.is_sign_negative()) => Some(args[0]),
        // x − 0 = x
        Scalar::Sub if y == Some(0.0) && y.is_some_and(|z| z.is_sign_positive()) => Some(args[0]),
        // −(−x) = x, ¬¬x = x
        Scalar::Neg | Scalar::Not if inner.op == Op::Map(s) => Some(inner.args[0]),
        // x^1 = x, x^2 = x·x
        Scalar::Pow if y == Some(1.0) => Some(args[0]),
        Scalar::Pow if y == Some(2.0) => Some(b.map(Scalar::Mul, &[args[0], args[0]])?),
        // select(c, a, a) = a; select(true, a, b) = a; select(false, a, b) = b
        Scalar::Select if args[1] == args[2] => Some(args[1]),
        Scalar::Select if x.is_some() => Some(if x == Some(1.0) { args[1] } else { args[2] }),
        _ => None,
    })
}

/// Two layout operations in one.
fn compose(b: &mut Builder, op: &Op, args: &[Value]) -> Result<Option<Value>, Error> {
    let Some(&arg) = args.first() else { return Ok(None) };
    let inner = b.func().node(arg).clone();
    match (op, &inner.op) {
        // reshape(reshape(x)) = reshape(x)
        (Op::Reshape(_), Op::Reshape(_)) => b.emit(op.clone(), &inner.args).map(Some),
        // permute(permute(x, p), q) = permute(x, p∘q)
        (Op::Permute(outer), Op::Permute(first)) => {
            let both = outer.iter().map(|&i| first[i]).collect();
            b.emit(Op::Permute(both), &inner.args).map(Some)
        }
        // contract(permute(x), y) = contract(x, y) with the labels permuted back
        (Op::Contract { .. }, _) => unpermuted_operands(b, op, args),
        _ => Ok(None),
    }
}

/// The contraction of what permuted operands were permuted from: a contraction reads its operands in any order.
fn unpermuted_operands(b: &mut Builder, op: &Op, args: &[Value]) -> Result<Option<Value>, Error> {
    let Op::Contract { lhs, rhs, out } = op else { return Ok(None) };
    let (left, l) = unpermuted(b, args[0], lhs);
    let (right, r) = unpermuted(b, args[1], rhs);
    if [left, right] == args {
        return Ok(None);
    }
    b.emit(Op::Contract { lhs: l, rhs: r, out: out.clone() }, &[left, right]).map(Some)
}

fn unpermuted(b: &Builder, v: Value, labels: &[u8]) -> (Value, Vec<u8>) {
    let node = b.func().node(v);
    match &node.op {
        Op::Permute(perm) => (node.args[0], ops::layout::inverse(perm).iter().map(|&i| labels[i]).collect()),
        _ => (v, labels.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, Syms};

    fn with_x(check: impl Fn(&mut Builder, Value)) {
        let mut b = Builder::new("f", Syms::default());
        let x = b.input("x", Ty::new(DType::F32, [2.into(), 3.into()]), Role::Argument);
        check(&mut b, x);
    }

    #[test]
    fn units_vanish() {
        with_x(|b, x| {
            let (one, zero) = (b.splat(1.0, x).unwrap(), b.splat(0.0, x).unwrap());
            assert_eq!(b.map(Scalar::Mul, &[x, one]), Ok(x));
            assert_eq!(b.map(Scalar::Mul, &[one, x]), Ok(x));
            assert_eq!(b.map(Scalar::Div, &[x, one]), Ok(x));
            assert_eq!(b.map(Scalar::Sub, &[x, zero]), Ok(x));
            assert_ne!(b.map(Scalar::Add, &[x, zero]), Ok(x));
            let minus = b.splat(-0.0, x).unwrap();
            assert_eq!(b.map(Scalar::Add, &[x, minus]), Ok(x));
        });
    }

    #[test]
    fn inverses_vanish() {
        with_x(|b, x| {
            let neg = b.map(Scalar::Neg, &[x]).unwrap();
            assert_eq!(b.map(Scalar::Neg, &[neg]), Ok(x));
            let t = b.emit(Op::Permute(vec![1, 0]), &[x]).unwrap();
            assert_eq!(b.emit(Op::Permute(vec![1, 0]), &[t]), Ok(x));
            let flat = b.emit(Op::Reshape(vec![6.into()]), &[x]).unwrap();
            assert_eq!(b.emit(Op::Reshape(vec![2.into(), 3.into()]), &[flat]), Ok(x));
        });
    }

    #[test]
    fn constants_fold_and_equal_nodes_are_one() {
        with_x(|b, x| {
            let (two, three) = (b.constant(2.0, DType::F32), b.constant(3.0, DType::F32));
            assert_eq!(b.map(Scalar::Mul, &[two, three]), Ok(b.constant(6.0, DType::F32)));
            assert_eq!(b.map(Scalar::Exp, &[x]), b.map(Scalar::Exp, &[x]));
            let exponent = b.splat(2.0, x).unwrap();
            assert_eq!(b.map(Scalar::Pow, &[x, exponent]), b.map(Scalar::Mul, &[x, x]));
        });
    }

    #[test]
    fn whole_numbers_that_f64_lacks_are_not_folded() {
        with_x(|b, _| {
            let large = Literal::Int((1 << 53) + 1);
            let large = b.emit(Op::Const(large, DType::I64), &[]).unwrap();
            let (two, half) = (b.constant(2.0, DType::I64), b.constant((1i64 << 52) as f64, DType::I64));
            for args in [[large, two], [half, two]] {
                let product = b.map(Scalar::Mul, &args).unwrap();
                assert!(matches!(b.func().node(product).op, Op::Map(_)));
            }
        });
    }

    #[test]
    fn selects_of_the_known_vanish() {
        with_x(|b, x| {
            let y = b.map(Scalar::Exp, &[x]).unwrap();
            let c = b.map(Scalar::Lt, &[x, y]).unwrap();
            assert_eq!(b.map(Scalar::Select, &[c, y, y]), Ok(y));
            let yes = b.splat(1.0, c).unwrap();
            assert_eq!(b.map(Scalar::Select, &[yes, x, y]), Ok(x));
        });
    }

    #[test]
    fn a_contraction_reads_through_permutations() {
        with_x(|b, x| {
            let contract = |lhs: [u8; 2]| Op::Contract { lhs: lhs.into(), rhs: vec![2, 1], out: vec![0, 2] };
            let t = b.emit(Op::Permute(vec![1, 0]), &[x]).unwrap();
            let direct = b.emit(contract([0, 1]), &[x, x]);
            assert_eq!(b.emit(contract([1, 0]), &[t, x]), direct);
        });
    }
}
