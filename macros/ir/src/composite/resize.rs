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

/// `F.interpolate(mode="nearest")` of `[N, C, …]`: element `⌊i·m/n⌋` of m for each of n.
pub fn nearest(b: &mut Builder, x: Value, size: &[Dim]) -> Built {
    let size = spatial(b, "interpolate", x, size)?;
    let mut y = x;
    for (i, n) in size.iter().enumerate() {
        let axis = 2 + i;
        let m = b.ty(y).shape[axis].clone();
        y = match n.divide(&m).filter(|times| times.literal().is_some()) {
            Some(times) => repeated(b, y, axis, times)?,
            None => {
                let [i, j] = grid(b, n, &m)?;
                let (m, n) = (reduce::size(b, &m, DType::F64)?, reduce::size(b, n, DType::F64)?);
                // Half a step keeps rounding from the edges.
                let at = b.mul(i, m)?;
                let at = b.shift(at, 0.5)?;
                let at = b.div(at, n)?;
                let at = b.map(Scalar::Floor, &[at])?;
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
pub fn linear(b: &mut Builder, x: Value, size: &[Dim], align_corners: bool) -> Built {
    let size = spatial(b, "interpolate", x, size)?;
    let mut y = x;
    for (i, n) in size.iter().enumerate() {
        let m = b.ty(y).shape[2 + i].clone();
        if *n == m {
            continue;
        }
        let matrix = between(b, n, &m, align_corners)?;
        let matrix = b.emit(Op::Cast(b.ty(y).dtype), &[matrix])?;
        y = along(b, y, 2 + i, matrix)?;
    }
    Ok(y)
}

/// `[n, m]`: the share of element j in place i.
fn between(b: &mut Builder, n: &Dim, m: &Dim, align_corners: bool) -> Built {
    let [i, j] = grid(b, n, m)?;
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
        let at = b.mul(at, m)?;
        let at = b.div(at, n)?;
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
