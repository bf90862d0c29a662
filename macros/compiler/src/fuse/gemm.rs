//! Contractions as matrix products: which labels are rows, columns, terms and batches, and where operands lie.

use super::affine::{Affine, Derived, Var, flat};
use super::expr::{counters, is_widening, through};
use super::kernel::{Matrix, Operand, Role, collapse, lengths, renamed};
use super::prologue::{self, Element};
use super::windows::{self, Pixel};
use kiln_ir::{Dim, Func, Op, Value};

/// A contraction as a product.
pub struct Product {
    /// Runs of the result's wide axes.
    pub runs: Vec<Vec<usize>>,
    /// What each run is.
    pub roles: Vec<Role>,
    /// Terms of a sum.
    pub k: Dim,
    /// Rows by terms.
    pub a: Operand,
    /// Terms by columns.
    pub b: Operand,
}

/// A contraction's labels as axes of loops: the result's, then those summed. Axes of one element are none.
struct Axes {
    lengths: Vec<Dim>,
    kept: usize,
    /// What each of the result's is.
    roles: Vec<Role>,
    /// Each operand's element.
    places: [Place; 2],
}

/// Where a product finds an operand's element.
enum Place {
    /// In a buffer, at a position.
    Stored(Value, Affine),
    /// Under windows over images: where it lies, if not between zeros.
    Windows(Pixel, Option<Affine>),
    /// It is computed.
    Computed(Element),
}

/// Where the element of a value lies, by index, or how it is computed; `None` if neither can be said.
fn place(
    func: &Func,
    stored: &dyn Fn(Value) -> Option<Value>,
    mut v: Value,
    mut index: Vec<Affine>,
) -> Option<Place> {
    let mut derived: Vec<Derived> = Vec::new();
    // What is computed is computed in f32, though it is narrow on the way.
    let mut widened = None;
    let (mut places, mut zeros) = (vec![], None::<Vec<bool>>);
    loop {
        if let Some(buffer) = stored(v) {
            let shape = &func.ty(v).shape;
            let at = flat(&index, shape);
            if at.terms.iter().any(|(var, _)| matches!(var, Var::Derived(_))) {
                return None;
            }
            let plain = zeros.is_none();
            return match Pixel::new(buffer, &index, shape, zeros.unwrap_or_default(), places) {
                Some(pixel) => Some(Place::Windows(pixel, plain.then_some(at))),
                None => plain.then_some(Place::Stored(buffer, at)),
            };
        }
        let node = func.node(v);
        match &node.op {
            // What stands between zeros is stored.
            _ if zeros.is_some() => return None,
            Op::Pad(pads) if !places.is_empty() => {
                (v, index) = (node.args[0], windows::inside(&index, pads, &func.ty(node.args[0]).shape)?);
                zeros = Some(windows::padded(pads));
                continue;
            }
            Op::Windows(w) => places.push(index[w.axis + 1].clone()),
            _ if is_widening(func, v) => widened = widened.or_else(|| Some((v, index.clone()))),
            Op::Map(_) | Op::Cast(_) => {
                let (v, index) = widened.unwrap_or((v, index));
                return derived.is_empty().then(|| Place::Computed(Element::new(func, stored, v, &index)));
            }
            _ => {}
        }
        (v, index) = through(func, v, &index, &mut derived)?;
    }
}

fn axes(func: &Func, v: Value, stored: &dyn Fn(Value) -> Option<Value>) -> Option<Axes> {
    let node = func.node(v);
    let Op::Contract { lhs, rhs, out } = &node.op else { return None };
    let length = |label: &u8| {
        let (i, arg) = match lhs.iter().position(|l| l == label) {
            Some(i) => (i, node.args[0]),
            None => (rhs.iter().position(|l| l == label).expect("of an operand"), node.args[1]),
        };
        func.ty(arg).shape[i].clone()
    };
    let kept: Vec<u8> = out.iter().copied().filter(|l| !length(l).is(1)).collect();
    let summed = lhs.iter().copied().filter(|l| !out.contains(l) && !length(l).is(1));
    let labels: Vec<u8> = kept.iter().copied().chain(summed).collect();
    let index = |of: &[u8]| -> Vec<Affine> {
        let one = |l: &u8| labels.iter().position(|x| x == l).map_or(Affine::zero(), |i| Var::Axis(i).into());
        of.iter().map(one).collect()
    };
    let places =
        [place(func, stored, node.args[0], index(lhs))?, place(func, stored, node.args[1], index(rhs))?];
    let role = |l: &u8| match (lhs.contains(l), rhs.contains(l)) {
        (true, true) => Role::Batch,
        (true, false) => Role::M,
        _ => Role::N,
    };
    let roles = kept.iter().map(role).collect();
    Some(Axes { lengths: labels.iter().map(length).collect(), kept: kept.len(), roles, places })
}

/// The product that a contraction is, over loops that `accesses` (of what is mapped over it) allow; `None` where
/// its axes can't be laid out as matrices.
pub fn product(
    func: &Func,
    v: Value,
    stored: &dyn Fn(Value) -> Option<Value>,
    accesses: &[&Affine],
) -> Option<Product> {
    if !func.ty(v).dtype.is_float() {
        return None;
    }
    let axes = axes(func, v, stored)?;
    if *axes.roles.last()? == Role::Batch {
        return channelwise(func, v, axes, accesses);
    }
    // Rows over windows whose images keep their channels apart are those of one image.
    let windows = axes.places.iter().any(|place| matches!(place, Place::Windows(..)));
    by_rows(func, v, &axes, accesses, &[])
        .or_else(|| by_rows(func, v, &axes, accesses, &[1]).filter(|_| windows))
}

/// The product whose rows' axes aren't one run across `barriers`.
fn by_rows(func: &Func, v: Value, axes: &Axes, accesses: &[&Affine], barriers: &[usize]) -> Option<Product> {
    let Axes { lengths: all, kept, roles: by_axis, places } = axes;
    let (kept, last) = (*kept, *by_axis.last()?);
    let (runs, mut roles) = kept_runs(&all[..kept], by_axis, accesses, barriers);
    // Rows of the result must be contiguous: if the columns aren't last, the operands change places.
    let (mut left, mut right) = (&places[0], &places[1]);
    if last == Role::M {
        (left, right) = (right, left);
        roles.iter_mut().for_each(|r| *r = exchanged(*r));
    }
    let side = |role: Role| roles.iter().position(|r| *r == role).map_or(vec![], |i| runs[i].clone());
    let (m, n, k) = (side(Role::M), side(Role::N), (kept..all.len()).collect::<Vec<_>>());
    let mut with_terms = runs.clone();
    with_terms.extend((!k.is_empty()).then(|| k.clone()));
    let matrix = |buffer: Value, at: &Affine, rows: &[usize], cols: &[usize]| {
        matrix(buffer, at, [rows, cols], all, &runs)
    };
    let operand = |place: &Place, rows: &[usize], cols: &[usize], is_right: bool| match place {
        Place::Stored(buffer, at) => Some(Operand::Stored(matrix(*buffer, at, rows, cols))),
        Place::Computed(element) => prologue::operand(func, element, all, &with_terms, [rows, cols]),
        Place::Windows(pixel, at) => {
            let plain = at.as_ref().map(|at| matrix(pixel.buffer, at, rows, cols));
            if plain.as_ref().is_some_and(|m| m.rows.len() <= 1 && m.cols.len() <= 1) {
                return plain.map(Operand::Stored);
            }
            let windows = |sides| pixel.windows(all, sides, &runs).map(Box::new);
            let found = match is_right {
                true => windows([rows, cols]).map(Operand::Windows),
                false => (pixel.pixels(all, [rows, cols], None, &runs).map(Box::new).map(Operand::Pixels))
                    .or_else(|| {
                        let alone = !matches!(right, Place::Windows(..));
                        windows([cols, rows]).filter(|w| alone && w.images.0.is(1)).map(Operand::Windows)
                    }),
            };
            found.or(plain.map(Operand::Stored))
        }
    };
    let (mut a, mut b) = (operand(left, &m, &k, false)?, operand(right, &k, &n, true)?);
    let terms = k.iter().fold(Dim::from(1), |n, i| n * all[*i].clone());
    if let (Operand::Stored(a), Operand::Windows(b)) = (&mut a, &mut b)
        && func.ty(b.buffer).dtype == func.ty(v).dtype
        && b.images.0.is(1)
        && windows::few(&terms)
    {
        windows::each(&lengths(all, &runs), &mut roles, a, b);
    }
    Some(Product { runs, roles, k: terms, a, b })
}

/// A product of each channel by itself, windows over pixels whose channels are its columns.
fn channelwise(func: &Func, v: Value, axes: Axes, accesses: &[&Affine]) -> Option<Product> {
    let Axes { lengths: all, kept, roles: mut by_axis, places } = axes;
    let (pixel, factors, side) = match &places {
        [Place::Windows(pixel, _), Place::Stored(buffer, at)] => (pixel, (*buffer, at), Role::M),
        [Place::Stored(buffer, at), Place::Windows(pixel, _)] => (pixel, (*buffer, at), Role::N),
        _ => return None,
    };
    let channel = kept - 1;
    by_axis[channel] = Role::N;
    let others = &mut by_axis[..channel];
    if others.iter().any(|role| *role != side) || func.ty(pixel.buffer).dtype != func.ty(v).dtype {
        return None;
    }
    others.fill(Role::M);
    let (runs, roles) = kept_runs(&all[..kept], &by_axis, accesses, &[]);
    let rows = roles.iter().position(|r| *r == Role::M).map_or(vec![], |i| runs[i].clone());
    let k: Vec<usize> = (kept..all.len()).collect();
    let terms = k.iter().fold(Dim::from(1), |n, i| n * all[*i].clone());
    let a = pixel.pixels(&all, [&rows, &k], Some(channel), &runs).filter(|_| windows::few(&terms))?;
    let b = matrix(factors.0, factors.1, [&k, &[channel]], &all, &runs);
    Some(Product { runs, roles, k: terms, a: Operand::Pixels(Box::new(a)), b: Operand::Stored(b) })
}

/// The matrix with these axes as rows and columns.
fn matrix(
    buffer: Value,
    at: &Affine,
    [rows, cols]: [&[usize]; 2],
    lengths: &[Dim],
    runs: &[Vec<usize>],
) -> Matrix {
    let inside = rows.iter().chain(cols).fold(at.clone(), |at, i| at.without(Var::Axis(*i)));
    let (rows, cols) = (walk(at, lengths, rows), walk(at, lengths, cols));
    Matrix { buffer, offset: renamed(&inside, runs), rows, cols }
}

fn exchanged(role: Role) -> Role {
    match role {
        Role::M => Role::N,
        Role::N => Role::M,
        Role::Batch => Role::Batch,
    }
}

/// Runs of the result's axes as what is mapped over the result allows, and what they are. Of several runs of rows or
/// of columns the last is the matrix's side; the axes of the others are loops around, as are those of batches.
fn kept_runs(
    axes: &[Dim],
    by_axis: &[Role],
    accesses: &[&Affine],
    barriers: &[usize],
) -> (Vec<Vec<usize>>, Vec<Role>) {
    let store = flat(&counters(axes.len()), axes);
    let mut mapped = accesses.to_vec();
    mapped.push(&store);
    let changes = |i: &usize| by_axis[*i] != by_axis[*i - 1] || barriers.contains(i);
    let changes: Vec<usize> = (1..axes.len()).filter(changes).collect();
    let all = collapse(axes, &mapped, &changes);
    let mut runs = Vec::new();
    for (n, run) in all.iter().enumerate() {
        let role = by_axis[run[0]];
        let last = !all[n + 1..].iter().any(|later| by_axis[later[0]] == role);
        if last && role != Role::Batch {
            runs.push((run.clone(), role));
        } else {
            runs.extend(run.iter().map(|i| (vec![*i], Role::Batch)));
        }
    }
    runs.into_iter().unzip()
}

/// Lengths and strides of an operand's side, as few axes as pass for all.
pub fn walk(at: &Affine, lengths: &[Dim], axes: &[usize]) -> Vec<(Dim, Dim)> {
    let mut walk: Vec<(Dim, Dim)> = Vec::new();
    for &i in axes {
        let (len, stride) = (lengths[i].clone(), at.coefficient(Var::Axis(i)));
        match walk.last_mut() {
            Some((n, before)) if *before == stride.clone() * len.clone() => {
                *n = n.clone() * len;
                *before = stride;
            }
            _ => walk.push((len, stride)),
        }
    }
    walk
}

/// Whether a contraction is a product if all real values are stored.
pub fn is_product(func: &Func, v: Value, stored: &dyn Fn(Value) -> Option<Value>) -> bool {
    product(func, v, stored, &[]).is_some()
}
