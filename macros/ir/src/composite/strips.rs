//! Attention of long sequences by strips of queries: a loop over heads, and in it one over strips.
//!
//! A turn has the scores of its strip alone, which stay in L2, where all of them are as many as the length squared. Its
//! gradient computes them again, strip by strip, as in Dao et al., *FlashAttention* (2022). A strip sees all of its keys at
//! once, so that softmax is what it is elsewhere. If causal, queries are cut into parts first, and none meets the keys behind
//! its last query.

use super::Built;
use super::attention::{Later, attend};
use super::shape::{cat, slice, unsqueeze};
use crate::{Builder, DType, Dim, Error, Op, Role, Scalar, Scan, Ty, Value};
use std::ops::Range;
use std::sync::Arc;

/// When strips are worth their turns, and how long they are.
#[derive(Clone, Copy, Debug)]
pub struct Strips {
    /// Scores of a head from which on they are.
    pub many: i64,
    /// Scores of a strip, about.
    pub scores: i64,
    /// Queries of a strip, at least and at most.
    pub queries: (i64, i64),
}

impl Default for Strips {
    /// Measured: heads of 512 queries and keys take 0.6 of the time, of 256 as much. What a strip becomes stays in L2.
    fn default() -> Strips {
        Strips { many: 1 << 18, scores: 1 << 16, queries: (32, 256) }
    }
}

impl Strips {
    /// Queries of a strip: a divisor of all if there is one that is large enough.
    fn of(self, queries: i64, keys: i64) -> i64 {
        let most = (self.scores / keys).clamp(self.queries.0, self.queries.1).min(queries);
        (most / 2 + 1..=most).rev().find(|n| queries % n == 0).unwrap_or(most)
    }
}

/// Parts that causal queries are cut into.
const PARTS: i64 = 4;

/// Attention whose axes are apart.
struct Heads {
    /// Axes of query, key and value alike.
    heads: Vec<Dim>,
    /// How many queries there are of each place, where heads share keys.
    sharing: Dim,
    /// Queries.
    queries: i64,
    /// Keys.
    keys: i64,
    causal: bool,
    scale: Option<f64>,
    strips: Strips,
}

/// Attention by strips, if the sequence is long, its length known, and the mask no matrix for each head.
///
/// # Errors
/// If the mask doesn't broadcast.
pub fn by_strips(
    b: &mut Builder,
    tensors: [Value; 3],
    mask: Option<Value>,
    (causal, scale): (bool, Option<f64>),
    strips: Strips,
) -> Result<Option<Value>, Error> {
    let Some(heads) = Heads::of(b, tensors, causal, scale, strips) else { return Ok(None) };
    let (mut scanned, mut fixed) = (Vec::new(), Vec::new());
    let count = heads.heads.iter().fold(Dim::from(1), |n, d| n * d.clone());
    for (x, seats) in tensors.into_iter().zip([heads.sharing.clone(), 1.into(), 1.into()]) {
        let ty = b.ty(x).clone();
        let last = &ty.shape[ty.rank() - 2..];
        scanned.push(b.emit(Op::Reshape([&[count.clone(), seats], last].concat()), &[x])?);
    }
    match mask.map(|mask| heads.mask(b, mask, tensors[0], &count)).transpose()? {
        Some(Mask::Other) => return Ok(None),
        Some(Mask::Same(mask)) => fixed.push(mask),
        Some(Mask::Each(mask)) => scanned.push(mask),
        None => {}
    }
    let all = turns(b, "head", &scanned, &fixed, &|b, own| {
        heads.head(b, [own[0], own[1], own[2]], own.get(3).copied())
    })?;
    let width = b.ty(all).shape[3].clone();
    let query = b.ty(tensors[0]).shape.clone();
    b.emit(Op::Reshape([&query[..query.len() - 1], &[width]].concat()), &[all]).map(Some)
}

/// A mask, as heads have it.
enum Mask {
    /// `[L or 1, S]` for all.
    Same(Value),
    /// `[heads, 1, S]`.
    Each(Value),
    /// A matrix for each, or none that fits.
    Other,
}

impl Heads {
    fn of(
        b: &Builder,
        tensors: [Value; 3],
        causal: bool,
        scale: Option<f64>,
        strips: Strips,
    ) -> Option<Heads> {
        let [query, key, value] = tensors.map(|x| b.ty(x).shape.as_slice());
        let rank = query.len();
        let alike =
            tensors.iter().all(|x| b.ty(*x).dtype == b.ty(tensors[0]).dtype && b.ty(*x).rank() == rank);
        if rank < 2 || !alike {
            return None;
        }
        let around = rank - 2;
        let same = (0..around).take_while(|i| key[*i] == query[*i] && value[*i] == query[*i]).count();
        let alone = (same..around).all(|i| key[i].is(1) && value[i].is(1));
        if !alone || key[rank - 1] != query[rank - 1] || key[rank - 2] != value[rank - 2] {
            return None;
        }
        let (queries, keys) = (query[rank - 2].literal()?, key[rank - 2].literal()?);
        let many = queries >= 2 * strips.queries.0 && queries.saturating_mul(keys) >= strips.many;
        many.then(|| Heads {
            heads: query[..same].to_vec(),
            sharing: query[same..around].iter().fold(Dim::from(1), |n, d| n * d.clone()),
            queries,
            keys,
            causal,
            scale,
            strips,
        })
    }

    /// A mask that broadcasts to `[heads…, sharing…, L, S]`.
    fn mask(&self, b: &mut Builder, mask: Value, query: Value, count: &Dim) -> Result<Mask, Error> {
        let mut shape = b.ty(mask).shape.clone();
        let rank = shape.len();
        if b.ty(mask).dtype != b.ty(query).dtype || rank > b.ty(query).rank() {
            return Ok(Mask::Other);
        }
        let at = |i: usize| rank.checked_sub(i).map_or(Dim::from(1), |i| shape[i].clone());
        let (rows, cols) = (at(2), at(1));
        let around = &shape[..rank.saturating_sub(2)];
        if !cols.is(self.keys) || !(rows.is(1) || (rows.is(self.queries) && self.sharing.is(1))) {
            return Ok(Mask::Other);
        }
        if around.iter().all(|d| d.is(1)) {
            return b.emit(Op::Reshape(vec![rows, cols]), &[mask]).map(Mask::Same);
        }
        if !rows.is(1) || !self.sharing.is(1) || around.len() != self.heads.len() {
            return Ok(Mask::Other);
        }
        shape[..self.heads.len()].clone_from_slice(&self.heads);
        let each = b.broadcast_to(mask, &shape)?;
        b.emit(Op::Reshape(vec![count.clone(), rows, cols]), &[each]).map(Mask::Each)
    }

    /// Of one head: queries `[sharing, L, E]`, keys and values `[1, S, …]`.
    fn head(&self, b: &mut Builder, tensors: [Value; 3], mask: Option<Value>) -> Built {
        if !self.causal || self.queries != self.keys {
            return self.part(b, tensors, mask, 0..self.queries, self.keys);
        }
        let cut = |i: i64| i * self.queries / PARTS;
        let part = |i| self.part(b, tensors, mask, cut(i)..cut(i + 1), cut(i + 1));
        let parts: Result<Vec<Value>, Error> = (0..PARTS).map(part).collect();
        cat(b, &parts?, 1)
    }

    /// Some queries by the first `keys` keys: strip by strip, and what doesn't fill one by itself.
    fn part(
        &self,
        b: &mut Builder,
        [query, key, value]: [Value; 3],
        mask: Option<Value>,
        queries: Range<i64>,
        keys: i64,
    ) -> Built {
        let count = queries.end - queries.start;
        let strip = self.strips.of(count, keys);
        let whole = count / strip * strip;
        let mut near = Vec::new();
        for x in [key, value] {
            let width = b.ty(x).shape[2].clone();
            let x = slice(b, x, 1, 0.into(), keys.into(), 1)?;
            near.push(b.emit(Op::Reshape(vec![keys.into(), width]), &[x])?);
        }
        let mask = mask.map(|mask| slice(b, mask, -1, 0.into(), keys.into(), 1)).transpose()?;
        let mut done = Vec::new();
        for (from, to, strip) in [(0, whole, strip), (whole, count, count - whole)] {
            if from < to {
                let queries = queries.start + from..queries.start + to;
                done.push(self.strips(b, query, [near[0], near[1]], mask, queries, strip)?);
            }
        }
        cat(b, &done, 1)
    }

    /// Queries that are whole strips, by keys `[S, E]` and values `[S, V]`.
    fn strips(
        &self,
        b: &mut Builder,
        query: Value,
        [key, value]: [Value; 2],
        mask: Option<Value>,
        queries: Range<i64>,
        strip: i64,
    ) -> Built {
        let (start, len) = (Dim::from(queries.start), Dim::from(queries.end - queries.start));
        let turn = |b: &mut Builder, x: Value, last: &[Dim]| {
            let trips = self.sharing.clone() * Dim::from((queries.end - queries.start) / strip);
            b.emit(Op::Reshape([&[trips, strip.into()], last].concat()), &[x])
        };
        let width = b.ty(query).shape[2].clone();
        let query = slice(b, query, 1, start.clone(), len.clone(), 1)?;
        let (mut scanned, mut fixed) = (vec![turn(b, query, &[width])?], vec![key, value]);
        if self.causal {
            let place = b.emit(Op::Iota { len: len.clone(), dtype: DType::I64 }, &[])?;
            let place = b.shift(place, queries.start as f64)?;
            let place = b.broadcast_to(place, &[self.sharing.clone(), len.clone()])?;
            scanned.push(turn(b, place, &[])?);
        }
        match mask {
            Some(mask) if b.ty(mask).shape[0].is(1) => fixed.push(mask),
            Some(mask) => {
                let cols = b.ty(mask).shape[1].clone();
                let mask = slice(b, mask, 0, start, len.clone(), 1)?;
                scanned.push(turn(b, mask, &[cols])?);
            }
            None => {}
        }
        let all = turns(b, "strip", &scanned, &fixed, &|b, own| {
            let (of_turn, of_all) = own.split_at(scanned.len());
            let (places, masks) = of_turn[1..].split_at(usize::from(self.causal));
            let mask = masks.first().or(of_all.get(2)).copied();
            let behind = places.first().map(|place| move |b: &mut Builder, scores| later(b, *place, scores));
            let behind = behind.as_ref().map(|f| f as Later);
            attend(b, [of_turn[0], of_all[0], of_all[1]], mask, behind, self.scale)
        })?;
        let width = b.ty(all).shape[2].clone();
        b.emit(Op::Reshape(vec![self.sharing.clone(), len, width]), &[all])
    }
}

/// Whether a key stands behind the place of a query, `[R, S]`.
fn later(b: &mut Builder, place: Value, scores: Value) -> Built {
    let keys = b.ty(scores).shape[1].clone();
    let at = b.emit(Op::Iota { len: keys, dtype: DType::I64 }, &[])?;
    let place = unsqueeze(b, place, 1)?;
    b.elementwise(Scalar::Lt, &[place, at])
}

/// What `body` makes of elements of `scanned`, one a turn, and of what is the same in each, for all turns.
fn turns(
    b: &mut Builder,
    name: &str,
    scanned: &[Value],
    fixed: &[Value],
    body: &dyn Fn(&mut Builder, &[Value]) -> Built,
) -> Built {
    let trips = b.ty(scanned[0]).shape[0].clone();
    let mut turn = Builder::new(name, b.func().syms.clone());
    let mut own = Vec::new();
    for &x in scanned {
        let ty = b.ty(x);
        own.push(turn.input("each", Ty::new(ty.dtype, &ty.shape[1..]), Role::Argument));
    }
    for &x in fixed {
        own.push(turn.input("all", b.ty(x).clone(), Role::Argument));
    }
    let result = body(&mut turn, &own)?;
    turn.output(name, result, None);
    let scan = Scan {
        body: Arc::new(turn.finish()),
        trips,
        carries: 0,
        scanned: scanned.len(),
        reverse: false,
        again: true,
        guard: None,
    };
    Ok(b.scan(scan, &[scanned, fixed].concat())?[0])
}
