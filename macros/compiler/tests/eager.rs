//! Eager forms: what is written for the models in `eager/*.rs`, pretty-printed, and that every recorded body has one.

mod common;
#[path = "common/library.rs"]
mod library;

use common::chain::expand_all;
use kiln_compiler::{Errors, eager};

/// The items within `::kiln::__eager!` of each model and params struct of a file.
fn forms(source: &str) -> Vec<(String, syn::File)> {
    let mut found = Vec::new();
    for (name, tokens) in expand_all(source) {
        let file: syn::File = syn::parse2(tokens).expect("what is emitted parses");
        for item in file.items {
            if let syn::Item::Macro(item) = item
                && item.mac.path.segments.last().is_some_and(|s| s.ident == "__eager")
            {
                found.push((name.clone(), syn::parse2(item.mac.tokens).expect("an eager form parses")));
            }
        }
    }
    found
}

#[test]
fn forms_are_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("eager") {
        let source = std::fs::read_to_string(&file).expect("a source");
        let shown: Vec<String> = forms(&source).iter().map(|(_, form)| prettyplease::unparse(form)).collect();
        differ.extend(common::snapshot(&file.with_extension("txt"), &shown.join("\n")));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}

#[test]
fn every_recorded_body_has_a_form() {
    for file in common::sources("graphs") {
        let source = std::fs::read_to_string(&file).expect("a source");
        let errors = Errors::new();
        let library = library::library(&source, &errors);
        assert!(errors.finish().is_empty());
        for name in library::models(&source) {
            let item: syn::ItemMacro = syn::parse2(eager::model(&library, &name, true)).expect("one macro");
            let form = prettyplease::unparse(&syn::parse2(item.mac.tokens).expect("an eager form parses"));
            assert!(
                form.contains("fn eager") && !form.contains("unsupported"),
                "{}:\n{form}",
                file.display()
            );
        }
    }
}

#[test]
fn what_has_no_form_says_so_when_it_runs() {
    for (body, why) in [
        ("let f = |x| { return x; }; f(x)", "a closure with `return`"),
        ("let (a, [b, c]) = (x, x.split([1, 1], 0)); a + b + c", "an array in another pattern"),
    ] {
        let source = format!("#[model]\nfn f(x: Tensor<2>) -> Tensor<2> {{ {body} }}");
        let text: String = forms(&source).iter().map(|(_, form)| prettyplease::unparse(form)).collect();
        assert!(text.contains("unsupported") && text.contains(why), "{text}");
    }
    let faulty = forms("#[model]\nfn f(x: Tensor<2>) -> Tensor<3> { x }");
    assert!(faulty.iter().any(|(_, form)| prettyplease::unparse(form).contains("it has a fault")));
}
