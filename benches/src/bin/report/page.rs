//! The report as a file: sections under headings, of which some are written anew.

use crate::Outcome;
use std::path::Path;

/// What stands above the sections.
const HEAD: &str = "# What Kiln needs\n\n\
    `cargo run --release -p kiln-benches --bin report -- [growth] [memory] [build]` measures and writes the sections that it is\n\
    told, or all of them. Times by workload beside the peers are in the README (`--bin compare`).\n";

/// Replaces a section, or adds it.
pub fn put(file: &Path, title: &str, section: &str) -> Outcome<()> {
    let old = std::fs::read_to_string(file).unwrap_or_default();
    std::fs::write(file, replaced(&old, title, section))?;
    Ok(())
}

fn replaced(old: &str, title: &str, section: &str) -> String {
    let mut sections: Vec<(&str, &str)> =
        old.split("\n## ").skip(1).filter_map(|part| part.split_once('\n')).collect();
    match sections.iter_mut().find(|(name, _)| *name == title) {
        Some((_, text)) => *text = section,
        None => sections.push((title, section)),
    }
    let texts = sections.iter().map(|(name, text)| format!("\n## {name}\n\n{}\n", text.trim()));
    HEAD.to_owned() + &texts.collect::<String>()
}

/// How busy the machine is, as a sentence for figures that depend on it.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match load.split_whitespace().next() {
        Some(load) => {
            format!("Measured while {load} processes wanted a processor (the mean over the minute before).")
        }
        None => "How busy the machine was isn't known.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_its_older_self_and_leaves_others() {
        let first = replaced("", "A", "one");
        let both = replaced(&first, "B", "two\n");
        assert_eq!(both, format!("{HEAD}\n## A\n\none\n\n## B\n\ntwo\n"));
        assert_eq!(replaced(&both, "A", "three"), format!("{HEAD}\n## A\n\nthree\n\n## B\n\ntwo\n"));
    }
}
