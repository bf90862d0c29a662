//! A picture of any size in a square, as YOLOv5 is shown it: as large as it goes, in the middle, grey around it.

use crate::boxes::Rect;
use image::RgbImage;
use image::imageops::{FilterType, resize};
use kiln::Tensor;

/// The grey of what is no picture.
const GREY: u8 = 114;

/// Where a picture lies in the square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// Pixels of the square for one of the picture.
    scale: f32,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

impl Letterbox {
    /// The place of a picture of a size in a square of a side.
    pub fn new((width, height): (u32, u32), side: u32) -> Letterbox {
        let scale = side as f32 / width.max(height) as f32;
        let across = |pixels: u32| ((pixels as f32 * scale).round() as u32).clamp(1, side);
        // An odd pixel goes to the right and below.
        let before = |pixels: u32| (side - across(pixels)) / 2;
        Letterbox { scale, left: before(width), top: before(height), width, height }
    }

    /// The square `[1, 3, side, side]`, from 0 to 1.
    pub fn filled(&self, picture: &RgbImage, side: u32) -> Tensor {
        let across = |pixels: u32| ((pixels as f32 * self.scale).round() as u32).clamp(1, side);
        let (width, height) = (across(self.width), across(self.height));
        let scaled = resize(picture, width, height, FilterType::Triangle);
        let side = side as usize;
        let mut x = Tensor::full([1, 3, side, side], f32::from(GREY) / 255.0);
        for (channel, plane) in x.as_mut_slice().chunks_exact_mut(side * side).enumerate() {
            for (column, row, pixel) in scaled.enumerate_pixels() {
                let at = (row + self.top) as usize * side + (column + self.left) as usize;
                plane[at] = f32::from(pixel.0[channel]) / 255.0;
            }
        }
        x
    }

    /// A box of the square as one of the picture, as far as it lies within.
    pub fn back(&self, rect: Rect) -> Rect {
        let x = |x: f32| ((x - self.left as f32) / self.scale).clamp(0.0, self.width as f32);
        let y = |y: f32| ((y - self.top as f32) / self.scale).clamp(0.0, self.height as f32);
        Rect { left: x(rect.left), top: y(rect.top), right: x(rect.right), bottom: y(rect.bottom) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 1280 × 720 fills the width of 640, its 360 lines stand between 140 grey ones above and below.
    #[test]
    fn a_wide_picture_lies_in_the_middle() {
        let place = Letterbox::new((1280, 720), 640);
        assert_eq!(place, Letterbox { scale: 0.5, left: 0, top: 140, width: 1280, height: 720 });
        let x = place.filled(&RgbImage::from_pixel(1280, 720, [255, 0, 51].into()), 640);
        let grey = f32::from(GREY) / 255.0;
        let at = |channel: usize, row: usize| x.as_slice()[(channel * 640 + row) * 640 + 320];
        assert_eq!([at(0, 139), at(1, 139), at(0, 500)], [grey; 3]);
        assert_eq!([at(0, 140), at(1, 140), at(2, 499)], [1.0, 0.0, 0.2]);
    }

    #[test]
    fn boxes_go_back_to_where_they_were() {
        let place = Letterbox::new((1280, 720), 640);
        let rect = Rect { left: 10.0, top: 150.0, right: 650.0, bottom: 160.0 };
        assert_eq!(place.back(rect), Rect { left: 20.0, top: 20.0, right: 1280.0, bottom: 40.0 });
        let outside = Rect { left: 0.0, top: 0.0, right: 5.0, bottom: 100.0 };
        assert_eq!(place.back(outside).area(), 0.0);
    }

    #[test]
    fn narrow_pictures_and_single_pixels() {
        for size in [(1, 1), (1, 5000), (5000, 1), (639, 641), (640, 640)] {
            let place = Letterbox::new(size, 640);
            assert_eq!(place.filled(&RgbImage::new(size.0, size.1), 640).shape(), [1, 3, 640, 640]);
        }
    }
}
