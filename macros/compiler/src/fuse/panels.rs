//! Right operands that are packed before their products: weights that stay the same from call to call are kept in the order
//! in which the micro-kernels read them, and what a loop multiplies by in each turn is packed before the first.

use super::Fused;
use super::affine::Affine;
use super::kernel::{Gemm, Kernel, Loops, Matrix, Operand, Turns};
use kiln_ir::{DType, Dim, Func, Op, Value};

/// A stored value as the right operand of products, the same for all that read it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Panels {
    /// Number of operands, where a loop has one of its own in each turn.
    pub layers: Option<Dim>,
    /// Lengths and strides of the axes that its rows run over, outermost first.
    pub rows: Vec<(Dim, Dim)>,
    /// Those of its columns.
    pub cols: Vec<(Dim, Dim)>,
}

/// Columns are rounded up to so many, at most, and so many elements stand before the first panel and behind the last:
/// `kernels::gemm::packed_room`.
const LANES: i64 = 16;
/// So few columns would be rounded up to several times as many.
const FEW_COLS: i64 = 8;
/// Elements from which on an operand doesn't stay near from turn to turn.
const FAR: i64 = 1 << 22;

impl Panels {
    /// Elements of one operand, packed.
    pub fn elements(&self) -> Dim {
        let cols = length(&self.cols);
        let width = match cols.literal() {
            Some(n) => Dim::from((n + LANES - 1) / LANES * LANES),
            None => cols + Dim::from(LANES - 1),
        };
        length(&self.rows) * width + Dim::from(2 * LANES)
    }

    /// The operand of a turn, where a loop has one in each.
    pub fn of_turn(&self) -> Panels {
        Panels { layers: None, ..self.clone() }
    }
}

fn length(side: &[(Dim, Dim)]) -> Dim {
    side.iter().fold(Dim::from(1), |n, (len, _)| n * len.clone())
}

/// The number of the input that a value is.
pub fn input_of(func: &Func, v: Value) -> Option<usize> {
    match func.node(v).op {
        Op::Input(i) => Some(i as usize),
        _ => None,
    }
}

/// The form in which all that reads an input could read it.
pub fn of_input(func: &Func, fused: &Fused, input: usize) -> Option<Panels> {
    let v = func.values().map(|(v, _)| v).find(|v| input_of(func, *v) == Some(input))?;
    if fused.outputs.contains(&v) || func.inputs[input].apart {
        return None;
    }
    let mut readers = fused.kernels.iter().filter(|k| k.reads().contains(&v));
    let first = read_by(func, readers.next()?, v)?;
    readers.all(|k| read_by(func, k, v).as_ref() == Some(&first)).then_some(first)
}

/// What a loop reads in each turn and is worth packing before the first, by argument.
pub fn before(func: &Func, turns: &Turns) -> Vec<(usize, Panels)> {
    let (scan, part) = (&turns.scan, &turns.part);
    if scan.trips.literal().is_some_and(|n| n <= 1) {
        return Vec::new();
    }
    let fixed = scan.carries + scan.scanned..turns.args.len();
    let apart = |i: &usize| input_of(func, turns.args[*i]).is_some_and(|i| func.inputs[i].apart);
    let panels = |i: usize| Some((i, of_input(&part.func, &part.fused, i)?));
    let near = |(_, p): &(usize, Panels)| p.elements().literal().is_none_or(|n| n < FAR);
    fixed.filter(|i| !apart(i)).filter_map(panels).filter(near).collect()
}

fn read_by(func: &Func, kernel: &Kernel, v: Value) -> Option<Panels> {
    match &kernel.loops {
        Loops::Gemm(gemm) => by_product(func, kernel, gemm, v),
        Loops::Turns(turns) => by_turns(turns, v),
        _ => None,
    }
}

fn by_product(func: &Func, kernel: &Kernel, gemm: &Gemm, v: Value) -> Option<Panels> {
    let Operand::Stored(b) = &gemm.b else { return None };
    if matches!(gemm.a, Operand::Windows(_)) {
        return None;
    }
    let narrow = length(&b.cols).literal().is_some_and(|n| n < FEW_COLS);
    let elsewhere = gemm.a.reads().contains(&v) || kernel.loads().contains(&v);
    if b.buffer != v || elsewhere || narrow || !is_whole(func, b) {
        return None;
    }
    Some(Panels { layers: None, rows: b.rows.clone(), cols: b.cols.clone() })
}

/// Whether the matrix is all of its value, each element once, in the element type of the product.
fn is_whole(func: &Func, b: &Matrix) -> bool {
    let ty = func.ty(b.buffer);
    matches!(ty.dtype, DType::F32 | DType::F64)
        && b.offset == Affine::zero()
        && length(&b.rows) * length(&b.cols) == ty.numel()
}

fn by_turns(turns: &Turns, v: Value) -> Option<Panels> {
    let (scan, part) = (&turns.scan, &turns.part);
    let mut places = (0..turns.args.len()).filter(|i| turns.args[*i] == v);
    let (i, None) = (places.next()?, places.next()) else { return None };
    let updated = part.func.outputs.iter().any(|o| o.updates == Some(i));
    if i < scan.carries || updated {
        return None;
    }
    let scanned = i < scan.carries + scan.scanned;
    let panels = of_input(&part.func, &part.fused, i)?;
    match (scanned, &panels.layers) {
        (false, _) => Some(panels),
        (true, None) => Some(Panels { layers: Some(scan.trips.clone()), ..panels }),
        (true, Some(_)) => None,
    }
}
