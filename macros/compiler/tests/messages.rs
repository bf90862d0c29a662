//! Each item in `messages/*.rs` is a mistake; the `.txt` beside it shows what the user sees.

mod common;

use kiln_compiler::Errors;
use kiln_compiler::syntax::{model, params};

fn faults(source: &str) -> Vec<syn::Error> {
    let (name, attr, tokens) = common::take_attribute(source);
    let item: syn::Item = match syn::parse2(tokens) {
        Ok(item) => item,
        Err(e) => return vec![e],
    };
    let errors = Errors::new();
    match name.as_str() {
        "params" => {
            if let Some(item) = params::item_struct(&errors, &item) {
                params::params(&errors, attr, &item);
            }
        }
        _ => drop(model::model(&errors, attr, &item)),
    }
    errors.finish()
}

#[test]
fn messages_are_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("messages") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut out = String::new();
        for item in text.split("\n\n").map(str::trim).filter(|i| !i.is_empty()) {
            let shown = common::render(item, &faults(item));
            assert!(!shown.is_empty(), "{}: no fault found in\n{item}", file.display());
            out += &shown;
        }
        differ.extend(common::snapshot(&file.with_extension("txt"), &format!("{}\n", out.trim_end())));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}
