//! A file's tests once more on narrower instruction sets, each in a process of its own.

use std::process::Command;

/// The test that starts the others and isn't one of them.
const SELF: &str = "on_every_instruction_set";

/// # Panics
/// If a test of this program that isn't named [`SELF`] fails on a set.
pub fn narrower() {
    for set in ["portable", "avx2"] {
        let program = std::env::current_exe().expect("the test program");
        let run = Command::new(program).env("KILN_ISA", set).args(["--skip", SELF]).output();
        let run = run.expect("the test program runs");
        assert!(run.status.success(), "{set}: {}", String::from_utf8_lossy(&run.stdout));
    }
}
