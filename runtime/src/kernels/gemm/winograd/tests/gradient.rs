//! The gradient of factors against direct sums in f64.

use super::super::super::Matrix;
use super::super::*;
use super::{noise, windows};
use crate::kernels::gemm::gemm_into;
use crate::rng::Rng;

/// Images whose gradient of factors is taken: how many, their size, and zeros before and behind them.
#[derive(Clone, Copy, Debug)]
struct Case {
    images: usize,
    size: [usize; 2],
    zeros: usize,
}

/// The largest error over the norms of the gradient and of the images, a channel each: where windows are few, a tile has more pixels than
/// are multiplied.
fn errors(tile: usize, [m, channels]: [usize; 2], case: Case) -> f64 {
    let Case { images, size: [height, width], zeros } = case;
    let [down, across] = case.size.map(|len| len + 2 * zeros - 2);
    let mut rng = Rng::seed((m + 7 * channels + 31 * height + 101 * width + images) as u64);
    let (plane, pixels) = (height * width, down * across);
    let (g, d) = (noise(&mut rng, m * images * pixels + 2), noise(&mut rng, channels * images * plane + 3));
    let a = windows(&g, 2, (m, images * pixels), [down, across], [down, across]);
    let a = Windows { places: [(1, 1); 2], ..a }.images(images, pixels);
    let b = windows(&d, 3, (channels, images * plane), case.size, [down, across]);
    let b = Windows { first: [-(zeros as isize); 2], ..b }.images(images, plane);
    let mut got = vec![f32::NAN; m * channels * 9];
    winograd_gradient_into(tile, &a, &b, &mut got, channels * 9);
    let mut worst: f64 = 0.0;
    for (at, got) in got.iter().enumerate() {
        let (o, i, r, s) = (at / 9 / channels, at / 9 % channels, at % 9 / 3, at % 3);
        let mut sum = 0.0;
        for p in 0..images * pixels {
            let (image, y, x) = (p / pixels, p / across % down, p % across);
            let (y, x) = ((y + r).wrapping_sub(zeros), (x + s).wrapping_sub(zeros));
            if y < height && x < width {
                let pixel = d[3 + (i * images + image) * plane + y * width + x];
                sum += f64::from(g[2 + o * images * pixels + p]) * f64::from(pixel);
            }
        }
        let norm = |of: &[f32]| of.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let size = norm(&g[2 + o * images * pixels..][..images * pixels])
            * norm(&d[3 + i * images * plane..][..images * plane]);
        let error = (f64::from(*got) - sum).abs() / size.max(1e-30);
        worst = worst.max(if error.is_nan() { f64::INFINITY } else { error });
    }
    worst
}

#[test]
fn gradients_of_images_of_every_size_modulo_a_tile() {
    for size in [[3, 3], [4, 5], [6, 6], [7, 11], [10, 9], [13, 4], [5, 72], [30, 31]] {
        for (images, zeros) in [(1, 0), (2, 1), (3, 2)] {
            for of in [[1, 1], [3, 2], [17, 5], [16, 33]] {
                for tile in [2, 4] {
                    let error = errors(tile, of, Case { images, size, zeros });
                    assert!(error < 4e-6, "{tile}: {of:?}, {images} of {size:?} in {zeros}: {error}");
                }
            }
        }
    }
}

/// Several shares of tiles, of which products take several, and several pieces of rows.
#[test]
fn gradients_of_many_images_and_of_many_channels() {
    for (of, images, side) in [([16, 16], 32, 16), ([20, 3], 40, 9), ([140, 40], 5, 9), ([8, 70], 3, 30)] {
        for tile in [2, 4] {
            let error = errors(tile, of, Case { images, size: [side, side], zeros: 1 });
            println!("{of:?}, {images} of {side}: {error:.2e} by tiles of {tile}");
            assert!(error < 1e-6, "{tile}: {of:?}, {images} of {side}: {error}");
        }
    }
}

/// What [`super::super`] says of the error of direct sums: as many terms at a time as of products.
#[test]
fn gradients_are_as_exact_as_direct_sums() {
    let (m, channels, side, images) = (16, 16, 32, 8);
    let mut rng = Rng::seed(3);
    let size = side * side;
    let (g, d) = (noise(&mut rng, m * images * size), noise(&mut rng, channels * images * size));
    let b = windows(&d, 0, (channels, images * size), [side, side], [side, side]);
    let b = Windows { first: [-1, -1], ..b }.images(images, size);
    let a = windows(&g, 0, (m, images * size), [side, side], [side, side]);
    let a = Windows { places: [(1, 1); 2], ..a }.images(images, size);
    let mut got = vec![f32::NAN; m * channels * 9];
    winograd_gradient_into(4, &a, &b, &mut got, channels * 9);
    // Factors that read a pixel each: the windows themselves.
    let mut read = vec![f32::NAN; channels * 9 * images * size];
    let one: Vec<f32> =
        (0..(channels * 9) * (channels * 9)).map(|at| f32::from(at % (channels * 9 + 1) == 0)).collect();
    let n = images * size;
    gemm_into(channels * 9, n, channels * 9, Matrix::rows(&one, channels * 9), b, &mut read, n);
    let mut want = vec![f32::NAN; m * channels * 9];
    gemm_into(
        m,
        channels * 9,
        n,
        Matrix::rows(&g, n),
        Matrix::rows(&read, n).transposed(),
        &mut want,
        channels * 9,
    );
    let norm = want.iter().map(|x| x * x).sum::<f32>().sqrt();
    let apart = got.iter().zip(&want).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt();
    assert!(apart < 5e-6 * norm, "{apart} of {norm}");
}

#[test]
#[should_panic(expected = "no windows of 1 and of 3 × 3")]
fn gradients_of_other_windows_are_refused() {
    let b = windows(&[0.0; 100], 0, (1, 100), [10, 10], [4, 4]);
    winograd_gradient_into(4, &b, &b, &mut [0.0; 9], 9);
}

#[test]
#[should_panic(expected = "operand b needs element 99, but its data has 99")]
fn gradients_beyond_the_data_are_refused() {
    let b = windows(&[0.0; 99], 0, (1, 100), [10, 10], [8, 8]);
    let a = Windows { places: [(1, 1); 2], ..windows(&[0.0; 64], 0, (1, 64), [8, 8], [8, 8]) };
    winograd_gradient_into(4, &a, &b, &mut [0.0; 9], 9);
}
