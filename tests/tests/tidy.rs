//! What keeps the house readable, and the record complete.
#![allow(missing_docs)]

use kiln_ir::surface;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a source file.
const MOST_LINES: usize = 400;

/// Files that are longer, and how long they may be. The list only shrinks.
const LONGER: &[(&str, usize)] = &[];

/// Entries of the surface that no golden file calls: they have rows in `operations.rs` alone. Some are other names or
/// shorter forms of those that are called. The list only shrinks.
const WITHOUT_GOLDEN: &[&str] = &[
    "accuracy",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "argsort",
    "bernoulli",
    "cast",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "full",
    "full_like",
    "hardtanh",
    "interpolate_linear_with",
    "interpolate_nearest_with",
    "logical_and",
    "logical_or",
    "max",
    "min",
    "narrow_at",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "selu",
    "sort",
    "std",
    "trunc",
    "update_at",
    "var",
    "view",
    "zeros_like",
];

/// Every Rust file of the workspace, by its path from the root.
fn sources() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace");
    let (mut open, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the workspace").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if name.ends_with(".rs") {
                let short = path.strip_prefix(root).expect("it was found there");
                files.push((short.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn files_are_short() {
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, path) in sources() {
        let lines = fs::read_to_string(&path).expect("a text file").lines().count();
        let limit = LONGER.iter().find(|(longer, _)| *longer == name).map(|(_, limit)| *limit);
        seen.insert(name.clone());
        if lines > limit.unwrap_or(MOST_LINES) {
            faults.push(format!("{name} has {lines} lines, {} are allowed", limit.unwrap_or(MOST_LINES)));
        } else if limit.is_some() && lines <= MOST_LINES {
            faults.push(format!("{name} has {lines} lines: take it off the list"));
        }
    }
    faults.extend(
        LONGER.iter().filter(|(name, _)| !seen.contains(*name)).map(|(name, _)| format!("no {name}")),
    );
    assert!(seen.len() > 100, "{} files found", seen.len());
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The models of the golden files, as the build script wrote them.
const GOLDENS: &str = include_str!(concat!(env!("OUT_DIR"), "/goldens.rs"));

/// The entries of the surface that this source doesn't call.
fn uncalled(source: &str) -> Vec<&'static str> {
    let words = source.split('(').map(|text| text.rsplit(|c: char| !c.is_alphanumeric() && c != '_'));
    let called: BTreeSet<&str> = words.filter_map(|mut words| words.next()).collect();
    let names: BTreeSet<&str> = surface::entries().map(|entry| entry.name).collect();
    // The plain form of an entry is the one with options, whose defaults it fills in.
    let with = |name: &str| called.contains(format!("{name}_with").as_str());
    names.into_iter().filter(|name| !called.contains(name) && !with(name)).collect()
}

#[test]
fn a_name_alone_is_no_call() {
    let softmax = |source: &str| !uncalled(source).contains(&"softmax");
    assert!(softmax("x.softmax(1)") && softmax("softmax(x, 1)"));
    assert!(!softmax("") && !softmax("softmax__last::run") && !softmax("log_softmax(1)"));
}

#[test]
fn every_entry_of_the_surface_has_a_golden() {
    if std::env::var_os("KILN_GOLDENS").is_some() {
        return; // Another folder holds other cases.
    }
    let without = uncalled(GOLDENS);
    let new: Vec<_> = without.iter().filter(|name| !WITHOUT_GOLDEN.contains(name)).collect();
    assert!(new.is_empty(), "no golden file calls {new:?}");
    let gone: Vec<_> = WITHOUT_GOLDEN.iter().filter(|name| !without.contains(name)).collect();
    assert!(gone.is_empty(), "take these off the list: {gone:?}");
}

/// What the compiler takes for granted about the prelude, whose file it can't ask when a user's crate is built.
#[test]
fn the_models_of_the_prelude_are_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in the workspace");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a source file");
    let between = |text: &str, from: &str, to: &str| {
        let rest = text.split_once(from).expect(from).1;
        rest.split_once(to).expect(to).0.to_string()
    };
    let names = |list: &str| -> BTreeSet<String> {
        let all = list.split(',').map(|name| name.trim().trim_matches('"').to_string());
        all.filter(|name| name.starts_with(char::is_lowercase)).collect()
    };
    let exported = between(&read("runtime/src/prelude.rs"), "pub use crate::nn::{", "}");
    let scope = read("macros/compiler/src/source/scope.rs");
    let known = between(&scope, "const PRELUDE_MODELS: [&str; 3] = [", "]");
    assert_eq!(names(&exported), names(&known));
}
