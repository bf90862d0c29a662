//! Which boxes are to find an object: YOLOv5's choice. On each resolution, of the three boxes those that are neither four times as
//! wide or high as the object nor a fourth of it, at the place where its centre lies and at the two next to it that are nearest.

use crate::net::{ANCHORS, BOXES, SIDE, STEPS};
use crate::scene::Truth;
use kiln::prelude::*;

/// How much wider or higher.
const FACTOR: f32 = 4.0;

/// What the boxes of pictures are to say: `[N, BOXES, 5]`, centre, size and 1, or 0 for nothing; and `[N, BOXES]` classes.
pub fn targets(scenes: &[&[Truth]]) -> kiln::Result<(Tensor, Tensor<i64>)> {
    // A box that is to find nothing still has a size, so that its formulas are numbers.
    let mut want = [0.0, 0.0, 1.0, 1.0, 0.0].repeat(scenes.len() * BOXES);
    let mut class = vec![0; scenes.len() * BOXES];
    for (n, truths) in scenes.iter().enumerate() {
        for truth in *truths {
            let ([x, y], [width, height]) = (truth.rect.centre(), truth.rect.size());
            for at in matching(truth) {
                let row = n * BOXES + at;
                want[5 * row..][..5].copy_from_slice(&[x, y, width, height, 1.0]);
                class[row] = truth.class as i64;
            }
        }
    }
    let (n, all) = (scenes.len(), BOXES);
    Ok((Tensor::from_vec([n, all, 5], want)?, Tensor::from_vec([n, all], class)?))
}

/// The boxes that are to find an object.
fn matching(truth: &Truth) -> Vec<usize> {
    let (centre, size) = (truth.rect.centre(), truth.rect.size());
    let mut all = Vec::new();
    let mut first = 0;
    for (anchors, step) in ANCHORS.iter().zip(STEPS) {
        let places = SIDE / step;
        for (k, anchor) in anchors.iter().enumerate() {
            let ratio = |i: usize| (size[i] / anchor[i]).max(anchor[i] / size[i].max(1e-6));
            if ratio(0).max(ratio(1)) < FACTOR {
                let cells = cells(centre.map(|x| x / step as f32), places);
                all.extend(cells.into_iter().map(|(x, y)| first + (k * places + y) * places + x));
            }
        }
        first += 3 * places * places;
    }
    all
}

/// The place where a centre lies, and its neighbours across the edges that are nearer.
fn cells([x, y]: [f32; 2], places: usize) -> Vec<(usize, usize)> {
    let own = |v: f32| (v.max(0.0) as usize).min(places - 1);
    let beside = |v: f32| if v.fract() < 0.5 { own(v).checked_sub(1) } else { Some(own(v) + 1) };
    let (column, row) = (own(x), own(y));
    let mut all = vec![(column, row)];
    all.extend(beside(x).filter(|c| *c < places).map(|c| (c, row)));
    all.extend(beside(y).filter(|r| *r < places).map(|r| (column, r)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::Rect;
    use crate::net::{CLASSES, ROW, complete_iou, decoded};

    #[test]
    fn the_place_and_its_two_nearest_neighbours() {
        assert_eq!(cells([3.2, 5.7], 16), [(3, 5), (2, 5), (3, 6)]);
        assert_eq!(cells([0.2, 15.9], 16), [(0, 15)]);
        assert_eq!(cells([16.0, 0.6], 16), [(15, 0), (14, 0), (15, 1)]);
    }

    /// A digit of 10 × 15 pixels is for all boxes but those more than four times as large in a direction.
    #[test]
    fn boxes_of_about_the_size_are_to_find_an_object() {
        let truth = Truth { rect: Rect::around([60.0, 70.0], [10.0, 15.0]), class: 7 };
        let (want, class) = targets(&[&[], &[truth]]).expect("as many as there are");
        let row = |i: usize| &want.as_slice()[5 * i..][..5];
        let found: Vec<usize> = (0..2 * BOXES).filter(|i| row(*i)[4] == 1.0).collect();
        assert!(found.iter().all(|i| *i >= BOXES && class.as_slice()[*i] == 7));
        assert!(found.iter().all(|i| row(*i) == [60.0, 70.0, 10.0, 15.0, 1.0]));
        // Column 7, row 8 of 16 × 16, first shape: 60 / 8 = 7.5 and 70 / 8 = 8.75.
        let first = BOXES + 8 * 16 + 7;
        assert!(found.contains(&first) && found.contains(&(first + 1)) && found.contains(&(first + 16)));
        assert_eq!(found.len(), 9 * 3);
        let wide = Truth { rect: Rect::around([60.0, 70.0], [60.0, 60.0]), class: 0 };
        assert_eq!(matching(&wide).len() % 3, 0);
        assert!(matching(&wide).iter().all(|i| *i >= 2 * 256));
    }

    /// Heads that say nothing (0) are boxes in the middle of their places, of the anchors' sizes; other numbers by hand.
    #[test]
    fn decode_by_hand() {
        let anchors = ANCHORS
            .iter()
            .zip(STEPS)
            .flat_map(|(a, step)| a.iter().flatten().map(move |size| size / step as f32));
        let anchors = Tensor::from_vec([3, 3, 2], anchors.collect()).expect("18");
        let heads = STEPS.map(|step| Tensor::zeros([1, 3 * ROW, SIDE / step, SIDE / step]));
        let [mut fine, middle, coarse] = heads;
        // The second shape at row 2, column 5: x 3, y −3, width 3, height −3, object 3, class 9.
        for (channel, value) in [(0, 3.0), (1, -3.0), (2, 3.0), (3, -3.0), (4, 3.0), (5 + 9, 3.0)] {
            fine.as_mut_slice()[((ROW + channel) * 16 + 2) * 16 + 5] = value;
        }
        let all = decoded(&anchors, &fine, &middle, &coarse).expect("shapes fit");
        let row = |i: usize| &all.as_slice()[ROW * i..][..ROW];
        assert_eq!(all.shape(), [1, BOXES, ROW]);
        assert_eq!(row(0)[..5], [4.0, 4.0, 5.0, 14.0, 0.5]);
        let last = row(BOXES - 1);
        assert!(last[..5].iter().zip([112.0, 112.0, 36.0, 50.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-4));
        let (p, q) = (1.0 / (1.0 + (-3f32).exp()), 1.0 / (1.0 + 3f32.exp()));
        let by_hand = [
            (2.0 * p - 0.5 + 5.0) * 8.0,
            (2.0 * q - 0.5 + 2.0) * 8.0,
            (2.0 * p).powi(2) * 10.0,
            (2.0 * q).powi(2) * 15.0,
            p,
        ];
        let changed = row(256 + 2 * 16 + 5);
        assert!(changed.iter().zip(by_hand).all(|(a, b)| (a - b).abs() < 1e-3), "{changed:?} {by_hand:?}");
        assert!((changed[5 + 9] - p).abs() < 1e-5 && changed[5..14].iter().all(|c| *c == 0.5));
        assert_eq!(CLASSES, 10);
    }

    /// Boxes side by side: no area is shared, the centres are 10 apart in a frame of 20 × 10, and the shapes are the same.
    #[test]
    fn complete_iou_by_hand() {
        let boxes = |rows: [[f32; 4]; 3]| Tensor::from_vec([1, 3, 4], rows.concat()).expect("12");
        let a = boxes([[5.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 10.0]]);
        let b = boxes([[15.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 10.0], [5.0, 5.0, 10.0, 20.0]]);
        let (iou, complete) = complete_iou(&a, &b).expect("shapes fit");
        let near = |got: f32, want: f32| assert!((got - want).abs() < 1e-5, "{got}, not {want}");
        near(iou.as_slice()[0], 0.0);
        near(complete.as_slice()[0], -100.0 / 500.0);
        near(iou.as_slice()[1], 1.0);
        near(complete.as_slice()[1], 1.0);
        let v = 4.0 / std::f32::consts::PI.powi(2) * (0.5f32.atan() - 1f32.atan()).powi(2);
        near(iou.as_slice()[2], 0.5);
        near(complete.as_slice()[2], 0.5 - v * v / (v + 0.5));
    }
}
