//! Names of classes, from a file with one a line.

use crate::Result;
use std::path::Path;

/// So many names; another number of lines is a fault.
pub fn read(path: &Path, classes: usize) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let labels: Vec<String> = text.lines().map(str::to_string).collect();
    match labels.len() {
        lines if lines == classes => Ok(labels),
        lines => Err(format!("{} has {lines} lines, not {classes}", path.display()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_other_classes_are_refused() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = read(&here, 1000).expect_err("a few lines").to_string();
        assert!(error.ends_with("lines, not 1000"), "{error}");
        assert!(read(Path::new("nowhere.txt"), 80).is_err());
    }
}
