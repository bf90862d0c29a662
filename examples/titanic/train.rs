//! Training on one part of the passengers, and how good the forecasts for the other part are.

use crate::features::Encoder;
use crate::net::{Logistic, Net, logistic_step, logistic_survival, survival, train_step};
use crate::passengers::Passenger;
use kiln::optim::schedule;
use kiln::prelude::*;

/// Nets whose probabilities are averaged.
pub const NETS: usize = 10;
/// Passengers of a step.
const BATCH: usize = 64;
/// Passes over the training set.
const EPOCHS: usize = 25;
/// Of the first step.
const LEARNING_RATE: f64 = 5e-3;
/// Share of weights that is lost, times the rate.
const DECAY: f64 = 0.02;
/// Steps of the logistic regression, which sees all passengers at once.
const LOGISTIC_STEPS: usize = 400;

/// A table of passengers as tensors.
struct Table {
    x: Tensor,
    kinds: Tensor<i64>,
    y: Vec<f32>,
}

impl Table {
    fn of(encoder: &Encoder, all: &[&Passenger]) -> kiln::Result<Table> {
        let (x, kinds) = encoder.encode(all)?;
        Ok(Table { x, kinds, y: all.iter().map(|p| f32::from(u8::from(p.survived))).collect() })
    }

    fn pick(&self, rows: &[usize]) -> kiln::Result<Table> {
        let index = Tensor::from_vec([rows.len()], rows.iter().map(|row| *row as i64).collect())?;
        let y = rows.iter().map(|row| self.y[*row]).collect();
        Ok(Table { x: self.x.index_select(0, &index), kinds: self.kinds.index_select(0, &index), y })
    }
}

/// Probabilities of survival for the passengers that weren't learned from.
pub struct Forecast {
    /// By the nets.
    pub nets: Vec<f32>,
    /// By logistic regression.
    pub logistic: Vec<f32>,
}

/// Learns from some and forecasts others, whose ends nothing here looks at.
pub fn forecast(
    nets: &mut [Net; NETS],
    train: &[&Passenger],
    test: &[&Passenger],
    rng: &mut Rng,
) -> kiln::Result<Forecast> {
    let encoder = Encoder::fit(train.to_vec());
    let (train, test) = (Table::of(&encoder, train)?, Table::of(&encoder, test)?);
    let mut mean = vec![0.0; test.y.len()];
    for net in nets {
        *net = Net::init(rng);
        learn(net, &train, rng)?;
        let each = survival(net, &test.x, &test.kinds)?;
        mean.iter_mut().zip(each.as_slice()).for_each(|(sum, p)| *sum += p / NETS as f32);
    }
    let mut logistic = Logistic::init(rng);
    let mut opt = AdamW::new(&logistic, 0.0).weight_decay(DECAY);
    for step in 0..LOGISTIC_STEPS {
        opt.lr = schedule::cosine(0.05, step as u64, LOGISTIC_STEPS as u64, 0.0);
        logistic_step(&mut logistic, &mut opt, &train.x, &train.kinds, &train.y)?;
    }
    Ok(Forecast { nets: mean, logistic: logistic_survival(&logistic, &test.x, &test.kinds)?.into_vec() })
}

fn learn(net: &mut Net, train: &Table, rng: &mut Rng) -> kiln::Result<()> {
    let mut opt = AdamW::new(net, LEARNING_RATE).weight_decay(DECAY);
    let steps = (EPOCHS * train.y.len().div_ceil(BATCH)) as u64;
    for _ in 0..EPOCHS {
        for rows in rng.permutation(train.y.len()).chunks(BATCH) {
            opt.lr = schedule::cosine(LEARNING_RATE, opt.steps() as u64, steps, 0.0);
            let some = train.pick(rows)?;
            train_step(net, &mut opt, &some.x, &some.kinds, &some.y, rng)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passengers::read;
    use std::path::Path;

    #[test]
    fn how_those_to_forecast_ended_changes_nothing() {
        let all = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/titanic.arff.gz"));
        let all = all.expect("the file beside the example");
        let flipped: Vec<Passenger> =
            all.iter().cloned().map(|p| Passenger { survived: !p.survived, ..p }).collect();
        let train: Vec<&Passenger> = all.iter().step_by(8).collect();
        let forecast = |from: &[Passenger]| {
            let mut nets = Params::init(&mut Rng::seed(0));
            let test: Vec<Passenger> = from.iter().skip(1).step_by(2).cloned().collect();
            let test: Vec<&Passenger> = test.iter().collect();
            forecast(&mut nets, &train, &test, &mut Rng::seed(1)).expect("shapes fit")
        };
        let (one, other) = (forecast(&all), forecast(&flipped));
        assert!(one.nets == other.nets && one.logistic == other.logistic);
    }

    /// Of a passenger that is learned from, features say how the others of the party fared, not that one itself.
    #[test]
    fn nobody_s_features_tell_the_own_end() {
        let all = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/titanic.arff.gz"));
        let mut all = all.expect("the file beside the example");
        let of_second = |all: &[Passenger]| {
            let encoder = Encoder::fit(all.iter().collect());
            encoder.encode(&[&all[1], &all[2]]).expect("shapes fit").0.into_vec()
        };
        let before = of_second(&all);
        all[1].survived = !all[1].survived;
        let after = of_second(&all);
        let (own, sister) = (crate::net::NUMBERS, 2 * crate::net::NUMBERS);
        // Means over all move a little, what is known of a sister moves much.
        let far = |range: std::ops::Range<usize>| {
            before[range.clone()].iter().zip(&after[range]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(far(0..own) < 0.01 && far(own..sister) > 0.5, "{} {}", far(0..own), far(own..sister));
    }
}
