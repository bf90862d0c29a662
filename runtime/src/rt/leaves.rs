//! Leaves of trees: tensors and plain numbers, as slices of the shape that a model wants.

use super::sizes::{Place, fit};
use crate::{Element, Error, Result, Tensor};

/// What a leaf is stored as: a tensor, or a number of an optimizer.
pub trait Stored<T> {
    /// The extents; none for a number.
    fn extents(&self) -> &[usize];
    /// The elements.
    fn elements(&self) -> &[T];
    /// The elements, to write to.
    fn elements_mut(&mut self) -> &mut [T];
}

impl<T: Element> Stored<T> for Tensor<T> {
    fn extents(&self) -> &[usize] {
        self.shape()
    }

    fn elements(&self) -> &[T] {
        self.as_slice()
    }

    fn elements_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl Stored<$ty> for $ty {
            fn extents(&self) -> &[usize] {
                &[]
            }

            fn elements(&self) -> &[$ty] {
                std::slice::from_ref(self)
            }

            fn elements_mut(&mut self) -> &mut [$ty] {
                std::slice::from_mut(self)
            }
        }
    )*};
}

numbers!(f64 i64);

/// The words of a generator's key.
impl Stored<i32> for [i32; 2] {
    fn extents(&self) -> &[usize] {
        &[2]
    }

    fn elements(&self) -> &[i32] {
        self
    }

    fn elements_mut(&mut self) -> &mut [i32] {
        self
    }
}

/// The elements of a leaf; an error if someone put a tensor of another shape there.
pub fn leaf<'a, T, S: Stored<T>>(stored: &'a S, wanted: &[usize], place: &Place) -> Result<&'a [T]> {
    fit(stored.extents(), wanted, place)?;
    Ok(stored.elements())
}

/// [`leaf`] to write to.
pub fn leaf_mut<'a, T, S: Stored<T>>(
    stored: &'a mut S,
    wanted: &[usize],
    place: &Place,
) -> Result<&'a mut [T]> {
    fit(stored.extents(), wanted, place)?;
    Ok(stored.elements_mut())
}

/// Visits layers under a name each.
pub fn named<T, const N: usize>(layers: [T; N], names: [&str; N], mut visit: impl FnMut(T, &str)) {
    layers.into_iter().zip(names).for_each(|(layer, name)| visit(layer, name));
}

/// Visits layers under names that count from a number: `*_l1`, `*_l2`.
pub fn numbered<T>(
    layers: impl IntoIterator<Item = T>,
    [before, after]: [&str; 2],
    first: usize,
    mut visit: impl FnMut(T, &str),
) {
    layers
        .into_iter()
        .enumerate()
        .for_each(|(i, layer)| visit(layer, &format!("{before}{}{after}", first + i)));
}

/// A slice for each layer, to be filled.
pub fn layers<T: Default, const N: usize>() -> [T; N] {
    std::array::from_fn(|_| T::default())
}

/// What was found of a layer, its number in the error's path.
pub fn of_layer<T>(found: Result<T>, layer: usize) -> Result<T> {
    found.map_err(|error| match error {
        Error::Argument { model, argument, wanted, given } => {
            let argument = argument.replacen('*', &layer.to_string(), 1).into();
            Error::Argument { model, argument, wanted, given }
        }
        other => other,
    })
}

/// A layer of `[layers, …]`.
pub fn layer<T: Element>(all: &Tensor<T>, layer: usize) -> Tensor<T> {
    let mut own = super::output(&all.shape()[1..]);
    let len = own.as_slice().len();
    own.as_mut_slice().copy_from_slice(&all.as_slice()[layer * len..][..len]);
    own
}

/// Copies `[layers, …]` to where its layers lie.
pub fn spread<T: Copy>(from: &[T], to: &mut [&mut [T]]) {
    let len = from.len() / to.len().max(1);
    for (i, layer) in to.iter_mut().enumerate() {
        layer.copy_from_slice(&from[i * len..][..len]);
    }
}

/// Copies layers from where they lie to `[layers, …]`.
pub fn gathered<T: Copy>(from: &[&mut [T]], to: &mut [T]) {
    let len = to.len() / from.len().max(1);
    for (i, layer) in from.iter().enumerate() {
        to[i * len..][..len].copy_from_slice(layer);
    }
}

/// Puts zeros of the same shape in a leaf's place: what it shared stays as it is.
pub fn zero<T: Element>(tensor: &mut Tensor<T>) {
    let mut zeros = super::output(tensor.shape());
    zeros.as_mut_slice().fill(T::ZERO);
    *tensor = zeros;
}

#[cfg(test)]
mod tests {
    use super::*;

    const LR: Place = ("step", "opt.lr", "[]");

    #[test]
    fn numbers_are_scalars() {
        let mut lr = 0.5f64;
        leaf_mut(&mut lr, &[], &LR).unwrap()[0] = 0.25;
        assert_eq!(leaf::<f64, _>(&lr, &[], &LR).unwrap(), [0.25]);
    }

    #[test]
    fn a_tensor_of_another_shape_is_refused() {
        let place: Place = ("mlp", "net.fc1.weight", "[2, 3]");
        let error = leaf(&Tensor::<f32>::zeros([3, 2]), &[2, 3], &place).unwrap_err().to_string();
        assert_eq!(error, "`mlp`: argument `net.fc1.weight` must have shape [2, 3], but has [3, 2]");
    }
}
