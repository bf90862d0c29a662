//! Why an RNN explodes: how the gradient grows from month to month backwards, and what that does to training.
//!
//! The gradient of the last month's error by the state of a month is that of the next month times the Jacobian between them, so
//! it grows or shrinks by a power of time (Bengio et al., 1994). Weights that are orthogonal keep its length (Saxe et al., 2014),
//! and clipping bounds the step that an explosion makes (Pascanu et al., 2013).

use crate::net::FEATURES;
use kiln::prelude::*;
use kiln_examples::svg::{self, Plot, Scale};

/// Width of the state: with few, wide weights soon hold every state at ±1.
const STATE: usize = 64;

/// A plain recurrent net and a dense layer.
#[params]
pub struct Plain {
    input: Linear<FEATURES, STATE>,
    hidden: Linear<STATE, STATE>,
    head: Linear<STATE, 1>,
}

/// The squared error of the last month, where something may be added to the state of each.
#[model]
fn last_error<const T: usize, const B: usize>(
    added: Tensor<T, B, STATE>,
    net: &Plain,
    x: Tensor<T, B, FEATURES>,
    y: Tensor<B, 1>,
) -> Tensor {
    let mut h = zeros([B, STATE]);
    for t in 0..T {
        h = (net.input.forward(x.select(0, t)) + net.hidden.forward(h)).tanh() + added.select(0, t);
    }
    mse_loss(net.head.forward(h), y)
}

/// The gradient of that error by the state of each month.
#[model]
fn by_state<const T: usize, const B: usize>(
    net: &Plain,
    x: Tensor<T, B, FEATURES>,
    y: Tensor<B, 1>,
) -> Tensor<T, B, STATE> {
    grad(|added| last_error(added, net, x, y))(zeros([T, B, STATE]))
}

/// The error by the net alone.
#[model]
fn error<const T: usize, const B: usize>(net: &Plain, x: Tensor<T, B, FEATURES>, y: Tensor<B, 1>) -> Tensor {
    last_error(zeros([T, B, STATE]), net, x, y)
}

/// A training step; the error, and the length of the gradient before it is clipped.
#[model]
fn train_step<const T: usize, const B: usize>(
    net: &mut Plain,
    opt: &mut Sgd<Plain>,
    x: Tensor<T, B, FEATURES>,
    y: Tensor<B, 1>,
    clip: bool,
) -> (Tensor, Tensor) {
    let (error, grads) = value_and_grad(error)(net, x, y);
    let length = grads.norm();
    if clip {
        opt.step(net, grads.clip_norm(1.0));
    } else {
        opt.step(net, grads);
    }
    (error, length)
}

/// Steps of each training.
const STEPS: usize = 100;

/// How the weights from state to state begin.
#[derive(Clone, Copy)]
enum Start {
    /// Normal, of three times the deviation that keeps a sum's variance.
    Wide,
    /// Uniform over ±1/√STATE, as PyTorch's.
    Usual,
    /// Orthogonal.
    Orthogonal,
}

fn begin(start: Start, seed: u64) -> Plain {
    let mut rng = Rng::seed(seed);
    let mut net = Plain::init(&mut rng);
    let shape = [STATE, STATE];
    net.hidden.weight = match start {
        Start::Wide => init::normal(0.0, 3.0 / (STATE as f32).sqrt()).tensor(&mut rng, &shape),
        Start::Usual => return net,
        Start::Orthogonal => init::orthogonal().tensor(&mut rng, &shape),
    };
    net
}

/// What was measured.
pub struct Lengths {
    /// By how much the gradient grows over all months backwards: of wide, usual and orthogonal weights.
    pub growth: [f64; 3],
    /// The charts.
    pub svg: String,
}

/// The length of the gradient by the state of each month.
fn lengths_by_month(net: &Plain, x: &Tensor, y: &Tensor) -> kiln::Result<Vec<f64>> {
    let gradient = by_state(net, x, y)?;
    let length = |month: &[f32]| month.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    Ok(gradient.as_slice().chunks(gradient.len() / gradient.shape()[0]).map(length).collect())
}

/// Measures both on windows of months `x: [T, B, FEATURES]`, of which the last is followed by `y: [B, 1]`.
pub fn measure(x: &Tensor, y: &Tensor, seed: u64) -> kiln::Result<Lengths> {
    let starts = [
        ("normal, wide", "crimson", Start::Wide),
        ("uniform, PyTorch's", "orange", Start::Usual),
        ("orthogonal", "royalblue", Start::Orthogonal),
    ];
    let (mut growth, mut months, mut steps) = ([0.0; 3], Vec::new(), Vec::new());
    for (at, (name, colour, start)) in starts.into_iter().enumerate() {
        let lengths = lengths_by_month(&begin(start, seed), x, y)?;
        growth[at] = lengths[0] / lengths[lengths.len() - 1];
        months.push(svg::steps(name, colour, 0, &lengths));
    }
    let trainings = [
        ("wide, not clipped", "crimson", Start::Wide, false),
        ("wide, clipped", "purple", Start::Wide, true),
        ("orthogonal, not clipped", "royalblue", Start::Orthogonal, false),
        ("orthogonal, clipped", "seagreen", Start::Orthogonal, true),
    ];
    for (name, colour, start, clip) in trainings {
        let mut net = begin(start, seed);
        let mut opt = Sgd::new(&net, 0.1);
        let mut lengths = Vec::new();
        for _ in 0..STEPS {
            let (_, length) = train_step(&mut net, &mut opt, x, y, clip)?;
            lengths.push(length.item()?.into());
        }
        steps.push(svg::steps(name, colour, 1, &lengths));
    }
    let plot = |title: &str, lines| Plot { title: title.into(), lines, y: Scale::Log, ..Plot::default() };
    let plots = [
        plot("Length of the gradient by the state of each month", months),
        plot("Length of the gradient by training step", steps),
    ];
    Ok(Lengths { growth, svg: svg::page(&plots) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_weights_explode_and_usual_ones_vanish() {
        let mut rng = Rng::seed(0);
        let x = randn([60, 4, FEATURES], &mut rng) * 0.3;
        let y = randn([4, 1], &mut rng);
        let [wide, usual, orthogonal] = measure(&x, &y, 0).expect("shapes fit").growth;
        assert!(wide > 1e3 && usual < 1e-6 && orthogonal > 1e3 * usual, "{wide} {usual} {orthogonal}");
    }

    /// By the definition: what a small addition to one state changes.
    #[test]
    fn the_gradient_of_a_state_is_what_its_change_makes() {
        let mut rng = Rng::seed(1);
        let (x, y) = (randn([5, 1, FEATURES], &mut rng), randn([1, 1], &mut rng));
        let net = begin(Start::Orthogonal, 2);
        let lengths = lengths_by_month(&net, &x, &y).expect("shapes fit");
        let error = |added: &[f32]| {
            let added = Tensor::from_vec([5, 1, STATE], added.to_vec()).expect("as many");
            f64::from(last_error(&added, &net, &x, &y).and_then(|e| e.item()).expect("one number"))
        };
        let slope = |i: usize| {
            let at = |by: f32| {
                let mut added = vec![0.0; 5 * STATE];
                added[2 * STATE + i] = by;
                error(&added)
            };
            (at(1e-2) - at(-1e-2)) / 2e-2
        };
        let length = (0..STATE).map(|i| slope(i).powi(2)).sum::<f64>().sqrt();
        let told = lengths[2];
        assert!((length / told - 1.0).abs() < 1e-2, "{length} {told}");
    }
}
