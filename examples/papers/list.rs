//! The papers: a CSV file with a line a paper.

use kiln_examples::Result;
use std::path::Path;

/// What is known of a paper.
pub struct Paper {
    /// When it came out, as the file has it.
    pub year: String,
    /// By whom.
    pub authors: String,
    /// Its title.
    pub title: String,
    /// What it says, in a sentence or two.
    pub summary: String,
}

/// Reads a list; its first line names the columns, in any order, and there may be more of them.
pub fn read(path: &Path) -> Result<Vec<Paper>> {
    let fault = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let mut file = csv::Reader::from_path(path).map_err(|error| fault(&error))?;
    let names = file.headers().map_err(|error| fault(&error))?.clone();
    let column = |name: &str| {
        names.iter().position(|n| n == name).ok_or_else(|| fault(&format_args!("no column `{name}`")))
    };
    let columns = [column("year")?, column("authors")?, column("title")?, column("summary")?];
    let mut papers = Vec::new();
    for row in file.records() {
        let row = row.map_err(|error| fault(&error))?;
        let [year, authors, title, summary] = columns.map(|i| row.get(i).unwrap_or_default().to_string());
        papers.push(Paper { year, authors, title, summary });
    }
    match papers.is_empty() {
        true => Err(fault(&"no paper in it").into()),
        false => Ok(papers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_something_else_is_told() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
        let error = |file: &str| read(&root.join(file)).err().expect("no papers").to_string();
        assert!(error("AirPassengers.csv").ends_with("AirPassengers.csv: no column `year`"));
        assert!(error("flower.jpg").contains("flower.jpg: "));
        assert!(error("nowhere.csv").contains("nowhere.csv: "));
    }
}
