//! A picture as the nets want it, as torchvision prepares its own.

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use kiln::Tensor;

/// Rows and columns that the nets see.
pub const SIDE: u32 = 224;
/// The shorter side before the crop.
const SHORTER: u32 = 256;
/// Means of red, green and blue, and their deviations.
pub type Scale = [[f32; 3]; 2];
/// Those over ImageNet.
pub const IMAGENET: Scale = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
/// Of nets that see numbers from -1 to 1.
pub const HALVES: Scale = [[0.5; 3]; 2];

/// The shorter side scaled to 256, the middle of 224 × 224 cut out, channels normalized: `[1, 3, 224, 224]`.
pub fn prepared(picture: &RgbImage, [mean, deviation]: Scale) -> Tensor {
    let (width, height) = picture.dimensions();
    let scaled = |side: u32| (u64::from(side) * u64::from(SHORTER) / u64::from(width.min(height))) as u32;
    let (width, height) = (scaled(width), scaled(height));
    let picture = resize(picture, width, height, FilterType::Triangle);
    let middle = crop_imm(&picture, (width - SIDE) / 2, (height - SIDE) / 2, SIDE, SIDE).to_image();
    let mut x = Tensor::zeros([1, 3, SIDE as usize, SIDE as usize]);
    for (i, plane) in x.as_mut_slice().chunks_exact_mut((SIDE * SIDE) as usize).enumerate() {
        for (x, pixel) in plane.iter_mut().zip(middle.pixels()) {
            *x = (f32::from(pixel.0[i]) / 255.0 - mean[i]) / deviation[i];
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_seen() {
        // Red in the middle of blue, three times as wide as high.
        let picture = RgbImage::from_fn(300, 100, |x, _| {
            if (100..200).contains(&x) { [255, 0, 0].into() } else { [0, 0, 255].into() }
        });
        let x = prepared(&picture, IMAGENET);
        let (red, blue) = (&x.as_slice()[..224 * 224], &x.as_slice()[2 * 224 * 224..]);
        assert!(red.iter().all(|x| (x - (1.0 - 0.485) / 0.229).abs() < 1e-5));
        assert!(blue.iter().all(|x| (x + 0.406 / 0.225).abs() < 1e-5));
        let x = prepared(&picture, HALVES);
        assert_eq!([x.as_slice()[0], x.as_slice()[2 * 224 * 224]], [1.0, -1.0]);
    }

    #[test]
    fn narrow_pictures_and_single_pixels() {
        for (width, height) in [(1, 1), (1, 50), (257, 256), (2000, 3)] {
            assert_eq!(prepared(&RgbImage::new(width, height), HALVES).shape(), [1, 3, 224, 224]);
        }
    }
}
