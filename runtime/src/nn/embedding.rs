//! Rows of a table.

use crate::{model, params};

/// Row `i` of a table for each index i: `torch.nn.Embedding`.
///
/// `weight` starts normal of mean 0 and deviation 1, as PyTorch's does. `.forward(ids)` takes `[N, T]` (i64) to `[N, T, D]`; for
/// other ranks there is [`Tensor::embedding`](crate::Tensor::embedding).
///
/// ```
/// use kiln::prelude::*;
///
/// let table = Embedding::<10, 3>::init(&mut Rng::seed(0));
/// let rows = table.forward([[7i64, 0]]);
/// assert_eq!((rows.shape(), &rows.as_slice()[..3]), (&[1, 2, 3][..], &table.weight.as_slice()[21..24]));
/// ```
#[params(forward = embedding_forward)]
pub struct Embedding<const ROWS: usize, const D: usize> {
    /// The table, `[ROWS, D]`.
    #[init(normal(0.0, 1.0))]
    pub weight: Tensor<ROWS, D>,
}

/// `.forward(ids)` of [`Embedding`].
#[model(inline)]
pub fn embedding_forward<const ROWS: usize, const D: usize, const N: usize, const T: usize>(
    layer: &Embedding<ROWS, D>,
    ids: Tensor<i64, N, T>,
) -> Tensor<N, T, D> {
    layer.weight.embedding(ids)
}
