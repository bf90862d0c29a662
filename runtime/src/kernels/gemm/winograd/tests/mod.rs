//! Against direct sums in f64, for images of every size modulo a tile, and the error at the sizes of the field's nets.

mod gradient;

use super::*;
use crate::rng::Rng;

fn noise(rng: &mut Rng, len: usize) -> Vec<f32> {
    (0..len).map(|_| rng.below(2001) as f32 / 1000.0 - 1.0).collect()
}

/// Windows over images of `size`, `[height, width]` of them.
fn windows(
    data: &[f32],
    offset: usize,
    channels: (usize, usize),
    size: [usize; 2],
    [height, width]: [usize; 2],
) -> Windows<'_, f32> {
    let (places, windows) = ([(3, 1); 2], [(height, 1), (width, 1)]);
    Windows {
        data,
        offset,
        each: 0,
        channels,
        images: (1, 0),
        size,
        first: [0, 0],
        places,
        windows,
        skipped: [0, 0],
    }
}

/// The convolution, and the largest error over the norms of the factors and the pixels that make an element.
fn errors(tile: usize, m: usize, channels: usize, height: usize, width: usize) -> f64 {
    let mut rng = Rng::seed((m + 7 * channels + 31 * height + 101 * width) as u64);
    let (line, plane) = (width + 2, (height + 2) * (width + 2));
    let (a, b) = (noise(&mut rng, m * channels * 9), noise(&mut rng, channels * plane));
    let walked = windows(&b, 0, (channels, plane), [height + 2, line], [height, width]);
    let n = height * width;
    let mut got = vec![f32::NAN; m * n];
    winograd(tile, m, channels, super::super::Matrix::rows(&a, 9 * channels), |factors| {
        winograd_into(tile, [m, n], factors, walked, &mut got, n);
    });
    let mut worst: f64 = 0.0;
    for o in 0..m {
        for at in 0..n {
            let (y, x) = (at / width, at % width);
            let (mut sum, mut size) = (0.0, [0.0, 0.0]);
            for p in 0..9 * channels {
                let (i, r, s) = (p / 9, p % 9 / 3, p % 3);
                let (f, d) =
                    (f64::from(a[o * 9 * channels + p]), f64::from(b[i * plane + (y + r) * line + x + s]));
                sum += f * d;
                size = [size[0] + f * f, size[1] + d * d];
            }
            let error = (f64::from(got[o * n + at]) - sum).abs() / (size[0] * size[1]).sqrt().max(1e-30);
            worst = worst.max(if error.is_nan() { f64::INFINITY } else { error });
        }
    }
    worst
}

#[test]
fn images_of_every_size_modulo_a_tile() {
    for (height, width) in
        [(1, 1), (2, 3), (4, 4), (5, 6), (7, 9), (8, 8), (13, 4), (3, 70), (30, 31), (1, 300)]
    {
        for (m, channels) in [(1, 1), (3, 2), (7, 5), (13, 16)] {
            for tile in [2, 4] {
                let error = errors(tile, m, channels, height, width);
                assert!(error < 4e-6, "{tile}: {m} {channels} {height} {width}: {error}");
            }
        }
    }
}

/// What [`super`] says of the error: relative to the norms it falls with the number of channels.
#[test]
fn the_error_at_the_sizes_of_nets() {
    for (m, channels, side) in [(8, 16, 32), (8, 64, 56), (8, 128, 28), (100, 256, 14), (8, 512, 14)] {
        let error = errors(4, m, channels, side, side);
        println!("{channels} channels: {error:.2e}");
        assert!(error < 1e-6, "{channels}: {error}");
    }
    for (m, channels, side) in [(8, 64, 8), (8, 512, 7)] {
        let error = errors(2, m, channels, side, side);
        println!("{channels} channels, 2 × 2: {error:.2e}");
        assert!(error < 3e-7, "{channels}: {error}");
    }
}

#[test]
fn pixels_beyond_the_image_are_not_read() {
    // What stands between images is NaN, and no result is.
    let (height, width, channels) = (5, 6, 3);
    let (line, plane) = (width + 5, (height + 4) * (width + 5));
    let mut b = vec![f32::NAN; channels * plane + 7];
    for i in 0..channels {
        for y in 0..height + 2 {
            (0..width + 2).for_each(|x| b[7 + i * plane + y * line + x] = 1.0);
        }
    }
    let walked = windows(&b, 7, (channels, plane), [height + 4, line], [height, width]);
    let a = vec![1.0; 2 * 9 * channels];
    let mut got = vec![f32::NAN; 2 * height * width];
    winograd(4, 2, channels, super::super::Matrix::rows(&a, 9 * channels), |factors| {
        winograd_into(4, [2, height * width], factors, walked, &mut got, height * width);
    });
    assert!(got.iter().all(|x| (x - 27.0).abs() < 1e-4), "{got:?}");
}

/// Zeros around an image are the same whether they are stored or not, one line or two of them.
#[test]
fn images_between_zeros() {
    let mut rng = Rng::seed(9);
    for (tile, height, width, [top, left]) in
        [(4, 5, 6, [1, 1]), (2, 7, 7, [1, 1]), (4, 8, 9, [0, 2]), (4, 16, 31, [2, 0]), (2, 4, 70, [1, 1])]
    {
        let (m, channels) = (3, 5);
        let (a, b) = (noise(&mut rng, m * channels * 9), noise(&mut rng, channels * height * width));
        let padded = [height + 2 * top, width + 2 * left];
        let mut stored = vec![0.0; channels * padded[0] * padded[1]];
        for (at, x) in b.iter().enumerate() {
            let (i, y, x_) = (at / (height * width), at / width % height + top, at % width + left);
            stored[(i * padded[0] + y) * padded[1] + x_] = *x;
        }
        let size = padded.map(|len| len - 2);
        let all = windows(&stored, 0, (channels, padded[0] * padded[1]), padded, size);
        let first = [top, left].map(|zeros| -(zeros as isize));
        let own = Windows { first, ..windows(&b, 0, (channels, height * width), [height, width], size) };
        let n = size[0] * size[1];
        let [one, other] = [all, own].map(|b| {
            let mut got = vec![f32::NAN; m * n];
            winograd(tile, m, channels, super::super::Matrix::rows(&a, 9 * channels), |factors| {
                winograd_into(tile, [m, n], factors, b, &mut got, n);
            });
            got
        });
        assert_eq!(one, other, "{height} {width}");
    }
}

#[test]
#[should_panic(expected = "no windows of 3 × 3 with stride 1")]
fn other_windows_are_refused() {
    let walked = Windows { windows: [(4, 2), (4, 2)], ..windows(&[0.0; 100], 0, (1, 100), [10, 10], [4, 4]) };
    winograd_into(4, [1, 16], &[0.0; 36 * 17], walked, &mut [0.0; 16], 16);
}

/// The same of images whose pixels keep their channels together, between zeros: `n` results of two images.
fn errors_together(tile: usize, n: usize, channels: usize, height: usize, width: usize) -> f64 {
    let mut rng = Rng::seed((n + 7 * channels + 31 * height + 101 * width) as u64);
    let image = height * width * channels;
    let (w, x) = (noise(&mut rng, n * channels * 9), noise(&mut rng, 2 * image + 3));
    let pixels = Pixels {
        data: &x,
        offset: 3,
        own: false,
        channels,
        pitch: channels,
        images: (2, image),
        size: [height, width],
        first: [-1, -1],
        places: [(3, 1); 2],
        windows: [(height, 1), (width, 1)],
        skipped: [0, 0],
    };
    let m = 2 * height * width;
    let mut got = vec![f32::NAN; m * n];
    winograd(Together(tile), n, channels, super::super::Matrix::rows(&w, 9 * channels), |factors| {
        winograd_into(tile, [m, n], factors, pixels, &mut got, n);
    });
    let mut worst: f64 = 0.0;
    for at in 0..m {
        let (image, y, x_) = (at / (height * width), at / width % height, at % width);
        for o in 0..n {
            let (mut sum, mut size) = (0.0, [0.0, 0.0]);
            for p in 0..9 * channels {
                let (i, r, s) = (p / 9, p % 9 / 3, p % 3);
                let (y, x_) = ((y + r).wrapping_sub(1), (x_ + s).wrapping_sub(1));
                if y < height && x_ < width {
                    let d = f64::from(x[3 + ((image * height + y) * width + x_) * channels + i]);
                    let f = f64::from(w[o * 9 * channels + p]);
                    sum += f * d;
                    size = [size[0] + f * f, size[1] + d * d];
                }
            }
            let error = (f64::from(got[at * n + o]) - sum).abs() / (size[0] * size[1]).sqrt().max(1e-30);
            worst = worst.max(if error.is_nan() { f64::INFINITY } else { error });
        }
    }
    worst
}

#[test]
fn pixels_that_keep_their_channels_together() {
    for (height, width) in [(1, 1), (2, 3), (5, 6), (7, 7), (13, 4), (3, 70), (28, 28)] {
        for (n, channels) in [(16, 16), (48, 32), (80, 64)] {
            for tile in [2, 4] {
                let error = errors_together(tile, n, channels, height, width);
                assert!(error < 2e-6, "{tile}: {n} {channels} {height} {width}: {error}");
            }
        }
    }
    let error = errors_together(4, 128, 128, 14, 14);
    assert!(error < 1e-6, "{error}");
}

/// Several images side by side are computed as one by one, on more threads than one as well.
#[test]
fn images_one_behind_the_other() {
    let mut rng = Rng::seed(4);
    for (tile, images, height, width) in
        [(4, 3, 5, 6), (2, 5, 7, 3), (4, 40, 8, 8), (4, 9, 33, 20), (2, 1, 4, 4)]
    {
        let (m, channels, size) = (7, 5, height * width);
        let (a, b) = (noise(&mut rng, m * channels * 9), noise(&mut rng, channels * images * size));
        let first = |b| Windows { first: [-1, -1], ..b };
        let all = first(windows(&b, 0, (channels, images * size), [height, width], [height, width]));
        let n = images * size;
        let [mut got, mut want] = [(); 2].map(|()| vec![f32::NAN; m * n]);
        winograd(tile, m, channels, super::super::Matrix::rows(&a, 9 * channels), |factors| {
            winograd_into(tile, [m, n], factors, all.images(images, size), &mut got, n);
            for i in 0..images {
                let one = Windows { offset: i * size, ..all };
                winograd_into(tile, [m, size], factors, one, &mut want[i * size..], n);
            }
        });
        assert_eq!(got, want, "{tile}: {images} of {height} {width}");
    }
}
