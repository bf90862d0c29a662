//! Trees of many leaves, which emitted code takes apart by a table: a row a leaf, where trees of a few have a call a leaf.

use super::sizes::fit;
use crate::{LeafTensor, Params, Result, Tensor};

/// What shows its tensors one after the other: a tree of params, or what is kept of a frozen one.
pub trait Each {
    /// Shows them.
    fn each<'a>(&'a self, see: &mut dyn FnMut(LeafTensor<'a>));
}

impl<P: Params> Each for P {
    fn each<'a>(&'a self, see: &mut dyn FnMut(LeafTensor<'a>)) {
        self.__kiln_each(see);
    }
}

/// A leaf that a model wants: which of the tree's it is, its path, its extents, and these as the signature has them.
pub type Row<'r> = (usize, &'static str, &'r [usize], &'static str);

/// The elements of leaves that are read, and of those that are written.
type Both<'a, const N: usize, const M: usize> = ([&'a [f32]; N], [&'a mut [f32]; M]);

/// What rows have seen of a tree so far.
struct Seen<'r> {
    model: &'static str,
    rows: &'r [Row<'r>],
    /// Leaves seen.
    leaves: usize,
    /// Rows found.
    found: usize,
    fits: Result<()>,
}

impl<'r> Seen<'r> {
    fn new(model: &'static str, rows: &'r [Row<'r>]) -> Seen<'r> {
        Seen { model, rows, leaves: 0, found: 0, fits: Ok(()) }
    }

    /// The row that the next leaf, of that shape, has.
    fn row(&mut self, shape: &[usize]) -> Option<usize> {
        let leaf = self.leaves;
        self.leaves += 1;
        let (_, path, wanted, text) = self.rows.get(self.found).filter(|row| row.0 == leaf)?;
        if self.fits.is_ok() {
            self.fits = fit(shape, wanted, &(self.model, path, text));
        }
        self.found += 1;
        Some(self.found - 1)
    }
}

/// The elements of the leaves that rows tell of, all of f32, in order; an error if someone put a tensor of another shape there.
pub fn table<'a, const N: usize>(
    tree: &'a impl Each,
    model: &'static str,
    rows: &[Row; N],
) -> Result<[&'a [f32]; N]> {
    let mut slices: [&[f32]; N] = [&[]; N];
    let mut seen = Seen::new(model, rows);
    tree.each(&mut |leaf| {
        if let Some((row, tensor)) = seen.row(leaf.shape()).zip(leaf.as_f32()) {
            slices[row] = tensor.as_slice();
        }
    });
    seen.fits.map(|()| slices)
}

/// [`table`] to write to.
pub fn table_mut<'a, const N: usize>(
    tree: &'a mut impl Params,
    model: &'static str,
    rows: &[Row; N],
) -> Result<[&'a mut [f32]; N]> {
    let mut slices: [&mut [f32]; N] = std::array::from_fn(|_| Default::default());
    let mut seen = Seen::new(model, rows);
    tree.__kiln_each_mut(&mut |leaf| {
        let Some(tensor) = leaf.into_f32() else {
            seen.leaves += 1;
            return;
        };
        if let Some(row) = seen.row(tensor.shape()) {
            slices[row] = tensor.as_mut_slice();
        }
    });
    seen.fits.map(|()| slices)
}

/// [`table`] of leaves some of which are written: those of the rows in `written`, ascending, apart from the others.
pub fn table_both<'a, const N: usize, const M: usize>(
    tree: &'a mut impl Params,
    model: &'static str,
    rows: &[Row],
    written: &[usize; M],
) -> Result<Both<'a, N, M>> {
    let mut read: [&[f32]; N] = [&[]; N];
    let mut write: [&mut [f32]; M] = std::array::from_fn(|_| Default::default());
    let (mut seen, mut found) = (Seen::new(model, rows), 0);
    tree.__kiln_each_mut(&mut |leaf| {
        let Some(tensor) = leaf.into_f32() else {
            seen.leaves += 1;
            return;
        };
        let Some(row) = seen.row(tensor.shape()) else { return };
        if written.get(found) == Some(&row) {
            write[found] = tensor.as_mut_slice();
            found += 1;
        } else {
            read[row - found] = tensor.as_slice();
        }
    });
    seen.fits.map(|()| (read, write))
}

/// Tensors of these shapes, to be written.
pub fn outputs<const N: usize>(shapes: [&[usize]; N]) -> [Tensor; N] {
    shapes.map(super::output)
}

/// The elements of each, to write to.
pub fn elements<const N: usize>(tensors: &mut [Tensor; N]) -> [&mut [f32]; N] {
    tensors.each_mut().map(|tensor| tensor.as_mut_slice())
}

/// Puts tensors into leaves, by the number of the leaf, ascending, and its tensor's; and zeros into all other leaves.
pub fn put(tree: &mut impl Params, tensors: &mut [Tensor], places: &[(usize, usize)]) {
    let (mut leaves, mut found) = (0, 0);
    tree.__kiln_each_mut(&mut |leaf| {
        match places.get(found).filter(|place| place.0 == leaves) {
            Some((_, tensor)) => {
                if let Some(leaf) = leaf.into_f32() {
                    *leaf = std::mem::take(&mut tensors[*tensor]);
                }
                found += 1;
            }
            None => leaf.zero(),
        }
        leaves += 1;
    });
}

/// As many tensors in an array as there are.
///
/// # Panics
/// If there are fewer.
pub fn all<const N: usize>(tensors: impl IntoIterator<Item = Tensor>) -> [Tensor; N] {
    let mut tensors = tensors.into_iter();
    std::array::from_fn(|_| tensors.next().expect("one for each place"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn rows_find_their_leaves() {
        let mut net = <[LayerNorm<4>; 3]>::init(&mut Rng::seed(0));
        let rows: [Row; 2] = [(1, "net.0.bias", &[4], "[4]"), (4, "net.2.weight", &[4], "[4]")];
        assert_eq!(table(&net, "f", &rows).expect("both are there"), [[0.0; 4], [1.0; 4]]);
        let [bias, weight] = table_mut(&mut net, "f", &rows).expect("both are there");
        (bias[0], weight[1]) = (2.0, 3.0);
        assert_eq!((net[0].bias.as_slice()[0], net[2].weight.as_slice()[1]), (2.0, 3.0));
        let ([bias], [weight]) = table_both(&mut net, "f", &rows, &[1]).expect("both are there");
        (weight[1], weight[0]) = (4.0, bias[0]);
        assert_eq!(net[2].weight.as_slice(), [2.0, 4.0, 1.0, 1.0]);
    }

    #[test]
    fn the_first_misfit_is_told() {
        let mut net = <[LayerNorm<4>; 2]>::init(&mut Rng::seed(0));
        (net[0].bias, net[1].bias) = (Tensor::zeros([3]), Tensor::zeros([5]));
        let rows: [Row; 2] = [(1, "net.0.bias", &[4], "[4]"), (3, "net.1.bias", &[4], "[4]")];
        let told = "`f`: argument `net.0.bias` must have shape [4], but has [3]";
        assert_eq!(table(&net, "f", &rows).unwrap_err().to_string(), told);
        assert_eq!(table_mut(&mut net, "f", &rows).unwrap_err().to_string(), told);
    }
}
