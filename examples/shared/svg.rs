//! Lines over time as an SVG file.

use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 50.0;

/// A line of a picture: a value for each step from the first one on.
pub struct Line<'a> {
    /// What it shows.
    pub name: &'a str,
    /// A colour of SVG.
    pub colour: &'a str,
    /// The step of the first value.
    pub first: usize,
    /// Values, from 0 up.
    pub values: &'a [f64],
}

/// The picture, its steps named every now and then: `(step, name)`.
pub fn lines(title: &str, names: &[(usize, String)], lines: &[Line]) -> String {
    let last = lines.iter().map(|l| l.first + l.values.len()).max().unwrap_or(2).max(2) - 1;
    let top = lines.iter().flat_map(|l| l.values).copied().fold(f64::MIN_POSITIVE, f64::max);
    let x = |step: usize| MARGIN + (WIDTH - 2.0 * MARGIN) * step as f64 / last as f64;
    let y = |value: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * value / top;
    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' font-family='sans-serif'>\n"
    );
    let mut add = |line: std::fmt::Arguments| {
        let _ = writeln!(out, "{line}"); // A string takes it.
    };
    add(format_args!("<rect width='100%' height='100%' fill='white'/>"));
    add(format_args!("<text x='{MARGIN}' y='25' font-size='16'>{title}</text>"));
    for (step, name) in names {
        add(format_args!("<text x='{:.1}' y='{}' font-size='10'>{name}</text>", x(*step), HEIGHT - 30.0));
    }
    for value in (0..5).map(|i| top * f64::from(i) / 4.0) {
        let at = y(value);
        add(format_args!("<text x='10' y='{at:.1}' font-size='10'>{value:.0}</text>"));
        add(format_args!("<path d='M{MARGIN},{at:.1}H{}' stroke='#ddd'/>", WIDTH - MARGIN));
    }
    for (i, line) in lines.iter().enumerate() {
        let point = |(k, v): (usize, &f64)| format!("{:.1},{:.1}", x(line.first + k), y(*v));
        let points: Vec<String> = line.values.iter().enumerate().map(point).collect();
        let colour = line.colour;
        add(format_args!(
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='1.5'/>",
            points.join(" ")
        ));
        let at = 50 + 16 * i;
        add(format_args!("<text x='60' y='{at}' font-size='12' fill='{colour}'>{}</text>", line.name));
    }
    out + "</svg>\n"
}
