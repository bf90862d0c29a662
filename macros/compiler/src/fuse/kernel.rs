//! A kernel: loops over axes, what one iteration computes, what is stored.

use super::affine::{Affine, Var};
use super::expr::{Expr, Exprs, Id};
use crate::part::Part;
use kiln_ir::{Dim, Func, Scan, Value};

/// A kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// A name from the user's names: `h`, `loss`.
    pub name: String,
    /// Lengths of the loops, outermost first.
    pub axes: Vec<Dim>,
    /// What one iteration computes.
    pub exprs: Exprs,
    /// How the loops run.
    pub loops: Loops,
    /// What is stored, by value.
    pub stores: Vec<Store>,
}

/// How the loops of a kernel run.
#[derive(Clone, Debug)]
pub enum Loops {
    /// Row by row: the axes from `outer` on are within a row.
    Rows {
        /// Number of axes that count rows.
        outer: usize,
        /// Reductions over a row, in order.
        reduces: Vec<Reduce>,
    },
    /// One run over elements that all are contiguous or constant.
    Flat,
    /// Sums of columns: over the axes from `outer` on, but for the last.
    Columns {
        /// Number of axes kept before those reduced; one axis is kept behind.
        outer: usize,
        /// The sums.
        reduces: Vec<Reduce>,
    },
    /// Elements added where data says, row by row: over zeros, those of a row of the result within a row.
    Scatter {
        /// Number of axes that count rows.
        outer: usize,
        /// Elements of a row of the result.
        width: Dim,
        /// Whether an element has a place.
        inside: Id,
        /// Its place in the row.
        at: Id,
        /// What they are written over, in place of zeros that they are added to.
        onto: Option<Value>,
    },
    /// A matrix product, and what is mapped over it.
    Gemm(Box<Gemm>),
    /// The elements of a product's operand, line by line, while it is packed.
    Operand(Computed),
    /// A loop, whose turns have kernels of their own. Its results are what is stored.
    Turns(Box<Turns>),
}

/// A loop: `part` is run for each turn, and updates what is carried.
#[derive(Clone, Debug)]
pub struct Turns {
    /// What it loops over.
    pub scan: Scan,
    /// The stored values that it reads, by argument.
    pub args: Vec<Value>,
    /// A turn.
    pub part: Part,
}

/// A reduction.
#[derive(Clone, Debug)]
pub struct Reduce {
    /// Its result.
    pub value: Value,
    /// How elements are combined.
    pub how: How,
    /// What is combined.
    pub expr: Id,
}

/// How elements are combined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Sum.
    Sum,
    /// Maximum.
    Max,
    /// Index of the first maximum.
    ArgMax,
}

/// Something stored.
#[derive(Clone, Debug)]
pub struct Store {
    /// The value.
    pub value: Value,
    /// Its element.
    pub expr: Id,
    /// Whether there is one element a row, and not one an iteration.
    pub per_row: bool,
}

/// A matrix product: for each index of the batch axes, `[m, k] × [k, n] → [m, n]`.
#[derive(Clone, Debug)]
pub struct Gemm {
    /// The product.
    pub value: Value,
    /// What the kernel's axes are to it.
    pub roles: Vec<Role>,
    /// Terms of a sum.
    pub k: Dim,
    /// Left operand: rows are m, columns k.
    pub a: Operand,
    /// Right operand: rows are k, columns n.
    pub b: Operand,
}

impl Gemm {
    /// The left operand and the right one.
    pub fn operands(&self) -> [&Operand; 2] {
        [&self.a, &self.b]
    }
}

/// What an axis of the result is to the product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A product of its own for each index.
    Batch,
    /// Rows.
    M,
    /// Columns.
    N,
}

/// What a product reads.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A stored value.
    Stored(Matrix),
    /// Windows over stored images; a right operand, or its transpose as a left one.
    Windows(Box<Windows>),
    /// Windows over stored images whose pixels keep their channels together; a left operand.
    Pixels(Box<Pixels>),
    /// What is computed while it is packed: a kernel of [`Loops::Operand`], over the product's axes and its terms.
    Computed(Box<Kernel>),
}

/// An operand that is computed where it is read.
#[derive(Clone, Debug)]
pub struct Computed {
    /// The operand's value or what it is a view of: stored nowhere.
    pub value: Value,
    /// An element.
    pub element: Id,
    /// The axis that counts lines; the others are the product's loops around.
    pub lines: Option<usize>,
    /// The axis along a line.
    pub along: Option<usize>,
    /// Which of the operand's sides runs along a line.
    pub side: Side,
}

/// A side of a matrix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// From row to row.
    Rows,
    /// From column to column.
    Cols,
}

impl Operand {
    /// The stored values that it is read from.
    pub fn reads(&self) -> Vec<Value> {
        match self {
            Operand::Stored(matrix) => vec![matrix.buffer],
            Operand::Windows(windows) => vec![windows.buffer],
            Operand::Pixels(pixels) => vec![pixels.buffer],
            Operand::Computed(kernel) => kernel.reads(),
        }
    }
}

/// A matrix in a stored value.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The stored value.
    pub buffer: Value,
    /// Where its first element is, over the batch axes' counters.
    pub offset: Affine,
    /// Lengths and strides of the axes that its rows run over, outermost first.
    pub rows: Vec<(Dim, Dim)>,
    /// Those of its columns.
    pub cols: Vec<(Dim, Dim)>,
}

/// Windows over images in a stored value: a row for each channel and place in a window, a column for each window.
#[derive(Clone, Debug)]
pub struct Windows {
    /// The stored value.
    pub buffer: Value,
    /// Where its first image is, over the batch axes' counters.
    pub offset: Affine,
    /// From the images of one row of the product to those of the next; 0 if all rows share theirs.
    pub each: Dim,
    /// Images that are summed over: how many, and from one to the next.
    pub channels: (Dim, Dim),
    /// Images with windows of their own, whose columns follow each other: how many, and from one to the next.
    pub images: (Dim, Dim),
    /// Lines of an image, and pixels of a line.
    pub size: [Dim; 2],
    /// Where the first window begins, over the batch axes' counters; below 0 in what is 0.
    pub first: [Affine; 2],
    /// Places of a window.
    pub places: Sides,
    /// Windows.
    pub windows: Sides,
}

/// Windows over images in a stored value whose last axis are channels: a row for each window, a column for each place in it and
/// channel.
#[derive(Clone, Debug)]
pub struct Pixels {
    /// The stored value.
    pub buffer: Value,
    /// Where its first image is, over the batch axes' counters.
    pub offset: Affine,
    /// Channels that are summed over; `None` if each column of the product has one of its own.
    pub channels: Option<Dim>,
    /// From one pixel to the next.
    pub pitch: Dim,
    /// Images, and from one to the next.
    pub images: (Dim, Dim),
    /// Lines of an image, and pixels of a line.
    pub size: [Dim; 2],
    /// Where the first window begins, over the batch axes' counters; below 0 in what is 0.
    pub first: [Affine; 2],
    /// Places of a window.
    pub places: Sides,
    /// Windows.
    pub windows: Sides,
}

/// How many there are and their distance, down and along an image.
pub type Sides = [(Dim, Dim); 2];

impl Kernel {
    /// The stored values that it reads, in order, each once.
    pub fn reads(&self) -> Vec<Value> {
        let mut reads = Vec::new();
        match &self.loops {
            Loops::Gemm(g) => reads.extend(g.operands().iter().flat_map(|o| o.reads())),
            Loops::Turns(turns) => reads.extend(&turns.args),
            Loops::Scatter { onto, .. } => reads.extend(onto),
            _ => {}
        }
        reads.extend(self.loads());
        let mut seen = std::collections::HashSet::new();
        reads.retain(|v| seen.insert(*v));
        reads
    }

    /// What its expressions load.
    pub fn loads(&self) -> Vec<Value> {
        let load = |id: &Id| match self.exprs.get(*id) {
            Expr::Load(v, ..) => Some(*v),
            _ => None,
        };
        self.exprs.needed(&self.roots()).iter().filter_map(load).collect()
    }

    /// Whether it is a product and nothing else.
    pub fn is_bare(&self) -> bool {
        let product = |s: &Store| matches!(self.exprs.get(s.expr), Expr::Reduced(_));
        matches!(self.loops, Loops::Gemm(_)) && matches!(&*self.stores, [s] if product(s))
    }

    /// Every expression that is reduced or stored.
    pub fn roots(&self) -> Vec<Id> {
        let places = match &self.loops {
            Loops::Turns(_) => return vec![],
            Loops::Scatter { inside, at, .. } => vec![*inside, *at],
            Loops::Operand(computed) => vec![computed.element],
            _ => vec![],
        };
        let results = self.reduces().iter().map(|r| r.expr).chain(self.stores.iter().map(|s| s.expr));
        results.chain(places).collect()
    }

    /// The reductions.
    pub fn reduces(&self) -> &[Reduce] {
        match &self.loops {
            Loops::Rows { reduces, .. } | Loops::Columns { reduces, .. } => reduces,
            _ => &[],
        }
    }

    /// Number of axes that are loops around the innermost ones.
    pub fn outer(&self) -> usize {
        match self.loops {
            Loops::Rows { outer, .. } | Loops::Columns { outer, .. } | Loops::Scatter { outer, .. } => outer,
            Loops::Flat | Loops::Gemm(_) | Loops::Operand(_) | Loops::Turns(_) => 0,
        }
    }
}

/// Runs of axes that every access passes as if they were one.
pub fn collapse(axes: &[Dim], accesses: &[&Affine], barriers: &[usize]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for (i, axis) in axes.iter().enumerate() {
        let joins = i > 0
            && !barriers.contains(&i)
            && accesses.iter().all(|a| {
                let (before, here) = (a.coefficient(Var::Axis(i - 1)), a.coefficient(Var::Axis(i)));
                before == here * axis.clone()
            });
        match runs.last_mut() {
            Some(run) if joins => run.push(i),
            _ => runs.push(vec![i]),
        }
    }
    runs
}

/// An access over the axes that runs have become.
pub fn renamed(at: &Affine, runs: &[Vec<usize>]) -> Affine {
    let mut out = Affine::from(at.constant.clone());
    for (var, c) in &at.terms {
        let new = match var {
            Var::Axis(i) => match runs.iter().position(|run| run.last() == Some(i)) {
                Some(run) => Var::Axis(run),
                // An earlier axis of a run: the last one stands for all.
                None => continue,
            },
            derived => *derived,
        };
        out = out.plus(Affine::from(new).times(c));
    }
    out
}

/// The length of each run.
pub fn lengths(axes: &[Dim], runs: &[Vec<usize>]) -> Vec<Dim> {
    runs.iter().map(|run| run.iter().fold(Dim::from(1), |n, i| n * axes[*i].clone())).collect()
}

/// A name for what these values are: the user's name of the last that has one, or what is done.
pub fn name(func: &Func, values: &[Value]) -> String {
    let named = values.iter().rev().find_map(|v| func.names[v.0 as usize].clone());
    let done =
        || values.last().map_or("scalar".into(), |v| kiln_ir::ops::name(&func.node(*v).op).to_string());
    named.unwrap_or_else(done)
}
