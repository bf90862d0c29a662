//! A typical call of each entry of the surface.

use kiln_ir::composite::random::Generator;
use kiln_ir::surface::{Arg, Entry, Form, Kind};
use kiln_ir::{Builder, DType, Dim, Role, Ty};

/// A call's tensors by the parameter's name, as `[4, 3]` where nothing else is said; floats are f64.
pub fn typical(b: &mut Builder, entry: &Entry) -> Vec<Arg> {
    typical_of(b, entry, DType::F64)
}

/// The same with floats of another type.
pub fn typical_of(b: &mut Builder, entry: &Entry, float: DType) -> Vec<Arg> {
    let mut tensor = |name: &str, dtype: DType, shape: &[i64]| {
        let dtype = if dtype.is_float() { float } else { dtype };
        let shape: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
        Arg::Tensor(b.input(name, Ty::new(dtype, shape), Role::Argument))
    };
    let gates = match entry.name {
        "rnn" => 1,
        "lstm" => 4,
        "gru" => 3,
        _ => 0,
    };
    let logical = entry.name.starts_with("logical");
    let label_loss = ["cross_entropy", "nll_loss"].iter().any(|n| entry.name.starts_with(n));
    let mut one = |name: &'static str, kind: Kind| match (kind, name) {
        (Kind::Tensor, "x") if entry.name.starts_with("interpolate") => tensor(name, DType::F64, &[2, 3, 4]),
        (Kind::Tensor, "start") => tensor(name, DType::I64, &[]),
        (Kind::Sizes, "size") => Arg::Ints(vec![5.into()]),
        (Kind::Tensor, "index") if ["gather", "scatter_add"].contains(&entry.name) => {
            tensor(name, DType::I64, &[4, 3])
        }
        (Kind::Tensor, "index") => tensor(name, DType::I64, &[4]),
        (Kind::Axes, "pad") => Arg::Ints(vec![1.into(), 2.into()]),
        (Kind::Tensor | Kind::Operand, _) if logical => tensor(name, DType::Bool, &[4, 3]),
        (Kind::Maybe, "mask") => tensor(name, DType::F64, &[4, 4]),
        (_, "mask") => tensor(name, DType::Bool, &[4, 3]),
        (Kind::Tensor, "labels" | "input_lengths" | "target_lengths") => tensor(name, DType::I64, &[4]),
        (Kind::Tensor, "log_probs") => tensor(name, DType::F64, &[5, 4, 3]),
        (Kind::Tensor, "targets") => tensor(name, DType::I64, &[4, 2]),
        (Kind::Tensor, "classes") => tensor(name, DType::I64, &[4, 3]),
        (Kind::Tensor, "target") if entry.name.starts_with("cosine_embedding") => {
            tensor(name, DType::F64, &[4])
        }
        (Kind::Tensor, "target") if label_loss => tensor(name, DType::I64, &[4]),
        (Kind::Tensor, "other") if entry.name == "matmul" => tensor(name, DType::F64, &[3, 5]),
        (Kind::Tensor, "x" | "weight")
            if entry.name.contains("conv")
                || entry.name.contains("_pool")
                || entry.name.starts_with("dropout") && entry.name.ends_with('d') =>
        {
            let dims = entry.name.chars().find_map(|c| c.to_digit(10)).unwrap_or(1) as usize;
            let sizes = if name == "x" { [2, 3, 4, 4, 4] } else { [3, 3, 2, 2, 2] };
            tensor(name, DType::F64, &sizes[..2 + dims])
        }
        (Kind::Tensor, "x") if entry.name == "rotary_embedding" => tensor(name, DType::F64, &[4, 6]),
        (Kind::Tensor, "positions") => tensor(name, DType::F64, &[4]),
        (Kind::Tensor, "keys" | "values") => tensor(name, DType::F64, &[2, 4]),
        (Kind::Tensor, _) if entry.name == "grouped_query_attention" => tensor(name, DType::F64, &[2, 4, 3]),
        (Kind::Tensor, "q") => tensor(name, DType::I64, &[4, 3]),
        (Kind::Tensor | Kind::Operand, "scale" | "zero_point") => tensor(name, DType::F64, &[]),
        (Kind::Tensor | Kind::Operand, "scales" | "zero_points") => tensor(name, DType::F64, &[4]),
        (Kind::Tensor, "weight_scale") => tensor(name, DType::F64, &[5]),
        (Kind::Maybe, "bias") if entry.name == "linear_dynamic" => tensor(name, DType::F64, &[5]),
        (Kind::Tensor, "mean" | "var" | "running_mean" | "running_var") => tensor(name, DType::F64, &[3]),
        (Kind::Tensor, "x") if entry.name.starts_with("pixel") => tensor(name, DType::F64, &[4, 2, 4]),
        (_, name) if gates > 0 && name.len() > 1 && name != "reverse" && name != "nonlinearity" => match name
        {
            "weight_ih" => tensor(name, DType::F64, &[2 * gates, 3]),
            "weight_hh" => tensor(name, DType::F64, &[2 * gates, 2]),
            _ => tensor(name, DType::F64, &[2 * gates]),
        },
        (_, "x") if gates > 0 => tensor(name, DType::F64, &[4, 5, 3]),
        (_, "h" | "c") if gates > 0 => tensor(name, DType::F64, &[5, 2]),
        (Kind::Text, "nonlinearity") => Arg::Text("tanh".into()),
        (Kind::Tensor, "weight") => tensor(name, DType::F64, &[5, 3]),
        (Kind::Maybe, "bias") if entry.name == "linear" => tensor(name, DType::F64, &[5]),
        (Kind::Maybe, _) => tensor(name, DType::F64, &[3]),
        (Kind::Tensor, "x") if entry.name == "squeeze" => tensor(name, DType::F64, &[1, 3]),
        (Kind::Tensor, "x") if entry.name == "expand" => tensor(name, DType::F64, &[1, 3]),
        (Kind::Tensor | Kind::Operand, _) => tensor(name, DType::F64, &[4, 3]),
        (Kind::Tensors, _) => {
            let list = [tensor("a", DType::F64, &[4, 3]), tensor("b", DType::F64, &[4, 3])];
            Arg::Tensors(
                list.iter().map(|a| if let Arg::Tensor(v) = a { *v } else { unreachable!() }).collect(),
            )
        }
        (Kind::Axes, "kernel") => Arg::Ints(vec![2.into()]),
        (Kind::Axes, "amounts") => Arg::Ints(vec![1.into(), (-1).into()]),
        (Kind::Axes, _) => {
            Arg::Ints(if entry.name == "permute" { vec![1.into(), 0.into()] } else { vec![1.into()] })
        }
        (Kind::Axis, "high") => Arg::Int(5.into()),
        (Kind::Axis, "groups") => Arg::Int(1.into()),
        (Kind::Axis, "step" | "chunks" | "factor" | "size") => Arg::Int(2.into()),
        (Kind::Axis, "dim1") => Arg::Int((-1).into()),
        (Kind::Axis, "end") => Arg::Int(1.into()),
        (Kind::Axis, _) => Arg::Int(0.into()),
        (Kind::Size, "end" | "classes" | "n") => Arg::Int(3.into()),
        (Kind::Size, _) => Arg::Int(1.into()),
        (Kind::Sizes, _) if entry.name.ends_with("norm") => Arg::Ints(vec![3.into()]),
        (Kind::Sizes, "times") => Arg::Ints(vec![2.into(), 1.into(), 2.into()]),
        (Kind::Sizes, "sizes") => Arg::Ints(vec![1.into(), 3.into()]),
        (Kind::Sizes, _) if entry.name == "expand" => Arg::Ints(vec![7.into(), (-1).into()]),
        (Kind::Sizes, _) if entry.form == Form::Function => Arg::Ints(vec![4.into(), 3.into()]),
        (Kind::Sizes, _) => Arg::Ints(vec![(-1).into(), 2.into()]),
        (Kind::Float, "p") if entry.name.starts_with("multi_margin") => Arg::Float(2.0),
        (Kind::Float, _) => Arg::Float(0.5),
        (Kind::Bool, _) => Arg::Bool(true),
        (Kind::Dtype, _) => Arg::Dtype(DType::I64),
        (Kind::Text, _) => Arg::Text("ij,kj->ik".into()),
        (Kind::Reduction, _) => Arg::Text("sum".into()),
        (Kind::Rng, _) => {
            let (Arg::Tensor(key), Arg::Tensor(counter)) =
                (tensor("key", DType::I32, &[2]), tensor("counter", DType::I64, &[]))
            else {
                unreachable!("both are tensors")
            };
            Arg::Rng(Generator { key, counter })
        }
    };
    entry.params.iter().map(|p| one(p.name, p.kind)).collect()
}
