//! What a run tells of itself: a row of numbers for each part, as CSV, TensorBoard events and curves.

use crate::events::Events;
use crate::svg::{self, Line, Plot};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Numbers by part, the first part being 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// What is measured.
    names: Vec<String>,
    /// Seconds after 1970, then the numbers.
    rows: Vec<Vec<f64>>,
}

impl Metrics {
    /// One row more; all rows have the names of the first.
    pub fn push(&mut self, wall: f64, values: &[(&str, f64)]) {
        if self.names.is_empty() {
            self.names = values.iter().map(|(name, _)| name.to_string()).collect();
        }
        let value = |name: &String| values.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, v)| *v);
        self.rows.push([wall].into_iter().chain(self.names.iter().map(value)).collect());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One measure over all parts.
    pub fn series(&self, name: &str) -> Vec<f64> {
        let column = self.names.iter().position(|n| n == name);
        self.rows.iter().filter_map(|row| Some(row[column? + 1])).collect()
    }

    /// The rows as text, exactly.
    pub fn encode(&self) -> String {
        let row = |row: &Vec<f64>| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        [self.names.join(",")].into_iter().chain(self.rows.iter().map(row)).collect::<Vec<_>>().join("\n")
    }

    /// What [`Metrics::encode`] wrote; `None` if it isn't of that form.
    pub fn decode(text: &str) -> Option<Metrics> {
        let mut lines = text.lines();
        let names: Vec<String> = lines.next()?.split(',').map(str::to_string).collect();
        let row = |line: &str| line.split(',').map(|v| v.parse().ok()).collect::<Option<Vec<f64>>>();
        let rows = lines.map(row).collect::<Option<Vec<_>>>()?;
        rows.iter().all(|row| row.len() == names.len() + 1).then_some(Metrics { names, rows })
    }

    /// A curve a measure, one below the other.
    pub fn curves(&self, part: &str) -> String {
        let plot = |name: &String| {
            let points =
                self.series(name).into_iter().enumerate().map(|(i, v)| (i as f64 + 1.0, v)).collect();
            let lines = vec![Line { name: "", colour: "royalblue", points }];
            Plot { title: format!("{name} by {part}"), lines, ..Plot::default() }
        };
        svg::page(&self.names.iter().map(plot).collect::<Vec<_>>())
    }
}

/// The files that grow with each part.
pub struct Writer {
    csv: File,
    events: Events,
}

impl Writer {
    /// Files in a folder with the rows so far, which replace what was there.
    pub fn create(folder: &Path, part: &str, metrics: &Metrics) -> io::Result<Writer> {
        let csv = File::create(folder.join("metrics.csv"))?;
        let mut writer = Writer { csv, events: Events::create(&folder.join("events.out.tfevents.kiln"))? };
        for row in 0..metrics.len() {
            writer.row(part, metrics, row)?;
        }
        Ok(writer)
    }

    /// A row, behind the names where it is the first one.
    pub fn row(&mut self, part: &str, metrics: &Metrics, row: usize) -> io::Result<()> {
        if row == 0 {
            writeln!(self.csv, "{part},{}", metrics.names.join(","))?;
        }
        let (wall, values) = (metrics.rows[row][0], &metrics.rows[row][1..]);
        let cells: Vec<String> = values.iter().map(f64::to_string).collect();
        writeln!(self.csv, "{},{}", row + 1, cells.join(","))?;
        for (name, value) in metrics.names.iter().zip(values) {
            self.events.scalar(wall, row as u64 + 1, name, *value)?;
        }
        Ok(())
    }
}
