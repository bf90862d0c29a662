//! The series, what the net sees of it, and how good a forecast is.

use crate::net::FEATURES;
use kiln::prelude::*;
use std::path::Path;

/// Months of a year.
pub const YEAR: usize = 12;

/// The column with passengers.
const COLUMN: &str = "AirPassengers";
/// Lines of the file behind the names.
const MONTHS: usize = 144;

/// Reads passengers by month, the first of January 1949.
pub fn read(path: &Path) -> Result<Vec<f64>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string());
    text.and_then(|text| parse(&text)).map_err(|what| format!("{}: {what}", path.display()))
}

fn parse(text: &str) -> Result<Vec<f64>, String> {
    let mut file = csv::Reader::from_reader(text.as_bytes());
    let names = file.headers().map_err(|e| e.to_string())?.clone();
    let column = names.iter().position(|n| n == COLUMN);
    let column = column.ok_or_else(|| {
        format!("no column {COLUMN}; there are {}", names.iter().collect::<Vec<_>>().join(", "))
    })?;
    let mut months = Vec::new();
    for (i, row) in file.records().enumerate() {
        let row = row.map_err(|e| e.to_string())?;
        let cell = row.get(column).unwrap_or_default();
        match cell.parse::<f64>() {
            Ok(month) if month > 0.0 && month.is_finite() => months.push(month),
            _ => return Err(format!("line {}: {COLUMN} is `{cell}`; a number above 0 was expected", i + 2)),
        }
    }
    match months.len() {
        MONTHS => Ok(months),
        n => Err(format!("{MONTHS} months were expected, {n} are there")),
    }
}

/// Growth of the logarithm over a year, to mean 0 and deviation 1 by what is known.
pub struct Growth {
    mean: f64,
    deviation: f64,
    /// Of month `YEAR` and those behind it.
    pub values: Vec<f64>,
}

impl Growth {
    /// Of the months that are known.
    pub fn of(known: &[f64]) -> Growth {
        let raw: Vec<f64> = known.iter().zip(&known[YEAR..]).map(|(old, new)| (new / old).ln()).collect();
        let mean = raw.iter().sum::<f64>() / raw.len() as f64;
        let deviation = (raw.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / raw.len() as f64).sqrt();
        Growth { mean, deviation, values: raw.iter().map(|g| (g - mean) / deviation).collect() }
    }

    /// The month that follows the year before by this growth.
    pub fn month(&self, year_before: f64, growth: f64) -> f64 {
        year_before * (self.mean + self.deviation * growth).exp()
    }
}

/// What the net sees of growth numbers `first ..`, which stand so many months behind January.
pub fn features(values: &[f64], first: usize) -> Vec<f32> {
    let month = |(i, g): (usize, &f64)| {
        // The next month's place in the year is known.
        let angle = std::f64::consts::TAU * ((first + i + 1) % YEAR) as f64 / YEAR as f64;
        [*g as f32, angle.sin() as f32, angle.cos() as f32]
    };
    values.iter().enumerate().flat_map(month).collect()
}

/// All windows of so many months as a batch, `[T, B, FEATURES]`, and what follows each month, `[T, B, 1]`.
pub fn windows(values: &[f64], steps: usize) -> kiln::Result<(Tensor, Tensor)> {
    let count = values.len() - steps;
    let all: Vec<Vec<f32>> = (0..count).map(|i| features(&values[i..i + steps], i)).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for t in 0..steps {
        for (i, window) in all.iter().enumerate() {
            x.extend_from_slice(&window[t * FEATURES..][..FEATURES]);
            y.push(values[i + t + 1] as f32);
        }
    }
    Ok((Tensor::from_vec([steps, count, FEATURES], x)?, Tensor::from_vec([steps, count, 1], y)?))
}

/// Each month as it was in the last year that is known.
pub fn seasonal_naive(known: &[f64], months: usize) -> Vec<f64> {
    (0..months).map(|i| known[known.len() - YEAR + i % YEAR]).collect()
}

/// Mean absolute error, root mean squared error, and mean absolute error in per cent.
pub fn errors(forecast: &[f64], truth: &[f64]) -> [f64; 3] {
    let n = truth.len() as f64;
    let sum = |of: fn(f64, f64) -> f64| forecast.iter().zip(truth).map(|(f, t)| of(*f, *t)).sum::<f64>() / n;
    [sum(|f, t| (f - t).abs()), sum(|f, t| (f - t).powi(2)).sqrt(), 100.0 * sum(|f, t| ((f - t) / t).abs())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_nonsense_is_refused() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/AirPassengers.csv");
        let months = read(&file).expect("the file beside the example");
        assert_eq!((months[0], months[143]), (112.0, 432.0));
        assert!(read(Path::new("no such file")).is_err());
        let other = read(&file.with_file_name("papers.csv")).expect_err("no passengers");
        assert!(other.contains("papers.csv: no column AirPassengers; there are "), "{other}");
    }

    #[test]
    fn faults_are_told_with_line_and_column() {
        let told = |text: &str| parse(text).expect_err("a fault");
        assert_eq!(told("month,passengers\n1,112\n"), "no column AirPassengers; there are month, passengers");
        assert_eq!(
            told("a,AirPassengers\n1,112\n2,many\n"),
            "line 3: AirPassengers is `many`; a number above 0 was expected"
        );
        assert_eq!(
            told("a,AirPassengers\n1,0\n"),
            "line 2: AirPassengers is `0`; a number above 0 was expected"
        );
        assert_eq!(told("a,AirPassengers\n1,112\n"), "144 months were expected, 1 are there");
        let short = told("a,AirPassengers\n1\n");
        assert!(short.contains("line: 2") && !short.contains('\n'), "{short}");
    }

    #[test]
    fn growth_is_turned_back_into_months() {
        let months: Vec<f64> = (0..40).map(|i| 100.0 + f64::from(i * i % 17)).collect();
        let growth = Growth::of(&months);
        assert!((growth.month(months[3], growth.values[3]) - months[15]).abs() < 1e-9);
        let (x, y) = windows(&growth.values, 5).expect("shapes fit");
        assert_eq!((x.shape(), y.shape()), (&[5, 23, 3][..], &[5, 23, 1][..]));
        assert_eq!(x.as_slice()[(23 + 1) * 3], growth.values[2] as f32);
        assert_eq!(y.as_slice()[0], growth.values[1] as f32);
    }

    #[test]
    fn naive_repeats_a_year_and_errors_are_measured() {
        let months: Vec<f64> = (0..24).map(f64::from).collect();
        assert_eq!(seasonal_naive(&months, 14)[11..], [23.0, 12.0, 13.0]);
        assert_eq!(errors(&[2.0, 2.0], &[1.0, 4.0]), [1.5, 2.5f64.sqrt(), 75.0]);
    }
}
