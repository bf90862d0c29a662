//! What is made of random numbers. Each draw advances the generator's counter by the blocks that it has used.

use super::{Built, shape};
use crate::op::Draw;
use crate::{Builder, DType, Dim, Error, Fault, Op, Reduction, Scalar, Value};

/// A generator: its key and the counter of its next block, see `ops::random`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Generator {
    /// The words of the key.
    pub key: Value,
    /// The next block.
    pub counter: Value,
}

impl Generator {
    fn draw(&mut self, b: &mut Builder, what: Draw, shape: &[Dim]) -> Built {
        let drawn = b.emit(Op::Random(what, shape.to_vec()), &[self.key, self.counter])?;
        let used = blocks(b, shape)?;
        self.counter = b.map(Scalar::Add, &[self.counter, used])?;
        Ok(drawn)
    }
}

/// `⌈numel / 4⌉`, i64.
fn blocks(b: &mut Builder, shape: &[Dim]) -> Built {
    let numel = shape.iter().fold(Dim::from(1), |n, d| n * d.clone());
    if let Some(n) = numel.literal() {
        return Ok(b.constant((n.saturating_add(3) / 4) as f64, DType::I64));
    }
    let one = b.constant(1.0, DType::I64);
    let ones = b.emit(Op::Broadcast(shape.iter().cloned().enumerate().collect()), &[one])?;
    let numel = b.emit(Op::Reduce(Reduction::Sum, (0..shape.len()).collect()), &[ones])?;
    let (three, four) = (b.constant(3.0, DType::I64), b.constant(4.0, DType::I64));
    let up = b.map(Scalar::Add, &[numel, three])?;
    b.map(Scalar::Div, &[up, four])
}

/// Numbers of `[0, 1)`, f32: `torch.rand`.
pub fn rand(b: &mut Builder, g: &mut Generator, shape: &[Dim]) -> Built {
    g.draw(b, Draw::Uniform, shape)
}

/// Numbers of the normal distribution, f32, by Box and Muller (1958), `√(−2 ln u) cos(2πv)` with `u` of `(0, 1]`:
/// `torch.randn`.
pub fn randn(b: &mut Builder, g: &mut Generator, shape: &[Dim]) -> Built {
    let u = g.draw(b, Draw::Uniform, shape)?;
    let v = g.draw(b, Draw::Uniform, shape)?;
    let one = b.splat(1.0, u)?;
    let u = b.map(Scalar::Sub, &[one, u])?;
    let log = b.map(Scalar::Log, &[u])?;
    let square = b.scale(log, -2.0)?;
    let radius = b.map(Scalar::Sqrt, &[square])?;
    let angle = b.scale(v, std::f64::consts::TAU)?;
    let cos = b.map(Scalar::Cos, &[angle])?;
    b.map(Scalar::Mul, &[radius, cos])
}

/// Whole numbers of `low .. high`, i64: `torch.randint`. Some are likelier than others by a share of `(high − low) / 2³²`.
pub fn randint(b: &mut Builder, g: &mut Generator, [low, high]: [i64; 2], shape: &[Dim]) -> Built {
    let span = high.checked_sub(low).filter(|n| (1..=1 << 32).contains(n));
    let Some(span) = span else {
        let what = format!("{low} .. {high} must have a number, and at most 2³² of them");
        return Err(b.error(Fault::Attribute { op: "randint".into(), what }));
    };
    let bits = g.draw(b, Draw::Bits, shape)?;
    let bits = b.emit(Op::Cast(DType::F64), &[bits])?;
    // Below `span` even when rounded: the greatest is `span·(1 − 2⁻³²)`, and that has 53 bits or a distance above 2⁻¹².
    let scaled = b.scale(bits, span as f64 / 4_294_967_296.0)?;
    let floor = b.emit(Op::Cast(DType::I64), &[scaled])?;
    let low = b.emit(Op::Const(crate::Literal::Int(low), DType::I64), &[])?;
    b.elementwise(Scalar::Add, &[floor, low])
}

/// 1 with the probability that each element is, else 0: `torch.bernoulli`.
pub fn bernoulli(b: &mut Builder, g: &mut Generator, p: Value) -> Built {
    let ty = float(b, "bernoulli", p)?;
    let u = g.draw(b, Draw::Uniform, &ty.shape)?;
    let u = b.emit(Op::Cast(ty.dtype), &[u])?;
    let below = b.map(Scalar::Lt, &[u, p])?;
    b.emit(Op::Cast(ty.dtype), &[below])
}

/// Elements are 0 with probability p, others divided by 1 − p: `F.dropout`. Srivastava et al. (2014).
pub fn dropout(b: &mut Builder, g: &mut Generator, x: Value, p: f64) -> Built {
    let ty = float(b, "dropout", x)?;
    dropped(b, g, "dropout", x, p, &ty.shape)
}

/// The same for whole channels of `[N, C, …]` with so many axes behind: `F.dropout1d` to `F.dropout3d`.
pub fn dropout_channels(b: &mut Builder, g: &mut Generator, x: Value, p: f64, spatial: usize) -> Built {
    let op = format!("dropout{spatial}d");
    let ty = float(b, &op, x)?;
    if ty.rank() != spatial + 2 {
        return Err(b.error(Fault::Rank { op, want: (spatial + 2).to_string(), got: ty }));
    }
    let mut shape = ty.shape;
    shape[2..].fill(Dim::from(1));
    dropped(b, g, &op, x, p, &shape)
}

/// `x` times a mask that is broadcast to it.
fn dropped(b: &mut Builder, g: &mut Generator, op: &str, x: Value, p: f64, mask: &[Dim]) -> Built {
    if !(0.0..=1.0).contains(&p) {
        let what = format!("p is a probability, from 0 to 1, not {p}");
        return Err(b.error(Fault::Attribute { op: op.into(), what }));
    }
    let u = g.draw(b, Draw::Uniform, mask)?;
    if p == 0.0 {
        return Ok(x);
    }
    let dtype = b.ty(x).dtype;
    let none = b.constant(0.0, dtype);
    let none = shape::expand(b, none, mask)?;
    let scale = if p == 1.0 { 0.0 } else { 1.0 / (1.0 - p) };
    let kept = b.splat(scale, none)?;
    // p itself is kept: a share p of the numbers is below it.
    let noise = b.if_below(u, p, none, kept)?;
    b.mul(x, noise)
}

fn float(b: &Builder, op: &str, x: Value) -> Result<crate::Ty, Error> {
    let ty = b.ty(x).clone();
    match ty.dtype.is_float() {
        true => Ok(ty),
        false => Err(b.error(Fault::DType { op: op.into(), want: "floats", got: ty })),
    }
}
