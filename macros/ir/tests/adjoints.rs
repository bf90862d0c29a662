//! Linear operations against their derivatives by the adjoint identity ⟨Ax, y⟩ = ⟨x, Aᵀy⟩.

mod common;

use common::{Rng, function, inner, sizes};
use kiln_ir::{Builder, DType, Dim, Error, Func, Op, PadAxis, Reduction, Scalar, SliceAxis, Value, Window};
use kiln_ir::{differentiate, eval::eval, verify::verify};

/// A function affine in its input `wrt`, all of whose inputs are f64 of literal shape.
struct Case {
    func: Func,
    wrt: usize,
}

/// Whether `adjoint` (of the inputs and a cotangent) is the adjoint of the case in random arguments.
fn is_adjoint(case: &Case, adjoint: &Func, rng: &mut Rng) -> bool {
    let mut inputs: Vec<_> = case.func.inputs.iter().map(|i| rng.array(&sizes(&i.ty))).collect();
    let mut ax = eval(&case.func, &inputs);
    // Other arguments of Concat add a constant to the linear part.
    let mut at_zero = inputs.clone();
    at_zero[case.wrt].data.fill(0.0);
    let constant = eval(&case.func, &at_zero);
    ax[0].data.iter_mut().zip(&constant[0].data).for_each(|(a, c)| *a -= c);
    let y = rng.array(&ax[0].shape);
    let x = inputs[case.wrt].clone();
    inputs.push(y.clone());
    let aty = eval(adjoint, &inputs);
    let ((left, scale), (right, _)) = (inner(&ax, &[y]), inner(&[x], &aty));
    (left - right).abs() <= 1e-12 * (1.0 + scale)
}

fn check(name: &str, make: impl Fn(&mut Rng) -> (Vec<Vec<usize>>, Op)) {
    let mut rng = Rng(name.len() as u64 * 77);
    for round in 0..150 {
        let (shapes, op) = make(&mut rng);
        for wrt in 0..shapes.len() {
            let func = function(&shapes, |b, x| b.emit(op.clone(), x));
            let adjoint = differentiate::vjp(&func, &[wrt]).unwrap();
            verify(&adjoint).unwrap();
            let ok = is_adjoint(&Case { func, wrt }, &adjoint, &mut rng);
            assert!(ok, "{name}, round {round}: {op:?} of {shapes:?} in argument {wrt}");
        }
    }
}

/// Sizes 1, odd, prime and now and then none.
fn size(rng: &mut Rng) -> usize {
    *rng.pick(&[1, 2, 3, 5, 1, 2, 3, 4, 7, 0])
}

fn shape(rng: &mut Rng) -> Vec<usize> {
    (0..rng.below(4)).map(|_| size(rng)).collect()
}

fn slice_of(rng: &mut Rng, n: usize) -> SliceAxis {
    let step = 1 + rng.below(3);
    let start = rng.below(n + 1);
    let most = (n - start).div_ceil(step);
    SliceAxis { start: start.into(), len: rng.below(most + 1).into(), step: step as i64 }
}

fn subset(rng: &mut Rng, n: usize) -> Vec<usize> {
    (0..n).filter(|_| rng.chance(50)).collect()
}

#[test]
fn a_wrong_adjoint_is_rejected() {
    let at = |start: i64| {
        let axis = SliceAxis { start: start.into(), len: 3.into(), step: 2 };
        function(&[vec![7]], move |b, x| b.emit(Op::Slice(vec![axis.clone()]), x))
    };
    let wrong = differentiate::vjp(&at(1), &[0]).unwrap();
    let right = differentiate::vjp(&at(0), &[0]).unwrap();
    let (case, mut rng) = (Case { func: at(0), wrt: 0 }, Rng(1));
    assert!(is_adjoint(&case, &right, &mut rng));
    assert!(!is_adjoint(&case, &wrong, &mut rng));
}

#[test]
fn reshape() {
    check("reshape", |rng| {
        let from = shape(rng);
        let to = match rng.below(3) {
            0 => vec![from.iter().product()],
            1 => [vec![1], from.iter().rev().copied().collect()].concat(),
            _ => from.iter().flat_map(|n| [*n, 1]).collect(),
        };
        (vec![from], Op::Reshape(to.into_iter().map(Into::into).collect()))
    });
}

#[test]
fn permute() {
    check("permute", |rng| {
        let from = shape(rng);
        let mut perm: Vec<usize> = (0..from.len()).collect();
        rng.shuffle(&mut perm);
        (vec![from], Op::Permute(perm))
    });
}

#[test]
fn broadcast() {
    check("broadcast", |rng| {
        let from = shape(rng);
        let rank = from.len() + 1 + rng.below(2);
        let mut at: Vec<usize> = (0..rank).collect();
        rng.shuffle(&mut at);
        at.truncate(rank - from.len());
        at.sort();
        (vec![from], Op::Broadcast(at.into_iter().map(|a| (a, size(rng).into())).collect()))
    });
}

#[test]
fn slice() {
    check("slice", |rng| {
        let from = shape(rng);
        let axes = from.iter().map(|n| slice_of(rng, *n)).collect();
        (vec![from], Op::Slice(axes))
    });
}

#[test]
fn pad() {
    check("pad", |rng| {
        let from = shape(rng);
        let mut axis = || {
            let (low, high) = (rng.below(3).into(), rng.below(3).into());
            PadAxis { low, high, step: 1 + rng.below(3) as i64 }
        };
        let axes = from.iter().map(|_| axis()).collect();
        (vec![from], Op::Pad(axes))
    });
}

/// Windows that fit an axis of some length, and that length.
fn windows_of(rng: &mut Rng, axis: usize) -> (Window, usize) {
    let (size, stride, dilation) = (1 + rng.below(3), 1 + rng.below(3), 1 + rng.below(2));
    let len = rng.below(4);
    let extent = (len.max(1) - 1) * stride + (size - 1) * dilation + 1;
    let full = extent + rng.below(stride);
    let window =
        Window { axis, len: len.into(), size: size as i64, stride: stride as i64, dilation: dilation as i64 };
    (window, full)
}

#[test]
fn windows() {
    check("windows", |rng| {
        let mut from = [shape(rng), vec![1]].concat();
        let axis = rng.below(from.len());
        let (window, full) = windows_of(rng, axis);
        from[axis] = full;
        (vec![from], Op::Windows(window))
    });
}

#[test]
fn fold() {
    check("fold", |rng| {
        let mut from = [shape(rng), vec![1]].concat();
        let axis = rng.below(from.len());
        let (window, full) = windows_of(rng, axis);
        let len = window.len.literal().expect("a number") as usize;
        from.splice(axis..=axis, [len, window.size as usize]);
        (vec![from], Op::Fold(window, full.into()))
    });
}

/// Integers that `seed` decides, some of them outside of `0..len`.
fn index_of(b: &mut Builder, shape: &[usize], len: usize, seed: usize) -> Result<Value, Error> {
    let n = shape.iter().product::<usize>();
    let i = b.emit(Op::Iota { len: n.into(), dtype: DType::F64 }, &[])?;
    let wave = b.scale(i, 1.0 + seed as f64 * 0.37)?;
    let wave = b.map(Scalar::Sin, &[wave])?;
    let wide = b.scale(wave, len as f64 / 2.0 + 0.7)?;
    let at = b.shift(wide, len as f64 / 2.0)?;
    let at = b.map(Scalar::Floor, &[at])?;
    let at = b.emit(Op::Cast(DType::I64), &[at])?;
    b.emit(Op::Reshape(shape.iter().map(|n| Dim::from(*n)).collect()), &[at])
}

#[test]
fn gather_and_scatter_add() {
    let mut rng = Rng(31);
    for round in 0..150 {
        let from = [shape(&mut rng), vec![size(&mut rng)]].concat();
        let axis = rng.below(from.len());
        let (len, index, seed) = (size(&mut rng), size(&mut rng), rng.below(9));
        for op in [Op::Gather(axis), Op::ScatterAdd(axis, len.into())] {
            let range = if op == Op::Gather(axis) { from[axis] } else { len };
            let mut places = from.clone();
            if op == Op::Gather(axis) {
                places[axis] = index;
            }
            let func = function(std::slice::from_ref(&from), |b, x| {
                let i = index_of(b, &places, range, seed)?;
                b.emit(op.clone(), &[x[0], i])
            });
            let adjoint = differentiate::vjp(&func, &[0]).unwrap();
            verify(&adjoint).unwrap();
            let ok = is_adjoint(&Case { func, wrt: 0 }, &adjoint, &mut rng);
            assert!(ok, "round {round}: {op:?} of {from:?} at {places:?}");
        }
    }
}

/// Over zeros, and zeros over something: each is linear.
#[test]
fn update() {
    let mut rng = Rng(37);
    for round in 0..100 {
        let base = [shape(&mut rng), vec![size(&mut rng)]].concat();
        let axis = rng.below(base.len());
        let mut part = base.clone();
        part[axis] = size(&mut rng);
        let start = rng.below(base[axis] + 3) as f64 - 2.0;
        for wrt in 0..2 {
            let shapes = [&base, &part];
            let func = function(std::slice::from_ref(shapes[wrt]), |b, x| {
                let start = b.constant(start, DType::I64);
                let zero = b.constant(0.0, DType::F64);
                let other = shapes[1 - wrt].iter().map(|n| Dim::from(*n)).enumerate().collect();
                let other = b.emit(Op::Broadcast(other), &[zero])?;
                let args = if wrt == 0 { [x[0], other, start] } else { [other, x[0], start] };
                b.emit(Op::Update(axis), &args)
            });
            let adjoint = differentiate::vjp(&func, &[0]).unwrap();
            verify(&adjoint).unwrap();
            let ok = is_adjoint(&Case { func, wrt: 0 }, &adjoint, &mut rng);
            assert!(ok, "round {round}: {part:?} over {base:?} at {start}, of {wrt}");
        }
    }
}

#[test]
fn concat() {
    check("concat", |rng| {
        let first = [shape(rng), vec![size(rng)]].concat();
        let axis = rng.below(first.len());
        let mut parts = vec![first.clone(); 1 + rng.below(3)];
        parts.iter_mut().for_each(|p| p[axis] = size(rng));
        (parts, Op::Concat(axis))
    });
}

#[test]
fn sum() {
    check("sum", |rng| {
        let from = shape(rng);
        let axes = subset(rng, from.len());
        (vec![from], Op::Reduce(Reduction::Sum, axes))
    });
}

#[test]
fn contract_in_each_argument() {
    check("contract", |rng| {
        let (mut lhs, mut rhs, mut out) = (vec![], vec![], vec![]);
        let lengths: Vec<usize> = (0..1 + rng.below(5)).map(|_| size(rng)).collect();
        for label in 0..lengths.len() as u8 {
            let of = rng.below(4);
            if of != 1 {
                lhs.push(label);
            }
            if of != 2 {
                rhs.push(label);
            }
            if of != 0 {
                out.push(label);
            }
        }
        rng.shuffle(&mut lhs);
        rng.shuffle(&mut rhs);
        rng.shuffle(&mut out);
        let of = |labels: &[u8]| labels.iter().map(|l| lengths[*l as usize]).collect();
        (vec![of(&lhs), of(&rhs)], Op::Contract { lhs, rhs, out })
    });
}
