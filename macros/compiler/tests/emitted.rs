//! What `#[params]` emits for the structs in `emitted/*.rs`, pretty-printed.

mod common;

#[test]
fn emitted_code_is_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("emitted") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut out = String::new();
        for item in text.split("\n\n").map(str::trim).filter(|i| !i.is_empty()) {
            let (_, attr, tokens) = common::take_attribute(item);
            let emitted = kiln_compiler::params::expand(attr, tokens, None);
            out += &prettyplease::unparse(&syn::parse2(emitted).unwrap());
            out += "\n";
        }
        differ.extend(common::snapshot(
            &file.with_extension("txt"),
            &format!("{}\n", common::without_hashes(out.trim_end())),
        ));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}
