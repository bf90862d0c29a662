//! Operands whose sides run over several axes: the windows of a convolution, heads beside time. A side is walked
//! axis by axis while it is packed, so that no such matrix is ever written out (implicit GEMM, Chetlur et al., *cuDNN:
//! Efficient Primitives for Deep Learning*, 2014).

use super::Matrix;
use super::computed::Computed;
use super::kernel::Scalar;

/// Most axes of a side.
pub const MAX_AXES: usize = 8;

/// Where the indices of a side lie: several axes, the last one fastest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    len: [usize; MAX_AXES],
    stride: [usize; MAX_AXES],
    axes: usize,
}

impl Walk {
    /// The walk over axes of these lengths and strides, outermost first.
    ///
    /// # Panics
    /// If there are more than [`MAX_AXES`].
    pub fn new(axes: &[(usize, usize)]) -> Walk {
        assert!(
            axes.len() <= MAX_AXES,
            "a side of a product has {} axes, at most {MAX_AXES} are possible",
            axes.len()
        );
        let mut walk = Walk { axes: axes.len(), ..Walk::default() };
        for (i, (len, stride)) in axes.iter().enumerate() {
            (walk.len[i], walk.stride[i]) = (*len, *stride);
        }
        walk
    }

    /// The last axis as lines: where each begins, elements of one, and from one element to the next.
    pub(super) fn lines(&self) -> (Walk, usize, usize) {
        let Some(last) = self.axes.checked_sub(1) else { return (*self, 1, 1) };
        (Walk { axes: last, ..*self }, self.len[last], self.stride[last])
    }

    /// Number of indices.
    fn indices(&self) -> usize {
        self.len[..self.axes].iter().product()
    }

    /// The largest offset.
    fn last(&self) -> usize {
        (0..self.axes).map(|i| (self.len[i] - 1) * self.stride[i]).sum()
    }

    /// The offsets of the indices from `start` on, without end.
    pub(super) fn from(&self, start: usize) -> Steps<'_> {
        let mut at = [0; MAX_AXES];
        let (mut rest, mut offset) = (start, 0);
        for i in (0..self.axes).rev() {
            (at[i], rest) = (rest % self.len[i].max(1), rest / self.len[i].max(1));
            offset += at[i] * self.stride[i];
        }
        Steps { walk: self, at, offset }
    }
}

/// The offsets of a walk.
pub(super) struct Steps<'a> {
    walk: &'a Walk,
    at: [usize; MAX_AXES],
    offset: usize,
}

impl Steps<'_> {
    /// The next offset.
    #[inline(always)]
    pub(super) fn step(&mut self) -> usize {
        let here = self.offset;
        for i in (0..self.walk.axes).rev() {
            self.at[i] += 1;
            self.offset += self.walk.stride[i];
            if self.at[i] < self.walk.len[i] {
                break;
            }
            self.offset -= self.at[i] * self.walk.stride[i];
            self.at[i] = 0;
        }
        here
    }
}

/// An operand whose element `(i, j)` is `data[offset + rows(i) + cols(j)]`.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a, T> {
    /// The elements, in any order.
    pub data: &'a [T],
    /// Where element `(0, 0)` is.
    pub offset: usize,
    /// Offsets of rows.
    pub rows: Walk,
    /// Offsets of columns.
    pub cols: Walk,
    /// Rows and columns passed over before element `(0, 0)`.
    pub skipped: [usize; 2],
}

/// An operand of a product: made once a product, so that its size costs nothing.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Operand<'a, T> {
    /// One stride a side.
    Strided(Matrix<'a, T>),
    /// Several axes a side.
    Walked(Walked<'a, T>),
    /// Computed when it is packed.
    Computed(Computed<'a, T>),
}

impl<'a, T> From<Matrix<'a, T>> for Operand<'a, T> {
    fn from(matrix: Matrix<'a, T>) -> Self {
        Operand::Strided(matrix)
    }
}

impl<'a, T> From<Walked<'a, T>> for Operand<'a, T> {
    fn from(walked: Walked<'a, T>) -> Self {
        Operand::Walked(walked)
    }
}

impl<'a, T> From<Computed<'a, T>> for Operand<'a, T> {
    fn from(computed: Computed<'a, T>) -> Self {
        Operand::Computed(computed)
    }
}

impl<T: Scalar> Operand<'_, T> {
    /// Panics unless every element of `[rows, cols]` lies in the data.
    pub(super) fn check(&self, name: &str, rows: usize, cols: usize) {
        let walked = match self {
            Operand::Strided(matrix) => return matrix.check(name, rows, cols),
            Operand::Computed(computed) => return computed.check(name, [rows, cols]),
            Operand::Walked(walked) => walked,
        };
        let (have, want) = ([walked.rows.indices(), walked.cols.indices()], [rows, cols]);
        assert_eq!(have, want, "gemm: operand {name} is {have:?}, not {want:?}");
        if rows > 0 && cols > 0 {
            let last = walked.offset + walked.rows.last() + walked.cols.last();
            let len = walked.data.len();
            assert!(last < len, "gemm: operand {name} needs element {last}, but its data has {len}");
        }
    }

    /// The operand from a row or column on.
    pub(super) fn from(self, side: Side, start: usize) -> Self {
        match (self, side) {
            (Operand::Strided(m), _) => {
                let (row, col) = if side == Side::Rows { (start, 0) } else { (0, start) };
                Operand::Strided(Matrix { offset: m.at(row, col), ..m })
            }
            (Operand::Walked(mut w), _) => {
                w.skipped[side as usize] += start;
                Operand::Walked(w)
            }
            (Operand::Computed(c), _) => Operand::Computed(c.from(side, start)),
        }
    }

    /// Whether it goes from element to element along that side.
    pub(super) fn runs_along(&self, side: Side) -> bool {
        match (self, side) {
            (Operand::Strided(m), Side::Rows) => m.row_stride == 1,
            (Operand::Strided(m), Side::Cols) => m.col_stride == 1,
            (Operand::Computed(c), _) => c.along() == side,
            (Operand::Walked(_), _) => false,
        }
    }

    /// Rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        match self {
            Operand::Strided(m) => Operand::Strided(m.transposed()),
            Operand::Walked(w) => {
                let [down, right] = w.skipped;
                Operand::Walked(Walked { rows: w.cols, cols: w.rows, skipped: [right, down], ..w })
            }
            Operand::Computed(c) => Operand::Computed(c.transposed()),
        }
    }

    /// The elements; none of what is computed.
    pub(super) fn data(&self) -> &[T] {
        match self {
            Operand::Strided(m) => m.data,
            Operand::Walked(w) => w.data,
            Operand::Computed(_) => &[],
        }
    }

    /// Fills `to` with the offsets of the rows (or columns) from `start` on, the operand's own offset not among them.
    pub(super) fn offsets(&self, side: Side, start: usize, to: &mut [isize]) {
        match (self, side) {
            (Operand::Strided(m), _) => {
                let stride = if side == Side::Rows { m.row_stride } else { m.col_stride };
                to.iter_mut().enumerate().for_each(|(i, x)| *x = (start + i) as isize * stride);
            }
            (Operand::Walked(w), _) => {
                let walk = if side == Side::Rows { &w.rows } else { &w.cols };
                let mut steps = walk.from(w.skipped[side as usize] + start);
                to.iter_mut().for_each(|x| *x = steps.step() as isize);
            }
            (Operand::Computed(_), _) => {}
        }
    }

    /// Where element `(0, 0)` is.
    pub(super) fn start(&self) -> isize {
        match self {
            Operand::Strided(m) => m.offset as isize,
            Operand::Walked(w) => w.offset as isize,
            Operand::Computed(_) => 0,
        }
    }
}

/// A side of an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Rows,
    Cols,
}

impl Side {
    pub(super) fn other(self) -> Side {
        match self {
            Side::Rows => Side::Cols,
            Side::Cols => Side::Rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_through_its_axes() {
        let walk = Walk::new(&[(2, 100), (3, 7), (2, 1)]);
        let all: Vec<usize> =
            (0..2).flat_map(|i| (0..3).flat_map(move |j| (0..2).map(move |k| i * 100 + j * 7 + k))).collect();
        for start in 0..all.len() {
            let mut steps = walk.from(start);
            assert!(all[start..].iter().all(|want| steps.step() == *want));
        }
        assert_eq!((walk.indices(), walk.last()), (12, 115));
    }

    #[test]
    #[should_panic(expected = "operand b needs element 115, but its data has 115")]
    fn a_walk_beyond_the_data_is_refused() {
        let (rows, cols) = (Walk::new(&[(2, 100)]), Walk::new(&[(3, 7), (2, 1)]));
        Operand::Walked(Walked { data: &[0.0f32; 115], offset: 0, rows, cols, skipped: [0, 0] })
            .check("b", 2, 6);
    }
}
