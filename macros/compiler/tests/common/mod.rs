//! Snapshots in files, updated all at once by `KILN_BLESS=1 cargo test -p kiln-compiler`.

#![allow(dead_code)]

pub mod chain;

use std::fs;
use std::path::{Path, PathBuf};

/// A file under `tests/`.
pub fn path(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(of)
}

/// Compares with the snapshot, or writes it when blessing. Returns what differs.
pub fn snapshot(file: &Path, got: &str) -> Option<String> {
    if std::env::var_os("KILN_BLESS").is_some() {
        fs::write(file, got).unwrap();
        return None;
    }
    let want = fs::read_to_string(file).unwrap_or_default();
    (want != got).then(|| format!("{}\n--- want\n{want}\n--- got\n{got}", file.display()))
}

/// The sources `*.rs` of a folder under `tests/`, sorted.
pub fn sources(folder: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(path(folder)).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.extension().is_some_and(|e| e == "rs"));
    all.sort();
    all
}

/// Each fault as rustc shows it: the line, carets under the span, the message.
pub fn render(source: &str, faults: &[syn::Error]) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut out = String::new();
    for fault in faults {
        let (start, end) = (fault.span().start(), fault.span().end());
        let line = lines.get(start.line.wrapping_sub(1)).copied().unwrap_or("");
        let stop = if end.line == start.line { end.column } else { line.chars().count() };
        let carets = "^".repeat(stop.saturating_sub(start.column).max(1));
        let margin = " ".repeat(start.column);
        out += &format!("{:>3} | {line}\n    | {margin}{carets}\n    = {fault}\n\n", start.line);
    }
    out
}

/// An item without its first attribute, and the tokens in that attribute.
pub fn take_attribute(item: &str) -> (String, proc_macro2::TokenStream, proc_macro2::TokenStream) {
    let tokens: proc_macro2::TokenStream = item.parse().unwrap();
    let mut trees = tokens.into_iter();
    trees.next();
    let Some(proc_macro2::TokenTree::Group(attr)) = trees.next() else { panic!("an attribute comes first") };
    let mut inner = attr.stream().into_iter();
    let name = inner.next().unwrap().to_string();
    let args = match inner.next() {
        Some(proc_macro2::TokenTree::Group(args)) => args.stream(),
        _ => proc_macro2::TokenStream::new(),
    };
    (name, args, trees.collect())
}

/// The text with the hash in each key as `HASH`: it depends on the version of the package.
pub fn without_hashes(text: &str) -> String {
    let mut parts = text.split('_');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let hash = part.get(..16).filter(|h| h.chars().all(|c| c.is_ascii_hexdigit()));
        out += "_";
        out += &hash.map_or(part.to_string(), |h| part.replacen(h, "HASH", 1));
    }
    out
}
