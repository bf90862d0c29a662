//! Pictures as PNG files.

use crate::{Result, font};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Pixels from a line of text to the next, at zoom 1.
pub const LINE: usize = font::HEIGHT + 1;

/// Colours, row by row from the top left.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    pub fn new(width: usize, height: usize, colour: [u8; 3]) -> Picture {
        Picture { width, height, rgb: colour.repeat(width * height) }
    }

    /// A picture of bytes, three a pixel; black where there are too few.
    pub fn of(width: usize, height: usize, mut rgb: Vec<u8>) -> Picture {
        rgb.resize(3 * width * height, 0);
        Picture { width, height, rgb }
    }

    /// Colours a pixel; one beyond the edge is left out.
    pub fn set(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        if x < self.width && y < self.height {
            self.rgb[3 * (y * self.width + x)..][..3].copy_from_slice(&colour);
        }
    }

    /// The colour of a pixel; `None` beyond the edge.
    pub fn get(&self, x: usize, y: usize) -> Option<[u8; 3]> {
        let at = 3 * (y * self.width + x);
        (x < self.width && y < self.height).then(|| [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]])
    }

    /// Puts a grey image of numbers from 0 to 1 at a place, each number a square of `zoom` pixels.
    pub fn grey(&mut self, (left, top): (usize, usize), image: &[f32], side: usize, zoom: usize) {
        for (i, grey) in image.iter().enumerate() {
            let colour = [(grey.clamp(0.0, 1.0) * 255.0).round() as u8; 3];
            let (x, y) = (left + i % side * zoom, top + i / side * zoom);
            (0..zoom * zoom).for_each(|k| self.set(x + k % zoom, y + k / zoom, colour));
        }
    }

    /// Colours a rectangle of a width and a height, as far as it lies within.
    pub fn fill(&mut self, (left, top): (usize, usize), (width, height): (usize, usize), colour: [u8; 3]) {
        for y in top..(top + height).min(self.height) {
            (left..(left + width).min(self.width)).for_each(|x| self.set(x, y, colour));
        }
    }

    /// Puts another picture at a place.
    pub fn put(&mut self, (left, top): (usize, usize), other: &Picture) {
        for (i, colour) in other.rgb.chunks_exact(3).enumerate() {
            self.set(left + i % other.width, top + i / other.width, [colour[0], colour[1], colour[2]]);
        }
    }

    /// Writes a line, each pixel of a letter a square of `zoom`.
    pub fn text(&mut self, (left, top): (usize, usize), text: &str, zoom: usize, colour: [u8; 3]) {
        for (i, letter) in text.chars().enumerate() {
            let lit = |k: &usize| font::lit(letter, k % font::WIDTH, k / font::WIDTH);
            for k in (0..font::WIDTH * font::HEIGHT).filter(lit) {
                let (x, y) = (i * (font::WIDTH + 1) + k % font::WIDTH, k / font::WIDTH);
                self.fill((left + x * zoom, top + y * zoom), (zoom, zoom), colour);
            }
        }
    }

    /// Pixels across that a line takes.
    pub fn width_of(text: &str, zoom: usize) -> usize {
        text.chars().count() * (font::WIDTH + 1) * zoom
    }

    /// Writes the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let named = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let file = BufWriter::new(File::create(path).map_err(|e| named(&e))?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.rgb));
        Ok(written.map_err(|e| named(&e))?)
    }
}

/// Grey square images side by side, so many in a row, with a dark line between.
pub fn grid(images: &[&[f32]], side: usize, columns: usize, zoom: usize) -> Picture {
    let (cell, columns) = (side * zoom + 2, columns.max(1));
    let mut picture =
        Picture::new(columns * cell + 2, images.len().div_ceil(columns) * cell + 2, [40, 40, 60]);
    for (i, image) in images.iter().enumerate() {
        picture.grey((i % columns * cell + 2, i / columns * cell + 2), image, side, zoom);
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let picture = grid(&[&[0.0, 1.0, 0.5, 2.0], &[1.0; 4]], 2, 3, 2);
        assert_eq!((picture.width, picture.height), (20, 8));
        let path = std::env::temp_dir().join(format!("kiln-picture-{}.png", std::process::id()));
        picture.save(&path).expect("a file in the temporary folder");
        let file = std::io::BufReader::new(File::open(&path).expect("the file just written"));
        let mut reader = png::Decoder::new(file).read_info().expect("a PNG file");
        let mut rgb = vec![0; reader.output_buffer_size().expect("small")];
        reader.next_frame(&mut rgb).expect("an image");
        std::fs::remove_file(&path).expect("the file just written");
        assert_eq!(rgb, picture.rgb);
        assert_eq!(rgb[3 * (2 * 20 + 2)..][..3], [0, 0, 0]);
        assert_eq!(rgb[3 * (4 * 20 + 2)..][..3], [128, 128, 128]);
    }
}
