//! The functions that are compiled and compared: random ones, and what nets are made of.

#[allow(missing_docs, clippy::should_implement_trait)]
#[path = "../../../macros/ir/tests/common/mod.rs"]
pub mod common;

#[path = "loops.rs"]
mod loops;

#[path = "step.rs"]
mod step;

#[path = "transforms.rs"]
mod transforms;

use common::graphs::Graph;
use kiln_ir::composite::{activation, linalg, loss, norm, reduce, shape};
use kiln_ir::differentiate::value_and_grad;
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Dim, Draw, Error, Func, Op, Role, Scalar, SymKind, Syms, Ty, Value};
use kiln_ir::{PadAxis, SliceAxis, Window};

/// A function with inputs and their meaning by definition.
pub struct Case {
    /// A name for the module it is compiled to.
    pub name: String,
    /// The function.
    pub func: Func,
    /// Inputs, for each of several sizes of N.
    pub inputs: Vec<(usize, Vec<Array>)>,
    /// Relative tolerance.
    pub tolerance: f64,
}

/// Numbers of random graphs, of random loops, and of transforms of these.
const COUNTS: [u64; 3] = [120, 60, 48];

/// The seeds of each kind. A longer search: `KILN_SEEDS=1000..1200`, with the build script as well.
fn seeds() -> [std::ops::Range<u64>; 3] {
    let told = std::env::var("KILN_SEEDS").ok().and_then(|text| {
        let (from, to) = text.split_once("..")?;
        Some(from.parse().ok()?..to.parse().ok()?)
    });
    COUNTS.map(|count| told.clone().unwrap_or(0..count))
}

/// All cases.
pub fn all() -> Vec<Case> {
    let [graphs, looped, transformed] = seeds();
    let mut cases: Vec<Case> = graphs.map(random).collect();
    cases.extend(looped.flat_map(loops::random));
    let count = transformed.clone().count();
    let transform = |seed: u64| {
        let mut loops = (seed..).step_by(count).flat_map(loops::random);
        let case = if seed.is_multiple_of(3) { random(seed) } else { loops.next().expect("seeds don't end") };
        transforms::of(&case, seed)
    };
    cases.extend(transformed.flat_map(transform));
    if std::env::var_os("KILN_SEEDS").is_some() {
        return cases;
    }
    // What longer searches found: the terms of an argmax are kept for what is computed of them behind it; a draw whose place is
    // below 0 isn't used.
    cases.push(random(4598));
    cases.push(random(7101));
    // Layers that a loop yields in their place, returned once more.
    cases.extend(loops::random(8505));
    for dtype in [DType::F64, DType::F32, DType::BF16] {
        cases.extend(nets(dtype));
    }
    cases
}

/// A random graph, of which a few values are returned, some of them in place of inputs.
fn random(seed: u64) -> Case {
    let mut graph = Graph::new(seed);
    let values: Vec<Value> = graph.values.iter().map(|v| v.0).collect();
    let mut outputs: Vec<Value> = values.iter().rev().take(3).copied().collect();
    for _ in 0..3 {
        outputs.push(*graph.rng.pick(&values));
    }
    for (i, v) in outputs.into_iter().enumerate() {
        let updates = updated(&mut graph, v);
        graph.b.output(&format!("v{i}"), v, updates);
    }
    let inputs = |k: usize| graph.inputs.iter().map(|a| a[k].clone()).collect();
    let inputs = (0..3).map(|k| (graph.sizes[k] as usize, inputs(k))).collect();
    let func = graph.b.finish();
    let tolerance = of_random(&func);
    Case { name: format!("graph{seed}"), func, inputs, tolerance }
}

/// Functions of f32 are computed in f32, and differ in the last place, as sums of random numbers do; bf16's last place is a 128th.
fn of_random(func: &Func) -> f64 {
    let drawn = |n: &kiln_ir::Node| matches!(n.op, Op::Random(Draw::Uniform, _));
    match func.nodes.iter().any(|n| single(n) || drawn(n)) {
        true if func.nodes.iter().any(|n| n.ty.dtype.is_narrow()) => 1e-2,
        true => 1e-5,
        false => 1e-9,
    }
}

fn single(n: &kiln_ir::Node) -> bool {
    matches!(n.op, Op::Map(s) if s.floats_only()) && n.ty.dtype == DType::F32
}

/// An input that a value may take the place of, sometimes.
fn updated(graph: &mut Graph, v: Value) -> Option<usize> {
    let func = graph.b.func();
    let free = |i: &usize| func.outputs.iter().all(|o| o.updates != Some(*i));
    let fits = |i: &usize| func.inputs[*i].ty == *func.ty(v) && free(i);
    let fits: Vec<usize> = (0..func.inputs.len()).filter(fits).collect();
    if fits.is_empty() || graph.rng.chance(30) { None } else { Some(*graph.rng.pick(&fits)) }
}

type Build<'a> = &'a dyn Fn(&mut Builder, &[Value]) -> Result<Vec<Value>, Error>;

/// A function of float inputs, where a dim of 0 stands for N; `labels` adds class labels `[N]` below their number.
fn case(
    name: &str,
    dtype: DType,
    shapes: &[&[i64]],
    labels: Option<usize>,
    grad: bool,
    build: Build,
) -> Case {
    let mut syms = Syms::default();
    let n = Dim::from(syms.intern("N", SymKind::Free { bound: None }));
    let mut b = Builder::new(name, syms);
    let dims =
        |s: &[i64]| s.iter().map(|d| if *d == 0 { n.clone() } else { Dim::from(*d) }).collect::<Vec<_>>();
    let mut args: Vec<Value> = shapes
        .iter()
        .enumerate()
        .map(|(i, s)| b.input(&format!("x{i}"), Ty::new(dtype, dims(s)), Role::Argument))
        .collect();
    if labels.is_some() {
        args.push(b.input("y", Ty::new(DType::I64, vec![n.clone()]), Role::Argument));
    }
    let outs = build(&mut b, &args).unwrap_or_else(|e| panic!("{name}: {e}"));
    outs.iter().enumerate().for_each(|(i, v)| b.output(&format!("out{i}"), *v, None));
    let mut func = b.finish();
    if grad {
        let all: Vec<usize> = (0..shapes.len()).collect();
        func = value_and_grad(&func, &all).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    let inputs = [1, 7, 64, 0].map(|size| (size, arrays(dtype, shapes, labels, size))).to_vec();
    let name = format!("{name}_{}", dtype.name());
    Case { name, func, inputs, tolerance: tolerance(dtype, [1e-10, 2e-5]) }
}

fn arrays(dtype: DType, shapes: &[&[i64]], labels: Option<usize>, size: usize) -> Vec<Array> {
    let mut rng = common::Rng(size as u64);
    let mut arrays: Vec<Array> = shapes
        .iter()
        .map(|s| {
            let shape: Vec<usize> = s.iter().map(|d| if *d == 0 { size } else { *d as usize }).collect();
            Array::rounded(dtype, shape.clone(), rng.array(&shape).data)
        })
        .collect();
    if let Some(classes) = labels {
        let data = (0..size).map(|_| rng.below(classes) as f64).collect();
        arrays.push(Array::rounded(DType::I64, vec![size], data));
    }
    arrays
}

fn mlp(b: &mut Builder, x: &[Value]) -> Result<Value, Error> {
    let h = linalg::linear(b, x[0], x[1], Some(x[2]))?;
    let h = activation::relu(b, h)?;
    linalg::linear(b, h, x[3], Some(x[4]))
}

/// Layers, losses and whole training steps, forward and backward.
fn nets(dtype: DType) -> Vec<Case> {
    let mlp_shapes: &[&[i64]] = &[&[0, 20], &[33, 20], &[33], &[10, 33], &[10]];
    vec![
        case("mlp", dtype, mlp_shapes, None, false, &|b, x| Ok(vec![mlp(b, x)?])),
        case("mlp_loss", dtype, mlp_shapes, Some(10), true, &|b, x| {
            let z = mlp(b, x)?;
            Ok(vec![loss::cross_entropy(b, z, x[5], Default::default())?])
        }),
        case("softmax", dtype, &[&[0, 37], &[0, 37]], None, true, &|b, x| {
            let p = norm::softmax(b, x[0], 1)?;
            let weighted = b.elementwise(Scalar::Mul, &[p, x[1]])?;
            Ok(vec![reduce::sum(b, weighted, &[])?])
        }),
        case("log_softmax_columns", dtype, &[&[0, 5, 3]], None, true, &|b, x| {
            let p = norm::log_softmax(b, x[0], 1)?;
            let squared = b.elementwise(Scalar::Mul, &[p, p])?;
            Ok(vec![reduce::mean(b, squared, &[])?])
        }),
        case("layer_norm", dtype, &[&[0, 6, 70], &[70], &[70], &[0, 6, 70]], None, true, &|b, x| {
            let y = norm::layer_norm(b, x[0], 1, Some(x[1]), Some(x[2]), 1e-5)?;
            let weighted = b.elementwise(Scalar::Mul, &[y, x[3]])?;
            Ok(vec![reduce::mean(b, weighted, &[])?])
        }),
        case("gelu", dtype, &[&[0, 130]], None, true, &|b, x| {
            let y = activation::gelu(b, x[0])?;
            Ok(vec![reduce::sum(b, y, &[])?])
        }),
        case("attention", dtype, &[&[0, 9, 2, 4], &[0, 11, 2, 4], &[0, 11, 2, 4]], None, true, &|b, x| {
            let contract = |b: &mut Builder, l: &[u8], r: &[u8], o: &[u8], x: Value, y: Value| {
                b.emit(Op::Contract { lhs: l.to_vec(), rhs: r.to_vec(), out: o.to_vec() }, &[x, y])
            };
            // q [N, T, H, D], k and v [N, S, H, D]
            let scores = contract(b, &[0, 1, 2, 3], &[0, 4, 2, 3], &[0, 2, 1, 4], x[0], x[1])?;
            let p = norm::softmax(b, scores, 3)?;
            let out = contract(b, &[0, 2, 1, 4], &[0, 4, 2, 3], &[0, 1, 2, 3], p, x[2])?;
            let y = b.map(Scalar::Tanh, &[out])?;
            Ok(vec![reduce::mean(b, y, &[])?])
        }),
        case("several_axes", dtype, &[&[0, 3, 4, 5], &[5, 6, 3]], None, true, &|b, x| {
            let op =
                |l: &[u8], r: &[u8], o: &[u8]| Op::Contract { lhs: l.into(), rhs: r.into(), out: o.into() };
            // Sums over two axes that lie in another order in the two operands; results with and without mixing.
            let apart = b.emit(op(&[0, 1, 2, 3], &[3, 4, 1], &[0, 2, 4]), &[x[0], x[1]])?;
            let mixed = b.emit(op(&[0, 1, 2, 3], &[3, 4, 1], &[0, 4, 2]), &[x[0], x[1]])?;
            let apart = b.map(Scalar::Tanh, &[apart])?;
            let turned = shape::transpose(b, apart, 1, 2)?;
            let both = b.elementwise(Scalar::Mul, &[turned, mixed])?;
            Ok(vec![reduce::sum(b, both, &[])?])
        }),
        case("cat_and_slice", dtype, &[&[0, 3, 4], &[0, 5, 4]], None, true, &|b, x| {
            let both = shape::cat(b, &[x[0], x[1]], 1)?;
            let turned = shape::transpose(b, both, 1, 2)?;
            let squared = b.elementwise(Scalar::Mul, &[turned, turned])?;
            let n = n_of(b, squared);
            let flat = shape::reshape(b, squared, &[n, 32.into()])?;
            let y = activation::sigmoid(b, flat)?;
            Ok(vec![reduce::sum(b, y, &[])?])
        }),
        case("conv", dtype, &[&[0, 3, 9, 8], &[5, 3, 3, 2]], None, true, &|b, x| {
            let padded = [0, 0, 1, 1].map(|n: i64| PadAxis { low: n.into(), high: n.into(), step: 1 });
            let padded = b.emit(Op::Pad(padded.to_vec()), &[x[0]])?;
            let rows = Window { axis: 2, len: 5.into(), size: 3, stride: 2, dilation: 1 };
            let rows = b.emit(Op::Windows(rows), &[padded])?;
            let cols = Window { axis: 4, len: 8.into(), size: 2, stride: 1, dilation: 2 };
            let windows = b.emit(Op::Windows(cols), &[rows])?;
            // [N, C, OH, KH, OW, KW] by [O, C, KH, KW]
            let op =
                Op::Contract { lhs: vec![0, 1, 2, 3, 4, 5], rhs: vec![6, 1, 3, 5], out: vec![0, 6, 2, 4] };
            let y = b.emit(op, &[windows, x[1]])?;
            let y = activation::relu(b, y)?;
            let rows = Window { axis: 2, len: 2.into(), size: 3, stride: 2, dilation: 1 };
            let rows = b.emit(Op::Windows(rows), &[y])?;
            let cols = Window { axis: 4, len: 4.into(), size: 2, stride: 2, dilation: 1 };
            let windows = b.emit(Op::Windows(cols), &[rows])?;
            let pooled = b.emit(Op::Reduce(kiln_ir::Reduction::Max, vec![3, 5]), &[windows])?;
            let curved = b.map(Scalar::Tanh, &[pooled])?;
            Ok(vec![reduce::mean(b, curved, &[])?])
        }),
        case(
            "prologue",
            dtype,
            &[&[0, 180], &[0, 180], &[180], &[180, 190], &[180, 190], &[190, 9]],
            None,
            true,
            &|b, x| {
                // Both operands of the first product are computed while they are packed, forward and backward.
                let shifted = b.elementwise(Scalar::Add, &[x[0], x[2]])?;
                let left = activation::relu(b, shifted)?;
                let left = b.elementwise(Scalar::Mul, &[left, x[1]])?;
                let right = b.elementwise(Scalar::Mul, &[x[3], x[4]])?;
                let y = linalg::matmul(b, left, right)?;
                let y = b.map(Scalar::Tanh, &[y])?;
                let weight = b.elementwise(Scalar::Mul, &[x[5], x[5]])?;
                let z = linalg::matmul(b, y, weight)?;
                Ok(vec![reduce::mean(b, z, &[])?])
            },
        ),
        case(
            "prologue_batch",
            dtype,
            &[&[0, 5, 11], &[0, 13, 11], &[11], &[0, 4, 11]],
            None,
            false,
            &|b, x| {
                // Lines along the terms of both operands, along the columns of one, and two axes of rows as one.
                let left = b.elementwise(Scalar::Sub, &[x[0], x[2]])?;
                let right = b.elementwise(Scalar::Max, &[x[1], x[2]])?;
                let turned = shape::transpose(b, right, 1, 2)?;
                let scores = linalg::matmul(b, left, turned)?;
                let other = b.map(Scalar::Abs, &[x[1]])?;
                let back = linalg::matmul(b, scores, other)?;
                let few = b.map(Scalar::Neg, &[x[3]])?;
                let n = n_of(b, few);
                let flat = shape::reshape(b, few, &[n * 4.into(), 11.into()])?;
                let gram = linalg::matmul(b, few, turned)?;
                let column = shape::reshape(b, x[2], &[11.into(), 1.into()])?;
                let one = linalg::matmul(b, flat, column)?;
                Ok(vec![back, gram, one])
            },
        ),
        case("embedding", dtype, &[&[6, 5], &[0, 5]], Some(8), true, &|b, x| {
            // Rows of a table, those of labels 6 and 7 being zeros, and what differs from them.
            let n = b.ty(x[1]).shape[0].clone();
            let index = b.emit(Op::Broadcast(vec![(1, 5.into())]), &[x[2]])?;
            let rows = b.emit(Op::Gather(0), &[x[0], index])?;
            assert_eq!(b.ty(rows).shape[0], n);
            let off = b.elementwise(Scalar::Sub, &[rows, x[1]])?;
            let squared = b.elementwise(Scalar::Mul, &[off, off])?;
            Ok(vec![reduce::sum(b, squared, &[])?])
        }),
        case("one_element", dtype, &[&[0, 3], &[2, 3]], None, false, &|b, x| {
            // A single element found by division: no loop counts it.
            let both = shape::cat(b, &[x[0], x[1]], 0)?;
            let turned = shape::transpose(b, both, 0, 1)?;
            let n = n_of(b, both);
            let flat = shape::reshape(b, turned, &[n.clone() * 3.into()])?;
            let axis = SliceAxis { start: n + 1.into(), len: 1.into(), step: 1 };
            let one = b.emit(Op::Slice(vec![axis]), &[flat])?;
            let flat = shape::reshape(b, x[1], &[6.into()])?;
            let axis = SliceAxis { start: 4.into(), len: 1.into(), step: 1 };
            let other = b.emit(Op::Slice(vec![axis]), &[flat])?;
            let both = b.map(Scalar::Add, &[one, other])?;
            Ok(vec![one, other, both])
        }),
        states(dtype),
        step::train_step(dtype),
    ]
}

fn n_of(b: &Builder, v: Value) -> Dim {
    b.ty(v).shape[0].clone()
}

/// States that change each other in place, and what they were before: whole, by element and by row.
fn states(dtype: DType) -> Case {
    let shapes: &[&[i64]] = &[&[0, 3], &[0, 3], &[0], &[0, 3]];
    let mut case = case("states", dtype, shapes, None, false, &|b, x| {
        let [first, second, row, other] = [x[0], x[1], x[2], x[3]];
        let new_first = b.map(Scalar::Mul, &[other, other])?;
        let new_second = b.map(Scalar::Sub, &[first, other])?;
        let difference = b.map(Scalar::Sub, &[second, first])?;
        let new_row = reduce::sum(b, difference, &[1])?;
        let before = b.map(Scalar::Sub, &[row, new_row])?;
        let change = b.map(Scalar::Sub, &[first, new_first])?;
        Ok(vec![new_first, new_second, new_row, difference, before, change])
    });
    for input in 0..3 {
        case.func.outputs[input].updates = Some(input);
    }
    case
}

/// What results may differ by: of f64 and of f32. A bf16 that rounds the other way is a 128th off.
fn tolerance(dtype: DType, [f64, f32]: [f64; 2]) -> f64 {
    match dtype {
        DType::F64 => f64,
        DType::F32 => f32,
        _ => 0.03,
    }
}
