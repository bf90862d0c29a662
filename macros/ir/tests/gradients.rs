//! Derivatives of every differentiable operation against central differences in f64, first and second.

mod common;

use common::derivatives::{agrees, check, gradient};
use common::{Rng, function, sizes};
use kiln_ir::eval::eval;
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Error, Op, PadAxis, Reduction, Scalar, SliceAxis, Value, Window};

/// A scalar, and arguments for it that lie away from its kinks and poles.
type Row = (Scalar, fn(&mut Rng) -> Vec<f64>);

const SCALARS: [Row; 32] = [
    (Scalar::Add, free2),
    (Scalar::Sub, free2),
    (Scalar::Mul, free2),
    (Scalar::Div, |r| vec![r.uniform(-2.0, 2.0), r.signed(0.5, 2.0)]),
    (Scalar::Max, apart),
    (Scalar::Min, apart),
    (Scalar::Pow, |r| vec![r.uniform(0.5, 2.0), r.uniform(-2.0, 3.0)]),
    (Scalar::Atan2, |r| vec![r.signed(0.5, 2.0), r.signed(0.5, 2.0)]),
    (Scalar::Neg, free),
    (Scalar::Abs, |r| vec![r.signed(0.1, 2.0)]),
    (Scalar::Sign, |r| vec![r.signed(0.1, 2.0)]),
    (Scalar::Floor, |r| vec![r.below(5) as f64 - 2.0 + r.uniform(0.1, 0.9)]),
    (Scalar::Ceil, |r| vec![r.below(5) as f64 - 2.0 + r.uniform(0.1, 0.9)]),
    (Scalar::Round, |r| vec![r.below(5) as f64 - 2.0 + r.uniform(-0.4, 0.4)]),
    (Scalar::Exp, free),
    (Scalar::Expm1, free),
    (Scalar::Log, |r| vec![r.uniform(0.3, 3.0)]),
    (Scalar::Log1p, |r| vec![r.uniform(-0.5, 2.0)]),
    (Scalar::Sqrt, |r| vec![r.uniform(0.3, 3.0)]),
    (Scalar::Sin, free),
    (Scalar::Cos, free),
    (Scalar::Tan, |r| vec![r.uniform(-1.2, 1.2)]),
    (Scalar::Tanh, free),
    (Scalar::Sigmoid, free),
    (Scalar::Erf, |r| vec![r.uniform(-3.0, 3.0)]),
    (Scalar::Eq, apart),
    (Scalar::Lt, apart),
    (Scalar::Le, apart),
    (Scalar::And, apart),
    (Scalar::Or, apart),
    (Scalar::Not, |r| vec![r.signed(0.1, 2.0)]),
    (Scalar::Select, |r| vec![r.signed(0.1, 2.0), r.uniform(-2.0, 2.0), r.uniform(-2.0, 2.0)]),
];

fn free(r: &mut Rng) -> Vec<f64> {
    vec![r.uniform(-2.0, 2.0)]
}

fn free2(r: &mut Rng) -> Vec<f64> {
    vec![r.uniform(-2.0, 2.0), r.uniform(-2.0, 2.0)]
}

/// Two numbers that are not close to each other or to 0.
fn apart(r: &mut Rng) -> Vec<f64> {
    let (x, gap) = (r.signed(0.5, 2.0), r.signed(0.1, 0.4));
    vec![x, x + gap]
}

/// The scalar as a function of f64 only: bools are made of signs before it and cast after it.
fn of_floats(b: &mut Builder, s: Scalar, x: &[Value]) -> Result<Value, Error> {
    let mut args = x.to_vec();
    let bools = match s {
        Scalar::And | Scalar::Or | Scalar::Not => args.len(),
        Scalar::Select => 1,
        _ => 0,
    };
    for a in &mut args[..bools] {
        let zero = b.splat(0.0, *a)?;
        *a = b.map(Scalar::Lt, &[zero, *a])?;
    }
    let y = b.map(s, &args)?;
    b.emit(Op::Cast(DType::F64), &[y])
}

#[test]
fn a_wrong_rule_is_rejected() {
    let of = |n: usize, factor: f64| {
        function(&[vec![n]], move |b, x| {
            let (y, c) = (b.map(Scalar::Sin, x)?, b.splat(factor, x[0])?);
            b.map(Scalar::Mul, &[y, c])
        })
    };
    // Of 3 elements each is moved, of 60 some together.
    for n in [3, 60] {
        let (mut rng, func) = (Rng(1), of(n, 1.0));
        let x = [rng.array(&[n])];
        assert_eq!(agrees(&func, &gradient(&func), &x, &mut rng), Ok(()));
        assert!(agrees(&func, &gradient(&of(n, 1.0001)), &x, &mut rng).is_err());
        let cos = function(&[vec![n]], |b, x| b.map(Scalar::Cos, x));
        assert!(agrees(&func, &gradient(&cos), &x, &mut rng).is_err());
    }
}

#[test]
fn every_scalar_has_a_row() {
    let rows: Vec<Scalar> = SCALARS.iter().map(|r| r.0).collect();
    assert_eq!(rows, Scalar::ALL);
    for (s, sample) in SCALARS {
        assert_eq!(sample(&mut Rng(1)).len(), s.arity(), "{s:?}");
    }
}

#[test]
fn scalars() {
    let mut rng = Rng(2);
    for (s, sample) in SCALARS {
        for shape in [vec![], vec![1], vec![7], vec![3, 5], vec![2, 0]] {
            let shapes = vec![shape.clone(); s.arity()];
            let func = function(&shapes, |b, x| of_floats(b, s, x));
            let mut inputs: Vec<Array> = shapes.iter().map(|n| rng.array(n)).collect();
            for at in 0..inputs[0].data.len() {
                let point = sample(&mut rng);
                inputs.iter_mut().zip(point).for_each(|(x, p)| x.data[at] = p);
            }
            check(&format!("{s:?} of {shape:?}"), &func, &inputs, &mut rng);
        }
    }
}

/// `op`, behind and before something curved, so that it has a second derivative to be wrong in.
fn curved(shapes: &[&[usize]], op: Op) {
    let shapes: Vec<Vec<usize>> = shapes.iter().map(|s| s.to_vec()).collect();
    let func = function(&shapes, |b, x| {
        let bent: Result<Vec<Value>, Error> = x.iter().map(|x| b.map(Scalar::Sin, &[*x])).collect();
        let y = b.emit(op.clone(), &bent?)?;
        let y = b.emit(Op::Cast(DType::F64), &[y])?;
        b.map(Scalar::Exp, &[y])
    });
    let mut rng = Rng(3);
    let inputs: Vec<Array> = func.inputs.iter().map(|i| rng.array(&sizes(&i.ty))).collect();
    check(&format!("{op:?} of {shapes:?}"), &func, &inputs, &mut rng);
}

#[test]
fn layouts() {
    for shape in [[1, 1], [3, 5], [7, 2], [0, 3]] {
        let [n, m] = shape;
        curved(&[&shape], Op::Reshape(vec![(n * m).into(), 1.into()]));
        curved(&[&shape], Op::Permute(vec![1, 0]));
        curved(&[&shape], Op::Broadcast(vec![(0, 2.into()), (2, 3.into())]));
        let odd = |n: usize| SliceAxis { start: 0.into(), len: n.div_ceil(2).into(), step: 2 };
        curved(&[&shape], Op::Slice(vec![odd(n), odd(m)]));
        let wide = |step| PadAxis { low: 1.into(), high: 2.into(), step };
        curved(&[&shape], Op::Pad(vec![wide(1), wide(3)]));
        curved(&[&shape, &[n, 1], &[n, 0]], Op::Concat(1));
    }
}

#[test]
fn windows() {
    let window = |len: i64, stride, dilation| Window { axis: 1, len: len.into(), size: 3, stride, dilation };
    for (len, stride, dilation, full) in [(5, 1, 1, 7), (3, 2, 1, 8), (2, 1, 3, 8), (1, 4, 2, 5)] {
        let w = window(len, stride, dilation);
        curved(&[&[2, full]], Op::Windows(w.clone()));
        curved(&[&[2, len as usize, 3]], Op::Fold(w, full.into()));
    }
}

#[test]
fn gathers() {
    for op in [Op::Gather(1), Op::ScatterAdd(1, 4.into())] {
        let func = function(&[vec![2, 3], vec![3]], |b, x| {
            let bent = b.map(Scalar::Sin, &[x[0]])?;
            let far = b.scale(x[1], 2.4)?;
            let at = b.map(Scalar::Floor, &[far])?;
            let at = b.shift(at, 1.0)?;
            let at = b.emit(Op::Cast(DType::I64), &[at])?;
            let at = b.emit(Op::Broadcast(vec![(0, 2.into())]), &[at])?;
            let y = b.emit(op.clone(), &[bent, at])?;
            b.map(Scalar::Exp, &[y])
        });
        let mut rng = Rng(4);
        for _ in 0..5 {
            let inputs = [rng.array(&[2, 3]), rng.array(&[3])];
            check(&format!("{op:?}"), &func, &inputs, &mut rng);
        }
    }
}

/// Both arguments, at a start inside and partly outside.
#[test]
fn updates() {
    let mut rng = Rng(5);
    for start in [-1.0, 0.0, 1.0, 3.0] {
        let func = function(&[vec![4, 3], vec![2, 3]], |b, x| {
            let bent: Result<Vec<Value>, Error> = x.iter().map(|x| b.map(Scalar::Sin, &[*x])).collect();
            let start = b.constant(start, DType::I64);
            let y = b.emit(Op::Update(0), &[&bent?[..], &[start]].concat())?;
            b.map(Scalar::Exp, &[y])
        });
        check(&format!("an update at {start}"), &func, &[rng.array(&[4, 3]), rng.array(&[2, 3])], &mut rng);
    }
}

#[test]
fn reductions() {
    for shape in [[1, 1, 1], [3, 1, 5], [2, 7, 2], [2, 0, 3]] {
        for axes in [vec![], vec![0], vec![2], vec![0, 2], vec![0, 1, 2]] {
            curved(&[&shape], Op::Reduce(Reduction::Sum, axes.clone()));
            if shape[1] > 0 || !axes.contains(&1) {
                curved(&[&shape], Op::Reduce(Reduction::Max, axes));
            }
        }
        curved(&[&shape], Op::ArgMax(0));
    }
}

#[test]
fn contractions() {
    for (n, k, m) in [(1, 1, 1), (3, 5, 7), (2, 0, 3), (0, 2, 3)] {
        let op = |l: &[u8], r: &[u8], o: &[u8]| Op::Contract { lhs: l.into(), rhs: r.into(), out: o.into() };
        curved(&[&[n, k], &[k, m]], op(&[0, 1], &[1, 2], &[0, 2]));
        curved(&[&[n, k], &[m, k]], op(&[0, 1], &[2, 1], &[2, 0]));
        curved(&[&[2, n, k], &[k, 2]], op(&[3, 0, 1], &[1, 3], &[0, 3]));
        curved(&[&[k], &[k]], op(&[1], &[1], &[]));
        curved(&[&[n], &[m]], op(&[0], &[1], &[1, 0]));
    }
}

/// Rounding and stopping are no functions to take differences of: their rules are checked as they are.
#[test]
fn casts_round_and_stops_stop() {
    let cast = function(&[vec![2]], |b, x| {
        let narrow = b.emit(Op::Cast(DType::F32), x)?;
        b.emit(Op::Cast(DType::F64), &[narrow])
    });
    let ct = Array::rounded(DType::F64, vec![2], vec![0.1, -3.0]);
    let grad = eval(&gradient(&cast), &[ct.clone(), ct.clone()]);
    assert_eq!(grad[0].data, [0.1f32 as f64, -3.0]);
    let stop = function(&[vec![2]], |b, x| {
        let still = b.emit(Op::StopGrad, x)?;
        b.map(Scalar::Mul, &[x[0], still])
    });
    let x = Array::rounded(DType::F64, vec![2], vec![2.0, 5.0]);
    assert_eq!(eval(&gradient(&stop), &[x, ct])[0].data, [0.1 * 2.0, -3.0 * 5.0]);
}

/// A new operation must say here where its derivative is compared with differences.
#[test]
fn every_operation_has_a_row() {
    let of = |op: &Op| match op {
        Op::Map(_) => "scalars",
        Op::Reshape(_) | Op::Permute(_) | Op::Broadcast(_) | Op::Slice(_) | Op::Pad(_) | Op::Concat(_) => {
            "layouts"
        }
        Op::Windows(_) | Op::Fold(..) => "windows",
        Op::Gather(_) | Op::ScatterAdd(..) => "gathers",
        Op::Update(_) => "updates",
        Op::Reduce(..) | Op::ArgMax(_) => "reductions",
        Op::Contract { .. } => "contractions",
        Op::Cast(_) | Op::StopGrad => "casts_round_and_stops_stop",
        Op::Scan(_) | Op::Result(..) => "tests/scans.rs",
        Op::Rule(_) => "tests/batches.rs",
        Op::Input(_) | Op::Const(..) | Op::Iota { .. } | Op::Random(..) => "of nothing that is a float",
    };
    assert_eq!(of(&Op::StopGrad), "casts_round_and_stops_stop");
}
