//! Tensors with their own elements around.

use super::{Built, shape};
use crate::{Builder, Dim, Fault, Value};

/// Most elements around an axis that aren't a constant.
const MOST: i64 = 4096;

/// What comes around a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Around {
    /// The tensor again, mirrored at its first and last elements.
    Reflect,
    /// The first and last elements.
    Replicate,
    /// The tensor again.
    Circular,
}

/// `F.pad`: pairs of numbers before and after, from the last axis on. A negative one cuts off.
pub fn pad(b: &mut Builder, x: Value, pairs: &[i64], around: Around) -> Built {
    let rank = b.ty(x).rank();
    let sound = |n: &i64| n.unsigned_abs() <= 1 << 20;
    if !pairs.len().is_multiple_of(2) || pairs.len() > 2 * rank || !pairs.iter().all(sound) {
        let what = format!("pairs of numbers before and after, for at most {rank} dims from the last on");
        return Err(b.error(Fault::Attribute { op: "pad".into(), what }));
    }
    let mut y = x;
    for (i, pair) in pairs.chunks(2).enumerate() {
        let (axis, [low, high]) = (rank - 1 - i, [pair[0], pair[1]]);
        let n = b.ty(y).shape[axis].clone();
        let (cut_low, cut_high) = ((-low).max(0), (-high).max(0));
        if cut_low + cut_high > 0 {
            let len = n - Dim::from(cut_low + cut_high);
            y = shape::slice(b, y, axis as i64, cut_low.into(), len, 1)?;
        }
        let [low, high] = [low.max(0), high.max(0)];
        y = repeated(b, y, axis, [low, high], around)?;
    }
    Ok(y)
}

fn repeated(b: &mut Builder, x: Value, axis: usize, [low, high]: [i64; 2], around: Around) -> Built {
    if low + high == 0 {
        return Ok(x);
    }
    let n = b.ty(x).shape[axis].clone();
    let most = match around {
        Around::Reflect => n.literal().map_or(MOST, |n| n - 1),
        Around::Circular => n.literal().unwrap_or(MOST),
        _ => MOST,
    };
    if low.max(high) > most.min(MOST) || n.is(0) {
        let what = format!("at most {} around dim {axis}", most.min(MOST));
        return Err(b.error(Fault::Attribute { op: "pad".into(), what }));
    }
    let part = |b: &mut Builder, start: Dim, len: i64| shape::slice(b, x, axis as i64, start, len.into(), 1);
    let last = n.clone() - Dim::from(1);
    let mut parts = Vec::new();
    match around {
        Around::Circular => {
            parts.push(part(b, n - Dim::from(low), low)?);
            parts.push(x);
            parts.push(part(b, 0.into(), high)?);
        }
        Around::Reflect => {
            for i in (1..=low).rev() {
                parts.push(part(b, i.into(), 1)?);
            }
            parts.push(x);
            for i in 1..=high {
                parts.push(part(b, last.clone() - Dim::from(i), 1)?);
            }
        }
        _ => {
            let first = part(b, 0.into(), 1)?;
            let end = part(b, last, 1)?;
            parts.extend(std::iter::repeat_n(first, low as usize));
            parts.push(x);
            parts.extend(std::iter::repeat_n(end, high as usize));
        }
    }
    shape::cat(b, &parts, axis as i64)
}
