//! The exact text of a small function, of its gradient and of every operation's attributes, and the way back.

mod common;

use kiln_ir::{
    Builder, DType, Dim, Func, Literal, Op, PadAxis, Reduction, Role, Scalar, SliceAxis, SymKind, Window,
};

use common::graphs::Graph;
use kiln_ir::{Error, Syms, Ty, differentiate::value_and_grad, text::parse};

/// The sum of squares of `tanh(x·w)`, N rows.
fn loss() -> Result<Func, Error> {
    let mut b = Builder::new("loss", Syms::default());
    let n = Dim::from(b.syms().intern("N", SymKind::Free { bound: Some(64) }));
    let x = b.input("x", Ty::new(DType::F32, [n.clone(), 3.into()]), Role::Argument);
    let w = b.input("w", Ty::new(DType::F32, [3.into()]), Role::Parameter);
    let product = Op::Contract { lhs: vec![0, 1], rhs: vec![1], out: vec![0] };
    let y = b.emit(product, &[x, w])?;
    let y = b.map(Scalar::Tanh, &[y])?;
    b.name(y, "y");
    let square = b.map(Scalar::Mul, &[y, y])?;
    let total = b.emit(Op::Reduce(Reduction::Sum, vec![0]), &[square])?;
    b.output("loss", total, None);
    b.output("w", w, Some(1));
    Ok(b.finish())
}

#[test]
fn function_and_gradient() -> Result<(), Error> {
    let f = loss()?;
    assert_eq!(f.to_string(), LOSS);
    reads_back(&f);
    assert_eq!(value_and_grad(&f, &[1])?.to_string(), GRADIENT);
    Ok(())
}

const LOSS: &str = "\
fn loss<N <= 64> {
  %0: f32[N, 3] = input[x]
  %1: f32[3] = parameter[w]
  %2: f32[N] = contract[ab,b->a] %0 %1
  %3: f32[N] = tanh %2  ; y
  %4: f32[N] = mul %3 %3
  %5: f32[] = sum[0] %4
  return %5 as loss
  return %1 as w updates w
}
";
// Whoever reads it finds 2y·(1 − y²) and the transposed product.
const GRADIENT: &str = "\
fn loss<N <= 64> {
  %0: f32[N, 3] = input[x]
  %1: f32[3] = parameter[w]
  %2: f32[N] = contract[ab,b->a] %0 %1
  %3: f32[N] = tanh %2  ; y
  %4: f32[N] = mul %3 %3
  %5: f32[] = sum[0] %4
  %6: f32[] = const[1]
  %7: f32[N] = broadcast[0: N] %6
  %8: f32[N] = add %3 %3
  %9: f32[N] = sub %7 %4
  %10: f32[N] = mul %8 %9
  %11: f32[3] = contract[ab,a->b] %0 %10
  return %5 as loss
  return %1 as w updates w
  return %11 as grad.w
}
";

#[test]
fn every_attribute() -> Result<(), Error> {
    let mut b = Builder::new("all", Syms::default());
    let n = Dim::from(b.syms().intern("N", SymKind::Free { bound: None }));
    let x = b.input("x", Ty::new(DType::F64, [n.clone(), 4.into()]), Role::Argument);
    let flat = b.emit(Op::Reshape(vec![n.clone() * 4.into()]), &[x])?;
    let turned = b.emit(Op::Permute(vec![1, 0]), &[x])?;
    let wide = b.emit(Op::Broadcast(vec![(1, n.clone() + 1.into())]), &[x])?;
    let axis = |start: i64, len: Dim, step| SliceAxis { start: start.into(), len, step };
    let part = b.emit(Op::Slice(vec![axis(0, n.clone(), 1), axis(1, 2.into(), 2)]), &[x])?;
    let pad = |low: i64, high: Dim, step| PadAxis { low: low.into(), high, step };
    let padded = b.emit(Op::Pad(vec![pad(1, n.clone(), 1), pad(0, 2.into(), 3)]), &[x])?;
    let joined = b.emit(Op::Concat(1), &[x, x])?;
    let top = b.emit(Op::Reduce(Reduction::Max, vec![0, 1]), &[x])?;
    let arg = b.emit(Op::ArgMax(1), &[x])?;
    let (n_windows, n_full) = (n.clone() - 1.into(), n.clone());
    let count = b.emit(Op::Iota { len: n - 1.into(), dtype: DType::I32 }, &[])?;
    let cast = b.emit(Op::Cast(DType::U8), &[x])?;
    let still = b.emit(Op::StopGrad, &[x])?;
    let half = b.emit(Op::Const(Literal::new(0.5, DType::F32), DType::F32), &[])?;
    let truth = b.constant(1.0, DType::Bool);
    let third = b.constant(1.0 / 3.0, DType::BF16);
    let short = b.emit(Op::Cast(DType::F16), &[half])?;
    let window = Window { axis: 0, len: n_windows, size: 2, stride: 1, dilation: 1 };
    let windows = b.emit(Op::Windows(window.clone()), &[x])?;
    let folded = b.emit(Op::Fold(window, n_full), &[windows])?;
    let i = b.emit(Op::Broadcast(vec![(1, 4.into())]), &[arg])?;
    let picked = b.emit(Op::Gather(0), &[x, i])?;
    let scattered = b.emit(Op::ScatterAdd(0, 9.into()), &[x, i])?;
    let views = [flat, turned, wide, part, padded, joined, windows, folded, picked, scattered];
    for v in views.into_iter().chain([top, arg, count, cast, still, half, truth, third, short]) {
        b.output("o", v, None);
    }
    let func = b.finish();
    reads_back(&func);
    let text = func.to_string();
    let lines: Vec<&str> = text.lines().filter(|l| !l.contains("return")).collect();
    assert_eq!(lines.join("\n"), ALL);
    Ok(())
}

const ALL: &str = "\
fn all<N> {
  %0: f64[N, 4] = input[x]
  %1: f64[4*N] = reshape[4*N] %0
  %2: f64[4, N] = permute[1, 0] %0
  %3: f64[N, N + 1, 4] = broadcast[1: N + 1] %0
  %4: f64[N, 2] = slice[0 len N, 1 len 2 step 2] %0
  %5: f64[2*N + 1, 12] = pad[1|N, 0|2 step 3] %0
  %6: f64[N, 8] = concat[1] %0 %0
  %7: f64[] = max_over[0, 1] %0
  %8: i64[N] = argmax[1] %0
  %9: i32[N - 1] = iota[N - 1]
  %10: u8[N, 4] = cast[u8] %0
  %11: f64[N, 4] = stop_grad %0
  %12: f32[] = const[0.5]
  %13: bool[] = const[true]
  %14: bf16[] = const[0.333984375]
  %15: f16[] = const[0.5]
  %16: f64[N - 1, 2, 4] = windows[0: N - 1 of 2 every 1 by 1] %0
  %17: f64[N, 4] = fold[0: N - 1 of 2 every 1 by 1 to N] %16
  %18: i64[N, 4] = broadcast[1: 4] %8
  %19: f64[N, 4] = gather[0] %0 %18
  %20: f64[9, 4] = scatter_add[0: 9] %0 %18
}";

/// Whether the text of a function parses to the function itself, but for the places of its nodes.
fn reads_back(func: &Func) {
    let mut want = func.clone();
    want.nodes.iter_mut().for_each(|n| n.loc = Default::default());
    let found = parse(&func.to_string()).unwrap_or_else(|e| panic!("{e}\n{func}"));
    assert_eq!(found, want, "{func}");
}

#[test]
fn random_graphs_read_back() {
    for seed in 0..300 {
        let mut graph = Graph::new(seed);
        let values: Vec<_> = graph.values.iter().map(|v| v.0).collect();
        values.iter().for_each(|v| graph.b.output("v", *v, None));
        reads_back(&graph.b.finish());
    }
}

#[test]
fn names_constants_and_sizes_of_any_kind_read_back() {
    let mut syms = Syms::default();
    let wide = Dim::from(syms.intern("cfg::WIDTH", SymKind::Const));
    let odd = Dim::from(syms.intern("A / 2", SymKind::Const));
    let n = Dim::from(syms.intern("N", SymKind::Free { bound: Some(u64::MAX) }));
    let half = syms.floor_divide(&(n.clone() * wide.clone() + 3.into()), 2);
    let mut b = Builder::new("a \"b\"\n\u{1}", syms);
    let polynomial = n.clone() * n.clone() * odd.clone() - n.clone() * wide.clone() * 3.into() - 7.into();
    let shape = [wide, odd, n, half, polynomial, i64::MIN.into(), i64::MAX.into()];
    let x = b.input("net.blocks.3.weight", Ty::new(DType::F32, shape.clone()), Role::Parameter);
    let same = b.input("net.blocks.3.weight", Ty::new(DType::F32, shape), Role::Buffer);
    b.output("grad.net.blocks.3.weight", x, Some(1));
    b.output("the other's name", same, Some(0));
    let nans = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff0_0000_0000_0001)];
    let floats = [0.0, -0.0, 0.1, 1e300, -5e-324, f64::MIN, f64::INFINITY, f64::NEG_INFINITY];
    for x in floats.into_iter().chain(nans) {
        for dtype in [DType::F32, DType::F64] {
            let v = b.emit(Op::Const(Literal::Float(x.to_bits()), dtype), &[]).expect("a constant");
            b.output("c", v, None);
        }
    }
    for i in [0, i64::MIN, i64::MAX, (1 << 53) + 1] {
        let v = b.emit(Op::Const(Literal::Int(i), DType::I64), &[]).expect("a constant");
        b.output("i", v, None);
    }
    reads_back(&b.finish());
}

#[test]
fn labels_behind_z_read_back() {
    let mut b = Builder::new("f", Syms::default());
    let x = b.input("x", Ty::new(DType::F32, [2.into(), 3.into()]), Role::Argument);
    let op = Op::Contract { lhs: vec![30, 2], rhs: vec![255, 2], out: vec![30, 255] };
    let y = b.emit(op, &[x, x]).expect("a product");
    let nothing = b.emit(Op::Reshape(vec![]), &[y]).err();
    assert!(nothing.is_some());
    b.output("y", y, None);
    let func = b.finish();
    reads_back(&func);
    assert!(func.to_string().contains("contract[{30}c,{255}c->{30}{255}]"));
}

#[test]
fn faults_say_where_and_what_was_expected() {
    let fault = |text: &str| parse(text).expect_err(text).to_string();
    let in_body = |line: &str| fault(&format!("fn f<N> {{\n  %0: f32[N, 3] = input[x]\n  {line}\n}}\n"));
    assert_eq!(fault(""), "1:1: expected `fn`, found the end");
    assert_eq!(fault("fn f {\n  %1: f32[] = input[x]\n}"), "2:3: expected `%0`, found `%`");
    assert_eq!(fault("fn f {\n"), "2:1: expected `return` or `}`, found the end");
    assert_eq!(fault("fn f {\n}\nfn"), "3:1: expected the end, found `fn`");
    assert_eq!(in_body("%1: i16[N] = exp %0"), "3:7: expected an element type, found `i16`");
    assert_eq!(in_body("%1: f32[M] = exp %0"), "3:11: expected a symbol of the head, found `M`");
    assert_eq!(in_body("%1: f32[N 3] = exp %0"), "3:13: expected `,` or `]`, found `3`");
    assert_eq!(in_body("%1: f32[N] = exp %0"), "3:16: the type is f32[N, 3]");
    assert_eq!(in_body("%1: f32[N] = exp %1"), "3:20: %1 is not defined before");
    assert_eq!(
        in_body("%1: f32[N] = expo %0"),
        "3:16: expected an operation, with its attributes in brackets, found `expo`"
    );
    assert_eq!(in_body("%1: f32[] = const[true]"), "3:21: expected a constant of type f32, found `true`");
    assert_eq!(in_body("%1: f32[N] = add %0"), "3:16: `add` takes 2 tensors, not 1");
    assert_eq!(in_body("%1: f32[N] = slice[0 len N, 1 2] %0"), "3:33: expected `len`, found `2`");
    assert_eq!(in_body("return %0 as y updates z"), "3:26: expected an input's name, found `z`");
}
