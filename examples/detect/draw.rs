//! Boxes with labels over a picture.

use crate::boxes::{Found, Rect};
use kiln_examples::picture::{LINE, Picture};

/// Colours that are easy to tell apart; classes take them in turn.
const COLOURS: [[u8; 3]; 10] = [
    [255, 80, 80],
    [80, 200, 255],
    [255, 200, 60],
    [140, 255, 120],
    [255, 130, 220],
    [160, 140, 255],
    [255, 150, 70],
    [60, 230, 200],
    [210, 230, 90],
    [240, 170, 170],
];

/// Draws a box of each object, its class and score above it, or within it where there is no room above.
pub fn draw(picture: &mut Picture, found: &[Found], names: &[String], zoom: usize) {
    for one in found.iter().rev() {
        let colour = COLOURS[one.class % COLOURS.len()];
        frame(picture, one.rect, zoom, colour);
        let name = names.get(one.class).map_or("?", String::as_str);
        let text = format!("{name} {:.2}", one.score);
        let height = (LINE + 2) * zoom;
        let (x, y) = (one.rect.left as usize, one.rect.top as usize);
        let y = if y >= height { y - height } else { y };
        picture.fill((x, y), (Picture::width_of(&text, zoom) + 2 * zoom, height), colour);
        picture.text((x + zoom, y + zoom), &text, zoom, [0; 3]);
    }
}

/// The edge of a box, so many pixels thick, within it.
pub fn frame(picture: &mut Picture, rect: Rect, thick: usize, colour: [u8; 3]) {
    let (left, top) = (rect.left as usize, rect.top as usize);
    let (right, bottom) =
        ((rect.right.ceil() as usize).max(left + 1), (rect.bottom.ceil() as usize).max(top + 1));
    let (width, height, thick) = (right - left, bottom - top, thick.max(1));
    picture.fill((left, top), (width, thick), colour);
    picture.fill((left, bottom.saturating_sub(thick)), (width, thick), colour);
    picture.fill((left, top), (thick, height), colour);
    picture.fill((right.saturating_sub(thick), top), (thick, height), colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_keeps_what_is_within() {
        let mut picture = Picture::new(20, 20, [0; 3]);
        frame(&mut picture, Rect { left: 2.0, top: 3.0, right: 10.0, bottom: 12.0 }, 1, [9; 3]);
        let coloured = (0..400).filter(|i| picture.get(i % 20, i / 20) == Some([9; 3])).count();
        assert_eq!(coloured, 2 * 8 + 2 * 9 - 4);
        assert_eq!((picture.get(2, 3), picture.get(9, 11)), (Some([9; 3]), Some([9; 3])));
        assert_eq!((picture.get(3, 4), picture.get(10, 12)), (Some([0; 3]), Some([0; 3])));
    }

    /// Labels of boxes at the edges and beyond them are cut, not a panic.
    #[test]
    fn labels_at_the_edge() {
        let mut picture = Picture::new(30, 20, [0; 3]);
        for (left, top) in [(0.0, 0.0), (25.0, 15.0), (300.0, 300.0)] {
            let rect = Rect { left, top, right: left + 10.0, bottom: top + 10.0 };
            draw(&mut picture, &[Found { rect, class: 12, score: 0.5 }], &["ä box".into()], 1);
        }
        assert_eq!(picture.get(0, 0), Some(COLOURS[2]));
    }
}
