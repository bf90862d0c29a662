//! What the nets see of a passenger.
//!
//! Everything that is learned from others (medians, means and deviations, how those of the same party fared) is learned from
//! the passengers of the training set alone, and for one of them from the others: what a net sees of a passenger never
//! hangs on that passenger's own end.

use crate::net::{KINDS, NUMBERS};
use crate::passengers::Passenger;
use kiln::prelude::*;

/// Mr, Mrs, Miss, Master, those with an office, and nobles.
fn title(p: &Passenger) -> usize {
    let title = p.name.split(", ").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or_default();
    match title {
        "Mrs" | "Mme" => 1,
        "Miss" | "Ms" | "Mlle" => 2,
        "Master" => 3,
        "Capt" | "Col" | "Dr" | "Major" | "Rev" => 4,
        "Don" | "Dona" | "Jonkheer" | "Lady" | "Sir" | "the Countess" => 5,
        _ if p.female => 2,
        _ => 0,
    }
}

/// The deck of the first cabin, A to G; 0 if it isn't known.
fn deck(p: &Passenger) -> usize {
    let letter = p.cabin.as_deref().and_then(|cabin| cabin.split(' ').next_back()?.bytes().next());
    letter.filter(|l| (b'A'..=b'G').contains(l)).map_or(0, |l| usize::from(l - b'A') + 1)
}

/// Cherbourg, Queenstown, Southampton; the last one if it isn't known.
fn port(p: &Passenger) -> usize {
    match p.port.as_deref() {
        Some("C") => 0,
        Some("Q") => 1,
        _ => 2,
    }
}

/// The kinds that have a vector each.
fn kinds(p: &Passenger) -> [i64; KINDS] {
    [title(p), deck(p), port(p), usize::from(p.class) - 1].map(|kind| kind as i64)
}

/// Whether two travel together: on one ticket, or as a family of one name in one class.
fn together(a: &Passenger, b: &Passenger) -> bool {
    let family = |p: &Passenger| p.siblings_spouses + p.parents_children;
    a.ticket == b.ticket
        || family(a) > 0.0 && family(a) == family(b) && a.class == b.class && a.surname() == b.surname()
}

/// What was learned from a training set.
pub struct Encoder<'a> {
    train: Vec<&'a Passenger>,
    /// The median age of each title.
    ages: [f64; 6],
    /// The median fare of each class.
    fares: [f64; 3],
    means: [f64; NUMBERS],
    deviations: [f64; NUMBERS],
}

impl<'a> Encoder<'a> {
    /// Learns from a training set.
    pub fn fit(train: Vec<&'a Passenger>) -> Encoder<'a> {
        let all = median(train.iter().filter_map(|p| p.age)).unwrap_or(30.0);
        let of = |t: usize| train.iter().filter(move |p| title(p) == t).filter_map(|p| p.age);
        let ages = std::array::from_fn(|t| median(of(t)).unwrap_or(all));
        let paid =
            |c: usize| train.iter().filter(move |p| usize::from(p.class) == c + 1).filter_map(|p| p.fare);
        let fares = std::array::from_fn(|c| median(paid(c)).unwrap_or(0.0));
        let mut encoder = Encoder { train, ages, fares, means: [0.0; NUMBERS], deviations: [1.0; NUMBERS] };
        let rows: Vec<_> = encoder.train.iter().map(|p| encoder.numbers(p)).collect();
        let mean =
            |of: &dyn Fn(&[f64; NUMBERS]) -> f64| rows.iter().map(of).sum::<f64>() / rows.len().max(1) as f64;
        let means: [f64; NUMBERS] = std::array::from_fn(|k| mean(&|row| row[k]));
        let variances: [f64; NUMBERS] = std::array::from_fn(|k| mean(&|row| (row[k] - means[k]).powi(2)));
        // A number that is the same for all says nothing.
        encoder.deviations = variances.map(|v| if v > 1e-12 { v.sqrt() } else { 1.0 });
        encoder.means = means;
        encoder
    }

    /// Before means and deviations.
    fn numbers(&self, p: &Passenger) -> [f64; NUMBERS] {
        let age = p.age.unwrap_or(self.ages[title(p)]);
        let fare = p.fare.unwrap_or(self.fares[usize::from(p.class) - 1]);
        let party: Vec<&Passenger> = self
            .train
            .iter()
            .copied()
            .filter(|other| !std::ptr::eq(*other, p) && together(p, other))
            .collect();
        let family = p.siblings_spouses + p.parents_children;
        let flag = |is: bool| f64::from(u8::from(is));
        let man = |p: &Passenger| title(p) == 0 || title(p) == 4;
        [
            flag(p.female),
            f64::from(p.class),
            age,
            flag(p.age.is_none()),
            flag(age < 13.0),
            (1.0 + fare).ln(),
            (1.0 + fare / (1.0 + party.len() as f64)).ln(),
            p.siblings_spouses.min(4.0),
            p.parents_children.min(4.0),
            flag(family == 0.0),
            flag(family > 3.0),
            (party.len() as f64).min(6.0),
            fared(party.iter().filter(|o| !man(o)).map(|o| o.survived)),
            fared(party.iter().filter(|o| man(o)).map(|o| o.survived)),
        ]
    }

    /// Numbers `[N, NUMBERS]` of mean 0 and deviation 1 in the training set, and kinds `[N, KINDS]`.
    pub fn encode(&self, all: &[&Passenger]) -> kiln::Result<(Tensor, Tensor<i64>)> {
        let scaled = |p: &&Passenger| {
            let numbers = self.numbers(p);
            std::array::from_fn::<f32, NUMBERS, _>(|k| {
                ((numbers[k] - self.means[k]) / self.deviations[k]) as f32
            })
        };
        let numbers = all.iter().flat_map(scaled).collect();
        let kinds = all.iter().flat_map(|p| kinds(p)).collect();
        Ok((Tensor::from_vec([all.len(), NUMBERS], numbers)?, Tensor::from_vec([all.len(), KINDS], kinds)?))
    }
}

/// From −1, where many died, to 1, where many survived; 0 where there is nobody.
fn fared(all: impl Iterator<Item = bool>) -> f64 {
    let (alive, count) =
        all.fold((0.0, 0.0), |(alive, n), survived| (alive + f64::from(u8::from(survived)), n + 1.0));
    (2.0 * alive - count) / (count + 1.0)
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
