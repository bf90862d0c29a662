//! The tensor: row-major and contiguous, its storage shared until written to.

use std::fmt;

use ndarray::{
    Array, ArrayBase, ArrayD, ArrayViewD, Data, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn,
};

use crate::storage::Storage;
use crate::track::Track;
use crate::{AsTensor, Element, Error, Result, Shape};

/// A dense tensor of elements `T`, row-major and contiguous.
///
/// A clone shares the storage; the first write through a shared tensor copies it.
///
/// ```
/// use kiln::Tensor;
///
/// let a: Tensor = Tensor::from_vec([2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
/// let mut b = a.clone();
/// b.as_mut_slice()[0] = 9.0;
/// assert_eq!(a.as_slice(), [1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(b.to_string(), "[[9, 2],\n [3, 4]]");
/// # Ok::<(), kiln::Error>(())
/// ```
///
/// Operators and methods with PyTorch's names compute at once and record what [`Tensor::backward`] needs: see
/// [`crate::autograd`]. Two tensors are equal if their shapes and elements are.
#[derive(Clone)]
pub struct Tensor<T: Element = f32> {
    shape: Shape,
    data: Storage<T>,
    track: Track,
}

impl<T: Element> Tensor<T> {
    /// Zeros everywhere (`false` for `bool`).
    ///
    /// ```
    /// let t: kiln::Tensor = kiln::Tensor::zeros([2, 3]);
    /// assert_eq!((t.shape(), t.len()), (&[2, 3][..], 6));
    /// ```
    ///
    /// # Panics
    /// As `Vec` does, only if the elements exceed the address space.
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::ZERO)
    }

    /// Ones everywhere (`true` for `bool`). Panics as [`Tensor::zeros`] does.
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::ONE)
    }

    /// `value` everywhere. Panics as [`Tensor::zeros`] does.
    pub fn full(shape: impl Into<Shape>, value: T) -> Self {
        let shape = shape.into();
        Self::stored(shape, Storage::new(vec![value; shape.elements()]))
    }

    /// A tensor of rank 0.
    ///
    /// ```
    /// assert_eq!(kiln::Tensor::scalar(2.5f32).item()?, 2.5);
    /// # Ok::<(), kiln::Error>(())
    /// ```
    pub fn scalar(value: T) -> Self {
        Self::full([], value)
    }

    /// The elements `data` in row-major order, not copied; an error if the shape holds another number of them.
    pub fn from_vec(shape: impl AsRef<[usize]>, data: Vec<T>) -> Result<Self> {
        let shape = Shape::new(shape.as_ref())?;
        if shape.elements() != data.len() {
            return Err(Error::Length { shape, given: data.len() });
        }
        Ok(Self::stored(shape, Storage::new(data)))
    }

    /// A copy of anything that views as a tensor: arrays, slices, `ndarray` views of any stride.
    pub fn copied(from: impl AsTensor<T>) -> Result<Self> {
        Ok(from.as_tensor()?.into_tensor())
    }

    /// Elements as many as the shape holds, not part of any computation.
    pub(crate) fn stored(shape: Shape, data: Storage<T>) -> Self {
        Self { shape, data, track: Track::default() }
    }

    /// The extents, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// The number of axes; the same as [`Tensor::rank`], under PyTorch's name.
    pub fn dim(&self) -> usize {
        self.rank()
    }

    /// The extent of an axis, counted from the back if negative; 0 of one that isn't there.
    ///
    /// ```
    /// let t = kiln::Tensor::<f32>::zeros([2, 3]);
    /// assert_eq!((t.size(0), t.size(-1), t.size(2)), (2, 3, 0));
    /// ```
    pub fn size(&self, dim: i64) -> usize {
        let axis = if dim < 0 { dim.saturating_add(self.rank() as i64) } else { dim };
        usize::try_from(axis).ok().and_then(|axis| self.shape().get(axis)).copied().unwrap_or(0)
    }

    /// The number of elements; the same as [`Tensor::len`], under PyTorch's name.
    pub fn numel(&self) -> usize {
        self.len()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements: whether some extent is 0.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// The elements, to write to; copies them first if a clone shares them.
    ///
    /// What was computed from the tensor keeps the values it was computed from. A tensor that was itself computed is
    /// cut off from its origin: no gradient passes what was written.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.track.written();
        self.data.make_mut()
    }

    /// The elements, copied only if a clone shares them.
    pub fn into_vec(self) -> Vec<T> {
        self.data.into_vec()
    }

    /// The elements, unless a clone shares them.
    pub(crate) fn into_unshared(self) -> Result<Vec<T>, Self> {
        let Self { shape, data, track } = self;
        data.into_unshared().map_err(|data| Self { shape, data, track })
    }

    /// The only element, whatever the rank; an error if there are none or several.
    pub fn item(&self) -> Result<T> {
        self.track.sound()?;
        match self.as_slice() {
            &[value] => Ok(value),
            _ => Err(Error::NotOneElement { shape: self.shape }),
        }
    }

    /// The same elements under another shape, shared; an error if it holds another number of them.
    ///
    /// It isn't recorded for gradients, as [`Tensor::reshape`] is.
    pub fn reshaped(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        self.track.sound()?;
        let shape = Shape::new(shape.as_ref())?;
        if shape.elements() != self.len() {
            return Err(Error::Length { shape, given: self.len() });
        }
        Ok(Self::stored(shape, self.data.clone()))
    }

    /// Elements of any value under this shape, in storage that is used again after its last owner: who asks for it
    /// writes all of it.
    pub(crate) fn recycled(shape: Shape) -> Self {
        Self::stored(shape, Storage::recycled(shape.elements()))
    }

    /// An error if the tensor stands for an operation that failed.
    pub(crate) fn sound(&self) -> Result<()> {
        self.track.sound()
    }

    /// How it was computed.
    #[cfg(feature = "eager")]
    pub(crate) fn track(&self) -> &Track {
        &self.track
    }

    /// Only how it was computed.
    #[cfg(feature = "eager")]
    pub(crate) fn into_track(self) -> Track {
        self.track
    }

    /// The same elements, computed so.
    #[cfg(feature = "eager")]
    pub(crate) fn tracked(mut self, track: Track) -> Self {
        self.track = track;
        self
    }

    /// The elements, to share.
    #[cfg(feature = "eager")]
    pub(crate) fn storage(&self) -> &Storage<T> {
        &self.data
    }

    /// Zeros under the same shape.
    pub(crate) fn same_shape_zeros(&self) -> Self {
        Self::zeros(self.shape)
    }

    /// An `ndarray` view of the elements.
    ///
    /// ```
    /// let t = kiln::Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.as_ndarray().sum(), 10.0);
    /// ```
    pub fn as_ndarray(&self) -> ArrayViewD<'_, T> {
        ArrayViewD::from_shape(IxDyn(&self.shape), &self.data)
            .expect("a tensor has as many elements as its shape")
    }

    /// An `ndarray` array of the elements, copied.
    pub fn to_ndarray(&self) -> ArrayD<T> {
        self.as_ndarray().to_owned()
    }
}

impl<T: Element> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.data == other.data
    }
}

impl<T: Element> Default for Tensor<T> {
    /// A scalar zero.
    fn default() -> Self {
        Self::scalar(T::ZERO)
    }
}

/// A clone, which shares the elements.
impl<T: Element> From<&Tensor<T>> for Tensor<T> {
    fn from(tensor: &Tensor<T>) -> Self {
        tensor.clone()
    }
}

impl<T: Element> From<T> for Tensor<T> {
    fn from(value: T) -> Self {
        Self::scalar(value)
    }
}

macro_rules! from_arrays {
    ($([$($n:ident)*] $ty:ty => $shape:expr, |$array:ident| $flat:expr;)*) => {$(
        impl<T: Element, $(const $n: usize),*> From<$ty> for Tensor<T> {
            fn from($array: $ty) -> Self {
                Self::stored(Shape::from($shape), Storage::new($flat.to_vec()))
            }
        }
    )*};
}

from_arrays! {
    [A] [T; A] => [A], |a| a;
    [A B] [[T; B]; A] => [A, B], |a| a.as_flattened();
    [A B C] [[[T; C]; B]; A] => [A, B, C], |a| a.as_flattened().as_flattened();
    [A B C D] [[[[T; D]; C]; B]; A] => [A, B, C, D], |a| a.as_flattened().as_flattened().as_flattened();
    [A B C D E] [[[[[T; E]; D]; C]; B]; A] => [A, B, C, D, E],
        |a| a.as_flattened().as_flattened().as_flattened().as_flattened();
}

/// Takes the array's elements over if they are row-major, and copies them if not.
fn taken<T: Element, D: Dimension>(array: Array<T, D>) -> Result<Tensor<T>> {
    if !array.is_standard_layout() {
        return Tensor::copied(array);
    }
    let shape = Shape::new(array.shape())?;
    let (mut data, offset) = array.into_raw_vec_and_offset();
    let start = offset.unwrap_or(0);
    data.truncate(start + shape.elements());
    data.drain(..start);
    Ok(Tensor::stored(shape, Storage::new(data)))
}

macro_rules! from_ndarray {
    ($($dim:ident)*) => {$(
        impl<T: Element> From<Array<T, $dim>> for Tensor<T> {
            fn from(array: Array<T, $dim>) -> Self {
                taken(array).expect("the rank is within the limit")
            }
        }

        impl<T: Element, S: Data<Elem = T>> From<&ArrayBase<S, $dim>> for Tensor<T> {
            fn from(array: &ArrayBase<S, $dim>) -> Self {
                Tensor::copied(array).expect("the rank is within the limit")
            }
        }
    )*};
}

from_ndarray!(Ix0 Ix1 Ix2 Ix3 Ix4 Ix5 Ix6);

/// An error if the rank is above [`crate::MAX_RANK`].
impl<T: Element> TryFrom<ArrayD<T>> for Tensor<T> {
    type Error = Error;

    fn try_from(array: ArrayD<T>) -> Result<Self> {
        taken(array)
    }
}

impl<T: Element> From<Tensor<T>> for ArrayD<T> {
    fn from(tensor: Tensor<T>) -> Self {
        let dims = IxDyn(&tensor.shape);
        ArrayD::from_shape_vec(dims, tensor.into_vec()).expect("a tensor has as many elements as its shape")
    }
}

impl<T: Element> fmt::Display for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Err(error) = self.track.sound() {
            return write!(f, "no tensor: {error}");
        }
        fmt::Display::fmt(&self.as_ndarray(), f)
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Err(error) = self.track.sound() {
            return write!(f, "Tensor<{}> that failed: {error}", T::NAME);
        }
        write!(f, "Tensor<{}>{} {}", T::NAME, self.shape, self.as_ndarray())
    }
}

#[cfg(test)]
mod tests;
