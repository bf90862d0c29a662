//! The arrays of the naive evaluation: row-major f64, rounded to an element type after each operation.

use crate::DType;

/// A concrete array. Integers are exact up to 2⁵³ in size; bools are 0 and 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Array {
    /// Element type to which the data is rounded.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major elements.
    pub data: Vec<f64>,
}

impl Array {
    /// An array of these elements, rounded to the element type.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    pub fn rounded(dtype: DType, shape: Vec<usize>, data: Vec<f64>) -> Array {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "elements of an array of shape {shape:?}");
        let data = data.into_iter().map(|x| dtype.round(x)).collect();
        Array { dtype, shape, data }
    }

    /// The element at a multi-index.
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[offset(&self.shape, index)]
    }
}

/// Row-major position of a multi-index.
pub fn offset(shape: &[usize], index: &[usize]) -> usize {
    shape.iter().zip(index).fold(0, |at, (n, i)| at * n + i)
}

/// Every multi-index of a shape, in row-major order.
pub fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + '_ {
    let total = shape.iter().product::<usize>();
    (0..total).map(move |mut at| {
        let mut index = vec![0; shape.len()];
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i = at % n;
            at /= n;
        }
        index
    })
}
