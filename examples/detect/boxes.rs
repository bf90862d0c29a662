//! Boxes: how much they share, which of those that a net says are taken, and which of these are one object.

/// A box, from its left upper to its right lower corner, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

impl Rect {
    /// The box of a centre and a size.
    pub fn around([x, y]: [f32; 2], [width, height]: [f32; 2]) -> Rect {
        let (across, down) = (width / 2.0, height / 2.0);
        Rect { left: x - across, top: y - down, right: x + across, bottom: y + down }
    }

    /// Width and height.
    pub fn size(&self) -> [f32; 2] {
        [self.right - self.left, self.bottom - self.top]
    }

    /// The centre.
    pub fn centre(&self) -> [f32; 2] {
        [(self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0]
    }

    /// The area, 0 where an edge lies beyond the other.
    pub fn area(&self) -> f32 {
        let [width, height] = self.size();
        width.max(0.0) * height.max(0.0)
    }

    /// The area that both have.
    pub fn shared(&self, other: &Rect) -> f32 {
        let (left, top) = (self.left.max(other.left), self.top.max(other.top));
        Rect { left, top, right: self.right.min(other.right), bottom: self.bottom.min(other.bottom) }.area()
    }

    /// The area that both have over that which one of them has.
    pub fn iou(&self, other: &Rect) -> f32 {
        let shared = self.shared(other);
        shared / (self.area() + other.area() - shared).max(f32::MIN_POSITIVE)
    }
}

/// An object that a net says is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Where.
    pub rect: Rect,
    /// What.
    pub class: usize,
    /// How sure the net is.
    pub score: f32,
}

/// What a net must be sure of, and what two boxes of one object share.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The least score.
    pub score: f32,
    /// The greatest share of a box with a better one.
    pub overlap: f32,
}

/// Boxes that are compared, at most; of an object at most.
const COMPARED: usize = 30_000;
/// Boxes of a picture, at most.
const MOST: usize = 300;

/// The objects of a picture, from rows of so many numbers: centre, size, the probability of an object, and those of its classes.
pub fn chosen(rows: &[f32], row: usize, how: Choice) -> Vec<Found> {
    suppressed(candidates(rows, row, how.score), how.overlap)
}

/// Each box with its likeliest class, where object and class together are likely enough.
pub fn candidates(rows: &[f32], row: usize, least: f32) -> Vec<Found> {
    let found = |numbers: &[f32]| {
        let (place, classes) = (numbers.get(..5)?, numbers.get(5..)?);
        let (class, p) = classes.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        let score = place[4] * p;
        // What is no number is not likely.
        (score > least).then(|| Found {
            rect: Rect::around([place[0], place[1]], [place[2], place[3]]),
            class,
            score,
        })
    };
    rows.chunks_exact(row.max(1)).filter_map(found).collect()
}

/// Non-maximum suppression: by falling score, a box is kept if it shares no more than so much with any of its class kept before.
pub fn suppressed(mut found: Vec<Found>, overlap: f32) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(COMPARED);
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        let again = |other: &Found| other.class == one.class && other.rect.iou(&one.rect) > overlap;
        if kept.len() < MOST && !kept.iter().any(again) {
            kept.push(one);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(left: f32, top: f32, right: f32, bottom: f32) -> Rect {
        Rect { left, top, right, bottom }
    }

    #[test]
    fn areas_that_are_shared() {
        let a = rect(0.0, 0.0, 10.0, 10.0);
        assert_eq!(a.iou(&a), 1.0);
        assert_eq!(a.iou(&rect(5.0, 0.0, 15.0, 10.0)), 50.0 / 150.0);
        assert_eq!(a.iou(&rect(20.0, 20.0, 30.0, 30.0)), 0.0);
        assert_eq!(a.iou(&rect(10.0, 0.0, 20.0, 10.0)), 0.0);
        let nothing = rect(3.0, 3.0, 3.0, 3.0);
        assert_eq!(nothing.iou(&nothing), 0.0);
        assert_eq!(Rect::around([5.0, 4.0], [10.0, 2.0]), rect(0.0, 3.0, 10.0, 5.0));
    }

    /// Of three boxes over one digit the best is kept, a box of another class stays, and so does one that shares little.
    #[test]
    fn of_several_boxes_of_an_object_the_best_is_kept() {
        let found =
            |left: f32, class, score| Found { rect: rect(left, 0.0, left + 10.0, 10.0), class, score };
        let all = vec![
            found(1.0, 3, 0.8),
            found(0.0, 3, 0.9),
            found(2.0, 3, 0.7),
            found(0.5, 4, 0.6),
            found(7.0, 3, 0.5),
        ];
        let kept = suppressed(all.clone(), 0.45);
        assert_eq!(kept, [all[1], all[3], all[4]]);
        // 8 of 12 units are shared by the first and the third: more is allowed, so both stay.
        assert_eq!(suppressed(all, 0.9).len(), 5);
        assert!(suppressed(Vec::new(), 0.5).is_empty());
    }

    #[test]
    fn rows_are_objects_of_their_likeliest_class() {
        let rows = [
            [10.0, 20.0, 4.0, 8.0, 0.5, 0.1, 0.9, 0.2],
            [10.0, 20.0, 4.0, 8.0, 0.5, 0.1, 0.3, 0.2],
            [10.0, 20.0, 4.0, 8.0, f32::NAN, 0.1, 0.9, 0.2],
        ];
        let found = candidates(rows.as_flattened(), 8, 0.25);
        assert_eq!(found, [Found { rect: rect(8.0, 16.0, 12.0, 24.0), class: 1, score: 0.45 }]);
    }

    #[test]
    fn no_more_than_the_most() {
        let one = |i: usize| Found {
            rect: rect(20.0 * i as f32, 0.0, 20.0 * i as f32 + 10.0, 10.0),
            class: 0,
            score: 0.5,
        };
        assert_eq!(suppressed((0..1000).map(one).collect(), 0.5).len(), MOST);
    }
}
