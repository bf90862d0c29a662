//! Initializers of parameters, as PyTorch's `torch.nn.init` defines them.
//!
//! The fans of a weight `[O, I, K…]` are `I·∏K` in and `O·∏K` out. Where PyTorch refuses a tensor of fewer than
//! two axes, `[n]` counts as `[n, 1]` and a scalar as `[1, 1]`.

use crate::{Rng, Shape, Tensor};

/// How a parameter starts.
///
/// ```
/// use kiln::{Rng, init};
/// let w = init::kaiming_uniform().tensor(&mut Rng::seed(0), &[128, 784]);
/// assert!(w.as_slice().iter().all(|x| x.abs() <= (6.0f32 / 784.0).sqrt()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init(Kind);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Constant(f32),
    Uniform { low: f32, high: f32 },
    Normal { mean: f32, deviation: f32 },
    XavierUniform,
    XavierNormal,
    KaimingUniform,
    KaimingNormal,
    Orthogonal,
}

/// Zeros everywhere.
pub fn zeros() -> Init {
    constant(0.0)
}

/// Ones everywhere.
pub fn ones() -> Init {
    constant(1.0)
}

/// `value` everywhere.
pub fn constant(value: f32) -> Init {
    Init(Kind::Constant(value))
}

/// Uniform between `low` and `high`.
pub fn uniform(low: f32, high: f32) -> Init {
    Init(Kind::Uniform { low, high })
}

/// Normal of this mean and standard deviation.
pub fn normal(mean: f32, deviation: f32) -> Init {
    Init(Kind::Normal { mean, deviation })
}

/// Uniform over ±√(6 / (fan_in + fan_out)): Glorot and Bengio (2010).
pub fn xavier_uniform() -> Init {
    Init(Kind::XavierUniform)
}

/// Normal of deviation √(2 / (fan_in + fan_out)): Glorot and Bengio (2010).
pub fn xavier_normal() -> Init {
    Init(Kind::XavierNormal)
}

/// Uniform over ±√(6 / fan_in), the gain being that of ReLU: He et al. (2015).
pub fn kaiming_uniform() -> Init {
    Init(Kind::KaimingUniform)
}

/// Normal of deviation √(2 / fan_in), the gain being that of ReLU: He et al. (2015).
pub fn kaiming_normal() -> Init {
    Init(Kind::KaimingNormal)
}

/// Uniform over ±1/√fan: how PyTorch starts the weight and the bias of `nn.Linear` and of convolutions.
pub fn fan_uniform(fan: usize) -> Init {
    let bound = 1.0 / (fan.max(1) as f32).sqrt();
    uniform(-bound, bound)
}

/// Orthonormal rows or columns, whichever are fewer, the axes after the first flattened: Saxe et al. (2013).
pub fn orthogonal() -> Init {
    Init(Kind::Orthogonal)
}

impl Init {
    /// A tensor so initialized.
    ///
    /// # Panics
    /// If the shape has more axes than [`crate::MAX_RANK`] or exceeds the address space.
    pub fn tensor(&self, rng: &mut Rng, shape: &[usize]) -> Tensor {
        let shape = Shape::new(shape).unwrap_or_else(|error| panic!("{error}"));
        let (fan_in, fan_out) = fans(&shape);
        match self.0 {
            Kind::Constant(value) => Tensor::full(shape, value),
            Kind::Uniform { low, high } => drawn(shape, || low + (high - low) * rng.uniform()),
            Kind::Normal { mean, deviation } => drawn(shape, || mean + deviation * rng.normal()),
            Kind::XavierUniform => within((6.0 / (fan_in + fan_out)).sqrt()).tensor(rng, &shape),
            Kind::XavierNormal => normal(0.0, (2.0 / (fan_in + fan_out)).sqrt()).tensor(rng, &shape),
            Kind::KaimingUniform => within((6.0 / fan_in).sqrt()).tensor(rng, &shape),
            Kind::KaimingNormal => normal(0.0, (2.0 / fan_in).sqrt()).tensor(rng, &shape),
            Kind::Orthogonal => {
                let rows = shape.first().copied().unwrap_or(1);
                let columns = shape.iter().skip(1).product();
                filled(shape, orthonormal(rng, rows, columns))
            }
        }
    }
}

fn within(bound: f32) -> Init {
    uniform(-bound, bound)
}

fn drawn(shape: Shape, mut draw: impl FnMut() -> f32) -> Tensor {
    filled(shape, (0..shape.elements()).map(|_| draw()).collect())
}

fn filled(shape: Shape, data: Vec<f32>) -> Tensor {
    Tensor::from_vec(shape, data).expect("as many values were drawn as the shape holds")
}

/// Fan in and fan out, at least 1 each, so that empty tensors divide by nothing.
fn fans(shape: &[usize]) -> (f32, f32) {
    let extent = |axis| shape.get(axis).copied().unwrap_or(1);
    let receptive: usize = shape.iter().skip(2).product();
    ((extent(1) * receptive).max(1) as f32, (extent(0) * receptive).max(1) as f32)
}

/// A matrix `[rows, columns]` with orthonormal rows or columns, whichever are fewer: Gram and Schmidt's process,
/// twice per vector for accuracy, on normally drawn vectors.
fn orthonormal(rng: &mut Rng, rows: usize, columns: usize) -> Vec<f32> {
    let (few, many) = (rows.min(columns), rows.max(columns));
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(few);
    while basis.len() < few {
        let mut vector: Vec<f64> = (0..many).map(|_| f64::from(rng.normal())).collect();
        for _ in 0..2 {
            for other in &basis {
                let along = dot(&vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        // A draw that lies in the span of the others, as good as never, is drawn anew.
        if norm > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= norm);
            basis.push(vector);
        }
    }
    let element = |i: usize, j: usize| if rows <= columns { basis[i][j] } else { basis[j][i] };
    (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).map(|(i, j)| element(i, j) as f32).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
