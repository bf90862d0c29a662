//! Pictures composed of digits: some on a ground that is brighter on a side, turned a little, of any size, and where each one is.

use crate::boxes::Rect;
use crate::net::SIDE;
use kiln::Rng;
use kiln_examples::mnist::{self, Images};

/// Digits of a picture, at most.
const MOST: usize = 6;
/// Sizes of a digit's image against its own, 28 pixels, of which the digit itself has about 20.
const SCALE: [f32; 2] = [0.7, 2.4];
/// Turned by no more, in radians.
const TURN: f32 = 0.2;
/// What two digits may share of the smaller one.
const SHARED: f32 = 0.1;
/// Grey from which a pixel belongs to a digit.
const INK: f32 = 0.3;

/// A digit and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Truth {
    /// The edges of its ink.
    pub rect: Rect,
    /// Which digit.
    pub class: usize,
}

/// A picture.
pub struct Scene {
    /// Grey, `SIDE` × `SIDE`.
    pub pixels: Vec<f32>,
    /// The digits in it.
    pub truths: Vec<Truth>,
}

impl Scene {
    /// A picture of some of the images.
    pub fn new(images: &Images, rng: &mut Rng) -> Scene {
        let mut scene = Scene { pixels: ground(rng), truths: Vec::new() };
        for _ in 0..1 + rng.below(MOST) {
            let number = rng.below(images.len());
            let digit = Digit::new(images.image(number), rng);
            if let Some((left, top)) = scene.place(&digit, rng) {
                scene.paste(&digit, left, top);
                let class = images.labels[number] as usize;
                scene.truths.push(Truth { rect: digit.at(left, top), class });
            }
        }
        scene
    }

    /// A place where it covers little of the others; `None` if some tries find none.
    fn place(&self, digit: &Digit, rng: &mut Rng) -> Option<(usize, usize)> {
        let [width, height] = digit.ink.size().map(|size| size as usize);
        let free = |place: &(usize, usize)| {
            let rect = digit.at(place.0, place.1);
            let much = |t: &Truth| t.rect.shared(&rect) > SHARED * t.rect.area().min(rect.area());
            !self.truths.iter().any(much)
        };
        let mut tries = (0..20).map(|_| (rng.below(SIDE - width + 1), rng.below(SIDE - height + 1)));
        tries.find(free)
    }

    /// The ink's left upper corner comes to a place; the brighter of both is seen.
    fn paste(&mut self, digit: &Digit, left: usize, top: usize) {
        let from = [digit.ink.left as usize, digit.ink.top as usize];
        for (i, grey) in digit.pixels.iter().enumerate() {
            let (x, y) = (left + i % digit.side, top + i / digit.side);
            // Grey beyond the ink's edge may fall outside.
            let (Some(x), Some(y)) = (x.checked_sub(from[0]), y.checked_sub(from[1])) else { continue };
            if x < SIDE && y < SIDE {
                let pixel = &mut self.pixels[y * SIDE + x];
                *pixel = pixel.max(*grey);
            }
        }
    }
}

/// A ground from dark to less dark in some direction, with a little noise.
fn ground(rng: &mut Rng) -> Vec<f32> {
    let [dark, across, down] = std::array::from_fn(|_| 0.1 * rng.uniform());
    let slope = |i: usize| across * (i % SIDE) as f32 / SIDE as f32 + down * (i / SIDE) as f32 / SIDE as f32;
    (0..SIDE * SIDE).map(|i| dark + slope(i) + 0.1 * rng.uniform()).collect()
}

/// An image scaled and turned.
struct Digit {
    side: usize,
    pixels: Vec<f32>,
    /// The edges of its ink.
    ink: Rect,
}

impl Digit {
    fn new(image: &[f32], rng: &mut Rng) -> Digit {
        let scale = SCALE[0] * (SCALE[1] / SCALE[0]).powf(rng.uniform());
        let (sin, cos) = (TURN * (2.0 * rng.uniform() - 1.0)).sin_cos();
        let bright = 0.7 + 0.3 * rng.uniform();
        let side = (mnist::SIDE as f32 * scale).ceil() as usize;
        let middle = (side as f32 - 1.0) / 2.0;
        let pixel = |i: usize| {
            let (x, y) = ((i % side) as f32 - middle, (i / side) as f32 - middle);
            bright * sampled(image, (cos * x + sin * y) / scale + 13.5, (cos * y - sin * x) / scale + 13.5)
        };
        let pixels: Vec<f32> = (0..side * side).map(pixel).collect();
        let ink = ink(&pixels, side);
        Digit { side, pixels, ink }
    }

    /// Where its ink is if its left upper corner comes to a place.
    fn at(&self, left: usize, top: usize) -> Rect {
        let [width, height] = self.ink.size();
        let (left, top) = (left as f32, top as f32);
        Rect { left, top, right: left + width, bottom: top + height }
    }
}

/// Between four pixels by how near they are; black outside.
fn sampled(image: &[f32], x: f32, y: f32) -> f32 {
    let side = mnist::SIDE as f32;
    let at = |x: f32, y: f32| {
        let inside = (0.0..side).contains(&x) && (0.0..side).contains(&y);
        if inside { image[y as usize * mnist::SIDE + x as usize] } else { 0.0 }
    };
    let (left, top) = (x.floor(), y.floor());
    let (a, b) = (x - left, y - top);
    let row = |y: f32| (1.0 - a) * at(left, y) + a * at(left + 1.0, y);
    (1.0 - b) * row(top) + b * row(top + 1.0)
}

/// The edges of what is brighter than [`INK`]; a pixel in the middle where nothing is.
fn ink(pixels: &[f32], side: usize) -> Rect {
    let lit =
        || pixels.iter().enumerate().filter(|(_, grey)| **grey > INK).map(|(i, _)| (i % side, i / side));
    let none = (side / 2, side / 2);
    let edges = |of: fn(&(usize, usize)) -> usize| {
        let (low, high) = (lit().map(|p| of(&p)).min(), lit().map(|p| of(&p)).max());
        (low.unwrap_or(of(&none)) as f32, high.unwrap_or(of(&none)) as f32 + 1.0)
    };
    let ((left, right), (top, bottom)) = (edges(|p| p.0), edges(|p| p.1));
    Rect { left, top, right, bottom }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of ink, so that its edges are known.
    fn squares() -> Images {
        let lit = |i: usize| (8..20).contains(&(i % 28)) && (6..22).contains(&(i / 28));
        Images { pixels: (0..28 * 28).map(|i| f32::from(u8::from(lit(i)))).collect(), labels: vec![4] }
    }

    #[test]
    fn boxes_are_around_the_ink() {
        let images = squares();
        for seed in 0..20 {
            let scene = Scene::new(&images, &mut Rng::seed(seed));
            assert!((1..=MOST).contains(&scene.truths.len()));
            for truth in &scene.truths {
                let Rect { left, top, right, bottom } = truth.rect;
                assert!(left >= 0.0 && top >= 0.0 && right <= SIDE as f32 && bottom <= SIDE as f32);
                let lit = |x: f32, y: f32| scene.pixels[y as usize * SIDE + x as usize] > INK;
                assert!((top as usize..bottom as usize).any(|y| lit(left, y as f32)));
                assert!((left as usize..right as usize).any(|x| lit(x as f32, bottom - 1.0)));
                let [width, height] = truth.rect.size();
                assert!((8.0..46.0).contains(&width) && (11.0..54.0).contains(&height), "{width} {height}");
            }
        }
    }

    #[test]
    fn the_same_seed_composes_the_same_picture() {
        let [a, b] = [0, 1].map(|_| Scene::new(&squares(), &mut Rng::seed(5)));
        assert!(a.pixels == b.pixels);
    }

    #[test]
    fn an_image_without_ink_has_a_box_all_the_same() {
        assert_eq!(ink(&[0.0; 16], 4), Rect { left: 2.0, top: 2.0, right: 3.0, bottom: 3.0 });
        let empty = Images { pixels: vec![0.0; 28 * 28], labels: vec![0] };
        assert!(!Scene::new(&empty, &mut Rng::seed(0)).truths.is_empty());
    }
}
