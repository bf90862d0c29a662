//! Average precision: for each class, over all pictures, the area under the curve of precision by recall.
//!
//! By falling score, an object that is found takes the one of its class in its picture that it shares most with, at least half, and
//! that none has taken before (Everingham et al., *The PASCAL visual object classes challenge*, 2010, all points since then).

use crate::boxes::Found;
use crate::scene::Truth;

/// What a box and an object must share to be the same.
pub const SHARE: f32 = 0.5;

/// A class's precision by recall, and the area under it.
pub struct Curve {
    /// Recall and precision behind each object that was found, from the surest on.
    pub points: Vec<(f64, f64)>,
    /// The area.
    pub average: f64,
}

/// A curve for each of so many classes; `None` where there is none of it.
pub fn curves(pictures: &[(Vec<Found>, &[Truth])], classes: usize) -> Vec<Option<Curve>> {
    let hits: Vec<(usize, f32, bool)> =
        pictures.iter().flat_map(|(found, truths)| hits(found, truths)).collect();
    let of_class = |class: usize| {
        let all = pictures.iter().flat_map(|(_, truths)| *truths).filter(|t| t.class == class).count();
        let own = hits.iter().filter(|hit| hit.0 == class).map(|hit| (hit.1, hit.2)).collect();
        (all > 0).then(|| curve(own, all))
    };
    (0..classes).map(of_class).collect()
}

/// The mean of the areas.
pub fn mean(curves: &[Option<Curve>]) -> f64 {
    let known: Vec<f64> = curves.iter().flatten().map(|curve| curve.average).collect();
    known.iter().sum::<f64>() / known.len().max(1) as f64
}

/// Class, score, and whether it is right, of each object found in a picture.
fn hits(found: &[Found], truths: &[Truth]) -> Vec<(usize, f32, bool)> {
    let mut order: Vec<&Found> = found.iter().collect();
    order.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut taken = vec![false; truths.len()];
    let mut hit = |one: &Found| {
        let free = truths.iter().enumerate().filter(|(i, t)| !taken[*i] && t.class == one.class);
        let best = free.map(|(i, t)| (i, t.rect.iou(&one.rect))).max_by(|a, b| a.1.total_cmp(&b.1));
        let best = best.filter(|(_, share)| *share >= SHARE);
        if let Some((i, _)) = best {
            taken[i] = true;
        }
        (one.class, one.score, best.is_some())
    };
    order.into_iter().map(&mut hit).collect()
}

/// The curve of scores that are right or wrong, of so many that are to be found.
fn curve(mut hits: Vec<(f32, bool)>, all: usize) -> Curve {
    hits.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut right = 0;
    let point = |(i, (_, hit)): (usize, &(f32, bool))| {
        right += usize::from(*hit);
        (right as f64 / all as f64, right as f64 / (i + 1) as f64)
    };
    let points: Vec<(f64, f64)> = hits.iter().enumerate().map(point).collect();
    let average = area(&points);
    Curve { points, average }
}

/// The area under the least curve that doesn't rise and lies nowhere below: at each recall the best precision from there on.
fn area(points: &[(f64, f64)]) -> f64 {
    let (mut best, mut area, mut beyond) = (0f64, 0.0, points.last().map_or(0.0, |p| p.0));
    for (i, (_, precision)) in points.iter().enumerate().rev() {
        best = best.max(*precision);
        let before = if i == 0 { 0.0 } else { points[i - 1].0 };
        area += (beyond - before) * best;
        beyond = before;
    }
    area
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::Rect;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9, "{got}, not {want}");
    }

    /// Right, wrong, right of three: recalls ⅓, ⅓, ⅔ at precisions 1, ½, ⅔, so ⅓ · 1 + ⅓ · ⅔.
    #[test]
    fn the_area_of_a_small_curve() {
        let curve = curve(vec![(0.7, true), (0.9, true), (0.8, false)], 3);
        assert_eq!(curve.points.len(), 3);
        near(curve.points[2].0, 2.0 / 3.0);
        near(curve.average, 1.0 / 3.0 + 2.0 / 9.0);
        near(area(&[]), 0.0);
    }

    /// The precision that counts is the best from there on: wrong, right, right of two is ⅔ all along.
    #[test]
    fn the_curve_is_filled_from_the_right() {
        near(curve(vec![(0.9, false), (0.8, true), (0.7, true)], 2).average, 2.0 / 3.0);
    }

    #[test]
    fn each_object_is_found_once_and_by_its_class() {
        let rect = |left: f32| Rect { left, top: 0.0, right: left + 10.0, bottom: 10.0 };
        let truths = [Truth { rect: rect(0.0), class: 1 }, Truth { rect: rect(20.0), class: 2 }];
        let found = |left: f32, class, score| Found { rect: rect(left), class, score };
        let all = vec![
            found(0.0, 1, 0.9),  // Right.
            found(1.0, 1, 0.8),  // The same one again.
            found(20.0, 1, 0.7), // Another class's.
            found(27.0, 2, 0.6), // 3 of 17 shared.
            found(21.0, 2, 0.5), // 9 of 11.
        ];
        let right: Vec<bool> = hits(&all, &truths).iter().map(|hit| hit.2).collect();
        assert_eq!(right, [true, false, false, false, true]);
        let curves = curves(&[(all, &truths[..]), (Vec::new(), &[])], 4);
        assert!(curves[0].is_none() && curves[3].is_none());
        near(curves[1].as_ref().expect("one of it").average, 1.0);
        near(curves[2].as_ref().expect("one of it").average, 0.5);
        near(mean(&curves), 0.75);
    }

    /// An object takes the one that it shares most with, so that the other is left for the next.
    #[test]
    fn the_nearest_object_is_taken() {
        let rect = |left: f32| Rect { left, top: 0.0, right: left + 10.0, bottom: 10.0 };
        let truths = [0.0, 2.0].map(|left| Truth { rect: rect(left), class: 0 });
        let all = [(2.0, 0.9), (0.0, 0.8)].map(|(left, score)| Found { rect: rect(left), class: 0, score });
        assert!(hits(&all, &truths).iter().all(|hit| hit.2));
    }
}
