//! The list of passengers: an ARFF file or a CSV file with a line of names, gzipped or not.

use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Read;
use std::path::Path;

/// What is known of a passenger. Boat and body, which tell the end, are not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passenger {
    pub survived: bool,
    /// 1 to 3.
    pub class: u8,
    /// "Allison, Master. Hudson Trevor".
    pub name: String,
    pub female: bool,
    pub age: Option<f64>,
    pub siblings_spouses: f64,
    pub parents_children: f64,
    pub ticket: String,
    pub fare: Option<f64>,
    pub cabin: Option<String>,
    pub port: Option<String>,
}

impl Passenger {
    pub fn surname(&self) -> &str {
        self.name.split(',').next().unwrap_or_default()
    }
}

/// The columns that are read.
const COLUMNS: [&str; 11] =
    ["survived", "pclass", "name", "sex", "age", "sibsp", "parch", "ticket", "fare", "cabin", "embarked"];

/// Reads a list. An error names the file, and the line and the column that are at fault.
pub fn read(path: &Path) -> Result<Vec<Passenger>, String> {
    let named = |what: &dyn Display| format!("{}: {what}", path.display());
    let bytes = std::fs::read(path).map_err(|e| named(&e))?;
    let mut text = String::new();
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => GzDecoder::new(&bytes[..]).read_to_string(&mut text),
        false => (&bytes[..]).read_to_string(&mut text),
    }
    .map_err(|e| named(&e))?;
    parse(&text).map_err(|e| named(&e))
}

fn parse(text: &str) -> Result<Vec<Passenger>, String> {
    let (names, data, before) = header(text)?;
    let column = |name: &&str| names.iter().position(|n| n == name);
    let missing: Vec<&str> = COLUMNS.iter().filter(|name| column(name).is_none()).copied().collect();
    if !missing.is_empty() {
        return Err(format!("no column {}; there are {}", missing.join(", "), names.join(", ")));
    }
    let places: BTreeMap<&str, usize> =
        COLUMNS.iter().filter_map(|name| Some((*name, column(name)?))).collect();
    let mut lines = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(data.as_bytes());
    let mut all = Vec::new();
    for line in lines.records() {
        let line = line.map_err(|e| e.to_string())?;
        let number = before + line.position().map_or(0, |p| p.line() as usize);
        if line.len() != names.len() {
            return Err(format!("line {number} has {} columns; {} were expected", line.len(), names.len()));
        }
        let cells = Cells { line: &line, places: &places };
        all.push(cells.passenger().map_err(|what| format!("line {number}: {what}"))?);
    }
    match all.len() {
        0 => Err("no passengers".into()),
        _ => Ok(all),
    }
}

/// The names of the columns, what is behind them, and the number of lines before that.
fn header(text: &str) -> Result<(Vec<String>, &str, usize), String> {
    if !text.trim_start().starts_with(['@', '%']) {
        let (first, data) = text.split_once('\n').unwrap_or((text, ""));
        return Ok((
            first.trim().split(',').map(|name| name.trim_matches('"').to_lowercase()).collect(),
            data,
            1,
        ));
    }
    let head = |line: &&str| !line.trim().eq_ignore_ascii_case("@data");
    let names = text.lines().take_while(head).filter_map(|line| line.strip_prefix("@attribute "));
    let names =
        names.filter_map(|rest| Some(rest.split_whitespace().next()?.trim_matches('\'').to_lowercase()));
    let before = text.lines().take_while(head).count() + 1;
    let data = text.match_indices('\n').nth(before - 1).map(|(at, _)| &text[at + 1..]);
    Ok((names.collect(), data.ok_or("no line @data")?, before))
}

/// A line by the names of its columns.
struct Cells<'a> {
    line: &'a csv::StringRecord,
    places: &'a BTreeMap<&'static str, usize>,
}

impl Cells<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        let cell = self.places.get(name).and_then(|at| self.line.get(*at));
        cell.map(str::trim).filter(|cell| !cell.is_empty() && *cell != "?")
    }

    fn number(&self, name: &str) -> Result<Option<f64>, String> {
        let Some(cell) = self.text(name) else { return Ok(None) };
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(Some(number)),
            _ => Err(format!("{name} is `{cell}`; a number from 0 up was expected")),
        }
    }

    /// The place of a cell among what it may be.
    fn one_of(&self, name: &str, choices: &[&str]) -> Result<usize, String> {
        let cell = self.text(name).unwrap_or("nothing");
        let place = choices.iter().position(|choice| *choice == cell);
        place.ok_or_else(|| format!("{name} is `{cell}`; one of {} was expected", choices.join(", ")))
    }

    fn passenger(&self) -> Result<Passenger, String> {
        Ok(Passenger {
            survived: self.one_of("survived", &["0", "1"])? == 1,
            class: self.one_of("pclass", &["1", "2", "3"])? as u8 + 1,
            name: self.text("name").unwrap_or_default().into(),
            female: self.one_of("sex", &["male", "female"])? == 1,
            age: self.number("age")?,
            siblings_spouses: self.number("sibsp")?.unwrap_or(0.0),
            parents_children: self.number("parch")?.unwrap_or(0.0),
            ticket: self.text("ticket").unwrap_or_default().into(),
            fare: self.number("fare")?,
            cabin: self.text("cabin").map(str::to_string),
            port: self.text("embarked").map(str::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/titanic.arff.gz");
        let all = read(&file).expect("the file beside the example");
        assert_eq!((all.len(), all.iter().filter(|p| p.survived).count()), (1309, 500));
        assert_eq!(
            (all[1].surname(), all[1].age, all[1].cabin.as_deref()),
            ("Allison", Some(0.9167), Some("C22 C26"))
        );
        assert_eq!((all[15].age, all[1308].fare), (None, Some(7.875)));
        assert_eq!(
            (all.iter().filter(|p| p.female).count(), all.iter().filter(|p| p.age.is_none()).count()),
            (466, 263)
        );
    }

    #[test]
    fn faults_are_told_with_line_and_column() {
        let names = "survived,pclass,name,sex,age,sibsp,parch,ticket,fare,cabin,embarked";
        let told = |text: &str| parse(text).expect_err("a fault");
        let line = |line: &str| told(&format!("{names}\n0,3,\"A, Mr. B\",male,,0,0,1,7,,S\n{line}\n"));
        assert!(told("survived,name\n1,x\n").starts_with("no column pclass, sex, age"));
        assert_eq!(line("2,3,x,male,,0,0,1,7,,S"), "line 3: survived is `2`; one of 0, 1 was expected");
        assert_eq!(line(",3,x,male,,0,0,1,7,,S"), "line 3: survived is `nothing`; one of 0, 1 was expected");
        assert_eq!(line("1,4,x,male,,0,0,1,7,,S"), "line 3: pclass is `4`; one of 1, 2, 3 was expected");
        assert_eq!(
            line("1,3,x,male,old,0,0,1,7,,S"),
            "line 3: age is `old`; a number from 0 up was expected"
        );
        assert_eq!(line("1,3"), "line 3 has 2 columns; 11 were expected");
        assert_eq!((told(names), told("@relation x\n").as_str()), ("no passengers".into(), "no line @data"));
        assert!(read(Path::new("no such file")).is_err());
    }
}
