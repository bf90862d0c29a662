//! Rows of a table.

use crate::{model, params};

/// Row `i` of a table for each index i: `torch.nn.Embedding`.
///
/// `weight` starts normal of mean 0 and deviation 1, as PyTorch's does. `.forward(ids)` takes indices (i64) of
/// any shape, `[N, T]`, to `[N, T, D]`.
///
/// ```
/// use kiln::prelude::*;
///
/// let table = Embedding::<10, 3>::init(&mut Rng::seed(0));
/// let rows = table.forward([[7i64, 0]]);
/// assert_eq!((rows.shape(), &rows.as_slice()[..3]), (&[1, 2, 3][..], &table.weight.as_slice()[21..24]));
/// assert_eq!(table.forward([7i64, 0, 2]).shape(), [3, 3]);
/// ```
#[params(forward = embedding_forward)]
pub struct Embedding<const ROWS: usize, const D: usize> {
    /// The table, `[ROWS, D]`.
    #[init(normal(0.0, 1.0))]
    pub weight: Tensor<ROWS, D>,
}

/// `.forward(ids)` of [`Embedding`].
#[model(inline)]
pub fn embedding_forward<const ROWS: usize, const D: usize>(
    layer: &Embedding<ROWS, D>,
    ids: Tensor<i64, _>,
) -> Tensor {
    layer.weight.embedding(ids)
}
