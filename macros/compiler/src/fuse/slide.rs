//! The gradient of what windows slide over, where they step by one: a product of which each element is added to where its
//! window had it,
//!
//! `fold(g · w)[p] = Σₖ w[k] g[p − k] = Σₖ w[K−1−k] pad(g)[p + k]`,
//!
//! is a product over windows itself, of the padded gradient and the factors turned round: nothing is scattered, and what
//! it reads is 1/K of what the fold would.

use super::affine::{Affine, Var};
use super::expr::{counters, through};
use kiln_ir::{Builder, Dim, Error, Func, Node, Op, PadAxis, SliceAxis, Value, Window};

/// Most elements of a window along an axis.
const MOST: i64 = 16;

/// Two axes of windows over a contraction.
struct Sums<'f> {
    contract: &'f Node,
    /// What each axis of the folded value is, windows with their places: a label, or one of a single element.
    labels: Vec<Option<u8>>,
    windows: [&'f Window; 2],
    /// Elements taken of each of both axes: the first, and how many.
    taken: [(Dim, Dim); 2],
}

/// The function with such sums as products.
pub fn slide(func: &Func) -> Func {
    let all: Vec<Option<Sums>> = func.values().map(|(v, _)| sums(func, v)).collect();
    if all.iter().all(Option::is_none) {
        return func.clone();
    }
    let mut b = Builder::new(&func.name, func.syms.clone());
    let mut here: Vec<Value> = Vec::new();
    for ((v, node), sums) in func.values().zip(&all) {
        let args: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize]).collect();
        b.at(node.loc);
        let value = match (&node.op, sums) {
            (Op::Input(i), _) => b.declare(&func.inputs[*i as usize]),
            (_, Some(sums)) => product(&mut b, sums, &here, &node.ty.shape).expect("its axes were matched"),
            (op, None) => b.emit(op.clone(), &args).expect("it was sound before"),
        };
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(value, name);
        }
        here.push(value);
    }
    for output in &func.outputs {
        b.output(&output.name, here[output.value.0 as usize], output.updates);
    }
    b.finish()
}

/// The sums that a value is, or a part of.
fn sums(func: &Func, v: Value) -> Option<Sums<'_>> {
    let (slice, folded) = match &func.node(v).op {
        Op::Slice(axes) => (Some(axes), func.node(func.node(v).args[0])),
        _ => (None, func.node(v)),
    };
    let Op::Fold(outer, _) = &folded.op else { return None };
    let between = func.node(folded.args[0]);
    let Op::Fold(inner, _) = &between.op else { return None };
    let slides = |w: &Window| w.stride == 1 && (2..=MOST).contains(&w.size);
    if !slides(outer) || !slides(inner) || inner.axis != outer.axis + 2 {
        return None;
    }
    let (contract, labels) = traced(func, between.args[0])?;
    // The axes of both: the second one is behind the first, which is folded by then.
    let axes = [outer.axis, outer.axis + 1];
    let whole = |i: usize| (Dim::from(0), folded.ty.shape[i].clone());
    let taken = match slice {
        None => axes.map(whole),
        Some(slice) => {
            let same = |i: usize| axes.contains(&i) || is_whole(&slice[i], &folded.ty.shape[i]);
            if !(0..slice.len()).all(same) || axes.iter().any(|i| slice[*i].step != 1) {
                return None;
            }
            axes.map(|i| (slice[i].start.clone(), slice[i].len.clone()))
        }
    };
    let sums = Sums { contract, labels, windows: [outer, inner], taken };
    sums.fits().then_some(sums)
}

fn is_whole(axis: &SliceAxis, len: &Dim) -> bool {
    axis.start.is(0) && axis.step == 1 && axis.len == *len
}

/// The contraction that a value is a view of, and which of its labels each axis is.
fn traced(func: &Func, mut v: Value) -> Option<(&Node, Vec<Option<u8>>)> {
    let rank = func.ty(v).rank();
    let (mut index, mut derived) = (counters(rank), Vec::new());
    while !matches!(func.node(v).op, Op::Contract { .. }) {
        if !matches!(func.node(v).op, Op::Reshape(_) | Op::Permute(_)) {
            return None;
        }
        (v, index) = through(func, v, &index, &mut derived)?;
    }
    let Op::Contract { out, .. } = &func.node(v).op else { return None };
    let at = |i: usize| index.iter().position(|at| *at == Affine::from(Var::Axis(i)));
    let labels: Vec<Option<u8>> = (0..rank).map(|i| at(i).map(|n| out[n])).collect();
    let plain = (0..out.len()).all(|n| index[n] == Affine::zero() || labels.contains(&Some(out[n])));
    (derived.is_empty() && plain).then_some((func.node(v), labels))
}

impl Sums<'_> {
    /// The labels of both windows' positions, and of places in them.
    fn positions(&self) -> Option<[[u8; 2]; 2]> {
        let [first, second] = self.windows.map(|w| Some([self.labels[w.axis]?, self.labels[w.axis + 1]?]));
        Some([first?, second?])
    }

    /// Zeros before and behind the gradient.
    fn padding(&self, i: usize) -> Option<[i64; 2]> {
        let (w, (start, len)) = (self.windows[i], &self.taken[i]);
        let low = (w.size - 1) * w.dilation - start.literal()?;
        let high = (len.clone() + start.clone() - w.len.clone()).literal()?;
        (low >= 0 && high >= 0).then_some([low, high])
    }

    /// Whether one operand has the positions, the other one the places.
    fn fits(&self) -> bool {
        let Op::Contract { lhs, rhs, .. } = &self.contract.op else { return false };
        let Some(positions) = self.positions() else { return false };
        let apart = |a: &[u8], b: &[u8]| {
            positions.iter().all(|[o, k]| a.contains(o) && b.contains(k) && !a.contains(k) && !b.contains(o))
        };
        (apart(lhs, rhs) || apart(rhs, lhs)) && (0..2).all(|i| self.padding(i).is_some())
    }
}

/// The product that sums are.
fn product(b: &mut Builder, sums: &Sums, here: &[Value], shape: &[Dim]) -> Result<Value, Error> {
    let Op::Contract { lhs, rhs, out } = &sums.contract.op else { unreachable!("it was matched") };
    let positions = sums.positions().expect("it was matched");
    let mut operands = [lhs.clone(), rhs.clone()];
    let mut values = [0, 1].map(|i| here[sums.contract.args[i].0 as usize]);
    let gradient = usize::from(!lhs.contains(&positions[0][0]));
    let (of, factors) = (gradient, 1 - gradient);
    values[of] = padded(b, values[of], &operands[of], sums, positions)?;
    for (w, [position, place]) in sums.windows.iter().zip(positions) {
        let axis = operands[of].iter().position(|l| *l == position).expect("its label");
        let len = b.ty(values[of]).shape[axis].clone() - Dim::from((w.size - 1) * w.dilation);
        values[of] = b.emit(Op::Windows(Window { axis, len, ..(*w).clone() }), &[values[of]])?;
        operands[of].insert(axis + 1, place);
        let axis = operands[factors].iter().position(|l| *l == place).expect("its label");
        values[factors] = turned(b, values[factors], axis, w.size)?;
    }
    let summed = [positions[0][1], positions[1][1]];
    let mut kept: Vec<u8> = sums.labels.iter().flatten().copied().filter(|l| !summed.contains(l)).collect();
    kept.extend(out.iter().filter(|l| !sums.labels.contains(&Some(**l))));
    let [lhs, rhs] = operands;
    let value = b.emit(Op::Contract { lhs, rhs, out: kept }, &values)?;
    b.emit(Op::Reshape(shape.to_vec()), &[value])
}

fn padded(
    b: &mut Builder,
    x: Value,
    labels: &[u8],
    sums: &Sums,
    positions: [[u8; 2]; 2],
) -> Result<Value, Error> {
    let axis = |label: &u8| {
        let at = positions.iter().position(|[position, _]| position == label);
        let [low, high] = at.and_then(|i| sums.padding(i)).unwrap_or([0, 0]);
        PadAxis { low: low.into(), high: high.into(), step: 1 }
    };
    b.emit(Op::Pad(labels.iter().map(axis).collect()), &[x])
}

/// A value with the few elements along an axis in opposite order.
fn turned(b: &mut Builder, x: Value, axis: usize, size: i64) -> Result<Value, Error> {
    let shape = b.ty(x).shape.clone();
    let mut parts = Vec::new();
    for start in (0..size).rev() {
        let one = |(i, len): (usize, &Dim)| match i == axis {
            true => SliceAxis { start: start.into(), len: 1.into(), step: 1 },
            false => SliceAxis { start: 0.into(), len: len.clone(), step: 1 },
        };
        parts.push(b.emit(Op::Slice(shape.iter().enumerate().map(one).collect()), &[x])?);
    }
    b.emit(Op::Concat(axis), &parts)
}
