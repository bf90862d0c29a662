//! The training loop, and what comes out.

use crate::assign::targets;
use crate::boxes::{Choice, Found, Rect, chosen};
use crate::draw;
use crate::measure::{self, Curve};
use crate::net::{self, BOXES, CLASSES, ROW, SIDE, Yolo, train_step};
use crate::scene::{Scene, Truth};
use kiln::optim::schedule;
use kiln::prelude::*;
use kiln_examples::mnist::Images;
use kiln_examples::picture::Picture;
use kiln_examples::run::Run;
use kiln_examples::svg::{self, Line, Plot};
use kiln_examples::{Result, Training};
use std::time::Instant;

/// Pictures of a step.
const BATCH: usize = 16;
/// The highest rate.
const LEARNING_RATE: f64 = 4e-3;
/// For the curve even what is hardly likely counts.
const ALL: Choice = Choice { score: 0.005, overlap: 0.45 };
/// What is drawn.
const LIKELY: Choice = Choice { score: 0.4, overlap: 0.45 };

/// A net that learns, and its optimizer.
pub type Learner = Training<Yolo, AdamW<Yolo>>;

/// A net of random weights.
pub fn begin(seed: u64) -> Learner {
    let mut rng = Rng::seed(seed);
    let net = net::begin(&mut rng);
    Training { opt: AdamW::new(&net, LEARNING_RATE).weight_decay(0.02), net, rng }
}

/// Trains a net on pictures each of which is seen once.
pub fn train(all: &mut Learner, images: &Images, steps: usize, test: &[Scene], run: &mut Run) -> Result<()> {
    let epochs = run.rest();
    let total = (epochs.end * steps) as u64;
    for _ in epochs {
        let (mut sum, start) = (0.0, Instant::now());
        for step in 0..steps {
            run.within(step, steps);
            let Training { net, opt, rng } = &mut *all;
            let scenes: Vec<Scene> = (0..BATCH).map(|_| Scene::new(images, rng)).collect();
            let truths: Vec<&[Truth]> = scenes.iter().map(|scene| scene.truths.as_slice()).collect();
            let (want, class) = targets(&truths)?;
            // Up in a line, then down to 0 along half a cosine (Loshchilov and Hutter, 2017).
            opt.lr = schedule::warmup_cosine(LEARNING_RATE, opt.steps() as u64 + 1, total / 20, total + 1);
            sum += f64::from(train_step(net, opt, pixels(&scenes)?, &want, &class)?.item()?);
        }
        let speed = (steps * BATCH) as f64 / start.elapsed().as_secs_f64();
        let map = measure::mean(&curves(&mut all.net, test)?);
        let values = [("loss", sum / steps as f64), ("held-out mAP@0.5", map)];
        run.log(&values, &format!("{speed:.0} pictures/s"), all)?;
    }
    Ok(())
}

/// Pictures `[N, 1, SIDE, SIDE]`.
fn pixels(scenes: &[Scene]) -> kiln::Result<Tensor> {
    let pixels = scenes.iter().flat_map(|scene| scene.pixels.iter().copied()).collect();
    Tensor::from_vec([scenes.len(), 1, SIDE, SIDE], pixels)
}

/// Pictures of digits that nothing is learned from, the same for each run.
pub fn held_out(images: &Images, count: usize) -> Vec<Scene> {
    let mut rng = Rng::seed(640);
    (0..count).map(|_| Scene::new(images, &mut rng)).collect()
}

/// What is found in each picture.
fn found(net: &mut Yolo, scenes: &[Scene], how: Choice) -> kiln::Result<Vec<Vec<Found>>> {
    let mut all = Vec::new();
    for part in scenes.chunks(BATCH) {
        let rows = net::found(&mut *net, pixels(part)?)?;
        all.extend(rows.as_slice().chunks_exact(BOXES * ROW).map(|rows| chosen(rows, ROW, how)));
    }
    Ok(all)
}

/// Precision by recall of each digit.
pub fn curves(net: &mut Yolo, scenes: &[Scene]) -> kiln::Result<Vec<Option<Curve>>> {
    let found = found(net, scenes, ALL)?;
    let truths = scenes.iter().map(|scene| scene.truths.as_slice());
    Ok(measure::curves(&found.into_iter().zip(truths).collect::<Vec<_>>(), CLASSES))
}

/// The curves as SVG, a line a digit.
pub fn chart(curves: &[Option<Curve>]) -> String {
    const COLOURS: [&str; CLASSES] = [
        "royalblue",
        "crimson",
        "seagreen",
        "darkorange",
        "purple",
        "teal",
        "deeppink",
        "olive",
        "sienna",
        "black",
    ];
    let names: Vec<String> = curves
        .iter()
        .enumerate()
        .map(|(digit, curve)| format!("{digit}: {:.4}", curve.as_ref().map_or(f64::NAN, |c| c.average)))
        .collect();
    let line = |(i, curve): (usize, &Option<Curve>)| {
        let points = curve.as_ref().map_or(Vec::new(), |curve| curve.points.clone());
        Line { name: &names[i], colour: COLOURS[i % CLASSES], points }
    };
    let title = format!("precision by recall, mAP@0.5 {:.4}", measure::mean(curves));
    svg::page(&[Plot { title, lines: curves.iter().enumerate().map(line).collect(), ..Plot::default() }])
}

/// Pixels of the drawing for one of the picture.
const ZOOM: usize = 2;

/// Some pictures, so many in a row, with what is found in them; the truth is a thin white line.
pub fn drawing(net: &mut Yolo, scenes: &[Scene], columns: usize) -> kiln::Result<Picture> {
    let names: Vec<String> = (0..CLASSES).map(|digit| digit.to_string()).collect();
    let (cell, rows) = (SIDE * ZOOM + 2, scenes.len().div_ceil(columns.max(1)));
    let mut all = Picture::new(columns * cell + 2, rows * cell + 2, [40, 40, 60]);
    for (i, (scene, found)) in scenes.iter().zip(found(net, scenes, LIKELY)?).enumerate() {
        let larger = |r: Rect| Rect {
            left: r.left * ZOOM as f32,
            top: r.top * ZOOM as f32,
            right: r.right * ZOOM as f32,
            bottom: r.bottom * ZOOM as f32,
        };
        let mut picture = Picture::new(SIDE * ZOOM, SIDE * ZOOM, [0; 3]);
        picture.grey((0, 0), &scene.pixels, SIDE, ZOOM);
        scene.truths.iter().for_each(|t| draw::frame(&mut picture, larger(t.rect), 1, [255; 3]));
        let found: Vec<Found> = found.into_iter().map(|f| Found { rect: larger(f.rect), ..f }).collect();
        draw::draw(&mut picture, &found, &names, ZOOM);
        all.put((i % columns * cell + 2, i / columns * cell + 2), &picture);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One image, a bar that is said to be a four.
    fn a_four() -> Images {
        let lit = |i: usize| (8..20).contains(&(i % 28)) && (6..22).contains(&(i / 28));
        Images { pixels: (0..28 * 28).map(|i| f32::from(u8::from(lit(i)))).collect(), labels: vec![4] }
    }

    #[test]
    fn a_stop_changes_no_bit() {
        let (images, train) = (a_four(), super::train);
        let test = held_out(&images, 1);
        kiln_examples::stop::changes_no_bit(
            "detect",
            || begin(0),
            |all, run| train(all, &images, 1, &test, run),
        );
    }

    /// A few steps on the same pictures lower the loss, and all of it stays numbers.
    #[test]
    fn a_net_learns_two_pictures() {
        let scenes = held_out(&a_four(), 2);
        let truths: Vec<&[Truth]> = scenes.iter().map(|scene| scene.truths.as_slice()).collect();
        let (want, class) = targets(&truths).expect("two pictures");
        let Training { mut net, mut opt, .. } = begin(0);
        let mut step = || {
            let x = pixels(&scenes)?;
            train_step(&mut net, &mut opt, x, &want, &class)?.item()
        };
        let first = step().expect("shapes fit");
        let last = (0..15).map(|_| step().expect("shapes fit")).last().expect("fifteen");
        assert!(first.is_finite() && last < 0.8 * first, "{first} {last}");
        assert_eq!(curves(&mut net, &scenes).expect("shapes fit").iter().flatten().count(), 1);
    }
}
