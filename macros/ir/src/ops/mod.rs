//! What each operation means, a family a file, always in the order `infer`, `vjp`, `eval`, tests.
//!
//! - `infer`: the type of the result from the types of the arguments.
//! - `vjp`: the cotangents of the arguments from the cotangent of the result, in the same operations.
//! - `eval`: a naive evaluation in f64, for folding and as the oracle of everything faster.

pub mod array;
pub mod basic;
pub mod contract;
pub mod gather;
pub mod layout;
pub mod random;
pub mod reduce;
pub mod scalar;
pub mod scan;
pub mod update;
pub mod whole;
pub mod windows;

use crate::{Builder, DType, Dim, Error, Fault, Op, Ty, Value};
pub use array::Array;

/// The cotangent of each argument; `None` where it is zero.
pub type Cotangents = Vec<Option<Value>>;

/// What `eval` needs to know besides the arguments: the result's type and the sizes of the dims.
pub struct Context<'a> {
    /// Type of the result.
    pub ty: &'a Ty,
    /// Size of a dim in this evaluation.
    pub size: &'a dyn Fn(&Dim) -> usize,
}

impl Context<'_> {
    /// Sizes of several dims.
    pub fn sizes(&self, dims: &[Dim]) -> Vec<usize> {
        dims.iter().map(self.size).collect()
    }

    /// Sizes of the result.
    pub fn shape(&self) -> Vec<usize> {
        self.sizes(&self.ty.shape)
    }
}

/// The type of `op(args)`, or what is wrong with the arguments.
pub fn infer(op: &Op, args: &[&Ty]) -> Result<Ty, Fault> {
    let want = match op {
        Op::Input(_) | Op::Const(..) | Op::Iota { .. } => 0,
        Op::Map(s) => s.arity(),
        Op::Contract { .. } | Op::Gather(_) | Op::ScatterAdd(..) | Op::Random(..) => 2,
        Op::Update(_) => 3,
        Op::Concat(_) => args.len().max(1),
        Op::Scan(scan) => scan.body.inputs.len(),
        // It takes its value and arguments; the rule also takes the cotangent.
        Op::Rule(rule) => rule.inputs.len().saturating_sub(1),
        _ => 1,
    };
    if args.len() != want {
        return Err(Fault::Arity { op: name(op).to_string(), want, got: args.len() });
    }
    match op {
        Op::Map(s) => scalar::infer(*s, args),
        Op::Reshape(_) | Op::Permute(_) | Op::Broadcast(_) | Op::Slice(_) | Op::Pad(_) | Op::Concat(_) => {
            layout::infer(op, args)
        }
        Op::Windows(_) | Op::Fold(..) => windows::infer(op, args[0]),
        Op::Gather(_) | Op::ScatterAdd(..) => gather::infer(op, args[0], args[1]),
        Op::Update(axis) => update::infer(*axis, args),
        Op::Random(draw, shape) => random::infer(*draw, shape, args[0], args[1]),
        Op::Reduce(..) | Op::ArgMax(_) => reduce::infer(op, args[0]),
        Op::Contract { lhs, rhs, out } => contract::infer(lhs, rhs, out, args[0], args[1]),
        Op::Scan(_) | Op::Result(..) => scan::infer(op, args),
        _ => basic::infer(op, args),
    }
}

/// The cotangents of the arguments of `v`, whose own cotangent is `ct`.
pub fn vjp(b: &mut Builder, v: Value, ct: Value) -> Result<Cotangents, Error> {
    let node = b.func().node(v).clone();
    match &node.op {
        Op::Map(s) => scalar::vjp(b, *s, &node.args, v, ct),
        Op::Reshape(_) | Op::Permute(_) | Op::Broadcast(_) | Op::Slice(_) | Op::Pad(_) | Op::Concat(_) => {
            layout::vjp(b, &node, ct)
        }
        Op::Windows(_) | Op::Fold(..) => windows::vjp(b, &node, ct),
        Op::Gather(_) | Op::ScatterAdd(..) => gather::vjp(b, &node, ct),
        Op::Update(axis) => update::vjp(b, *axis, &node, ct),
        Op::Random(..) => Ok(random::vjp()),
        Op::Rule(rule) => basic::by_rule(b, rule, &node.args, v, ct),
        Op::Reduce(..) | Op::ArgMax(_) => reduce::vjp(b, &node, v, ct),
        Op::Contract { lhs, rhs, out } => contract::vjp(b, lhs, rhs, out, &node.args, ct),
        _ => basic::vjp(b, &node, ct),
    }
}

/// The value of `op(args)`, rounded to the result's element type. Whole numbers wrap within their type, as in torch.
pub fn eval(op: &Op, args: &[&Array], cx: &Context) -> Array {
    match whole::eval(op, args, cx) {
        Some(exact) => exact,
        None => Array::rounded(cx.ty.dtype, cx.shape(), floats(op, args, cx)),
    }
}

/// The elements of `op(args)` as f64, where they are floats or small.
fn floats(op: &Op, args: &[&Array], cx: &Context) -> Vec<f64> {
    match op {
        Op::Map(s) => scalar::eval(*s, args),
        Op::Reshape(_) | Op::Permute(_) | Op::Broadcast(_) | Op::Slice(_) | Op::Pad(_) | Op::Concat(_) => {
            layout::eval(op, args, cx)
        }
        Op::Windows(_) | Op::Fold(..) => windows::eval(op, args[0], cx),
        Op::Gather(_) | Op::ScatterAdd(..) => gather::eval(op, args[0], args[1], cx),
        Op::Update(axis) => update::eval(*axis, args),
        Op::Random(draw, _) => random::eval(*draw, args[0], args[1], cx),
        Op::Reduce(..) | Op::ArgMax(_) => reduce::eval(op, args[0], cx),
        Op::Contract { lhs, rhs, out } => contract::eval(lhs, rhs, out, args[0], args[1], cx),
        _ => basic::eval(op, args, cx),
    }
}

/// The operation's name in the text form.
pub fn name(op: &Op) -> &'static str {
    match op {
        Op::Input(_) => "input",
        Op::Const(..) => "const",
        Op::Iota { .. } => "iota",
        Op::Map(s) => s.name(),
        Op::Reshape(_) => "reshape",
        Op::Permute(_) => "permute",
        Op::Broadcast(_) => "broadcast",
        Op::Slice(_) => "slice",
        Op::Pad(_) => "pad",
        Op::Windows(_) => "windows",
        Op::Fold(..) => "fold",
        Op::Concat(_) => "concat",
        Op::Gather(_) => "gather",
        Op::ScatterAdd(..) => "scatter_add",
        Op::Update(_) => "update",
        Op::Random(..) => "random",
        Op::Reduce(crate::Reduction::Sum, _) => "sum",
        Op::Reduce(crate::Reduction::Max, _) => "max_over",
        Op::ArgMax(_) => "argmax",
        Op::Contract { .. } => "contract",
        Op::Cast(_) => "cast",
        Op::StopGrad => "stop_grad",
        Op::Rule(_) => "rule",
        Op::Scan(_) => "scan",
        Op::Result(..) => "result",
    }
}

/// Whether two types agree in shape and element type.
pub(crate) fn same(op: &str, left: &Ty, right: &Ty) -> Result<(), Fault> {
    if left == right {
        return Ok(());
    }
    Err(Fault::Mismatch { op: op.to_string(), left: left.clone(), right: right.clone() })
}

pub(crate) fn number(op: &str, ty: &Ty) -> Result<(), Fault> {
    if ty.dtype != DType::Bool {
        return Ok(());
    }
    Err(Fault::DType { op: op.to_string(), want: "numbers", got: ty.clone() })
}
