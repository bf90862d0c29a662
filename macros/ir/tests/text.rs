//! The exact text of a small function, of its gradient and of every operation's attributes.

use kiln_ir::{
    Builder, DType, Dim, Func, Literal, Op, PadAxis, Reduction, Role, Scalar, SliceAxis, SymKind, Window,
};

use kiln_ir::{Error, Syms, Ty, differentiate::value_and_grad};

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
    assert_eq!(value_and_grad(&f, &[1])?.to_string(), GRADIENT);
    Ok(())
}

const LOSS: &str = "\
fn loss {
  %0: f32[N, 3] = input[x]  ; x
  %1: f32[3] = input[w]  ; w
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
fn loss {
  %0: f32[N, 3] = input[x]  ; x
  %1: f32[3] = input[w]  ; w
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
    let window = Window { axis: 0, len: n_windows, size: 2, stride: 1, dilation: 1 };
    let windows = b.emit(Op::Windows(window.clone()), &[x])?;
    let folded = b.emit(Op::Fold(window, n_full), &[windows])?;
    for v in
        [flat, turned, wide, part, padded, joined, top, arg, count, cast, still, half, truth, windows, folded]
    {
        b.output("o", v, None);
    }
    let text = b.finish().to_string();
    let lines: Vec<&str> = text.lines().filter(|l| !l.contains("return")).collect();
    assert_eq!(lines.join("\n"), ALL);
    Ok(())
}

const ALL: &str = "\
fn all {
  %0: f64[N, 4] = input[x]  ; x
  %1: f64[4*N] = reshape[4*N] %0
  %2: f64[4, N] = permute[1, 0] %0
  %3: f64[N, N + 1, 4] = broadcast[1: N + 1] %0
  %4: f64[N, 2] = slice[0+N*1, 1+2*2] %0
  %5: f64[2*N + 1, 12] = pad[1|1|N, 0|3|2] %0
  %6: f64[N, 8] = concat[1] %0 %0
  %7: f64[] = max_over[0, 1] %0
  %8: i64[N] = argmax[1] %0
  %9: i32[N - 1] = iota[N - 1]
  %10: u8[N, 4] = cast[u8] %0
  %11: f64[N, 4] = stop_grad %0
  %12: f32[] = const[0.5]
  %13: bool[] = const[1]
  %14: f64[N - 1, 2, 4] = windows[0: N - 1x2 by 1 every 1] %0
  %15: f64[N, 4] = fold[0: N - 1x2 by 1 every 1 to N] %14
}";
