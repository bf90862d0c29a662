//! Other sizes of images.

use super::{Built, reduce, shape};
use crate::{Builder, DType, Dim, Error, Fault, Op, Scalar, Value};

/// `Σ_j matrix[i, j] · x[…, j, …]` along an axis, for a matrix `[n, m]`.
fn along(b: &mut Builder, x: Value, axis: usize, matrix: Value) -> Built {
    let lhs: Vec<u8> = (0..b.ty(x).rank() as u8).collect();
    let new = lhs.len() as u8;
    let mut out = lhs.clone();
    out[axis] = new;
    b.emit(Op::Contract { lhs, rhs: vec![new, axis as u8], out }, &[x, matrix])
}

/// The spatial axes of `[N, C, …]`, as many as there are sizes, or one size for all.
fn spatial(b: &Builder, op: &str, x: Value, size: &[Dim]) -> Result<Vec<Dim>, Error> {
    let got = b.ty(x).clone();
    let axes = got.rank().saturating_sub(2);
    if axes == 0 {
        return Err(b.error(Fault::Rank { op: op.into(), want: "3 or more".into(), got }));
    }
    let size = if let [one] = size { vec![one.clone(); axes] } else { size.to_vec() };
    let none = |d: &Dim| d.literal().is_some_and(|n| n < 1);
    if size.len() != axes || size.iter().any(none) || got.shape[2..].iter().any(none) {
        let what = format!("{axes} sizes of at least 1, one for each dim after the second");
        return Err(b.error(Fault::Attribute { op: op.into(), what }));
    }
    Ok(size)
}

/// What an axis becomes.
#[derive(Clone, Debug)]
pub enum To {
    /// Sizes, or one for all axes.
    Size(Vec<Dim>),
    /// So many times as long, rounded down: `scale_factor`. The steps are those of the factor, not of the sizes.
    Scale(f64),
}

impl To {
    /// The new sizes.
    fn sizes(&self, b: &Builder, x: Value) -> Result<Vec<Dim>, Error> {
        let scale = match self {
            To::Size(size) => return spatial(b, "interpolate", x, size),
            To::Scale(scale) => *scale,
        };
        let fault = |what: &str| b.error(Fault::Attribute { op: "interpolate".into(), what: what.into() });
        const MOST: f64 = (1u64 << 40) as f64;
        let scaled = |m: &Dim| match m.literal() {
            Some(m) => {
                let n = (m as f64 * scale).floor();
                (1.0..MOST)
                    .contains(&n)
                    .then(|| Dim::from(n as i64))
                    .ok_or_else(|| fault("no elements are left"))
            }
            None if scale.fract() == 0.0 && (1.0..MOST).contains(&scale) => {
                Ok(m.clone() * Dim::from(scale as i64))
            }
            None => Err(fault("a size that is free takes a whole factor")),
        };
        let sizes = b.ty(x).shape.iter().skip(2).map(scaled).collect::<Result<Vec<Dim>, Error>>()?;
        spatial(b, "interpolate", x, &sizes)
    }

    /// `m / n`, the step from one element to the next.
    fn step(&self, b: &mut Builder, n: &Dim, m: &Dim) -> Built {
        match self {
            To::Size(_) => {
                let (m, n) = (reduce::size(b, m, DType::F64)?, reduce::size(b, n, DType::F64)?);
                b.map(Scalar::Div, &[m, n])
            }
            To::Scale(scale) => Ok(b.constant(1.0 / scale, DType::F64)),
        }
    }

    /// Whether the steps are those of the sizes.
    fn is_exact(&self, n: &Dim, m: &Dim) -> bool {
        let scale = match self {
            To::Size(_) => return true,
            To::Scale(scale) => *scale,
        };
        match (n.literal(), m.literal()) {
            (Some(n), Some(m)) => n as f64 == m as f64 * scale,
            _ => true,
        }
    }
}

/// `F.interpolate(mode="nearest")` of `[N, C, …]`: element `⌊i·m/n⌋` of m for each of n.
pub fn nearest(b: &mut Builder, x: Value, to: &To) -> Built {
    let size = to.sizes(b, x)?;
    let mut y = x;
    for (i, n) in size.iter().enumerate() {
        let axis = 2 + i;
        let m = b.ty(y).shape[axis].clone();
        let exact = to.is_exact(n, &m);
        y = match n.divide(&m).filter(|times| exact && times.literal().is_some()) {
            Some(times) => repeated(b, y, axis, times)?,
            None => {
                let [i, j] = grid(b, n, &m)?;
                let at = if exact {
                    let (m, n) = (reduce::size(b, &m, DType::F64)?, reduce::size(b, n, DType::F64)?);
                    // Half a step keeps rounding from the edges.
                    let at = b.mul(i, m)?;
                    let at = b.shift(at, 0.5)?;
                    b.div(at, n)?
                } else {
                    let step = to.step(b, n, &m)?;
                    b.mul(i, step)?
                };
                let at = b.map(Scalar::Floor, &[at])?;
                let last = reduce::size(b, &m, DType::F64)?;
                let last = b.shift(last, -1.0)?;
                let at = b.elementwise(Scalar::Min, &[at, last])?;
                let hit = b.elementwise(Scalar::Eq, &[at, j])?;
                let matrix = b.emit(Op::Cast(b.ty(y).dtype), &[hit])?;
                along(b, y, axis, matrix)?
            }
        };
    }
    Ok(y)
}

/// Each element of an axis so many times.
fn repeated(b: &mut Builder, x: Value, axis: usize, times: Dim) -> Built {
    let mut to = b.ty(x).shape.clone();
    to[axis] = to[axis].clone() * times.clone();
    let wide = b.emit(Op::Broadcast(vec![(axis + 1, times)]), &[x])?;
    b.emit(Op::Reshape(to), &[wide])
}

/// Positions `[n, 1]` and `[m]` as f64.
fn grid(b: &mut Builder, n: &Dim, m: &Dim) -> Result<[Value; 2], Error> {
    let i = b.emit(Op::Iota { len: n.clone(), dtype: DType::F64 }, &[])?;
    let j = b.emit(Op::Iota { len: m.clone(), dtype: DType::F64 }, &[])?;
    Ok([shape::unsqueeze(b, i, 1)?, j])
}

/// `F.interpolate(mode="linear")`, `"bilinear"`, `"trilinear"` of `[N, C, …]`: between the two nearest in each axis.
/// `align_corners`: whether first and last elements stay where they are, or the edges of a row do.
pub fn linear(b: &mut Builder, x: Value, to: &To, align_corners: bool) -> Built {
    let size = to.sizes(b, x)?;
    let mut y = x;
    for (i, n) in size.iter().enumerate() {
        let m = b.ty(y).shape[2 + i].clone();
        if *n == m && (align_corners || to.is_exact(n, &m)) {
            continue;
        }
        let matrix = between(b, n, &m, to, align_corners)?;
        let matrix = b.emit(Op::Cast(b.ty(y).dtype), &[matrix])?;
        y = along(b, y, 2 + i, matrix)?;
    }
    Ok(y)
}

/// `[n, m]`: the share of element j in place i.
fn between(b: &mut Builder, n: &Dim, m: &Dim, to: &To, align_corners: bool) -> Built {
    let [i, j] = grid(b, n, m)?;
    let step = if to.is_exact(n, m) { None } else { Some(to.step(b, n, m)?) };
    let (m, n) = (reduce::size(b, m, DType::F64)?, reduce::size(b, n, DType::F64)?);
    let last = b.shift(m, -1.0)?;
    let at = if align_corners {
        // A single place stands at the first element.
        let one = b.constant(1.0, DType::F64);
        let steps = b.shift(n, -1.0)?;
        let steps = b.map(Scalar::Max, &[steps, one])?;
        let at = b.mul(i, last)?;
        b.div(at, steps)?
    } else {
        let at = b.shift(i, 0.5)?;
        let at = match step {
            Some(step) => b.mul(at, step)?,
            None => {
                let at = b.mul(at, m)?;
                b.div(at, n)?
            }
        };
        b.shift(at, -0.5)?
    };
    let zero = b.splat(0.0, at)?;
    let at = b.map(Scalar::Max, &[at, zero])?;
    let at = b.elementwise(Scalar::Min, &[at, last])?;
    let off = b.sub(at, j)?;
    let off = b.map(Scalar::Abs, &[off])?;
    let one = b.splat(1.0, off)?;
    let share = b.map(Scalar::Sub, &[one, off])?;
    let none = b.splat(0.0, share)?;
    b.map(Scalar::Max, &[share, none])
}
