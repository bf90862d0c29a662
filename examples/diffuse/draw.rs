//! From noise to pictures, and whether they show what was asked for.

use crate::net::{CLASSES, UNet, sample_step};
use crate::train::angle;
use kiln::prelude::*;
use kiln_examples::mnist::{Images, SIDE};
use kiln_examples::progress::Progress;

/// How pictures are drawn.
pub struct Draw {
    /// Pictures of each class.
    pub rows: usize,
    /// Steps from noise to picture.
    pub steps: usize,
    /// Share of the noise that is drawn anew: 0 for DDIM, 1 for DDPM.
    pub eta: f32,
    /// How far beyond what the class asks for.
    pub guidance: f32,
}

/// Rows of pictures, one of each class.
pub fn draw(net: &UNet, how: &Draw, rng: &mut Rng) -> kiln::Result<Images> {
    let count = how.rows * CLASSES;
    let labels: Vec<i64> = (0..count).map(|i| (i % CLASSES) as i64).collect();
    let noise = (0..count * SIDE * SIDE).map(|_| rng.normal()).collect();
    let mut x = Tensor::from_vec([count, 1, SIDE, SIDE], noise)?;
    let mut progress = Progress::new("step", how.steps, 0);
    for step in 0..how.steps {
        let at = |step: usize| angle(1.0 - step as f32 / how.steps as f32);
        let (now, next) = (at(step), at(step + 1));
        let noise = how.eta * fresh(now, next);
        x = sample_step(net, &x, &labels, now, next, noise, how.guidance, rng)?;
        progress.step(String::new());
    }
    progress.finish();
    Ok(Images { pixels: x.as_slice().iter().map(|x| (x + 1.0) / 2.0).collect(), labels })
}

/// The deviation of the noise that DDPM draws anew between two angles: `sin φ' / sin φ · √(1 − cos² φ / cos² φ')`.
fn fresh(now: f32, next: f32) -> f32 {
    next.sin() / now.sin() * (1.0 - (now.cos() / next.cos()).powi(2)).max(0.0).sqrt()
}

/// What pictures look like: what most of the five images of all that are nearest show.
pub fn read(pictures: &Images, known: &Images) -> Vec<i64> {
    (0..pictures.len()).map(|i| nearest(pictures.image(i), known)).collect()
}

fn nearest(picture: &[f32], known: &Images) -> i64 {
    let far = |i: usize| picture.iter().zip(known.image(i)).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let mut order: Vec<(f32, i64)> = (0..known.len()).map(|i| (far(i), known.labels[i])).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let votes = |label: i64| order.iter().take(5).filter(|(_, l)| *l == label).count();
    (0..CLASSES as i64).max_by_key(|label| votes(*label)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_examples::mnist::PIXELS;

    /// Noise drawn anew and noise kept are together what the next angle has.
    #[test]
    fn a_step_keeps_the_share_of_noise() {
        for step in 1..50 {
            let (now, next) = (angle(step as f32 / 50.0), angle((step - 1) as f32 / 50.0));
            let anew = fresh(now, next);
            assert!(anew > 0.0 && anew < next.sin(), "{anew} of {}", next.sin());
        }
    }

    /// A net of zeros says that nothing but the mixture is known: every step turns it, whatever the guidance.
    #[test]
    fn zeros_turn_the_mixture() {
        let mut rng = Rng::seed(0);
        let net = UNet::init(&mut rng).zeros_like();
        let x = Tensor::from_vec([1, 1, SIDE, SIDE], vec![0.5; PIXELS]).expect("as many");
        let y = sample_step(&net, &x, [3], 0.9, 0.7, 0.0, 5.0, &mut rng).expect("shapes fit");
        let want = 0.5 * (0.9f32 - 0.7).cos();
        assert!(y.as_slice().iter().all(|y| (y - want).abs() < 1e-5), "{} {want}", y.as_slice()[0]);
    }

    #[test]
    fn pictures_are_read_by_their_neighbours() {
        let image = |grey: f32| vec![grey; PIXELS];
        let pixels = [0.1, 0.11, 0.12, 0.8, 0.81, 0.82].map(image).concat();
        let known = Images { pixels, labels: vec![1, 1, 1, 7, 7, 7] };
        let asked = Images { pixels: [image(0.2), image(0.7)].concat(), labels: vec![1, 1] };
        assert_eq!(read(&asked, &known), [1, 7]);
    }
}
