//! Arguments of the surface's entries: what there is, what a parameter takes, and how an entry reads them.

use crate::composite::loss::Reduce;
use crate::composite::random::Generator;
use crate::{Builder, DType, Dim, Error, Fault, Value};

/// An argument.
#[derive(Clone, PartialEq, Debug)]
pub enum Arg {
    /// A tensor.
    Tensor(Value),
    /// Several.
    Tensors(Vec<Value>),
    /// A whole number, or a size.
    Int(Dim),
    /// Several.
    Ints(Vec<Dim>),
    /// A number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// An element type.
    Dtype(DType),
    /// A word.
    Text(String),
    /// A random generator.
    Rng(Generator),
    /// `None` where a tensor may stand.
    Absent,
}

/// What a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A tensor.
    Tensor,
    /// An array of tensors.
    Tensors,
    /// A tensor, or a number, which takes the other tensor's element type.
    Operand,
    /// `Some(tensor)` or `None`.
    Maybe,
    /// A dim's index, negative from the back; also any other whole number that is known.
    Axis,
    /// Indices of dims, or one.
    Axes,
    /// A size, which may be free.
    Size,
    /// Sizes, or one; −1 is what is left over.
    Sizes,
    /// A number that is known.
    Float,
    /// A truth value that is known.
    Bool,
    /// An element type.
    Dtype,
    /// A word.
    Text,
    /// How losses are combined: `"mean"`, `"sum"`, `"none"`.
    Reduction,
    /// A random generator, whose counter advances.
    Rng,
}

impl Kind {
    /// Whether an argument fits.
    pub fn takes(self, arg: &Arg) -> bool {
        match (self, arg) {
            (Kind::Tensor | Kind::Operand | Kind::Maybe, Arg::Tensor(_)) => true,
            (Kind::Tensors, Arg::Tensors(list)) => !list.is_empty(),
            (Kind::Operand | Kind::Float, Arg::Float(_)) => true,
            (Kind::Operand | Kind::Axis | Kind::Axes, Arg::Int(n)) => n.literal().is_some(),
            (Kind::Axes, Arg::Ints(list)) => list.iter().all(|n| n.literal().is_some()),
            (Kind::Size | Kind::Sizes, Arg::Int(_)) => true,
            (Kind::Sizes, Arg::Ints(_)) => true,
            (Kind::Maybe, Arg::Absent) | (Kind::Bool, Arg::Bool(_)) | (Kind::Dtype, Arg::Dtype(_)) => true,
            (Kind::Text, Arg::Text(_)) | (Kind::Rng, Arg::Rng(_)) => true,
            (Kind::Reduction, Arg::Text(word)) => reduction(word).is_some(),
            _ => false,
        }
    }

    /// What it takes, in words: "a tensor".
    pub fn describe(self) -> &'static str {
        match self {
            Kind::Tensor => "a tensor",
            Kind::Tensors => "an array of tensors",
            Kind::Operand => "a tensor or a number",
            Kind::Maybe => "`Some(tensor)` or `None`",
            Kind::Axis => "a whole number that is known while compiling",
            Kind::Axes => "an array of whole numbers that are known while compiling",
            Kind::Size => "a size",
            Kind::Sizes => "an array of sizes",
            Kind::Float => "a number that is known while compiling, such as `0.5`",
            Kind::Bool => "`true` or `false`",
            Kind::Dtype => "an element type, such as `f64`",
            Kind::Text => "a text, such as `\"ij,jk->ik\"`",
            Kind::Reduction => "`\"mean\"`, `\"sum\"` or `\"none\"`",
            Kind::Rng => "a generator, the model's argument `rng: &mut Rng`",
        }
    }
}

fn reduction(word: &str) -> Option<Reduce> {
    match word {
        "mean" => Some(Reduce::Mean),
        "sum" => Some(Reduce::Sum),
        "none" => Some(Reduce::None),
        _ => None,
    }
}

/// The arguments of a call, of the kinds that the entry declares. Each reader takes the parameter's index.
pub struct Args<'a> {
    op: &'static str,
    list: &'a [Arg],
    /// Element type for the numbers among them.
    dtype: DType,
}

impl<'a> Args<'a> {
    /// Readies arguments that have the kinds declared: a number among operands must fit their element type.
    pub(super) fn new(op: &'static str, b: &Builder, list: &'a [Arg]) -> Result<Args<'a>, Error> {
        let tensors = || list.iter().filter_map(|a| if let Arg::Tensor(v) = a { Some(*v) } else { None });
        // A mask says nothing about the numbers to choose from.
        let number = tensors().map(|v| b.ty(v).dtype).find(|d| *d != DType::Bool);
        let dtype = number.or_else(|| tensors().next().map(|v| b.ty(v).dtype)).unwrap_or(DType::F32);
        Ok(Args { op, list, dtype })
    }

    /// A fault of this call that no operation would find.
    pub(super) fn fault(&self, b: &Builder, what: impl Into<String>) -> Error {
        b.error(Fault::Attribute { op: self.op.into(), what: what.into() })
    }

    pub(super) fn tensor(&self, i: usize) -> Value {
        match &self.list[i] {
            Arg::Tensor(v) => *v,
            other => unreachable!("`call` checked that argument {i} is a tensor, not {other:?}"),
        }
    }

    pub(super) fn tensors(&self, i: usize) -> &[Value] {
        match &self.list[i] {
            Arg::Tensors(list) => list,
            _ => &[],
        }
    }

    pub(super) fn maybe(&self, i: usize) -> Option<Value> {
        match self.list[i] {
            Arg::Tensor(v) => Some(v),
            _ => None,
        }
    }

    /// A tensor, or a number as a constant.
    pub(super) fn operand(&self, b: &mut Builder, i: usize) -> Result<Value, Error> {
        let x = match &self.list[i] {
            Arg::Tensor(v) => return Ok(*v),
            Arg::Float(x) if !self.dtype.is_float() && x.fract() != 0.0 => {
                let what = format!("{x} is no {}; write `.to(f32)` first", self.dtype.name());
                return Err(self.fault(b, what));
            }
            _ => self.float(i),
        };
        Ok(b.constant(x, self.dtype))
    }

    pub(super) fn float(&self, i: usize) -> f64 {
        match &self.list[i] {
            Arg::Float(x) => *x,
            Arg::Int(n) => n.literal().unwrap_or(0) as f64,
            _ => 0.0,
        }
    }

    /// The number, where the argument is one and not a tensor.
    pub(super) fn number(&self, i: usize) -> Option<f64> {
        matches!(self.list[i], Arg::Float(_) | Arg::Int(_)).then(|| self.float(i))
    }

    pub(super) fn axis(&self, i: usize) -> i64 {
        self.size(i).literal().unwrap_or(0)
    }

    pub(super) fn axes(&self, i: usize) -> Vec<i64> {
        self.sizes(i).iter().map(|d| d.literal().unwrap_or(0)).collect()
    }

    pub(super) fn size(&self, i: usize) -> Dim {
        match &self.list[i] {
            Arg::Int(n) => n.clone(),
            _ => Dim::from(0),
        }
    }

    pub(super) fn sizes(&self, i: usize) -> Vec<Dim> {
        match &self.list[i] {
            Arg::Ints(list) => list.clone(),
            Arg::Int(n) => vec![n.clone()],
            _ => Vec::new(),
        }
    }

    pub(super) fn bool(&self, i: usize) -> bool {
        self.list[i] == Arg::Bool(true)
    }

    pub(super) fn dtype(&self, i: usize) -> DType {
        match self.list[i] {
            Arg::Dtype(dtype) => dtype,
            _ => self.dtype,
        }
    }

    pub(super) fn text(&self, i: usize) -> &'a str {
        match &self.list[i] {
            Arg::Text(word) => word,
            _ => "",
        }
    }

    pub(super) fn rng(&self, i: usize) -> Generator {
        match &self.list[i] {
            Arg::Rng(generator) => *generator,
            other => unreachable!("`call` checked that argument {i} is a generator, not {other:?}"),
        }
    }

    pub(super) fn reduction(&self, i: usize) -> Reduce {
        match &self.list[i] {
            Arg::Text(word) => reduction(word).unwrap_or(Reduce::Mean),
            _ => Reduce::Mean,
        }
    }
}
