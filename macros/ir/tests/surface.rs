//! Every entry of the surface builds on a typical call, and refuses what it can't take without a panic.

mod common;
#[path = "common/typical.rs"]
mod typical;

use kiln_ir::composite::random::Generator;
use kiln_ir::surface::{Arg, Entry, Results, entries, function, method};
use kiln_ir::{Builder, DType, Dim, Error, Role, Syms, Ty, Value, eval, ops::Array, verify};
use typical::{typical, typical_of};

fn values(results: &Results) -> Vec<Value> {
    match results {
        Results::One(v) => vec![*v],
        Results::Pair(list) => list.to_vec(),
        Results::Triple(list) => list.to_vec(),
        Results::List(list) => list.clone(),
        Results::Drawn(list) => list.to_vec(),
    }
}

#[test]
fn every_entry_builds_and_runs() {
    let mut rng = common::Rng(3);
    for entry in entries() {
        let mut b = Builder::new(entry.name, Syms::default());
        let args = typical(&mut b, entry);
        let results = entry.call(&mut b, &args).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        values(&results).iter().for_each(|v| b.output("out", *v, None));
        let func = b.finish();
        verify::verify(&func).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        let inputs: Vec<Array> = func
            .inputs
            .iter()
            .map(|i| {
                let data = rng.array(&common::sizes(&i.ty)).data;
                Array::rounded(i.ty.dtype, common::sizes(&i.ty), data)
            })
            .collect();
        eval::eval(&func, &inputs);
        assert!(!entry.doc.is_empty() && !entry.params.iter().any(|p| p.name.is_empty()));
    }
}

/// What the typical call of an entry yields for these inputs, its floats of a type.
fn results(entry: &Entry, float: DType, inputs: &[Array]) -> Vec<Array> {
    let mut b = Builder::new(entry.name, Syms::default());
    let args = typical_of(&mut b, entry, float);
    let results = entry.call(&mut b, &args).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
    values(&results).iter().for_each(|v| b.output("out", *v, None));
    let func = b.finish();
    verify::verify(&func).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
    let typed =
        |(i, a): (&kiln_ir::Input, &Array)| Array::rounded(i.ty.dtype, a.shape.clone(), a.data.clone());
    eval::eval(&func, &func.inputs.iter().zip(inputs).map(typed).collect::<Vec<_>>())
}

#[test]
fn narrow_floats_are_computed_in_f32_and_rounded_once() {
    let mut rng = common::Rng(11);
    // Quantization says itself what is computed in which type.
    for entry in entries().filter(|e| !e.name.contains("quant") && !e.name.contains("qparams")) {
        if entry.name == "linear_dynamic" {
            continue;
        }
        let mut b = Builder::new(entry.name, Syms::default());
        typical(&mut b, entry);
        let of = |i: &kiln_ir::Input| common::sizes(&i.ty);
        let func = b.func();
        let arrays: Vec<Array> = func.inputs.iter().map(|i| rng.array(&of(i))).collect();
        for narrow in [DType::BF16, DType::F16] {
            let stored = |a: &Array| Array::rounded(narrow, a.shape.clone(), a.data.clone());
            let arrays: Vec<Array> = arrays.iter().map(stored).collect();
            let floats = func.inputs.iter().any(|i| i.ty.dtype.is_float());
            let wide = results(entry, DType::F32, &arrays);
            for (got, want) in results(entry, narrow, &arrays).iter().zip(&wide) {
                let rounds = floats && want.dtype == DType::F32;
                let want = if rounds { &stored(want) } else { want };
                assert!(common::same(got, want), "{}: {got:?} for {want:?}", entry.name);
            }
        }
    }
}

#[test]
fn a_mistake_with_narrow_floats_names_their_type() {
    let mut b = Builder::new("f", Syms::default());
    let mut input =
        |dtype, shape: [i64; 2]| b.input("x", Ty::new(dtype, shape.map(Dim::from)), Role::Argument);
    let (x, y, z) = (input(DType::BF16, [2, 3]), input(DType::F32, [3, 4]), input(DType::BF16, [4, 3]));
    let mut message = |name: &str, args: [Value; 2]| {
        let entry = method(name).expect("an entry");
        entry.call(&mut b, &args.map(Arg::Tensor)).expect_err("refused").to_string()
    };
    assert_eq!(message("matmul", [x, y]), "`matmul` needs arguments of one type: bf16 [2, 3] and f32 [3, 4]");
    assert_eq!(message("logical_and", [z, z]), "`logical_and` needs bools, not bf16 [4, 3]");
}

#[test]
fn names_are_unique_and_found() {
    let names: Vec<&str> = entries().map(|e| e.name).collect();
    for (i, name) in names.iter().enumerate() {
        assert!(!names[..i].contains(name), "{name} stands twice");
    }
    assert!(method("relu").is_some() && function("relu").is_none());
    assert!(function("cat").is_some() && method("cat").is_none());
    assert!(method("matmul").is_some() && function("matmul").is_some());
}

/// Arguments of every kind, sound and not.
fn any(b: &mut Builder) -> Vec<Arg> {
    let mut tensor = |dtype, shape: &[i64]| {
        let shape: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
        b.input("x", Ty::new(dtype, shape), Role::Argument)
    };
    let list = [
        tensor(DType::F32, &[]),
        tensor(DType::F64, &[0, 3]),
        tensor(DType::Bool, &[3]),
        tensor(DType::I64, &[4]),
        tensor(DType::F64, &[2, 3, 4]),
        tensor(DType::U8, &[3, 1]),
    ];
    let generator = Generator { key: tensor(DType::I32, &[2]), counter: tensor(DType::I64, &[]) };
    let no_generator = Generator { key: list[0], counter: list[1] };
    let far = Arg::Int(Dim::from(i64::MAX));
    let ints = |list: &[i64]| Arg::Ints(list.iter().map(|n| Dim::from(*n)).collect());
    let mut all: Vec<Arg> = list.iter().map(|v| Arg::Tensor(*v)).collect();
    all.extend([
        far,
        Arg::Int(0.into()),
        Arg::Int((-1).into()),
        Arg::Int(Dim::from(i64::MIN + 1)),
        ints(&[]),
        ints(&[-1, -1]),
        ints(&[i64::MAX, i64::MAX]),
        ints(&[2, 1, 0]),
        ints(&[24]),
        Arg::Float(f64::NAN),
        Arg::Float(-1.5),
        Arg::Bool(true),
        Arg::Dtype(DType::Bool),
        Arg::Text("none".into()),
        Arg::Absent,
        Arg::Rng(generator),
        Arg::Rng(no_generator),
        Arg::Tensors(list.to_vec()),
        Arg::Tensors(vec![list[0]]),
        Arg::Tensors(vec![]),
    ]);
    all
}

#[test]
fn no_argument_makes_an_entry_panic() {
    let mut rng = common::Rng(5);
    let mut built = 0;
    for entry in entries() {
        for _ in 0..300 {
            let mut b = Builder::new("f", Syms::default());
            let pool = any(&mut b);
            let args: Vec<Arg> = entry
                .params
                .iter()
                .map(|p| {
                    let fit: Vec<&Arg> = pool.iter().filter(|a| p.kind.takes(a)).collect();
                    if rng.chance(2) { rng.pick(&pool).clone() } else { (*rng.pick(&fit)).clone() }
                })
                .collect();
            built += usize::from(entry.call(&mut b, &args).is_ok());
        }
    }
    assert!(built > 1000, "only {built} built");
}

#[test]
fn numbers_take_the_tensors_type() -> Result<(), Error> {
    let mut b = Builder::new("f", Syms::default());
    let i = b.input("i", Ty::new(DType::I64, [Dim::from(3)]), Role::Argument);
    let sum = method("add").unwrap().one(&mut b, &[Arg::Tensor(i), Arg::Int(2.into())])?;
    assert_eq!(b.ty(sum).dtype, DType::I64);
    let half = method("add").unwrap().one(&mut b, &[Arg::Tensor(i), Arg::Float(0.5)]);
    assert_eq!(half.unwrap_err().to_string(), "`add`: 0.5 is no i64; write `.to(f32)` first");
    Ok(())
}
