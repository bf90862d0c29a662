//! Every entry of the surface has its method or function here.

use kiln_ir::surface::{Form, entries};

use super::*;

#[test]
fn every_entry_has_a_counterpart() {
    let methods = [
        arithmetic::NAMES,
        activations::NAMES,
        choices::NAMES,
        layout::NAMES,
        reductions::NAMES,
        random::NAMES[0],
        // Written out, because they have types of their own.
        &["where_cond", "to", "cast", "detach", "clone"],
    ]
    .concat();
    let functions = [
        functions::NAMES,
        losses::NAMES,
        margins::NAMES,
        convolutions::NAMES,
        quantization::NAMES,
        recurrent::NAMES,
        random::NAMES[1],
        &["zeros", "ones", "full"],
    ]
    .concat();
    for entry in entries() {
        let (method, function) = (methods.contains(&entry.name), functions.contains(&entry.name));
        let want = match entry.form {
            Form::Method => (true, false),
            Form::Function => (false, true),
            Form::Both => (true, true),
        };
        assert_eq!((method, function), want, "method and function `{}`", entry.name);
    }
    let known = |name: &&&str| entries().any(|e| e.name == **name);
    assert_eq!(methods.iter().chain(&functions).filter(known).count(), methods.len() + functions.len());
}
