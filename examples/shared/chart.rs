//! Pictures in the terminal: a curve, a few digits.

use crate::mnist::Images;

/// Lines of a curve.
const HEIGHT: usize = 8;
/// From dark to bright.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Columns of a curve, at most.
const WIDTH: usize = 80;

/// The curve of a few numbers, from 0 to the largest.
pub fn curve(title: &str, values: &[f64]) -> String {
    let width = (WIDTH / values.len().max(1)).clamp(1, 4);
    let top = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let mut lines = vec![title.to_string()];
    for line in (0..HEIGHT).rev() {
        let cell = |v: &f64| {
            let eighths = (v / top * (8 * HEIGHT) as f64).round() as usize;
            let fill = eighths.saturating_sub(8 * line).min(8);
            [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][fill].to_string().repeat(width)
        };
        let axis = if line + 1 == HEIGHT { format!("{top:7.3} │") } else { format!("{:7} │", "") };
        lines.push(axis + &values.iter().map(cell).collect::<String>());
    }
    lines.push(format!("{:7.3} └{}", 0.0, "─".repeat(width * values.len())));
    lines.join("\n")
}

/// A few images side by side, half as high as they are, with their predictions.
pub fn digits(images: &Images, predictions: &[i64], numbers: &[usize]) -> String {
    let mut lines = Vec::new();
    for row in (0..28).step_by(2) {
        let image = |i: &usize| (0..28).map(|col| shade(images.image(*i), row, col)).collect::<String>();
        lines.push(numbers.iter().map(image).collect::<Vec<_>>().join(" "));
    }
    let caption = |i: &usize| {
        let verdict = if predictions[*i] == images.labels[*i] { "right" } else { "wrong" };
        format!("{:^28}", format!("{} ({verdict}: {})", predictions[*i], images.labels[*i]))
    };
    lines.push(numbers.iter().map(caption).collect::<Vec<_>>().join(" "));
    lines.join("\n")
}

/// Two pixels, one below the other, as a character.
fn shade(image: &[f32], row: usize, col: usize) -> char {
    let grey = (image[row * 28 + col] + image[(row + 1) * 28 + col]) / 2.0;
    SHADES[((grey * 5.0) as usize).min(4)]
}
