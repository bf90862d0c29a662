//! The operations: few, and closed under differentiation.

use crate::{Builder, DType, Dim, Error, Func, Syms, Ty, Value};
use std::sync::Arc;

/// An element-wise function. All arguments have one shape; `scalar.rs` holds the table of their meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum Scalar {
    // two arguments of one number type
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Pow,
    Atan2,
    // one number
    Neg,
    Abs,
    Sign,
    // one float
    Floor,
    Ceil,
    Round,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Tanh,
    Sigmoid,
    Erf,
    // two of one type to bool
    Eq,
    Lt,
    Le,
    // bools
    And,
    Or,
    Not,
    /// `select(cond, a, b)`
    Select,
}

/// How elements are combined.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reduction {
    /// Sum; 0 over nothing.
    Sum,
    /// Maximum; −∞ (the least integer) over nothing.
    Max,
}

/// What is drawn. `ops/random.rs` says from which bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Draw {
    /// Multiples of 2⁻²⁴ in `[0, 1)`, f32.
    Uniform,
    /// Whole numbers below 2³², i64.
    Bits,
}

/// A constant scalar, by its bits so that it can be hashed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Literal {
    /// Bits of an f64 (for f32 it is exact, too).
    Float(u64),
    /// Integers.
    Int(i64),
    /// Truth values.
    Bool(bool),
}

/// An operation. Every shape that the argument types don't determine is an attribute.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Argument number `.0` of the function.
    Input(u32),
    /// A rank-0 constant. Others are broadcasts of one.
    Const(Literal, DType),
    /// `[0, 1, …, len)`, rank 1.
    Iota {
        /// Length.
        len: Dim,
        /// Element type.
        dtype: DType,
    },
    /// Element by element.
    Map(Scalar),
    /// Same elements in row-major order under another shape.
    Reshape(Vec<Dim>),
    /// Output axis `i` is input axis `perm[i]`.
    Permute(Vec<usize>),
    /// Inserts axes: position in the output (sorted) and length. The adjoint of `Reduce(Sum)`.
    Broadcast(Vec<(usize, Dim)>),
    /// A range along each axis: start, length, step (≥ 1). One entry an axis.
    Slice(Vec<SliceAxis>),
    /// Zeros around: low and high, and `step − 1` zeros between, an entry an axis. The adjoint of Slice.
    Pad(Vec<PadAxis>),
    /// Windows over an axis, which becomes two: position and place in the window. No element moves.
    Windows(Window),
    /// Windows added up again, to an axis of that length. The adjoint of Windows.
    Fold(Window, Dim),
    /// One behind the other along an axis.
    Concat(usize),
    /// Of `x` and integers: `out[…, i, …] = x[…, index[…, i, …], …]` along an axis, 0 where the index lies outside.
    Gather(usize),
    /// Of `x` and integers: `out[…, index[…, i, …], …] += x[…, i, …]` along an axis, which gets that length; what lies
    /// outside is dropped. The adjoint of Gather.
    ScatterAdd(usize, Dim),
    /// Of `base`, `x` and a start (i64): `base`, but `out[…, start + i, …] = x[…, i, …]` along an axis; what lies outside is
    /// dropped.
    Update(usize),
    /// Random numbers of a shape, of a generator's key (i32, `[2]`: its words) and counter (i64, the first block); of several
    /// counters, for each.
    Random(Draw, Vec<Dim>),
    /// Combines along axes (sorted), which vanish.
    Reduce(Reduction, Vec<usize>),
    /// Index (i64) of the first maximum along an axis, which vanishes.
    ArgMax(usize),
    /// Two-operand einsum: the sum over labels that the output lacks. A label at most once per operand;
    /// each label of the output occurs in an operand; a label missing from the output occurs in both.
    Contract {
        /// Labels of the left operand's axes.
        lhs: Vec<u8>,
        /// Labels of the right operand's axes.
        rhs: Vec<u8>,
        /// Labels of the result's axes.
        out: Vec<u8>,
    },
    /// To another element type. Float to integer truncates and saturates, NaN to 0; integer to a narrower one wraps;
    /// to bool: `x != 0`.
    Cast(DType),
    /// Identity with derivative 0.
    StopGrad,
    /// The first argument, whose gradient goes by a rule: a function of the other arguments, the value and its cotangent
    /// gives a cotangent for each of these arguments that is a float. As JAX's `custom_vjp`.
    Rule(Arc<Func>),
    /// A loop. Its results are read by `Result`; its own type is a token.
    Scan(Box<Scan>),
    /// Result number `.0` of a Scan, of that type.
    Result(usize, Ty),
}

/// A loop over carried values, as JAX's `scan`: `carry, y_t = body(carry, x_t, fixed…)` for each turn t.
///
/// The arguments are the first carries, then what is scanned (`[trips, …]`), then what is the same in each turn; the
/// results are the last carries, then each `y` of all turns (`[trips, …]`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Scan {
    /// One turn, over the caller's symbols. Inputs: carries, an element of each of the scanned, what is fixed.
    /// Outputs: carries, then `y`s.
    pub body: Arc<Func>,
    /// Number of turns.
    pub trips: Dim,
    /// Number of carried values.
    pub carries: usize,
    /// Number of scanned arguments.
    pub scanned: usize,
    /// Whether the last turn's elements come first.
    pub reverse: bool,
    /// Whether its gradient computes what happens in a turn again, from the carries before it, in place of storing it.
    pub again: bool,
    /// The input of the body, a truth value, that says whether a turn is run. One that isn't leaves what is carried as it
    /// was, and yields zeros. So a branch is a loop of one turn, and a search one of the most turns that it may take.
    pub guard: Option<usize>,
}

impl Scan {
    /// Types of the results.
    pub fn results(&self) -> Vec<Ty> {
        let of = |(i, o): (usize, &crate::Output)| {
            let ty = self.body.ty(o.value);
            if i < self.carries { ty.clone() } else { self.stacked(ty) }
        };
        self.body.outputs.iter().enumerate().map(of).collect()
    }

    /// The type of all turns' elements together.
    pub fn stacked(&self, ty: &Ty) -> Ty {
        Ty::new(ty.dtype, [std::slice::from_ref(&self.trips), &ty.shape].concat())
    }

    /// The type that an argument must have.
    pub fn argument(&self, i: usize) -> Ty {
        let ty = &self.body.inputs[i].ty;
        let scanned = (self.carries..self.carries + self.scanned).contains(&i);
        if scanned { self.stacked(ty) } else { ty.clone() }
    }

    /// The same loop whose turns are all run, and choose what comes of them.
    ///
    /// # Errors
    /// If the body is ill-formed.
    pub fn unguarded(&self) -> Result<Scan, Error> {
        let Some(guard) = self.guard else { return Ok(self.clone()) };
        let body = &*self.body;
        let mut b = Builder::new(&body.name, body.syms.clone());
        let inputs: Vec<Value> = body.inputs.iter().map(|i| b.input(&i.name, i.ty.clone(), i.role)).collect();
        let results = b.inline(body, &inputs)?;
        for (i, (output, made)) in body.outputs.iter().zip(results).enumerate() {
            let kept = if i < self.carries { inputs[i] } else { b.splat(0.0, made)? };
            let chosen = b.elementwise(Scalar::Select, &[inputs[guard], made, kept])?;
            b.output(&output.name, chosen, None);
        }
        Ok(Scan { body: Arc::new(b.finish()), guard: None, ..self.clone() })
    }
}

/// One axis of a `Slice`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SliceAxis {
    /// First index.
    pub start: Dim,
    /// Number of elements taken.
    pub len: Dim,
    /// Distance between two of them.
    pub step: i64,
}

/// Windows over an axis: element `k` of window `o` is `o·stride + k·dilation`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// The axis; of a Fold the first of the two.
    pub axis: usize,
    /// Number of windows.
    pub len: Dim,
    /// Elements of a window.
    pub size: i64,
    /// From one window to the next.
    pub stride: i64,
    /// From one element of a window to the next.
    pub dilation: i64,
}

impl Window {
    /// Elements from the first one of the first window to the last one of the last.
    pub fn extent(&self) -> Dim {
        let span = (self.size - 1) * self.dilation + 1;
        (self.len.clone() - Dim::from(1)) * Dim::from(self.stride) + Dim::from(span)
    }
}

/// One axis of a `Pad`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PadAxis {
    /// Zeros before.
    pub low: Dim,
    /// Zeros after.
    pub high: Dim,
    /// Distance that two neighbours get: 1 for no zeros between.
    pub step: i64,
}

impl Op {
    /// The operation with each dim in its attributes replaced, by one over these symbols.
    pub fn map_dims(&self, of: &dyn Fn(&Dim) -> Dim, syms: &Syms) -> Op {
        match self {
            Op::Iota { len, dtype } => Op::Iota { len: of(len), dtype: *dtype },
            Op::Reshape(shape) => Op::Reshape(shape.iter().map(of).collect()),
            Op::Random(draw, shape) => Op::Random(*draw, shape.iter().map(of).collect()),
            Op::Broadcast(axes) => Op::Broadcast(axes.iter().map(|(at, len)| (*at, of(len))).collect()),
            Op::Slice(axes) => {
                let axis = |a: &SliceAxis| SliceAxis { start: of(&a.start), len: of(&a.len), step: a.step };
                Op::Slice(axes.iter().map(axis).collect())
            }
            Op::Windows(w) => Op::Windows(Window { len: of(&w.len), ..w.clone() }),
            Op::Fold(w, full) => Op::Fold(Window { len: of(&w.len), ..w.clone() }, of(full)),
            Op::ScatterAdd(axis, len) => Op::ScatterAdd(*axis, of(len)),
            Op::Pad(axes) => {
                let axis = |a: &PadAxis| PadAxis { low: of(&a.low), high: of(&a.high), step: a.step };
                Op::Pad(axes.iter().map(axis).collect())
            }
            Op::Scan(scan) => {
                let body = Arc::new(scan.body.map_dims(of, syms));
                Op::Scan(Box::new(Scan { body, trips: of(&scan.trips), ..(**scan).clone() }))
            }
            Op::Rule(rule) => Op::Rule(Arc::new(rule.map_dims(of, syms))),
            Op::Result(i, ty) => Op::Result(*i, ty.map_dims(of)),
            other => other.clone(),
        }
    }
}
