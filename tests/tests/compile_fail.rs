//! What rustc and Kiln say together about models that can't be compiled: one error a fault, and no cascade.
#![allow(missing_docs)]

#[test]
fn messages_are_as_recorded() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
