//! Volumes as a scanner makes them: ellipsoids somewhat brighter than what is around, a field that brightens and darkens slowly
//! from place to place, and noise. A number says which volume; the same one gives the same bits.

use kiln::prelude::*;

/// Deviation of the noise, where an ellipsoid is about 1 brighter than what is around.
const NOISE: f32 = 0.5;
/// Deviation of the coefficients of the field's logarithm, a polynomial of nine terms that are up to 1.
const FIELD: f32 = 0.2;

/// A volume and the truth about it.
pub struct Volume {
    /// Voxels of a side.
    pub side: usize,
    /// Brightness, of mean 0 and variance 1.
    pub voxels: Vec<f32>,
    /// 1 inside an ellipsoid, 0 outside.
    pub inside: Vec<f32>,
}

impl Volume {
    /// The volume of a number; sides are from −1 to 1.
    pub fn new(number: u64, side: usize) -> Volume {
        let mut rng = Rng::seed(number);
        let ellipsoids: Vec<Ellipsoid> = (0..2 + rng.below(4)).map(|_| Ellipsoid::new(&mut rng)).collect();
        let field: [f32; 9] = std::array::from_fn(|_| FIELD * rng.normal());
        let (mut voxels, mut inside) = (Vec::new(), Vec::new());
        for i in 0..side.pow(3) {
            let at = [i / (side * side), i / side % side, i % side]
                .map(|k| (k as f32 + 0.5) / side as f32 * 2.0 - 1.0);
            let contrast = ellipsoids.iter().filter(|e| e.holds(at)).map(|e| e.contrast).fold(0.0, f32::max);
            inside.push(f32::from(u8::from(contrast > 0.0)));
            voxels.push((1.0 + contrast) * brightness(&field, at) + NOISE * rng.normal());
        }
        normalize(&mut voxels);
        Volume { side, voxels, inside }
    }

    /// The voxels `[1, 1, side, side, side]`.
    pub fn x(&self) -> kiln::Result<Tensor> {
        Tensor::from_vec([1, 1, self.side, self.side, self.side], self.voxels.clone())
    }

    /// The truth `[1, 1, side, side, side]`.
    pub fn y(&self) -> kiln::Result<Tensor> {
        Tensor::from_vec([1, 1, self.side, self.side, self.side], self.inside.clone())
    }
}

/// Where `|A (p − centre)| ≤ 1`.
struct Ellipsoid {
    centre: [f32; 3],
    /// Axes that are turned at random, each divided by the length of its half.
    axes: [[f32; 3]; 3],
    contrast: f32,
}

impl Ellipsoid {
    fn new(rng: &mut Rng) -> Ellipsoid {
        let between = |rng: &mut Rng, low: f32, high: f32| low + (high - low) * rng.uniform();
        let centre = std::array::from_fn(|_| between(rng, -0.7, 0.7));
        let axes = turned(rng).map(|axis| {
            let half = between(rng, 0.15, 0.45);
            axis.map(|x| x / half)
        });
        Ellipsoid { centre, axes, contrast: between(rng, 0.7, 1.3) }
    }

    fn holds(&self, at: [f32; 3]) -> bool {
        let from: [f32; 3] = std::array::from_fn(|i| at[i] - self.centre[i]);
        self.axes.iter().map(|axis| dot(axis, &from).powi(2)).sum::<f32>() <= 1.0
    }
}

fn dot(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The rows of a rotation, evenly from all: those of a quaternion of normal numbers (Shoemake, 1992).
fn turned(rng: &mut Rng) -> [[f32; 3]; 3] {
    let q: [f32; 4] = std::array::from_fn(|_| rng.normal());
    let length = q.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
    let [w, x, y, z] = q.map(|x| x / length);
    [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
}

/// The field: the exponential of a polynomial of degree 2.
fn brightness(field: &[f32; 9], [x, y, z]: [f32; 3]) -> f32 {
    let terms = [x, y, z, x * x, y * y, z * z, x * y, y * z, z * x];
    field.iter().zip(terms).map(|(f, t)| f * t).sum::<f32>().exp()
}

fn normalize(voxels: &mut [f32]) {
    let n = voxels.len() as f64;
    let mean = voxels.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = voxels.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / variance.sqrt().max(1e-6);
    voxels.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * scale) as f32);
}

/// Dice's coefficient, `2 |A ∩ B| / (|A| + |B|)`, of what lies above a threshold and the truth; 1 where both are empty.
pub fn dice(values: &[f32], threshold: f32, inside: &[f32]) -> f64 {
    let (mut shared, mut both) = (0u64, 0u64);
    for (value, truth) in values.iter().zip(inside) {
        let (taken, truth) = (*value > threshold, *truth > 0.5);
        shared += u64::from(taken && truth);
        both += u64::from(taken) + u64::from(truth);
    }
    if both == 0 { 1.0 } else { 2.0 * shared as f64 / both as f64 }
}

/// The best that can be done by brightness alone: the mean of Dice's coefficients over volumes, each with the threshold that is
/// the best for it.
pub fn by_threshold(volumes: &[Volume]) -> f64 {
    let best = |v: &Volume| {
        let at = |i: i32| dice(&v.voxels, i as f32 / 10.0, &v.inside);
        (-20..40).map(at).fold(0.0, f64::max)
    };
    volumes.iter().map(best).sum::<f64>() / volumes.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_volume() {
        let (a, again, other) = (Volume::new(7, 16), Volume::new(7, 16), Volume::new(8, 16));
        assert!(a.voxels == again.voxels && a.inside == again.inside && a.voxels != other.voxels);
        let mean = a.voxels.iter().sum::<f32>() / 4096.0;
        let square = a.voxels.iter().map(|v| v * v).sum::<f32>() / 4096.0;
        assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-3, "{mean} {square}");
    }

    /// What is inside takes the volume that the formula `4/3 π a b c` says, wherever it is turned.
    #[test]
    fn ellipsoids_are_as_large_as_they_are_said_to_be() {
        for seed in 0..4 {
            let mut one = Ellipsoid::new(&mut Rng::seed(seed));
            one.centre = [0.0; 3];
            let halves: f32 = one.axes.iter().map(|axis| 1.0 / dot(axis, axis).sqrt()).product();
            let count = (0..64i32.pow(3)).filter(|i| {
                let at = [i / 4096, i / 64 % 64, i % 64].map(|k| (k as f32 + 0.5) / 32.0 - 1.0);
                one.holds(at)
            });
            let (got, want) =
                (count.count() as f32 / 32f32.powi(3), 4.0 / 3.0 * std::f32::consts::PI * halves);
            assert!((got / want - 1.0).abs() < 0.02, "{got}, not {want}");
        }
    }

    #[test]
    fn dice_of_known_sets() {
        assert_eq!(dice(&[0.9, 0.8, 0.1, 0.2], 0.5, &[1.0, 0.0, 1.0, 0.0]), 0.5);
        assert_eq!(dice(&[0.9, 0.1], 0.5, &[1.0, 0.0]), 1.0);
        assert_eq!(dice(&[0.1, 0.1], 0.5, &[0.0, 0.0]), 1.0);
        assert_eq!(dice(&[0.9, 0.1], 0.5, &[0.0, 1.0]), 0.0);
    }
}
