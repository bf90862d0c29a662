//! What the chain of hidden macros makes of whole files, without rustc.

mod common;

use common::chain::{expand_all, expand_blindly};

fn of(all: &[(String, proc_macro2::TokenStream)], name: &str) -> String {
    all.iter().find(|(n, _)| n == name).expect("an item of that name").1.to_string()
}

#[test]
fn models_are_linked_in_any_order() {
    let all = expand_all(
        "#[model] fn f<const N: usize>(net: &Net, x: Tensor<N>) -> Tensor<N> { g(g(x)) }
         #[model] fn g<const N: usize>(x: Tensor<N>) -> Tensor<N> { x.relu() }
         #[params] struct Net { scale: Tensor<3>, inner: [Inner; 2] }
         #[params(forward = g)] struct Inner { bias: Tensor<3> }",
    );
    for (name, tokens) in &all {
        assert!(!tokens.to_string().contains("@ kiln"), "{name} is still open: {tokens}");
    }
    assert!(of(&all, "f").contains("net_inner_1_bias"), "{}", of(&all, "f"));
}

#[test]
fn a_plain_function_is_left_for_rustc_to_name() {
    let all =
        expand_blindly("#[model] fn f<const N: usize>(x: Tensor<N>) -> Tensor<N> { let y = helper(x); y }");
    let f = of(&all, "f");
    assert!(f.contains("helper ! { @ kiln"), "{f}");
    assert!(
        f.contains("pub fn f < A0 : :: kiln :: AsTensor < f32 > > (_ : A0)"),
        "the name still exists: {f}"
    );
}

#[test]
fn locals_types_and_the_library_lead_nowhere() {
    let all = expand_all(
        "#[model] fn f<const N: usize>(x: Tensor<N>) -> Tensor<N> {
            let twice = |y| y + y;
            let zeros = Tensor::zeros([N]);
            for i in 0..3 { twice(x.scale(i, f32::sqrt(2.0), std::f32::consts::PI, EPS)); }
            twice(zeros)
        }",
    );
    assert!(!of(&all, "f").contains("@ kiln"), "{}", of(&all, "f"));
}

#[test]
fn a_fault_is_reported_once_and_callers_are_silent() {
    let all = expand_all(
        "#[model] fn f(x: Tensor<3>) -> Tensor<3> { g(x) }
         #[model] fn g(x: Vec<f32>) -> Tensor<3> { x }",
    );
    assert!(of(&all, "g").contains("compile_error"));
    assert!(!of(&all, "f").contains("compile_error"), "{}", of(&all, "f"));
}

#[test]
fn recursion_is_told() {
    let all = expand_all("#[model] fn f(x: Tensor<3>) -> Tensor<3> { f(x) }");
    assert!(of(&all, "f").contains("`f` calls itself"));
}

#[test]
fn tokens_that_no_link_made_are_refused() {
    for text in
        ["", "{}", "{} {}", "{ item {} {} {} {} } {}", "a b c", "{ item { a model b {} {} {} } {} {} {} } {}"]
    {
        let out = kiln_compiler::link::step(text.parse().unwrap()).to_string();
        assert!(out.contains("compile_error"), "{text}: {out}");
    }
}

/// The messages of a model that stands in one of several files.
fn told_among(files: &[(&str, &str)]) -> String {
    let read = |path: &std::path::Path| {
        let found = files.iter().find(|(name, _)| std::path::Path::new(name) == path);
        found.map(|(_, text)| text.to_string())
    };
    let source = kiln_compiler::source::Source::new(std::path::Path::new(files[0].0), &read);
    let all = common::chain::expand(files[0].1, Some(&source));
    all.iter().map(|(_, tokens)| tokens.to_string()).collect()
}

#[test]
fn names_are_followed_into_other_files() {
    let model = "use crate::b::{helper, deeper::WIDTH}; use super::up;
        #[model] fn f(x: Tensor<WIDTH>) -> Tensor<WIDTH> { helper(up(x)) }";
    let files = [
        ("src/a/model.rs", model),
        ("src/a.rs", "mod model; pub fn up() {}"),
        ("src/lib.rs", "mod a; mod b;"),
        ("src/b/mod.rs", "pub fn helper() {} pub mod deeper;"),
        ("src/b/deeper.rs", "pub const OTHER: usize = 3;"),
    ];
    let told = told_among(&files);
    assert!(told.contains("`helper` is a plain function"), "{told}");
    assert!(told.contains("`up` is a plain function"), "{told}");
    assert!(told.contains("`WIDTH` isn't"), "{told}");
}

#[test]
fn what_cannot_be_seen_is_left_to_rustc() {
    for more in [
        "use elsewhere::*;",
        "use elsewhere::helper;",
        "declare! { helper }",
        "macro_rules! helper { () => {} }",
        "#[unknown] fn helper() {}",
        "#[path = \"x.rs\"] mod other; use other::*;",
        "#[unknown] struct S;",
    ] {
        let told = told_among(&[(
            "src/lib.rs",
            &format!("{more} #[model] fn f(x: Tensor<3>) -> Tensor<3> {{ helper(x) }}"),
        )]);
        assert!(!told.contains("compile_error"), "{more}: {told}");
        assert!(told.contains("helper ! { @ kiln"), "{more}: {told}");
    }
}
