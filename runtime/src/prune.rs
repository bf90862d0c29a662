//! Pruning: which weights a net can do without, by their size. `torch.nn.utils.prune`, as functions of tensors.
//!
//! Each yields masks, true where a weight stays. [`apply`] sets the others to zero; during training that is done after each
//! step, or the mask is an argument of the model.
//!
//! ```
//! use kiln::prelude::*;
//! use kiln::prune;
//!
//! let mut net = Linear::<4, 3>::init(&mut Rng::seed(0));
//! let mask = prune::l1_unstructured(&net.weight, 0.5)?;
//! prune::apply(&mut net.weight, &mask)?;
//! assert_eq!(net.weight.as_slice().iter().filter(|w| **w == 0.0).count(), 6);
//! # Ok::<(), kiln::Error>(())
//! ```

use crate::{Element, Error, Result, Shape, Tensor};

mod schedule;

pub use schedule::Schedule;

/// How many go: a share of all, or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// `round(share · all)`, halves to even.
    Share(f64),
    /// So many, or all if there are less.
    Count(usize),
}

impl Amount {
    fn of(self, all: usize) -> usize {
        match self {
            // What is no number or negative becomes 0.
            Amount::Share(share) => ((share * all as f64).round_ties_even() as usize).min(all),
            Amount::Count(count) => count.min(all),
        }
    }
}

impl From<f64> for Amount {
    fn from(share: f64) -> Amount {
        Amount::Share(share)
    }
}

impl From<usize> for Amount {
    fn from(count: usize) -> Amount {
        Amount::Count(count)
    }
}

/// The smallest |w| go: `prune.l1_unstructured`.
///
/// ```
/// use kiln::{Tensor, prune};
///
/// let weight: Tensor = Tensor::from([[0.1, -3.0], [0.5, 2.0]]);
/// assert_eq!(prune::l1_unstructured(&weight, 0.5)?.as_slice(), [false, true, false, true]);
/// assert_eq!(prune::l1_unstructured(&weight, 1usize)?.as_slice(), [false, true, true, true]);
/// # Ok::<(), kiln::Error>(())
/// ```
///
/// # Errors
/// If the weight stands for an operation that failed.
pub fn l1_unstructured<T: Element + Into<f64>>(
    weight: &Tensor<T>,
    amount: impl Into<Amount>,
) -> Result<Tensor<bool>> {
    let sizes = sizes(weight)?;
    let kept = kept(&sizes, amount.into());
    Tensor::from_vec(weight.shape(), kept)
}

/// The smallest |w| of several weights go, in one ranking: `prune.global_unstructured` with `prune.L1Unstructured`.
///
/// ```
/// use kiln::{Tensor, prune};
///
/// let (a, b): (Tensor, Tensor) = (Tensor::from([0.1, 0.2]), Tensor::from([3.0, 0.3]));
/// let masks = prune::global_unstructured(&[&a, &b], 0.5)?;
/// assert_eq!((masks[0].as_slice(), masks[1].as_slice()), (&[false, false][..], &[true, true][..]));
/// # Ok::<(), kiln::Error>(())
/// ```
///
/// # Errors
/// If a weight stands for an operation that failed.
pub fn global_unstructured<T: Element + Into<f64>>(
    weights: &[&Tensor<T>],
    amount: impl Into<Amount>,
) -> Result<Vec<Tensor<bool>>> {
    let sizes = weights.iter().map(|w| sizes(w)).collect::<Result<Vec<_>>>()?.concat();
    let mut kept = kept(&sizes, amount.into()).into_iter();
    weights.iter().map(|w| Tensor::from_vec(w.shape(), kept.by_ref().take(w.len()).collect())).collect()
}

/// Whole slices along a dim go, those whose n-norm is smallest: `prune.ln_structured`. A norm of 1 adds |w|, an infinite one
/// takes the largest.
///
/// ```
/// use kiln::{Tensor, prune};
///
/// let weight: Tensor = Tensor::from([[0.1, -3.0], [0.5, 0.25]]);
/// assert_eq!(prune::ln_structured(&weight, 0.5, 2.0, 0)?.as_slice(), [true, true, false, false]);
/// # Ok::<(), kiln::Error>(())
/// ```
///
/// # Errors
/// If the weight has no such dim.
pub fn ln_structured<T: Element + Into<f64>>(
    weight: &Tensor<T>,
    amount: impl Into<Amount>,
    n: f64,
    dim: i64,
) -> Result<Tensor<bool>> {
    let sizes = sizes(weight)?;
    let axis = if dim < 0 { dim.saturating_add(weight.rank() as i64) } else { dim };
    let axis = usize::try_from(axis).ok().filter(|axis| *axis < weight.rank());
    let axis = axis.ok_or(Error::NoDim { dim, rank: weight.rank() })?;
    let (slices, inner) = (weight.shape()[axis], weight.shape()[axis + 1..].iter().product::<usize>());
    let slice = |i: usize| i / inner.max(1) % slices.max(1);
    let mut norms = vec![0.0; slices];
    for (i, size) in sizes.iter().enumerate() {
        let norm: &mut f64 = &mut norms[slice(i)];
        *norm = if n.is_infinite() { norm.max(*size) } else { *norm + size.powf(n) };
    }
    if !n.is_infinite() && n != 0.0 {
        norms.iter_mut().for_each(|norm| *norm = norm.powf(1.0 / n));
    }
    let kept = kept(&norms, amount.into());
    Tensor::from_vec(weight.shape(), (0..weight.len()).map(|i| kept[slice(i)]).collect())
}

/// Sets to zero what a mask doesn't keep.
///
/// # Errors
/// If the mask has another shape than the weight; nothing has changed then.
pub fn apply<T: Element>(weight: &mut Tensor<T>, mask: &Tensor<bool>) -> Result<()> {
    weight.sound()?;
    mask.sound()?;
    if weight.shape() != mask.shape() {
        let (weight, mask) = (Box::new(Shape::new(weight.shape())?), Box::new(Shape::new(mask.shape())?));
        return Err(Error::Mask { weight, mask });
    }
    for (w, stays) in weight.as_mut_slice().iter_mut().zip(mask.as_slice()) {
        if !stays {
            *w = T::ZERO;
        }
    }
    Ok(())
}

fn sizes<T: Element + Into<f64>>(weight: &Tensor<T>) -> Result<Vec<f64>> {
    weight.sound()?;
    Ok(weight.as_slice().iter().map(|w| (*w).into().abs()).collect())
}

/// Whether each stays when the smallest go; of equal ones the first goes first.
fn kept(sizes: &[f64], amount: Amount) -> Vec<bool> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| sizes[*a].total_cmp(&sizes[*b]));
    let mut kept = vec![true; sizes.len()];
    order[..amount.of(sizes.len())].iter().for_each(|i| kept[*i] = false);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_clamped_and_halves_round_to_even() {
        let of = |amount: Amount| amount.of(5);
        assert_eq!([0.5, 0.3, 0.7, -1.0, 2.0, f64::NAN].map(|s| of(s.into())), [2, 2, 4, 0, 5, 0]);
        assert_eq!([0usize, 7].map(|n| of(n.into())), [0, 5]);
    }

    #[test]
    fn norms_rank_slices() {
        let weight: Tensor = Tensor::from([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]);
        let rows = |n: f64| ln_structured(&weight, 1usize, n, 0).unwrap().as_slice()[0];
        assert_eq!([1.0, 2.0, f64::INFINITY].map(rows), [true, false, false]);
        let columns = ln_structured(&weight, 2usize, 1.0, -1).unwrap();
        assert_eq!(columns.as_slice(), [false, false, true, false, false, true]);
    }

    #[test]
    fn misuse_is_told() {
        let mut weight: Tensor = Tensor::from([1.0, 2.0]);
        let error = ln_structured(&weight, 0.5, 1.0, 1).unwrap_err().to_string();
        assert_eq!(error, "a tensor of rank 1 has no dim 1");
        let error = apply(&mut weight, &Tensor::<bool>::zeros([3])).unwrap_err().to_string();
        assert_eq!(error, "a mask of shape [3] doesn't fit a weight of shape [2]");
        let none = Tensor::<f32>::zeros([0, 2]);
        assert_eq!(ln_structured(&none, 0.5, 1.0, 1).unwrap().shape(), [0, 2]);
        assert_eq!(l1_unstructured(&none, 3usize).unwrap().shape(), [0, 2]);
    }
}
