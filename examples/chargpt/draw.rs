//! Which token comes next: one of the likeliest, by chance.

use kiln::Rng;
use std::cmp::Ordering;

/// How the next token is drawn.
pub struct Draw {
    /// Scores are divided by it: the lower, the surer.
    pub temperature: f32,
    /// Among so many of the likeliest.
    pub top_k: usize,
    /// Among the likeliest that have this share of the probability together (Holtzman et al., 2020).
    pub top_p: f32,
}

impl Draw {
    /// What is wrong with the numbers, if something is.
    pub fn fault(&self) -> Option<&'static str> {
        match self {
            Draw { temperature, .. } if temperature.is_nan() || *temperature <= 0.0 => {
                Some("the temperature is above 0")
            }
            Draw { top_k: 0, .. } => Some("top-k is at least 1"),
            Draw { top_p, .. } if !(*top_p > 0.0 && *top_p <= 1.0) => {
                Some("top-p is a share, above 0 and at most 1")
            }
            _ => None,
        }
    }

    /// One of those that may be drawn, each by its probability.
    pub fn drawn(&self, scores: &[f32], rng: &mut Rng) -> i64 {
        let order = likeliest(scores, self.top_k);
        let weight = |i: &usize| ((scores[*i] - scores[order[0]]) / self.temperature).exp();
        let mut weights: Vec<f32> = order.iter().map(weight).collect();
        weights.truncate(enough(&weights, self.top_p));
        let mut left = rng.uniform() * weights.iter().sum::<f32>();
        for (i, weight) in order.iter().zip(&weights) {
            left -= weight;
            if left < 0.0 {
                return *i as i64;
            }
        }
        order[0] as i64
    }
}

/// So many of the highest scores, the highest first; of equal ones the first.
fn likeliest(scores: &[f32], count: usize) -> Vec<usize> {
    let by_score = |a: &usize, b: &usize| -> Ordering { scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)) };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    if count < order.len() {
        order.select_nth_unstable_by(count, by_score);
        order.truncate(count);
    }
    order.sort_unstable_by(by_score);
    order
}

/// How many of the first weights have a share of all: at least one.
fn enough(weights: &[f32], share: f32) -> usize {
    let wanted = share * weights.iter().sum::<f32>();
    let sums = weights.iter().scan(0.0, |sum, weight| {
        *sum += weight;
        Some(*sum)
    });
    1 + sums.take(weights.len() - 1).take_while(|sum| *sum < wanted).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of three is drawn of a thousand times.
    fn counts(temperature: f32, top_k: usize, top_p: f32) -> [usize; 3] {
        let (draw, mut rng) = (Draw { temperature, top_k, top_p }, Rng::seed(0));
        let mut counts = [0; 3];
        (0..1000).for_each(|_| counts[draw.drawn(&[0.0, 2.0, 1.0], &mut rng) as usize] += 1);
        counts
    }

    #[test]
    fn only_the_likeliest_are_drawn() {
        assert_eq!(counts(1.0, 1, 1.0), [0, 1000, 0]);
        let [none, most, some] = counts(1.0, 2, 1.0);
        assert!(none == 0 && (680..780).contains(&most) && some == 1000 - most, "{most}");
    }

    /// The three have 9, 67 and 24 of a hundred.
    #[test]
    fn only_what_has_the_share_is_drawn() {
        assert_eq!(counts(1.0, 3, 0.6), [0, 1000, 0]);
        let [none, most, some] = counts(1.0, 3, 0.8);
        assert!(none == 0 && (680..780).contains(&most) && some == 1000 - most, "{most}");
        let [least, most, _] = counts(1.0, 3, 1.0);
        assert!((60..120).contains(&least) && (610..720).contains(&most), "{least} {most}");
        assert_eq!(counts(0.01, 3, 1.0), [0, 1000, 0]);
    }

    #[test]
    fn as_many_as_asked_for_in_their_order() {
        let scores: Vec<f32> = (0..100).map(|i| ((i * 37) % 101) as f32).collect();
        let all = likeliest(&scores, 1000);
        assert!(all.len() == 100 && all.windows(2).all(|w| scores[w[0]] > scores[w[1]]));
        assert_eq!(likeliest(&scores, 7), all[..7]);
        assert_eq!(likeliest(&[1.0; 5], 3), [0, 1, 2]);
    }

    #[test]
    fn numbers_at_fault_are_told() {
        let fault = |temperature, top_k, top_p| Draw { temperature, top_k, top_p }.fault();
        assert_eq!(fault(0.0, 1, 1.0), Some("the temperature is above 0"));
        assert_eq!(fault(1.0, 0, 1.0), Some("top-k is at least 1"));
        assert_eq!(fault(1.0, 1, 1.5), Some("top-p is a share, above 0 and at most 1"));
        assert_eq!(fault(1.0, 1, 1.0), None);
    }
}
