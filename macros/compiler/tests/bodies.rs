//! Each case in `bodies/*.rs`, items up to an empty line, holds mistakes in bodies of models; the `.txt` beside it
//! shows what the user sees.

mod common;
#[path = "common/library.rs"]
mod library;

use kiln_compiler::Errors;
use kiln_compiler::trace::trace;

fn faults(source: &str) -> Vec<syn::Error> {
    let errors = Errors::new();
    let library = library::library(source, &errors);
    for name in library::models(source) {
        trace(&library, &name, &errors);
    }
    errors.finish()
}

#[test]
fn messages_are_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("bodies") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut out = String::new();
        for case in text.split("\n\n").map(str::trim).filter(|i| !i.is_empty()) {
            let shown = common::render(case, &faults(case));
            assert!(!shown.is_empty(), "{}: no fault found in\n{case}", file.display());
            out += &shown;
        }
        differ.extend(common::snapshot(&file.with_extension("txt"), &format!("{}\n", out.trim_end())));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}

#[test]
fn sound_bodies_have_no_fault() {
    assert!(faults("#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.relu() }").is_empty());
}
