//! The evaluation against the graph's own, `kiln_ir::eval`.
//!
//! Random chains over values that every order of summation leaves exact must agree to the last bit; each scalar alone,
//! within a few units in the last place.

use kiln_ir::ops::{self, Array, Context};
use kiln_ir::{Builder, DType, Dim, Op, PadAxis, Reduction, Role, Scalar, SliceAxis, Syms, Ty, Value};

use super::eval;
use crate::eager::Any;
use crate::{Rng, Tensor};

fn sizes(ty: &Ty) -> Vec<usize> {
    ty.shape.iter().map(|d| d.literal().expect("a literal dim") as usize).collect()
}

fn any(a: &Array) -> Any {
    macro_rules! tensor {
        ($convert:expr) => {
            Tensor::from_vec(&a.shape, a.data.iter().map($convert).collect()).expect("a tensor's shape")
        };
    }
    match a.dtype {
        DType::F32 => Any::F32(tensor!(|x| *x as f32)),
        DType::F64 => Any::F64(tensor!(|x| *x)),
        DType::BF16 => Any::BF16(tensor!(|x| (*x as f32).into())),
        DType::F16 => Any::F16(tensor!(|x| (*x as f32).into())),
        DType::I64 => Any::I64(tensor!(|x| *x as i64)),
        DType::I32 => Any::I32(tensor!(|x| *x as i32)),
        DType::U8 => Any::U8(tensor!(|x| *x as u8)),
        DType::Bool => Any::Bool(tensor!(|x| *x != 0.0)),
    }
}

fn array(x: &Any) -> Array {
    let data = match x {
        Any::F32(t) => t.as_slice().iter().map(|x| *x as f64).collect(),
        Any::F64(t) => t.as_slice().to_vec(),
        Any::BF16(t) => t.as_slice().iter().map(|x| (*x).into()).collect(),
        Any::F16(t) => t.as_slice().iter().map(|x| (*x).into()).collect(),
        Any::I64(t) => return Array::whole(x.dtype(), x.shape().to_vec(), t.as_slice()),
        Any::I32(t) => t.as_slice().iter().map(|x| *x as f64).collect(),
        Any::U8(t) => t.as_slice().iter().map(|x| *x as f64).collect(),
        Any::Bool(t) => t.as_slice().iter().map(|x| *x as u8 as f64).collect(),
    };
    Array::rounded(x.dtype(), x.shape().to_vec(), data)
}

/// Values whose sums and products are exact, and the meaning of each.
struct Chain {
    b: Builder,
    rng: Rng,
    values: Vec<(Value, Array)>,
    inputs: Vec<Any>,
}

const LENGTHS: [usize; 5] = [1, 2, 3, 0, 5];

impl Chain {
    fn new(seed: u64) -> Chain {
        let b = Builder::new("chain", Syms::default());
        let mut chain = Chain { b, rng: Rng::seed(seed), values: vec![], inputs: vec![] };
        let n = LENGTHS[chain.rng.below(LENGTHS.len())];
        for (dtype, shape) in [
            (DType::F64, vec![n, 3]),
            (DType::F32, vec![3, n]),
            (DType::F64, vec![2, 3, 4]),
            (DType::F64, vec![17]),
            (DType::F64, vec![]),
            (DType::I64, vec![n, 3]),
            (DType::I32, vec![2, 3]),
            (DType::Bool, vec![n, 3]),
            (DType::BF16, vec![n, 3]),
            (DType::F16, vec![3, 2]),
        ] {
            chain.input(dtype, &shape);
        }
        (0..60).for_each(|_| chain.grow());
        chain
    }

    fn input(&mut self, dtype: DType, shape: &[usize]) {
        let dims: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
        let v = self.b.input("x", Ty::new(dtype, dims), Role::Argument);
        let mut draw = || [-2.0, -1.5, -1.0, 0.0, 0.5, 1.0, 2.0][self.rng.below(7)];
        let data = (0..shape.iter().product()).map(|_| draw()).collect();
        let meaning = Array::rounded(dtype, shape.to_vec(), data);
        self.inputs.push(any(&meaning));
        self.values.push((v, meaning));
    }

    fn grow(&mut self) {
        let at = self.rng.below(self.values.len());
        let (op, args) = self.operation(at);
        let handles: Vec<Value> = args.iter().map(|i| self.values[*i].0).collect();
        let types: Vec<&Ty> = handles.iter().map(|v| self.b.ty(*v)).collect();
        let Ok(ty) = ops::infer(&op, &types) else { return };
        if ty.rank() > crate::MAX_RANK || ty.numel().literal().is_none_or(|n| n > 3000) {
            return;
        }
        let arrays: Vec<&Array> = args.iter().map(|i| &self.values[*i].1).collect();
        let size = |d: &Dim| d.literal().expect("a literal dim") as usize;
        let meaning = ops::eval(&op, &arrays, &Context { ty: &ty, size: &size });
        if meaning.data.iter().any(|x| x.abs() > 65536.0) {
            return;
        }
        let v = self.b.emit(op, &handles).expect("inferred");
        self.values.push((v, meaning));
    }

    /// A value of the type of that one.
    fn alike(&mut self, at: usize) -> usize {
        let ty = self.b.ty(self.values[at].0).clone();
        let all: Vec<usize> =
            (0..self.values.len()).filter(|i| *self.b.ty(self.values[*i].0) == ty).collect();
        all[self.rng.below(all.len())]
    }

    /// Integers of that rank, if there are any.
    fn index(&mut self, rank: usize) -> usize {
        let fits = |ty: &Ty| ty.rank() == rank && matches!(ty.dtype, DType::I64 | DType::I32);
        let all: Vec<usize> = (0..self.values.len()).filter(|i| fits(self.b.ty(self.values[*i].0))).collect();
        if all.is_empty() { 0 } else { all[self.rng.below(all.len())] }
    }

    fn operation(&mut self, at: usize) -> (Op, Vec<usize>) {
        let ty = self.b.ty(self.values[at].0).clone();
        let (shape, rank) = (sizes(&ty), ty.rank());
        let (other, index) = (self.alike(at), self.index(rank));
        let rng = &mut self.rng;
        let mut some = |share: usize| (0..rank).filter(|_| rng.below(100) < share).collect::<Vec<usize>>();
        let (axes, labels) = (some(50), (0..rank as u8).collect::<Vec<u8>>());
        let one = |op| (op, vec![at]);
        match rng.below(16) {
            0 => one(Op::Cast(
                [DType::F64, DType::F32, DType::I64, DType::Bool, DType::BF16, DType::F16][rng.below(6)],
            )),
            1 => one(Op::Reshape(ty.shape.iter().rev().cloned().collect())),
            2 => one(Op::Reshape(vec![ty.numel(), 1.into()])),
            3 | 4 => {
                let mut perm: Vec<usize> = (0..rank).collect();
                rng.shuffle(&mut perm);
                one(Op::Permute(perm))
            }
            5 => one(Op::Broadcast(vec![(rng.below(rank + 1), LENGTHS[rng.below(5)].into())])),
            6 => {
                let mut part = |n: &usize| {
                    let start = rng.below(n + 1);
                    let step = 1 + rng.below(2);
                    let len = (n - start).div_ceil(step);
                    SliceAxis { start: start.into(), len: len.into(), step: step as i64 }
                };
                one(Op::Slice(shape.iter().map(&mut part).collect()))
            }
            7 => {
                let mut around = |_: &usize| PadAxis {
                    low: rng.below(2).into(),
                    high: rng.below(3).into(),
                    step: 1 + rng.below(2) as i64,
                };
                one(Op::Pad(shape.iter().map(&mut around).collect()))
            }
            8 => one(Op::Reduce(Reduction::Sum, axes)),
            9 => one(Op::Reduce(Reduction::Max, axes)),
            10 if rank > 0 => one(Op::ArgMax(rng.below(rank))),
            11 if rank > 0 => (Op::Concat(rng.below(rank)), vec![at, other, at]),
            12 => {
                // The right operand with its axes in another order, under labels that match.
                let mut out: Vec<u8> = labels.iter().copied().filter(|_| rng.below(2) == 0).collect();
                rng.shuffle(&mut out);
                (Op::Contract { lhs: labels.clone(), rhs: labels, out }, vec![at, other])
            }
            13 if rank > 0 => (Op::Gather(rng.below(rank)), vec![at, index]),
            14 if rank > 0 => {
                (Op::ScatterAdd(rng.below(rank), LENGTHS[rng.below(5)].into()), vec![at, index])
            }
            _ => self.scalar(at, other),
        }
    }

    fn scalar(&mut self, at: usize, other: usize) -> (Op, Vec<usize>) {
        use Scalar::*;
        let exact =
            [Add, Sub, Mul, Max, Min, Neg, Abs, Sign, Floor, Ceil, Round, Eq, Lt, Le, And, Or, Not, Select];
        let s = exact[self.rng.below(exact.len())];
        let args = match s.arity() {
            1 => vec![at],
            2 => vec![at, other],
            _ => vec![self.values.len().min(7), at, other],
        };
        (Op::Map(s), args)
    }
}

#[test]
fn random_chains_agree_to_the_last_bit() {
    for seed in 0..300 {
        let Chain { mut b, values, inputs, .. } = Chain::new(seed);
        values.iter().for_each(|(v, _)| b.output("v", *v, None));
        let func = b.finish();
        let kept: Vec<Array> = values.into_iter().map(|v| v.1).collect();
        let results = eval(&func, &inputs).unwrap_or_else(|e| panic!("graph {seed}: {e}\n{func}"));
        for (i, (got, want)) in results.iter().zip(&kept).enumerate() {
            assert_eq!(array(got), *want, "graph {seed}, v{i}\n{func}");
        }
    }
}

/// The relative distance, 0 for two NaNs or equal infinities.
fn distance(got: f64, want: f64) -> f64 {
    if got == want || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    (got - want).abs() / want.abs().max(f64::MIN_POSITIVE)
}

#[test]
fn scalars_agree_within_rounding() {
    let points: Vec<f64> = vec![
        -30.0,
        -2.5,
        -1.5,
        -1.0,
        -0.5,
        -1e-9,
        -0.0,
        0.0,
        1e-9,
        0.25,
        0.5,
        1.0,
        1.5,
        2.5,
        3.25,
        20.0,
        80.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for (dtype, allowed) in [(DType::F64, 4.0 * f64::EPSILON), (DType::F32, 4.0 * f32::EPSILON as f64)] {
        for s in Scalar::ALL
            .into_iter()
            .filter(|s| !matches!(s, Scalar::And | Scalar::Or | Scalar::Not | Scalar::Select))
        {
            let n = points.len();
            let left: Vec<f64> = (0..n * n).map(|i| points[i / n]).collect();
            let right: Vec<f64> = (0..n * n).map(|i| points[i % n]).collect();
            let args: Vec<Array> = [left, right]
                .into_iter()
                .take(s.arity())
                .map(|data| Array::rounded(dtype, vec![n * n], data))
                .collect();
            let mut b = Builder::new("s", Syms::default());
            let ty = Ty::new(dtype, [Dim::from(n * n)]);
            let handles: Vec<Value> = args.iter().map(|_| b.input("x", ty.clone(), Role::Argument)).collect();
            let v = b.map(s, &handles).expect("two floats");
            b.output("y", v, None);
            let func = b.finish();
            let got =
                array(&eval(&func, &args.iter().map(any).collect::<Vec<_>>()).expect("a small tensor")[0]);
            let want = &kiln_ir::eval::eval(&func, &args)[0];
            for (i, (g, w)) in got.data.iter().zip(&want.data).enumerate() {
                let x: Vec<f64> = args.iter().map(|a| a.data[i]).collect();
                assert!(distance(*g, *w) <= allowed, "{} {} of {x:?}: {g} for {w}", dtype.name(), s.name());
            }
        }
    }
}

#[test]
fn products_agree_within_the_bound_of_their_sums() {
    let mut rng = Rng::seed(1);
    // [batch, rows, columns, sum] in every order of axes, around the kernel's tiles.
    for [batch, m, n, k] in
        [[1, 5, 7, 3], [2, 16, 33, 65], [3, 1, 17, 9], [2, 8, 1, 4], [4, 1, 1, 6], [2, 3, 3, 0]]
    {
        for (lhs, rhs, out) in [
            ([0, 1, 3], [0, 3, 2], [0, 1, 2]),
            ([1, 0, 3], [2, 3, 0], [1, 2, 0]),
            ([3, 1, 0], [3, 0, 2], [2, 0, 1]),
        ] {
            let length = |l: &u8| [batch, m, n, k][*l as usize];
            let mut draw = |labels: &[u8; 3]| {
                let shape: Vec<usize> = labels.iter().map(length).collect();
                let data = (0..shape.iter().product()).map(|_| rng.uniform_f64() - 0.5).collect();
                Array::rounded(DType::F64, shape, data)
            };
            let args = [draw(&lhs), draw(&rhs)];
            let mut b = Builder::new("product", Syms::default());
            let ty =
                |a: &Array| Ty::new(DType::F64, a.shape.iter().map(|n| Dim::from(*n)).collect::<Vec<_>>());
            let handles =
                [b.input("x", ty(&args[0]), Role::Argument), b.input("y", ty(&args[1]), Role::Argument)];
            let op = Op::Contract { lhs: lhs.to_vec(), rhs: rhs.to_vec(), out: out.to_vec() };
            let v = b.emit(op, &handles).expect("labels that fit");
            b.output("z", v, None);
            let func = b.finish();
            let got = array(&eval(&func, &[any(&args[0]), any(&args[1])]).expect("a small tensor")[0]);
            let want = &kiln_ir::eval::eval(&func, &args)[0];
            assert_eq!(got.shape, want.shape);
            for (g, w) in got.data.iter().zip(&want.data) {
                assert!((g - w).abs() <= 4.0 * f64::EPSILON * k as f64 * 0.25, "{g} for {w}");
            }
        }
    }
}

#[test]
fn the_harness_rejects_another_value() {
    let a = Array::rounded(DType::F64, vec![1], vec![1.0]);
    assert_ne!(array(&any(&a)), Array::rounded(DType::F64, vec![1], vec![1.0 + f64::EPSILON]));
    assert!(distance(1.0 + 8.0 * f64::EPSILON, 1.0) > 4.0 * f64::EPSILON);
    assert_eq!((distance(f64::NAN, f64::NAN), distance(0.0, -0.0)), (0.0, 0.0));
}
