//! Each model in `graphs/*.rs` is traced; the `.txt` beside it holds the graphs, which read back as they were.

mod common;
#[path = "common/library.rs"]
mod library;

use kiln_ir::{text, verify};

#[test]
fn graphs_are_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("graphs") {
        let source = std::fs::read_to_string(&file).unwrap();
        let mut out = String::new();
        for name in library::models(&source) {
            let traced = library::traced(&source, &name);
            verify::verify(&traced.func).unwrap_or_else(|e| panic!("{name}: {e}"));
            let text = traced.func.to_string();
            let read = text::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            let mut placeless = traced.func.clone();
            placeless.nodes.iter_mut().for_each(|n| n.loc = Default::default());
            assert_eq!(read, placeless, "{name} doesn't read back");
            out += &text;
            for (left, right) in &traced.asserts {
                let syms = &traced.func.syms;
                out += &format!("assert {} = {}\n", left.display(syms), right.display(syms));
            }
            out += &format!("result {:?}, gradients of {:?}\n\n", traced.result, traced.wrt);
        }
        differ.extend(common::snapshot(&file.with_extension("txt"), &format!("{}\n", out.trim_end())));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}
