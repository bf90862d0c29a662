//! Slices through volumes, with the outlines of what is inside and of what is taken for it.

use crate::volume::Volume;
use kiln_examples::picture::Picture;

/// Pixels of a voxel's side.
const ZOOM: usize = 4;
/// The outline of the truth.
const TRUTH: [u8; 3] = [60, 220, 90];
/// The outline of what the net says.
const NET: [u8; 3] = [250, 70, 60];

/// A row a volume: the slices across each of the three axes that show most of what is inside. The truth's outline is green, the
/// net's is red and runs within it where both agree.
pub fn picture(volumes: &[(&Volume, &[f32])]) -> Picture {
    let cell = |side: usize| side * ZOOM + 4;
    let side = volumes.iter().map(|(v, _)| v.side).max().unwrap_or(0);
    let mut picture = Picture::new(3 * cell(side), volumes.len() * cell(side), [40, 40, 60]);
    for (row, (volume, likely)) in volumes.iter().enumerate() {
        for axis in 0..3 {
            let at = (axis * cell(side) + 2, row * cell(side) + 2);
            let most = fullest(volume, axis);
            let cut = |values: &[f32]| slice(values, volume.side, axis, most);
            // From −2 to 3 deviations.
            let grey: Vec<f32> = cut(&volume.voxels).iter().map(|v| (v + 2.0) / 5.0).collect();
            picture.grey(at, &grey, volume.side, ZOOM);
            outline(&mut picture, at, &cut(&volume.inside), volume.side, (0, TRUTH));
            outline(&mut picture, at, &cut(likely), volume.side, (1, NET));
        }
    }
    picture
}

/// The slice across an axis with most inside.
fn fullest(volume: &Volume, axis: usize) -> usize {
    let inside = |i: &usize| slice(&volume.inside, volume.side, axis, *i).iter().sum::<f32>() as u64;
    (0..volume.side).max_by_key(inside).unwrap_or(0)
}

/// The values of one place along an axis, by the two others.
fn slice(values: &[f32], side: usize, axis: usize, at: usize) -> Vec<f32> {
    let index = |a: usize, b: usize| match axis {
        0 => (at * side + a) * side + b,
        1 => (a * side + at) * side + b,
        _ => (a * side + b) * side + at,
    };
    (0..side * side).map(|i| values[index(i / side, i % side)]).collect()
}

/// Colours the pixels, so many from the edge, of what is above ½ and borders on what isn't.
fn outline(
    picture: &mut Picture,
    (left, top): (usize, usize),
    values: &[f32],
    side: usize,
    (depth, colour): (usize, [u8; 3]),
) {
    let within = |row: usize, column: usize| row < side && column < side && values[row * side + column] > 0.5;
    for i in (0..side * side).filter(|i| values[*i] > 0.5) {
        let (row, column) = (i / side, i % side);
        let mut line = |open: bool, pixel: &dyn Fn(usize) -> (usize, usize)| {
            for (x, y) in (0..ZOOM).filter(|_| open).map(pixel) {
                picture.set(left + column * ZOOM + x, top + row * ZOOM + y, colour);
            }
        };
        line(!within(row.wrapping_sub(1), column), &|k| (k, depth));
        line(!within(row + 1, column), &|k| (k, ZOOM - 1 - depth));
        line(!within(row, column.wrapping_sub(1)), &|k| (depth, k));
        line(!within(row, column + 1), &|k| (ZOOM - 1 - depth, k));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_across_each_axis() {
        let values: Vec<f32> = (0..27).map(|i| i as f32).collect();
        assert_eq!(slice(&values, 3, 0, 1), [9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0]);
        assert_eq!(slice(&values, 3, 1, 2), [6.0, 7.0, 8.0, 15.0, 16.0, 17.0, 24.0, 25.0, 26.0]);
        assert_eq!(slice(&values, 3, 2, 0), [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0]);
    }

    #[test]
    fn an_outline_runs_along_the_edge() {
        let mut picture = Picture::new(3 * ZOOM, 3 * ZOOM, [0; 3]);
        let middle = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        outline(&mut picture, (0, 0), &middle, 3, (0, [9; 3]));
        let coloured: Vec<(usize, usize)> = (0..9 * ZOOM * ZOOM)
            .map(|i| (i % (3 * ZOOM), i / (3 * ZOOM)))
            .filter(|(x, y)| picture.get(*x, *y) == Some([9; 3]))
            .collect();
        assert_eq!(coloured.len(), 4 * (ZOOM - 1));
        assert!(coloured.contains(&(ZOOM, ZOOM)) && coloured.contains(&(2 * ZOOM - 1, 2 * ZOOM - 1)));
    }
}
