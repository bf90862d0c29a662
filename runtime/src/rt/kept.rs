//! What a frozen model keeps of the params that it is given: taken out of them, so that nothing is held twice.

use super::sizes::fit;
use super::table::Row;
use crate::{Element, LeafTensorMut, Params, Result, Shape, Tensor};

/// Leaves by their rows, ascending; an error if someone put a tensor of another shape there.
pub fn taken<T: Element, const N: usize>(
    tree: &mut impl Params,
    model: &'static str,
    rows: &[Row; N],
) -> Result<[Tensor<T>; N]>
where
    for<'a> &'a mut Tensor<T>: TryFrom<LeafTensorMut<'a>>,
{
    let mut tensors: [Tensor<T>; N] = std::array::from_fn(|_| Tensor::default());
    let (mut leaves, mut found, mut fits) = (0, 0, Ok(()));
    tree.__kiln_each_mut(&mut |leaf| {
        if let Some((_, path, wanted, text)) = rows.get(found).filter(|row| row.0 == leaves) {
            if let Ok(tensor) = <&mut Tensor<T>>::try_from(leaf) {
                if fits.is_ok() {
                    fits = fit(tensor.shape(), wanted, &(model, path, text));
                }
                tensors[found] = std::mem::take(tensor);
            }
            found += 1;
        }
        leaves += 1;
    });
    fits.map(|()| tensors)
}

/// A leaf of each of `count` layers: the row is the first one's, the next are `step` leaves further each.
pub fn taken_layers<T: Element>(
    tree: &mut impl Params,
    model: &'static str,
    (first, path, wanted, text): Row,
    [count, step]: [usize; 2],
) -> Result<Vec<Tensor<T>>>
where
    for<'a> &'a mut Tensor<T>: TryFrom<LeafTensorMut<'a>>,
{
    let mut tensors: Vec<Tensor<T>> = Vec::with_capacity(count);
    let (mut leaves, mut fits) = (0, Ok(()));
    tree.__kiln_each_mut(&mut |leaf| {
        let layer = tensors.len();
        if layer < count
            && leaves == first + layer * step
            && let Ok(tensor) = <&mut Tensor<T>>::try_from(leaf)
        {
            if fits.is_ok() {
                fits = super::of_layer(fit(tensor.shape(), wanted, &(model, path, text)), layer);
            }
            tensors.push(std::mem::take(tensor));
        }
        leaves += 1;
    });
    fits.map(|()| tensors)
}

/// `[layers, …]` of its layers, each of which is let go of as soon as it is copied.
///
/// # Panics
/// If the rank is above [`crate::MAX_RANK`].
pub fn joined<T: Element>(layers: Vec<Tensor<T>>) -> Tensor<T> {
    let own = layers.first().map_or(&[][..], |layer| layer.shape());
    let shape: Vec<usize> = std::iter::once(layers.len()).chain(own.iter().copied()).collect();
    let mut all = Vec::with_capacity(shape.iter().product());
    layers.into_iter().for_each(|layer| all.extend_from_slice(layer.as_slice()));
    let shape = Shape::new(&shape).unwrap_or_else(|error| panic!("{error}"));
    Tensor::from_vec(shape, all).expect("layers are of one shape")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn net() -> [LayerNorm<4>; 3] {
        let mut net = <[LayerNorm<4>; 3]>::init(&mut Rng::seed(0));
        net.iter_mut().enumerate().for_each(|(i, norm)| norm.bias.as_mut_slice().fill(i as f32));
        net
    }

    #[test]
    fn leaves_are_moved_not_copied() {
        let mut given = net();
        let at = given[1].bias.as_slice().as_ptr();
        let rows: [Row; 2] = [(0, "net.0.weight", &[4], "[4]"), (3, "net.1.bias", &[4], "[4]")];
        let [weight, bias] = taken::<f32, 2>(&mut given, "f", &rows).expect("both are there");
        assert_eq!((weight.as_slice(), bias.as_slice()), (&[1.0; 4][..], &[1.0; 4][..]));
        assert_eq!(bias.as_slice().as_ptr(), at);
    }

    #[test]
    fn layers_are_joined() {
        let row: Row = (1, "net.*.bias", &[4], "[4]");
        let layers = taken_layers::<f32>(&mut net(), "f", row, [3, 2]).expect("all are there");
        assert_eq!(joined(layers), Tensor::from([[0.0; 4], [1.0; 4], [2.0; 4]]));
    }

    #[test]
    fn misfits_are_told() {
        let mut given = net();
        given[2].bias = Tensor::zeros([3]);
        let row: Row = (1, "net.*.bias", &[4], "[4]");
        let error = taken_layers::<f32>(&mut given.clone(), "f", row, [3, 2]).unwrap_err().to_string();
        assert_eq!(error, "`f`: argument `net.2.bias` must have shape [4], but has [3]");
        let rows: [Row; 1] = [(5, "net.2.bias", &[4], "[4]")];
        assert_eq!(taken::<f32, 1>(&mut given, "f", &rows).unwrap_err().to_string(), error);
    }
}
