//! The extents of a tensor, inline, so that a tensor needs no allocation for its shape.

use std::fmt;
use std::ops::Deref;

use crate::{Error, Result};

/// The highest rank a tensor may have.
pub const MAX_RANK: usize = 8;

/// The extents of a tensor, outermost first. Derefs to `&[usize]`.
///
/// An array of extents converts, its rank checked when compiling; a slice goes through [`Shape::new`].
///
/// ```
/// use kiln::Shape;
/// let shape = Shape::from([2, 3]);
/// assert_eq!((shape.rank(), shape.elements()), (2, 6));
/// assert_eq!(shape.to_string(), "[2, 3]");
/// assert!(Shape::new(&[1; 9]).is_err());
/// ```
// Extents beyond the rank are zero, so the derived comparison is that of the slices.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    rank: u8,
    dims: [usize; MAX_RANK],
}

impl Shape {
    /// The shape with these extents; an error if there are more than [`MAX_RANK`] or if the elements couldn't be
    /// addressed.
    pub fn new(extents: &[usize]) -> Result<Self> {
        if extents.len() > MAX_RANK {
            return Err(Error::Rank { rank: extents.len() });
        }
        let shape = Self::copied(extents);
        // Zero extents are left out: ndarray wants the others to be addressable too.
        let nonzero = extents.iter().filter(|&&n| n != 0).try_fold(16usize, |bytes, &n| bytes.checked_mul(n));
        match nonzero {
            Some(bytes) if bytes <= isize::MAX as usize => Ok(shape),
            _ => Err(Error::TooLarge { shape }),
        }
    }

    /// The first extents, for messages about shapes that no tensor can have.
    #[cfg(feature = "eager")]
    pub(crate) fn clipped(extents: &[usize]) -> Self {
        Self::copied(&extents[..extents.len().min(MAX_RANK)])
    }

    fn copied(extents: &[usize]) -> Self {
        let mut dims = [0; MAX_RANK];
        dims[..extents.len()].copy_from_slice(extents);
        Self { rank: extents.len() as u8, dims }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.rank.into()
    }

    /// The number of elements: the product of the extents, 1 for a scalar.
    pub fn elements(&self) -> usize {
        self.iter().product()
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.dims[..self.rank()]
    }
}

impl AsRef<[usize]> for Shape {
    fn as_ref(&self) -> &[usize] {
        self
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(extents: [usize; N]) -> Self {
        const { assert!(N <= MAX_RANK, "a tensor has at most 8 axes") };
        Self::copied(&extents)
    }
}

impl<const N: usize> From<&[usize; N]> for Shape {
    fn from(extents: &[usize; N]) -> Self {
        Self::from(*extents)
    }
}

impl TryFrom<&[usize]> for Shape {
    type Error = Error;

    fn try_from(extents: &[usize]) -> Result<Self> {
        Self::new(extents)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_and_arrays_agree() {
        assert_eq!(Shape::new(&[2, 3, 4]).unwrap(), Shape::from([2, 3, 4]));
        assert_eq!(Shape::new(&[]).unwrap().elements(), 1);
        assert_eq!(Shape::from([2, 0, 3]).elements(), 0);
        assert_ne!(Shape::from([2]), Shape::from([2, 0]));
    }

    #[test]
    fn impossible_shapes_are_errors() {
        assert!(matches!(Shape::new(&[1; 9]), Err(Error::Rank { rank: 9 })));
        assert!(matches!(Shape::new(&[usize::MAX, 2]), Err(Error::TooLarge { .. })));
        assert!(matches!(Shape::new(&[0, usize::MAX]), Err(Error::TooLarge { .. })));
    }
}
