//! What a model takes as an argument: anything that views as a tensor, borrowed where it is contiguous.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, Dimension};

use crate::{Element, Result, Shape, Tensor};

/// An argument: a shape and its elements in row-major order, borrowed from the caller or copied.
#[derive(Clone, Debug)]
pub struct Arg<'a, T: Element> {
    shape: Shape,
    data: Cow<'a, [T]>,
}

impl<'a, T: Element> Arg<'a, T> {
    /// Elements in row-major order, as many as the shape holds.
    fn new(shape: Shape, data: impl Into<Cow<'a, [T]>>) -> Self {
        let data = data.into();
        debug_assert_eq!(shape.elements(), data.len());
        Self { shape, data }
    }

    /// The extents, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// Whether the elements are the caller's own, not a copy.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.data, Cow::Borrowed(_))
    }

    /// A tensor of the elements, copied if they were borrowed.
    pub fn into_tensor(self) -> Tensor<T> {
        Tensor::from_vec(self.shape, self.data.into_owned())
            .expect("an argument has as many elements as its shape")
    }
}

/// Anything that views as a tensor of `T`: [`Tensor`], `ndarray` arrays and views of any stride, Rust arrays
/// nested up to five deep, `Vec`s and slices, scalars, and references to all of them.
///
/// ```
/// use kiln::{AsTensor, Result};
///
/// fn sum(x: impl AsTensor<f32>) -> Result<f32> {
///     Ok(x.as_tensor()?.as_slice().iter().sum())
/// }
/// assert_eq!(sum([[1.0, 2.0], [3.0, 4.0]])?, 10.0);
/// assert_eq!(sum(ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]]).t())?, 10.0);
/// assert_eq!(sum(5.0)?, 5.0);
/// # Ok::<(), kiln::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an argument of element type `{T}`",
    note = "arguments are `kiln::Tensor<{T}>`, `ndarray` arrays, Rust arrays or scalars of `{T}`"
)]
pub trait AsTensor<T: Element> {
    /// The elements and their shape; an error if the rank is above [`crate::MAX_RANK`].
    fn as_tensor(&self) -> Result<Arg<'_, T>>;

    /// A tensor of the elements, copied; a tensor itself stays part of the computation that it stands in.
    fn to_tensor(&self) -> Result<Tensor<T>> {
        Ok(self.as_tensor()?.into_tensor())
    }
}

impl<T: Element, A: AsTensor<T> + ?Sized> AsTensor<T> for &A {
    fn as_tensor(&self) -> Result<Arg<'_, T>> {
        (**self).as_tensor()
    }

    fn to_tensor(&self) -> Result<Tensor<T>> {
        (**self).to_tensor()
    }
}

impl<T: Element, A: AsTensor<T> + ?Sized> AsTensor<T> for &mut A {
    fn as_tensor(&self) -> Result<Arg<'_, T>> {
        (**self).as_tensor()
    }

    fn to_tensor(&self) -> Result<Tensor<T>> {
        (**self).to_tensor()
    }
}

impl<T: Element> AsTensor<T> for Tensor<T> {
    fn as_tensor(&self) -> Result<Arg<'_, T>> {
        self.sound()?;
        Ok(Arg::new(Shape::new(self.shape())?, self.as_slice()))
    }

    fn to_tensor(&self) -> Result<Tensor<T>> {
        Ok(self.clone())
    }
}

impl<T: Element> AsTensor<T> for [T] {
    fn as_tensor(&self) -> Result<Arg<'_, T>> {
        Ok(Arg::new(Shape::from([self.len()]), self))
    }
}

impl<T: Element> AsTensor<T> for Vec<T> {
    fn as_tensor(&self) -> Result<Arg<'_, T>> {
        self.as_slice().as_tensor()
    }
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> AsTensor<T> for ArrayBase<S, D> {
    fn as_tensor(&self) -> Result<Arg<'_, T>> {
        let shape = Shape::new(self.shape())?;
        Ok(match self.as_slice() {
            Some(data) => Arg::new(shape, data),
            None => Arg::new(shape, self.iter().copied().collect::<Vec<_>>()),
        })
    }
}

macro_rules! arrays {
    ($([$($n:ident)*] $ty:ty => $shape:expr, |$array:ident| $flat:expr;)*) => {$(
        impl<T: Element, $(const $n: usize),*> AsTensor<T> for $ty {
            fn as_tensor(&self) -> Result<Arg<'_, T>> {
                let $array = self;
                Ok(Arg::new(Shape::from($shape), $flat))
            }
        }
    )*};
}

arrays! {
    [A] [T; A] => [A], |a| a.as_slice();
    [A B] [[T; B]; A] => [A, B], |a| a.as_flattened();
    [A B C] [[[T; C]; B]; A] => [A, B, C], |a| a.as_flattened().as_flattened();
    [A B C D] [[[[T; D]; C]; B]; A] => [A, B, C, D], |a| a.as_flattened().as_flattened().as_flattened();
    [A B C D E] [[[[[T; E]; D]; C]; B]; A] => [A, B, C, D, E],
        |a| a.as_flattened().as_flattened().as_flattened().as_flattened();
}

macro_rules! scalars {
    ($($ty:ty)*) => {$(
        impl AsTensor<$ty> for $ty {
            fn as_tensor(&self) -> Result<Arg<'_, $ty>> {
                Ok(Arg::new(Shape::from([]), std::slice::from_ref(self)))
            }
        }
    )*};
}

scalars!(f32 f64 i64 i32 u8 bool);

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn, arr2};

    use super::*;

    fn check<T: Element>(from: impl AsTensor<T>, shape: &[usize], data: &[T], borrowed: bool) {
        let arg = from.as_tensor().unwrap();
        assert_eq!(arg.shape(), shape);
        assert_eq!(arg.as_slice(), data);
        assert_eq!(arg.is_borrowed(), borrowed);
    }

    #[test]
    fn tensors_borrowed_and_owned() {
        let mut t = Tensor::from([[1.0f32, 2.0]]);
        check(&t, &[1, 2], &[1.0, 2.0], true);
        check(&mut t, &[1, 2], &[1.0, 2.0], true);
        check(t, &[1, 2], &[1.0, 2.0], true);
    }

    #[test]
    fn rust_arrays_slices_and_scalars() {
        check([1i64, 2], &[2], &[1, 2], true);
        check([[1u8], [2]], &[2, 1], &[1, 2], true);
        check([[[true], [false]]], &[1, 2, 1], &[true, false], true);
        check([[[[1.0f64, 2.0]]]], &[1, 1, 1, 2], &[1.0, 2.0], true);
        check::<f32>(vec![1.0, 2.0], &[2], &[1.0, 2.0], true);
        check(&[1i32, 2][..], &[2], &[1, 2], true);
        check::<f32>(3.0, &[], &[3.0], true);
    }

    #[test]
    fn ndarray_copies_only_strided_views() {
        let a = arr2(&[[1.0f32, 2.0], [3.0, 4.0]]);
        check(&a, &[2, 2], &[1.0, 2.0, 3.0, 4.0], true);
        check(a.view(), &[2, 2], &[1.0, 2.0, 3.0, 4.0], true);
        check(a.t(), &[2, 2], &[1.0, 3.0, 2.0, 4.0], false);
        check(a.column(1), &[2], &[2.0, 4.0], false);
        check(a.row(1), &[2], &[3.0, 4.0], true);
        check(a.slice(ndarray::s![..;-1, ..]), &[2, 2], &[3.0, 4.0, 1.0, 2.0], false);
        check(a, &[2, 2], &[1.0, 2.0, 3.0, 4.0], true);
    }

    #[test]
    fn too_many_axes_are_an_error() {
        assert!(ArrayD::<f32>::zeros(IxDyn(&[1; 9])).as_tensor().is_err());
    }
}
