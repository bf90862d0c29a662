//! Misuse of every entry of the surface: a wrong count, kind, rank or element type is an error that names the entry.

#[path = "common/typical.rs"]
mod typical;

use kiln_ir::composite::random::Generator;
use kiln_ir::surface::{Arg, Entry, Kind, Results, entries};
use kiln_ir::{Builder, DType, Dim, Error, Role, Syms, Ty, Value};
use typical::typical;

/// Entries for whose tensors any rank and element type has a meaning, or that have none.
const TAKE_ANY: [&str; 15] = [
    "to",
    "cast",
    "detach",
    "stop_gradient",
    "clone",
    "unsqueeze",
    "sum",
    "zeros",
    "ones",
    "full",
    "zeros_like",
    "ones_like",
    "full_like",
    "arange",
    "choose_qparams_per_tensor",
];

/// A call with its typical arguments, changed.
fn call(entry: &Entry, change: impl FnOnce(&mut Builder, &mut Vec<Arg>)) -> Result<Results, Error> {
    let mut b = Builder::new("f", Syms::default());
    let mut args = typical(&mut b, entry);
    change(&mut b, &mut args);
    entry.call(&mut b, &args)
}

fn tensor(b: &mut Builder, dtype: DType, shape: &[i64]) -> Value {
    let shape: Vec<Dim> = shape.iter().map(|n| Dim::from(*n)).collect();
    b.input("odd", Ty::new(dtype, shape), Role::Argument)
}

/// What is wrong with an error's text: it must name the entry.
fn unnamed(entry: &Entry, how: &str, result: Result<Results, Error>) -> Option<String> {
    let error = result.err()?.to_string();
    (!error.contains(&format!("`{}`", entry.name))).then(|| format!("{} with {how}: {error}", entry.name))
}

#[test]
fn another_number_of_arguments_is_refused() {
    for entry in entries() {
        let more = call(entry, |_, args| args.push(Arg::Absent));
        let less = call(entry, |_, args| drop(args.pop()));
        for result in [Some(more), (!entry.params.is_empty()).then_some(less)].into_iter().flatten() {
            let error =
                result.err().unwrap_or_else(|| panic!("{} takes another number", entry.name)).to_string();
            let count = format!("takes {}", entry.params.len());
            assert!(error.contains(entry.name) && error.contains(&count), "{error}");
        }
    }
}

#[test]
fn an_argument_of_another_kind_is_refused() {
    for entry in entries() {
        for (i, param) in entry.params.iter().enumerate() {
            let others = [
                Arg::Bool(true),
                Arg::Float(0.5),
                Arg::Text("nonsense".into()),
                Arg::Dtype(DType::F32),
                Arg::Ints(vec![]),
                Arg::Tensors(vec![]),
                Arg::Absent,
            ];
            for other in others.into_iter().filter(|arg| !param.kind.takes(arg)) {
                let shown = format!("{other:?}");
                let error = call(entry, |_, args| args[i] = other).err();
                let error = error.unwrap_or_else(|| panic!("{} takes {shown}", entry.name)).to_string();
                let named = error.contains(&format!("`{}`", entry.name));
                assert!(named && error.contains(&format!("`{}`", param.name)), "{error}");
            }
        }
    }
}

#[test]
fn tensors_of_other_ranks_and_types_are_taken_or_refused_by_name() {
    let odd: [(DType, &[i64]); 9] = [
        (DType::F64, &[]),
        (DType::F64, &[7]),
        (DType::F64, &[7, 5]),
        (DType::F64, &[1, 7, 5, 3, 2, 2]),
        (DType::F64, &[0, 0]),
        (DType::F32, &[4, 3]),
        (DType::I64, &[4, 3]),
        (DType::Bool, &[4, 3]),
        (DType::U8, &[7]),
    ];
    let (mut faults, mut refused, mut easy) = (Vec::new(), 0, Vec::new());
    for entry in entries() {
        let before = refused;
        for (i, param) in entry.params.iter().enumerate() {
            for (dtype, shape) in odd {
                let how = format!("`{}` {} {shape:?}", param.name, dtype.name());
                let result = call(entry, |b, args| {
                    let odd = tensor(b, dtype, shape);
                    let other = match param.kind {
                        Kind::Tensor | Kind::Operand | Kind::Maybe => Arg::Tensor(odd),
                        Kind::Tensors => {
                            let typical = tensor(b, DType::F64, &[4, 3]);
                            Arg::Tensors(vec![typical, odd])
                        }
                        Kind::Rng => Arg::Rng(Generator { key: odd, counter: odd }),
                        _ => return,
                    };
                    args[i] = other;
                });
                refused += usize::from(result.is_err());
                faults.extend(unnamed(entry, &how, result));
            }
        }
        if refused == before && !entry.params.is_empty() {
            easy.push(entry.name);
        }
    }
    assert!(faults.is_empty(), "{} of {refused}: {faults:#?}", faults.len());
    assert_eq!(easy, TAKE_ANY, "entries that refuse none of these");
}
