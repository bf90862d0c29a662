//! The exact wording of each fault, in the names of the user's symbols.

use kiln_ir::composite::linalg::matmul;
use kiln_ir::surface::{self, Arg};
use kiln_ir::{Builder, DType, Dim, Error, Op, PadAxis, Reduction, Role, Scalar, SliceAxis, SymKind, Syms};
use kiln_ir::{Ty, Value, differentiate};

/// Inputs of a function with the symbols N and M.
struct Inputs {
    n: Dim,
    m: Dim,
    /// f32 [N, 3]
    x: Value,
    /// f32 [M, 3]
    y: Value,
    /// f64 [N]
    v: Value,
    /// bool [N, 3]
    c: Value,
    /// i64 [N]
    i: Value,
}

fn message(build: impl Fn(&mut Builder, &Inputs) -> Result<Value, Error>) -> String {
    let mut b = Builder::new("f", Syms::default());
    let n = Dim::from(b.syms().intern("N", SymKind::Free { bound: None }));
    let m = Dim::from(b.syms().intern("M", SymKind::Const));
    let mut input = |name: &str, dtype, shape: &[Dim]| b.input(name, Ty::new(dtype, shape), Role::Argument);
    let x = input("x", DType::F32, &[n.clone(), 3.into()]);
    let y = input("y", DType::F32, &[m.clone(), 3.into()]);
    let v = input("v", DType::F64, std::slice::from_ref(&n));
    let c = input("c", DType::Bool, &[n.clone(), 3.into()]);
    let i = input("i", DType::I64, std::slice::from_ref(&n));
    let inputs = Inputs { n, m, x, y, v, c, i };
    build(&mut b, &inputs).expect_err("this must be refused").to_string()
}

fn contract(lhs: &[u8], rhs: &[u8], out: &[u8]) -> Op {
    Op::Contract { lhs: lhs.into(), rhs: rhs.into(), out: out.into() }
}

#[test]
fn arity() {
    let one = message(|b, i| b.map(Scalar::Add, &[i.x]));
    assert_eq!(one, "`add` takes 2 tensors, not 1");
    let none = message(|b, _| b.emit(Op::Concat(0), &[]));
    assert_eq!(none, "`concat` takes 1 tensors, not 0");
    let mut callee = Builder::new("block", Syms::default());
    callee.input("x", Ty::scalar(DType::F32), Role::Argument);
    let callee = callee.finish();
    let call = message(|b, i| b.inline(&callee, &[i.x, i.y]).map(|v| v[0]));
    assert_eq!(call, "`block` takes 1 tensors, not 2");
}

#[test]
fn mismatch() {
    let shapes = message(|b, i| b.map(Scalar::Mul, &[i.x, i.y]));
    assert_eq!(shapes, "`mul` needs arguments of one type: f32 [N, 3] and f32 [M, 3]");
    let types = message(|b, i| b.map(Scalar::Le, &[i.v, i.i]));
    assert_eq!(types, "`le` needs arguments of one type: f64 [N] and i64 [N]");
    let product = message(|b, i| b.emit(contract(&[0, 1], &[0], &[1]), &[i.x, i.v]));
    assert_eq!(product, "`contract` needs arguments of one type: f32 [N, 3] and f64 [N]");
}

#[test]
fn element_types() {
    let floats = message(|b, i| b.map(Scalar::Exp, &[i.i]));
    assert_eq!(floats, "`exp` needs floats, not i64 [N]");
    let bools = message(|b, i| b.map(Scalar::And, &[i.c, i.x]));
    assert_eq!(bools, "`and` needs bools, not f32 [N, 3]");
    let numbers = message(|b, i| b.emit(Op::Reduce(Reduction::Sum, vec![0]), &[i.c]));
    assert_eq!(numbers, "`sum` needs numbers, not bool [N, 3]");
    let condition = message(|b, i| b.map(Scalar::Select, &[i.x, i.x, i.x]));
    assert_eq!(condition, "`select` needs a bool condition, not f32 [N, 3]");
}

#[test]
fn broadcasts() {
    let rule = "from the last dim on, two dims must be equal or one of them 1";
    let both = message(|b, i| b.elementwise(Scalar::Add, &[i.x, i.y]));
    assert_eq!(both, format!("shapes [N, 3] and [M, 3] don't broadcast: {rule}"));
    let to = message(|b, i| b.broadcast_to(i.x, &[2.into(), i.n.clone(), i.m.clone() + 1.into()]));
    assert_eq!(to, format!("shapes [N, 3] and [2, N, M + 1] don't broadcast: {rule}"));
    let lower = message(|b, i| b.broadcast_to(i.x, std::slice::from_ref(&i.n)));
    assert_eq!(lower, format!("shapes [N, 3] and [N] don't broadcast: {rule}"));
}

#[test]
fn products() {
    let inner = message(|b, i| matmul(b, i.x, i.y));
    assert_eq!(inner, "the inner dims of [N, 3] and [M, 3] differ, 3 and M");
    let label = message(|b, i| b.emit(contract(&[0, 1], &[0, 2], &[1, 2]), &[i.x, i.y]));
    assert_eq!(label, "`contract` has one label for axes of lengths N and M");
    let rank = message(|b, i| b.emit(contract(&[0], &[0, 2], &[2]), &[i.x, i.y]));
    assert_eq!(rank, "`contract` needs rank 1, not f32 [N, 3] (rank 2)");
    let twice = message(|b, i| b.emit(contract(&[0, 0], &[0, 2], &[2]), &[i.x, i.y]));
    assert_eq!(twice, "`contract`: a label occurs twice in one operand");
    let lone = message(|b, i| b.emit(contract(&[0, 1], &[2, 1], &[2]), &[i.x, i.y]));
    assert_eq!(lone, "`contract`: a label that is summed must occur in both operands");
    let new = message(|b, i| b.emit(contract(&[0, 1], &[2, 1], &[0, 2, 3]), &[i.x, i.y]));
    assert_eq!(new, "`contract`: a label of the result occurs in no operand");
}

#[test]
fn layouts() {
    let reshape = message(|b, i| b.emit(Op::Reshape(vec![2.into(), i.n.clone() + 1.into()]), &[i.x]));
    assert_eq!(reshape, "can't reshape [N, 3] to [2, N + 1]: 3*N elements against 2*N + 2");
    let permute = message(|b, i| b.emit(Op::Permute(vec![0, 2, 1]), &[i.x]));
    assert_eq!(permute, "`permute` needs rank 3, not f32 [N, 3] (rank 2)");
    let pad =
        message(|b, i| b.emit(Op::Pad(vec![PadAxis { low: 1.into(), high: 1.into(), step: 1 }]), &[i.x]));
    assert_eq!(pad, "`pad` needs rank 1, not f32 [N, 3] (rank 2)");
    let concat = message(|b, i| b.emit(Op::Concat(1), &[i.x, i.y]));
    let rule = "element type and all other dims must agree";
    assert_eq!(concat, format!("can't concatenate f32 [N, 3] and f32 [M, 3] along dim 1: {rule}"));
}

#[test]
fn axes() {
    let sum = message(|b, i| b.emit(Op::Reduce(Reduction::Sum, vec![0, 2]), &[i.x]));
    assert_eq!(sum, "`sum` along dim 2, but the tensor is f32 [N, 3] (rank 2)");
    let concat = message(|b, i| b.emit(Op::Concat(1), &[i.v]));
    assert_eq!(concat, "`concat` along dim 1, but the tensor is f64 [N] (rank 1)");
    let broadcast = message(|b, i| b.emit(Op::Broadcast(vec![(2, 5.into())]), &[i.v]));
    assert_eq!(broadcast, "`broadcast` along dim 2, but the tensor is f64 [N] (rank 1)");
}

#[test]
fn slices() {
    let slice = |start: Dim, len: Dim, step| {
        message(move |b, i| {
            let rest = SliceAxis { start: 0.into(), len: i.n.clone(), step: 1 };
            b.emit(Op::Slice(vec![rest, SliceAxis { start: start.clone(), len: len.clone(), step }]), &[i.x])
        })
    };
    assert_eq!(slice(1.into(), 3.into(), 1), "slice 1..4 leaves dim 1 of [N, 3]");
    assert_eq!(slice(0.into(), 3.into(), 2), "slice 0..5 leaves dim 1 of [N, 3]");
    assert_eq!(slice((-1).into(), 1.into(), 1), "slice -1..0 leaves dim 1 of [N, 3]");
    let beyond = message(|b, i| {
        b.emit(Op::Slice(vec![SliceAxis { start: 2.into(), len: i.n.clone(), step: 1 }]), &[i.v])
    });
    assert_eq!(beyond, "slice 2..N + 2 leaves dim 0 of [N]");
}

#[test]
fn gradients() {
    let whole = message(|b, i| differentiate::differentiate(b, &[], &[i.i]).map(|g| g[0]));
    assert_eq!(whole, "a gradient needs a float tensor, not i64 [N]");
    let vector = message(|b, i| {
        b.output("x", i.x, None);
        differentiate::value_and_grad(b.func(), &[0]).map(|_| i.x)
    });
    assert_eq!(vector, "a gradient needs a float scalar, not f32 [N, 3]");
}

#[test]
fn attributes() {
    let input = message(|b, _| b.emit(Op::Input(0), &[]));
    assert_eq!(input, "`input`: is declared with Builder::input");
}

#[test]
fn indices() {
    let float = message(|b, i| b.emit(Op::Gather(0), &[i.x, i.y]));
    assert_eq!(float, "`gather` needs an integer index, not f32 [M, 3]");
    let shape = message(|b, i| b.emit(Op::Gather(0), &[i.x, i.i]));
    assert_eq!(shape, "`gather`: the index i64 [N] hasn't the shape of f32 [N, 3] but for dim 0");
    let add = message(|b, i| b.emit(Op::ScatterAdd(1, 3.into()), &[i.x, i.i]));
    assert_eq!(add, "`scatter_add`: the index i64 [N] hasn't the shape of f32 [N, 3]");
    let axis = message(|b, i| b.emit(Op::ScatterAdd(1, 3.into()), &[i.v, i.i]));
    assert_eq!(axis, "`scatter_add` along dim 1, but the tensor is f64 [N] (rank 1)");
    let size = message(|b, i| b.emit(Op::ScatterAdd(0, (-3).into()), &[i.v, i.i]));
    assert_eq!(size, "`scatter_add`: a size is negative");
}

/// A call of the surface on inputs of these shapes, with other arguments behind them.
fn call(name: &str, shapes: &[&[i64]], rest: &[Arg]) -> String {
    let mut b = Builder::new("f", Syms::default());
    let mut args: Vec<Arg> = Vec::new();
    for shape in shapes {
        let shape: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
        args.push(Arg::Tensor(b.input("x", Ty::new(DType::F32, shape), Role::Argument)));
    }
    args.extend_from_slice(rest);
    let entry = surface::method(name).or(surface::function(name)).expect("an entry");
    entry.call(&mut b, &args).expect_err("this must be refused").to_string()
}

fn int(n: i64) -> Arg {
    Arg::Int(n.into())
}

#[test]
fn convolutions() {
    let conv = |x: &[i64], w: &[i64], stride, groups| {
        call("conv1d_with", &[x, w], &[Arg::Absent, int(stride), int(0), int(1), int(groups)])
    };
    assert_eq!(
        conv(&[2, 3, 9], &[5, 4, 3], 1, 1),
        "`conv1d_with`: the weight is for 4 channels, the input has 3"
    );
    assert_eq!(
        conv(&[2, 3, 4], &[5, 3, 5], 1, 1),
        "`conv1d_with`: a window reaches 5 elements, but 4 are there"
    );
    assert_eq!(
        conv(&[2, 3, 4], &[5, 3, 1], 0, 1),
        "`conv1d_with`: sizes, strides and dilations are 1 to 1048576, paddings 0 to 1048576"
    );
    assert_eq!(
        conv(&[2, 3, 4], &[5, 1, 1], 1, 3),
        "`conv1d_with`: the channels aren't divisible by the groups"
    );
    assert_eq!(conv(&[4], &[5, 3, 1], 1, 1), "`conv1d_with` needs rank 3, not f32 [4] (rank 1)");
    let numbers = [int(2), int(1), Arg::Ints(vec![1.into(); 2]), int(1), Arg::Bool(false)];
    assert_eq!(
        call("max_pool1d_with", &[&[2, 3, 4]], &numbers),
        "`max_pool1d_with`: a number for each of 1 dims, or one for all"
    );
    let norm = [int(2), Arg::Absent, Arg::Absent, Arg::Float(0.0)];
    assert_eq!(
        call("group_norm", &[&[2, 3, 4]], &norm),
        "`group_norm`: the channels aren't divisible by the groups"
    );
    assert_eq!(
        call("pixel_shuffle", &[&[6, 2, 2]], &[int(2)]),
        "`pixel_shuffle`: the channels aren't divisible by the square of the factor"
    );
    assert_eq!(
        call("topk", &[&[3]], &[int(4), int(0), Arg::Bool(true)]),
        "`topk`: 4 of the 3 elements of dim 0"
    );
    assert_eq!(
        call("pad_reflect", &[&[3]], &[Arg::Ints(vec![3.into(), 0.into()])]),
        "`pad_reflect`: at most 2 around dim 0"
    );
}
