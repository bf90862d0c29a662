//! Tests of the initializers: moments and bounds of large draws.

use super::*;

/// Mean, standard deviation and largest magnitude of a draw.
fn statistics(init: Init, shape: &[usize]) -> (f32, f32, f32) {
    let t = init.tensor(&mut Rng::seed(11), shape);
    let n = t.len() as f64;
    let mean = t.as_slice().iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = t.as_slice().iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    let largest = t.as_slice().iter().fold(0.0f32, |m, x| m.max(x.abs()));
    (mean as f32, variance.sqrt() as f32, largest)
}

#[track_caller]
fn check_uniform(init: Init, shape: &[usize], bound: f32) {
    let (mean, deviation, largest) = statistics(init, shape);
    assert!(mean.abs() < 0.03 * bound, "mean {mean}");
    assert!((deviation / (bound / 3f32.sqrt()) - 1.0).abs() < 0.03, "deviation {deviation}");
    assert!(largest <= bound * 1.000_001 && largest > 0.99 * bound, "largest {largest} of {bound}");
}

#[track_caller]
fn check_normal(init: Init, shape: &[usize], wanted: f32) {
    let (mean, deviation, _) = statistics(init, shape);
    assert!(mean.abs() < 0.03 * wanted, "mean {mean}");
    assert!((deviation / wanted - 1.0).abs() < 0.03, "deviation {deviation}");
}

#[test]
fn constants() {
    let rng = &mut Rng::seed(0);
    assert_eq!(zeros().tensor(rng, &[2]).as_slice(), [0.0, 0.0]);
    assert_eq!(ones().tensor(rng, &[2]).as_slice(), [1.0, 1.0]);
    assert_eq!(constant(2.5).tensor(rng, &[]).as_slice(), [2.5]);
    assert_eq!(*rng, Rng::seed(0), "constants draw nothing");
}

#[test]
fn plain_distributions() {
    check_uniform(uniform(-2.0, 2.0), &[100, 200], 2.0);
    check_normal(normal(0.0, 0.02), &[100, 200], 0.02);
    let (mean, deviation, _) = statistics(normal(5.0, 2.0), &[20_000]);
    assert!((mean - 5.0).abs() < 0.06 && (deviation - 2.0).abs() < 0.06);
}

#[test]
fn fans_are_those_of_torch() {
    assert_eq!(fans(&[128, 784]), (784.0, 128.0));
    assert_eq!(fans(&[64, 3, 7, 7]), (147.0, 3136.0));
    assert_eq!(fans(&[10]), (1.0, 10.0));
    assert_eq!(fans(&[]), (1.0, 1.0));
    assert_eq!(fans(&[0, 0]), (1.0, 1.0));
}

#[test]
fn xavier() {
    check_uniform(xavier_uniform(), &[100, 200], (6.0f32 / 300.0).sqrt());
    check_normal(xavier_normal(), &[32, 16, 5, 5], (2.0f32 / (48.0 * 25.0)).sqrt());
}

#[test]
fn kaiming() {
    check_uniform(kaiming_uniform(), &[32, 16, 5, 5], (6.0f32 / 400.0).sqrt());
    check_normal(kaiming_normal(), &[100, 200], (2.0f32 / 200.0).sqrt());
}

#[test]
fn fan_uniform_is_that_of_linear() {
    check_uniform(fan_uniform(784), &[20_000], 1.0 / 28.0);
    assert!(fan_uniform(0).tensor(&mut Rng::seed(0), &[3]).as_slice().iter().all(|x| x.is_finite()));
}

#[test]
fn orthogonal_vectors_are_orthonormal() {
    for shape in [&[20usize, 50][..], &[50, 20], &[7, 7], &[8, 3, 2, 2], &[5], &[]] {
        let t = orthogonal().tensor(&mut Rng::seed(1), shape);
        let rows = shape.first().copied().unwrap_or(1);
        let matrix = t.reshaped([rows, t.len() / rows]).unwrap().to_ndarray();
        let matrix = matrix.into_dimensionality::<ndarray::Ix2>().unwrap();
        let gram = if rows <= matrix.ncols() { matrix.dot(&matrix.t()) } else { matrix.t().dot(&matrix) };
        for ((i, j), x) in gram.indexed_iter() {
            let wanted = if i == j { 1.0 } else { 0.0 };
            assert!((x - wanted).abs() < 1e-5, "{shape:?} {i} {j}: {x}");
        }
    }
}

#[test]
fn empty_tensors() {
    let all = [xavier_uniform(), xavier_normal(), kaiming_uniform(), kaiming_normal(), orthogonal(), ones()];
    for init in all {
        assert!(init.tensor(&mut Rng::seed(0), &[0, 4]).is_empty());
        assert!(init.tensor(&mut Rng::seed(0), &[4, 0]).is_empty());
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let draw = || kaiming_normal().tensor(&mut Rng::seed(9), &[4, 4]);
    assert_eq!(draw(), draw());
}
