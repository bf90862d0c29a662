//! The arrays of the naive evaluation: row-major f64, rounded to an element type after each operation.

use crate::DType;

/// A concrete array. Bools are 0 and 1. A whole number is the sum of its elements in `data` and `rest`.
#[derive(Clone, PartialEq, Debug)]
pub struct Array {
    /// Element type to which the data is rounded.
    pub dtype: DType,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Row-major elements.
    pub data: Vec<f64>,
    /// What whole numbers beyond 2⁵³ are more than their nearest f64; empty where there is nothing.
    pub rest: Vec<f64>,
}

impl Array {
    /// An array of these elements, rounded to the element type.
    ///
    /// # Panics
    /// If the number of elements is not the product of the shape.
    pub fn rounded(dtype: DType, shape: Vec<usize>, data: Vec<f64>) -> Array {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "elements of an array of shape {shape:?}");
        let data = data.into_iter().map(|x| dtype.round(x)).collect();
        Array { dtype, shape, data, rest: vec![] }
    }

    /// An array of whole numbers, wrapped to those of the element type.
    pub fn whole(dtype: DType, shape: Vec<usize>, numbers: &[i64]) -> Array {
        let wrapped: Vec<i64> = numbers.iter().map(|n| wrapped(*n, dtype)).collect();
        let data: Vec<f64> = wrapped.iter().map(|n| *n as f64).collect();
        let rest = wrapped.iter().zip(&data).map(|(n, x)| (i128::from(*n) - *x as i128) as f64);
        let rest = if rest.clone().all(|x| x == 0.0) { vec![] } else { rest.collect() };
        Array { dtype, shape, data, rest }
    }

    /// The elements as whole numbers.
    pub fn numbers(&self) -> Vec<i64> {
        let rest = |i: usize| self.rest.get(i).map_or(0, |x| *x as i128);
        let exact = |(i, x): (usize, &f64)| (*x as i128 + rest(i)).clamp(i64::MIN.into(), i64::MAX.into());
        self.data.iter().enumerate().map(exact).map(|n| n as i64).collect()
    }

    /// Element `at` along the first axis.
    pub fn row(&self, at: usize) -> Array {
        let shape = self.shape[1..].to_vec();
        let len: usize = shape.iter().product();
        let part = |x: &[f64]| x.get(at * len..(at + 1) * len).map_or(vec![], <[f64]>::to_vec);
        let rest = part(&self.rest);
        Array { dtype: self.dtype, shape, data: part(&self.data), rest }
    }

    /// Rows of one type along a new first axis.
    pub fn stack(dtype: DType, shape: Vec<usize>, rows: &[Array]) -> Array {
        let data = rows.iter().flat_map(|r| r.data.clone()).collect();
        let of = |r: &Array| if r.rest.is_empty() { vec![0.0; r.data.len()] } else { r.rest.clone() };
        let large = rows.iter().any(|r| !r.rest.is_empty());
        let rest = if large { rows.iter().flat_map(of).collect() } else { vec![] };
        Array { dtype, shape, data, rest }
    }

    /// The element at a multi-index.
    pub fn at(&self, index: &[usize]) -> f64 {
        self.data[offset(&self.shape, index)]
    }
}

/// The number of the type that is the same modulo its size.
fn wrapped(n: i64, dtype: DType) -> i64 {
    match dtype {
        DType::I32 => (n as i32).into(),
        DType::U8 => (n as u8).into(),
        DType::Bool => (n != 0).into(),
        _ => n,
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
