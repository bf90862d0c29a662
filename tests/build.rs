//! Writes a model for each golden file, from its case and configuration: `tests/goldens` compiles and runs them.
//! `KILN_GOLDENS=DIR` takes another folder of the same format.

#[path = "build/attention.rs"]
mod attention;
#[path = "build/body.rs"]
mod body;
#[path = "build/convolutions.rs"]
mod convolutions;
#[path = "build/file.rs"]
mod file;
#[path = "build/losses.rs"]
mod losses;
#[path = "build/model.rs"]
mod model;
#[path = "build/nets/mod.rs"]
mod nets;
#[path = "build/norms.rs"]
mod norms;
#[path = "build/quantized.rs"]
mod quantized;
#[path = "build/recurrent.rs"]
mod recurrent;
#[path = "build/tools.rs"]
mod tools;
#[path = "build/training.rs"]
mod training;

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=KILN_GOLDENS");
    // Asked when it runs: a target folder that two clones share may have been built in the other one.
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names a folder"));
    let vendored = here.join("data/goldens");
    let folder = std::env::var_os("KILN_GOLDENS").map_or(vendored, PathBuf::from);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "safetensors"));
    files.sort();
    let cases: Vec<file::Case> = files.iter().map(|p| file::Case::read(p)).collect();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names a folder")).join("goldens.rs");
    std::fs::write(out, model::source(&cases)).expect("the folder can be written to");
}
