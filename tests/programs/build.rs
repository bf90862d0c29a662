//! Writes the programs: those of the seeds of `KILN_SEEDS=1000..1200`, or of the first few.

#[path = "src/write/mod.rs"]
mod write;

use std::path::PathBuf;

/// Programs of a run in CI.
const COUNT: u64 = 40;

fn main() {
    println!("cargo::rerun-if-changed=src/write");
    println!("cargo::rerun-if-env-changed=KILN_SEEDS");
    let told = std::env::var("KILN_SEEDS").ok().map(|text| {
        let (from, to) = text.split_once("..").expect("KILN_SEEDS is a range: 1000..1200");
        from.parse::<u64>().expect("a number")..to.parse().expect("a number")
    });
    let seeds = told.unwrap_or(0..COUNT);
    let modules: String = seeds.clone().map(write::program).collect();
    let entry = |seed: u64| {
        let [double, single] = ["f64", "f32"].map(|dtype| write::name(seed, dtype));
        format!(
            "Program {{ seed: {seed}, double: {double}::run, single: {single}::run, text: {double}::TEXT }},\n"
        )
    };
    let table: String = seeds.map(entry).collect();
    let text = format!("{modules}\n/// All of them.\npub const PROGRAMS: &[Program] = &[\n{table}];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("programs.rs");
    std::fs::write(out, text).expect("OUT_DIR is writable");
}
