//! Contractions: axes sorted into batch, rows, columns and sum, then matrix products.

use super::layout::permuted;
use super::map::Num;
use super::view::{Value, View, row_major, walk};
use crate::kernels::gemm::{self, Matrix, gemm_into};

/// Labels of the operands and the result, as in `Op::Contract`.
pub(super) fn contract(labels: [&Vec<u8>; 3], x: &Value, y: &Value, shape: &[usize]) -> Value {
    match (x, y) {
        (Value::F32(x), Value::F32(y)) => Value::F32(real(&Plan::new(labels, x, y), shape)),
        (Value::F64(x), Value::F64(y)) => Value::F64(real(&Plan::new(labels, x, y), shape)),
        (Value::I64(x), Value::I64(y)) => Value::I64(whole(&Plan::new(labels, x, y), shape)),
        (Value::I32(x), Value::I32(y)) => Value::I32(whole(&Plan::new(labels, x, y), shape)),
        (Value::U8(x), Value::U8(y)) => Value::U8(whole(&Plan::new(labels, x, y), shape)),
        _ => unreachable!("infer wants two operands of one number type"),
    }
}

/// The operands as stacks of matrices: `x: [batch, rows, sum]`, `y: [batch, columns, sum]`, each group several axes.
struct Plan<T: Num> {
    x: View<T>,
    y: View<T>,
    /// How many axes are batch, rows, columns, sum.
    batch: usize,
    rows: usize,
    columns: usize,
    /// The axes of the result in the order of the labels wanted, out of `[batch, rows, columns]`.
    order: Vec<usize>,
}

impl<T: Num> Plan<T> {
    fn new([lhs, rhs, out]: [&Vec<u8>; 3], x: &View<T>, y: &View<T>) -> Self {
        let pick = |f: &dyn Fn(&u8) -> bool| out.iter().copied().filter(f).collect::<Vec<u8>>();
        let batch = pick(&|l| lhs.contains(l) && rhs.contains(l));
        let rows = pick(&|l| !rhs.contains(l));
        let columns = pick(&|l| !lhs.contains(l));
        let sum: Vec<u8> = lhs.iter().copied().filter(|l| !out.contains(l)).collect();
        let place =
            |l: &u8, labels: &[u8]| labels.iter().position(|k| k == l).expect("a label of the operand");
        let axes = |groups: [&[u8]; 3], labels: &[u8]| {
            groups.concat().iter().map(|l| place(l, labels)).collect::<Vec<_>>()
        };
        let computed = [batch.as_slice(), &rows, &columns].concat();
        Plan {
            x: permuted(x, &axes([&batch, &rows, &sum], lhs)),
            y: permuted(y, &axes([&batch, &columns, &sum], rhs)),
            batch: batch.len(),
            rows: rows.len(),
            columns: columns.len(),
            order: out.iter().map(|l| place(l, &computed)).collect(),
        }
    }

    /// The shape in the order in which the result is computed.
    fn shape(&self) -> Vec<usize> {
        let (x, y) = (&self.x.shape, &self.y.shape);
        [&x[..self.batch + self.rows], &y[self.batch..self.batch + self.columns]].concat()
    }

    /// The result in the order of the labels wanted.
    fn ordered(&self, computed: &View<T>) -> View<T> {
        permuted(computed, &self.order)
    }
}

/// Several axes as one, if they are walked as one: length and stride.
fn as_one(shape: &[usize], strides: &[usize]) -> Option<(usize, usize)> {
    let mut one = (1, 0);
    for (n, s) in shape.iter().zip(strides).filter(|(n, _)| **n != 1) {
        match one {
            (1, _) => one = (*n, *s),
            (length, stride) if stride == s * n => one = (length * n, *s),
            _ => return None,
        }
    }
    Some(one)
}

/// An operand whose groups of axes behind the batch are one axis each.
struct Stack<T: Num> {
    view: View<T>,
    outer: (usize, usize),
    inner: (usize, usize),
}

fn stack<T: Num>(x: &View<T>, batch: usize, outer: usize) -> Stack<T> {
    let groups = |v: &View<T>| {
        let split = batch + outer;
        let outer = as_one(&v.shape[batch..split], &v.strides[batch..split])?;
        Some((outer, as_one(&v.shape[split..], &v.strides[split..])?))
    };
    if let Some((outer, inner)) = groups(x) {
        return Stack { view: x.clone(), outer, inner };
    }
    let view = View { strides: row_major(&x.shape), ..x.contiguous() };
    let (outer, inner) = groups(&view).expect("rows that follow each other are one axis");
    Stack { view, outer, inner }
}

fn real<T: Num + gemm::Element>(plan: &Plan<T>, shape: &[usize]) -> View<T> {
    let computed = plan.shape();
    if plan.rows + plan.columns == 0 || computed.contains(&0) {
        return whole(plan, shape);
    }
    let (x, y) = (stack(&plan.x, plan.batch, plan.rows), stack(&plan.y, plan.batch, plan.columns));
    let ((m, row), (k, along)) = (x.outer, x.inner);
    let ((n, column), (_, down)) = (y.outer, y.inner);
    let matrix = |data, offset, row: usize, col: usize| Matrix {
        data,
        offset,
        row_stride: row as isize,
        col_stride: col as isize,
    };
    let result = View::written(computed.clone(), &mut |out| {
        let batch = &computed[..plan.batch];
        let mut at = 0;
        let strides = [&x.view.strides[..plan.batch], &y.view.strides[..plan.batch]];
        walk(batch, strides, [x.view.offset, y.view.offset], &mut |[i, j], count, [di, dj]| {
            for c in 0..count {
                let a = matrix(&x.view.data[..], i + c * di, row, along);
                let b = matrix(&y.view.data[..], j + c * dj, down, column);
                gemm_into(m, n, k, a, b, &mut out[at..at + m * n], n);
                at += m * n;
            }
        });
    });
    plan.ordered(&result)
}

/// One sum after the other: for integers, and for stacks of inner products.
fn whole<T: Num>(plan: &Plan<T>, shape: &[usize]) -> View<T> {
    let computed = plan.shape();
    debug_assert_eq!(shape.len(), computed.len());
    let (x, y) = (&plan.x, &plan.y);
    // Strides over [batch, rows, columns], 0 where an operand lacks the axis.
    let (sx, sy) = (x.shape.len(), y.shape.len());
    let outer_x = [&x.strides[..plan.batch + plan.rows], &vec![0; plan.columns]].concat();
    let column_strides = &y.strides[plan.batch..plan.batch + plan.columns];
    let outer_y = [&y.strides[..plan.batch], &vec![0; plan.rows], column_strides].concat();
    let sum = plan.batch + plan.rows..sx;
    let (sum_x, sum_y) = (&x.strides[sum.clone()], &y.strides[plan.batch + plan.columns..sy]);
    let result = View::written(computed.clone(), &mut |out| {
        let mut at = 0;
        walk(&computed, [&outer_x, &outer_y], [x.offset, y.offset], &mut |[i, j], n, [di, dj]| {
            for c in 0..n {
                let mut total = T::ZERO;
                let from = [i + c * di, j + c * dj];
                walk(&x.shape[sum.clone()], [sum_x, sum_y], from, &mut |[i, j], n, [di, dj]| {
                    for k in 0..n {
                        total = total.plus(x.data[i + k * di].times(y.data[j + k * dj]));
                    }
                });
                out[at] = total;
                at += 1;
            }
        });
    });
    plan.ordered(&result)
}
