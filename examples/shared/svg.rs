//! Lines as an SVG file.

use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 60.0;

/// A line of a picture.
pub struct Line<'a> {
    /// What it shows.
    pub name: &'a str,
    /// A colour of SVG.
    pub colour: &'a str,
    /// From left to right. What isn't finite is left out.
    pub points: Vec<(f64, f64)>,
}

/// A line of a value for each step from `first` on.
pub fn steps<'a>(name: &'a str, colour: &'a str, first: usize, values: &[f64]) -> Line<'a> {
    let points = values.iter().enumerate().map(|(i, v)| ((first + i) as f64, *v)).collect();
    Line { name, colour, points }
}

/// How numbers become places.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Scale {
    /// As they are; upwards from 0 where none is less.
    #[default]
    Linear,
    /// By their logarithms; what isn't above 0 is left out.
    Log,
}

/// Lines over a common ground.
#[derive(Default)]
pub struct Plot<'a> {
    /// What is shown, and in which unit.
    pub title: String,
    /// The lines.
    pub lines: Vec<Line<'a>>,
    /// From left to right.
    pub x: Scale,
    /// Upwards.
    pub y: Scale,
    /// Places on the axis and their names; some places by their numbers where there are none.
    pub names: Vec<(f64, String)>,
}

/// Plots, one below the other.
pub fn page(plots: &[Plot]) -> String {
    let all = HEIGHT * plots.len() as f64;
    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {all}' font-family='sans-serif'>\n\
         <rect width='100%' height='100%' fill='white'/>\n"
    );
    for (i, plot) in plots.iter().enumerate() {
        let _ = write!(out, "<g transform='translate(0,{})'>\n{}</g>\n", HEIGHT * i as f64, drawn(plot)); // A string takes it.
    }
    out + "</svg>\n"
}

/// From the least to the greatest number of an axis.
struct Axis(Scale, f64, f64);

impl Axis {
    fn of(scale: Scale, from_zero: bool, values: impl Iterator<Item = f64>) -> Axis {
        let shown = |v: &f64| v.is_finite() && (scale == Scale::Linear || *v > 0.0);
        let (low, high) = values.filter(shown).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        match scale {
            _ if low > high => Axis(scale, 1.0, 2.0),
            Scale::Linear if from_zero => {
                Axis(scale, low.min(0.0), high.max(low.min(0.0) + f64::MIN_POSITIVE))
            }
            Scale::Linear => Axis(scale, low, high.max(low + 1.0)),
            Scale::Log => Axis(scale, low, high.max(low * 1.01)),
        }
    }

    /// A number's place between 0 and 1.
    fn place(&self, v: f64) -> f64 {
        let Axis(scale, low, high) = self;
        match scale {
            Scale::Linear => (v - low) / (high - low),
            Scale::Log => (v / low).ln() / (high / low).ln(),
        }
    }

    /// Numbers that are written beside it.
    fn marks(&self) -> Vec<f64> {
        let Axis(scale, low, high) = *self;
        let share = |i: i32| f64::from(i) / 4.0;
        match scale {
            Scale::Linear => (0..5).map(|i| low + (high - low) * share(i)).collect(),
            Scale::Log => (0..5).map(|i| low * (high / low).powf(share(i))).collect(),
        }
    }
}

fn drawn(plot: &Plot) -> String {
    let points = || plot.lines.iter().flat_map(|line| &line.points);
    let across = Axis::of(plot.x, false, points().map(|p| p.0));
    let up = Axis::of(plot.y, true, points().map(|p| p.1));
    let x = |v: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * across.place(v);
    let y = |v: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * up.place(v);
    let mut out = format!("<text x='{MARGIN}' y='25' font-size='16'>{}</text>\n", escaped(&plot.title));
    let mut add = |line: std::fmt::Arguments| {
        let _ = writeln!(out, "{line}"); // A string takes it.
    };
    let numbers = || across.marks().into_iter().map(|v| (v, short(v))).collect();
    for (at, name) in if plot.names.is_empty() { numbers() } else { plot.names.clone() } {
        add(format_args!("<text x='{:.1}' y='{}' font-size='10'>{name}</text>", x(at), HEIGHT - 35.0));
    }
    for value in up.marks() {
        let at = y(value);
        add(format_args!("<text x='5' y='{at:.1}' font-size='10'>{}</text>", short(value)));
        add(format_args!("<path d='M{MARGIN},{at:.1}H{}' stroke='#ddd'/>", WIDTH - MARGIN));
    }
    for (i, line) in plot.lines.iter().enumerate() {
        let shown =
            line.points.iter().map(|p| (x(p.0), y(p.1))).filter(|(x, y)| x.is_finite() && y.is_finite());
        let places: Vec<String> = shown.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let (colour, at) = (line.colour, 50 + 16 * i);
        add(format_args!(
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='1.5'/>",
            places.join(" ")
        ));
        add(format_args!(
            "<text x='{}' y='{at}' font-size='12' fill='{colour}'>{}</text>",
            MARGIN + 10.0,
            escaped(line.name)
        ));
    }
    out
}

/// A number with as many digits as it takes to tell it from its neighbours.
fn short(v: f64) -> String {
    match v.abs() {
        0.0 => "0".into(),
        a if !(0.001..100_000.0).contains(&a) => format!("{v:.1e}"),
        a if a >= 100.0 => format!("{v:.0}"),
        a if a >= 1.0 => format!("{v:.2}"),
        _ => format!("{v:.4}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_between_the_margins_and_what_has_none_is_left_out() {
        let line = steps("a & b", "red", 1, &[1.0, f64::NAN, 100.0, 0.0]);
        let plot = Plot { title: "x < y".into(), lines: vec![line], y: Scale::Log, ..Plot::default() };
        let page = page(&[plot]);
        assert!(page.contains("points='60.0,340.0 513.3,60.0'"), "{page}");
        assert!(page.contains("a &amp; b") && page.contains("x &lt; y"));
    }

    #[test]
    fn a_plot_without_points_is_still_one() {
        assert!(page(&[Plot::default()]).ends_with("</g>\n</svg>\n"));
    }
}
