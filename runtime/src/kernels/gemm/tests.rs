//! Products around every edge of the tiles, against sums in `f64`.

use super::kernel::{Kernels, Scalar};
use super::*;
use crate::kernels::threads::set_threads;
use std::sync::Mutex;

/// The machine's rounding.
trait Float: Element {
    const EPS: f64;
}

impl Float for f32 {
    const EPS: f64 = f32::EPSILON as f64;
}

impl Float for f64 {
    const EPS: f64 = f64::EPSILON;
}

/// Numbers in -1..1 that look random.
fn numbers<T: Float>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..len).map(|_| T::of(next())).collect()
}

/// Data and strides of a `[rows, cols]` in one of five layouts.
fn layout<T: Float>(rows: usize, cols: usize, kind: usize, seed: u64) -> (Vec<T>, usize, isize, isize) {
    let (r, c) = (rows as isize, cols as isize);
    let (offset, rs, cs) = match kind {
        0 => (0, c, 1),
        1 => (0, 1, r),
        2 => (3, 2 * c + 1, 2),
        3 => (5, 3, 3 * r + 2),
        _ => (rows.saturating_sub(1) * (cols + 1), -(c + 1), 1),
    };
    (numbers(offset + (rows * rs.unsigned_abs() + cols * cs.unsigned_abs()) + 8, seed), offset, rs, cs)
}

/// Whether `c` is the product within `4 √k ε Σ|a b|`.
fn close<T: Float>([m, n, k]: [usize; 3], a: Matrix<T>, b: Matrix<T>, c: &[T]) -> bool {
    (0..m * n).all(|at| {
        let (i, j) = (at / n, at % n);
        let terms = (0..k).map(|p| a.data[a.at(i, p)].wide() * b.data[b.at(p, j)].wide());
        let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
        (c[at].wide() - sum).abs() <= 4.0 * (k as f64).sqrt() * T::EPS * size
    })
}

/// Collects the tiles into `[m, n]`; panics if an element comes twice or not at all.
fn collect<T: Float>(m: usize, n: usize, run: impl FnOnce(Epilogue<T>)) -> Vec<T> {
    let c = Mutex::new(vec![None; m * n]);
    run(&|tile| {
        let mut c = c.lock().unwrap();
        for i in 0..tile.rows {
            for (j, x) in tile.line(i).iter().enumerate() {
                let old = c[(tile.row + i) * n + tile.col + j].replace(*x);
                assert!(old.is_none(), "an element came twice");
            }
        }
    });
    c.into_inner().unwrap().into_iter().map(|x| x.expect("an element is missing")).collect()
}

fn check<T: Float>(isa: Isa, [m, n, k]: [usize; 3], kind_a: usize, kind_b: usize) {
    let (data_a, offset, row_stride, col_stride) = layout::<T>(m, k, kind_a, 1);
    let a = Matrix { data: &data_a, offset, row_stride, col_stride };
    let (data_b, offset, row_stride, col_stride) = layout::<T>(k, n, kind_b, 2);
    let b = Matrix { data: &data_b, offset, row_stride, col_stride };
    let c = collect(m, n, |epilogue| T::gemm_on(isa, [m, n, k], a.into(), b.into(), Out::tiles(epilogue)));
    assert!(close([m, n, k], a, b, &c), "{isa:?} [{m}, {n}, {k}] layouts {kind_a} {kind_b}");
    let mut room = vec![T::of(f64::NAN); packed_room(k, n)];
    T::pack_on(isa, [k, n], 0, b.into(), &mut room);
    // What is moved is no longer at a cache line, and as right.
    let moved = [&[T::default()], &room[..]].concat();
    let b_packed = packed(&moved[1..], [k, n]);
    let c =
        collect(m, n, |epilogue| T::gemm_packed_on(isa, [m, n, k], a.into(), b_packed, Out::tiles(epilogue)));
    assert!(close([m, n, k], a, b, &c), "packed, {isa:?} [{m}, {n}, {k}] layouts {kind_a} {kind_b}");
}

fn edges<T: Float>() {
    for isa in Isa::available() {
        let kernels: Kernels<T> = <T as Scalar>::kernels(isa);
        let (mr, nr) = (kernels.rows, kernels.cols());
        let mut turn = 0;
        for m in [0, 1, 4, 5, mr - 1, mr, mr + 1, 13, 16 * mr + 1] {
            for n in [0, 1, kernels.lanes, nr - 1, nr, nr + 1, 2 * nr + 7, 131] {
                for k in [0, 1, 2, 3, 17, 64, 255, 256, 257] {
                    check::<T>(isa, [m, n, k], turn % 2, turn / 2 % 2);
                    check::<T>(isa, [m, n, k], turn % 5, turn / 5 % 5);
                    turn += 1;
                }
            }
        }
    }
}

/// The product of operands of narrow floats is that of the same numbers in f32.
fn check_narrow<S: crate::half::Narrow>(isa: Isa, [m, n, k]: [usize; 3], kinds: [usize; 2], narrow: [bool; 2])
where
    for<'a> Operand<'a, f32>: From<Matrix<'a, S>>,
{
    let operand = |rows, cols, kind, seed| {
        let (data, offset, row_stride, col_stride) = layout::<f32>(rows, cols, kind, seed);
        let stored: Vec<S> = data.iter().map(|x| S::narrowed(*x)).collect();
        let data: Vec<f32> = stored.iter().map(|x| x.widened()).collect();
        (stored, data, offset, row_stride, col_stride)
    };
    let (stored_a, wide_a, offset, row_stride, col_stride) = operand(m, k, kinds[0], 1);
    let a = Matrix { data: &wide_a[..], offset, row_stride, col_stride };
    let narrow_a = Matrix { data: &stored_a[..], offset, row_stride, col_stride };
    let (stored_b, wide_b, offset, row_stride, col_stride) = operand(k, n, kinds[1], 2);
    let b = Matrix { data: &wide_b[..], offset, row_stride, col_stride };
    let narrow_b = Matrix { data: &stored_b[..], offset, row_stride, col_stride };
    let left: Operand<f32> = if narrow[0] { narrow_a.into() } else { a.into() };
    let right: Operand<f32> = if narrow[1] { narrow_b.into() } else { b.into() };
    let c = collect(m, n, |epilogue| f32::gemm_on(isa, [m, n, k], left, right, Out::tiles(epilogue)));
    assert!(close([m, n, k], a, b, &c), "{} {isa:?} [{m}, {n}, {k}] layouts {kinds:?} {narrow:?}", S::NAME);
}

#[test]
fn narrow_operands_are_widened_where_they_are_read() {
    let mut turn = 0;
    for isa in Isa::available() {
        for m in [1, 3, 4, 5, 7, 13, 40] {
            for n in [1, 5, 16, 64, 70, 131] {
                for k in [1, 2, 31, 33, 64, 257] {
                    let (kinds, narrow) =
                        ([turn % 5, turn / 5 % 5], [[false, true], [true, true], [true, false]][turn % 3]);
                    check_narrow::<crate::bf16>(isa, [m, n, k], kinds, narrow);
                    check_narrow::<crate::f16>(isa, [m, n, k], kinds, narrow);
                    turn += 1;
                }
            }
        }
    }
}

#[test]
fn narrow_windows_are_widened_where_they_are_read() {
    let image: Vec<crate::bf16> =
        (0..3 * 10 * 10).map(|i| crate::bf16::from_f32((i % 23) as f32 - 11.0)).collect();
    let wide: Vec<f32> = image.iter().map(|x| x.to_f32()).collect();
    let (rows, cols) = (Walk::new(&[(3, 100), (3, 10), (3, 1)]), Walk::new(&[(8, 10), (8, 1)]));
    for m in [1, 4, 20] {
        let weight: Vec<f32> = (0..m * 27).map(|i| (i % 7) as f32 - 3.0).collect();
        let (mut got, mut want) = (vec![0.0; m * 64], vec![0.0; m * 64]);
        let (offset, skipped) = (0, [0, 0]);
        let narrow = Walked { data: &image[..], offset, rows, cols, skipped };
        gemm_into(m, 64, 27, Matrix::rows(&weight, 27), narrow, &mut got, 64);
        let wide = Walked { data: &wide[..], offset, rows, cols, skipped };
        gemm_into(m, 64, 27, Matrix::rows(&weight, 27), wide, &mut want, 64);
        assert_eq!(got, want);
    }
}

#[test]
fn edges_f32() {
    edges::<f32>();
}

#[test]
fn edges_f64() {
    edges::<f64>();
}

#[test]
fn every_pair_of_layouts() {
    for isa in Isa::available() {
        for kinds in 0..25 {
            for size in [[3, 70, 67], [37, 41, 43], [101, 193, 300]] {
                check::<f32>(isa, size, kinds % 5, kinds / 5);
                check::<f64>(isa, size, kinds % 5, kinds / 5);
            }
        }
    }
}

#[test]
fn one_thread_and_two() {
    for threads in [1, 2] {
        set_threads(threads);
        for size in [[200, 300, 101], [2, 2000, 1000], [1, 3001, 517], [7, 1000, 700], [301, 64, 127]] {
            for kinds in 0..4 {
                check::<f32>(Isa::detect(), size, kinds % 2, kinds / 2);
            }
        }
    }
}

/// Gradients of factors: both sides in lines of their terms, a large left one by a small right one.
#[test]
fn sums_over_lines() {
    for isa in Isa::available() {
        for (threads, [m, n, k]) in
            [(1, [200, 37, 130]), (2, [517, 65, 300]), (1, [20, 7, 129]), (2, [131, 6, 700])]
        {
            set_threads(threads);
            check::<f32>(isa, [m, n, k], 1, 0);
            check::<f64>(isa, [m, n, k], 1, 0);
            let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
            let mut rows = vec![f32::NAN; m * n];
            gemm_into(m, n, k, Matrix::rows(&a, m).transposed(), Matrix::rows(&b, n), &mut rows, n);
            assert!(close([m, n, k], Matrix::rows(&a, m).transposed(), Matrix::rows(&b, n), &rows));
        }
    }
}

/// Rows far apart by panels enough to be copied, panels packed on the way, and sums where they stay: the same numbers.
#[test]
fn large_products_in_tiles_and_in_rows() {
    for isa in Isa::available() {
        for (threads, [m, n, k]) in [(1, [103, 640, 1100]), (2, [103, 640, 1100]), (2, [230, 523, 300])] {
            set_threads(threads);
            check::<f32>(isa, [m, n, k], 0, 0);
            let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
            let (a, b) = (Matrix::rows(&a, k).into(), Matrix::rows(&b, n).into());
            let tiles = collect(m, n, |epilogue| f32::gemm_on(isa, [m, n, k], a, b, Out::tiles(epilogue)));
            let mut rows = vec![f32::NAN; m * n];
            let target = Target::new([m, n], &mut rows, n);
            // SAFETY: each element comes once.
            let store = |tile: Tile<f32>| unsafe { target.store(tile) };
            f32::gemm_on(isa, [m, n, k], a, b, Out { epilogue: &store, rows: Some(&target) });
            assert!(tiles == rows, "{isa:?} [{m}, {n}, {k}]");
        }
    }
}

#[test]
fn the_checker_rejects_a_wrong_kernel() {
    let (m, n, k) = (13, 67, 300);
    let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
    let (a, b) = (Matrix::rows(&a, k), Matrix::rows(&b, n));
    let right = collect(m, n, |epilogue| gemm(m, n, k, a, b, epilogue));
    assert!(close([m, n, k], a, b, &right));
    let lost_term = collect(m, n, |epilogue| gemm(m, n, k - 1, a, b, epilogue));
    assert!(!close([m, n, k], a, b, &lost_term));
    let mut one_wrong = right;
    one_wrong[n + 5] += 1e-3;
    assert!(!close([m, n, k], a, b, &one_wrong));
}

#[test]
#[should_panic(
    expected = "operand b [3, 4] with offset 0 and strides [4, 1] needs elements 0..=11, but its data has 11"
)]
fn short_data_are_named() {
    gemm(2, 4, 3, Matrix::rows(&[0.0f32; 6], 3), Matrix::rows(&[0.0; 11], 4), &|_| {});
}

#[test]
fn stores_rows_apart_and_nothing_else() {
    for (m, n, k, stride) in [(1, 1, 1, 1), (7, 70, 5, 70), (13, 65, 33, 80), (4, 3, 0, 5), (0, 3, 2, 3)] {
        let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
        let mut out = vec![9.0f32; m * stride];
        gemm_into(m, n, k, Matrix::rows(&a, k), Matrix::rows(&b, n), &mut out, stride);
        for (i, row) in out.chunks(stride).enumerate() {
            for (j, got) in row.iter().enumerate() {
                let exact: f64 = (0..k)
                    .map(|l| f64::from(a[i * k + l]) * f64::from(*b.get(l * n + j).unwrap_or(&0.0)))
                    .sum();
                let want = if j < n { exact } else { 9.0 };
                assert!((f64::from(*got) - want).abs() < 1e-4, "{m}x{k}x{n} at {i}, {j}: {got} for {want}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "gemm_into: a result [2, 4] with row stride 4 needs 8 elements, but there are 7")]
fn a_short_result_is_named() {
    let mut out = [0.0f32; 7];
    gemm_into(2, 4, 3, Matrix::rows(&[0.0; 6], 3), Matrix::rows(&[0.0; 12], 4), &mut out, 4);
}

/// The windows of an image `[C, H, W]` as an operand `[C·K·K, OH·OW]`, and the same elements written out.
fn windows(data: &[f32], [c, h, w]: [usize; 3], size: usize, step: usize) -> (Walked<'_, f32>, Vec<f32>) {
    let (oh, ow) = ((h - size) / step + 1, (w - size) / step + 1);
    let rows = Walk::new(&[(c, h * w), (size, w), (size, 1)]);
    let cols = Walk::new(&[(oh, step * w), (ow, step)]);
    let mut written = Vec::new();
    for row in 0..c * size * size {
        let (ch, ky, kx) = (row / (size * size), row / size % size, row % size);
        let line = (0..oh * ow).map(|i| data[ch * h * w + (i / ow * step + ky) * w + i % ow * step + kx]);
        written.extend(line);
    }
    (Walked { data, offset: 0, rows, cols, skipped: [0, 0] }, written)
}

#[test]
fn sums_of_very_many_terms() {
    let (m, n, k) = (5, 37, 40_000);
    let a: Vec<f64> = (0..m * k).map(|i| (i * 7 % 13) as f64 - 6.0).collect();
    let b: Vec<f64> = (0..k * n).map(|i| (i * 5 % 11) as f64 - 5.0).collect();
    let mut got = vec![f64::NAN; m * n];
    gemm_into(m, n, k, Matrix::rows(&a, k), Matrix::rows(&b, n), &mut got, n);
    let walked = |data, rows: (usize, usize), cols: (usize, usize)| {
        let halves = |(len, step): (usize, usize)| match len {
            40_000 => Walk::new(&[(2, len / 2 * step), (len / 2, step)]),
            _ => Walk::new(&[(len, step)]),
        };
        Walked { data, offset: 0, rows: halves(rows), cols: halves(cols), skipped: [0, 0] }
    };
    let mut again = vec![f64::NAN; m * n];
    gemm_into(m, n, k, walked(&a, (m, k), (k, 1)), walked(&b, (k, n), (n, 1)), &mut again, n);
    for i in 0..m {
        for j in 0..n {
            let want: f64 = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
            assert_eq!((got[i * n + j], again[i * n + j]), (want, want));
        }
    }
}

#[test]
fn sides_of_several_axes() {
    for (shape, size, step, other) in [
        ([3, 9, 11], 3, 1, 5),
        ([2, 12, 40], 3, 2, 70),
        ([5, 6, 6], 1, 1, 33),
        ([1, 9, 70], 3, 1, 1),
        ([1, 12, 2100], 3, 2, 2),
        ([6, 8, 9], 3, 1, 4),
    ] {
        let data: Vec<f32> = (0..shape.iter().product()).map(|i| (i * 7 % 13) as f32 - 6.0).collect();
        let (walked, written) = windows(&data, shape, size, step);
        let k = shape[0] * size * size;
        let n = written.len() / k;
        let weights: Vec<f32> = (0..other * k).map(|i| (i * 5 % 11) as f32 - 5.0).collect();
        let (left, right) = (Matrix::rows(&weights, k), Matrix::rows(&written, n));
        let mut want = vec![0.0; other * n];
        gemm_into(other, n, k, left, right, &mut want, n);
        let mut got = vec![f32::NAN; other * n];
        gemm_into(other, n, k, left, walked, &mut got, n);
        assert_eq!(got, want, "right, {shape:?}");
        // As the left operand: its transpose by the transposed weights.
        let turned = Walked { rows: walked.cols, cols: walked.rows, ..walked };
        let mut got = vec![f32::NAN; other * n];
        gemm_into(n, other, k, turned, left.transposed(), &mut got, other);
        let same = (0..other * n).all(|i| got[i % n * other + i / n] == want[i]);
        assert!(same, "left, {shape:?}");
    }
}

/// Sequences `[B, T, K]` in the order of time, as rows of terms and as terms of rows: copied line by line.
#[test]
fn lines_of_several_axes() {
    for [steps, batch, k, n] in [[3, 4, 5, 70], [40, 32, 67, 128], [2, 3, 17_000, 9], [7, 1, 1, 5]] {
        let whole = |len: usize| (0..len).map(|i| (i * 7 % 13) as f32 - 6.0).collect::<Vec<_>>();
        let (x, m) = (whole(batch * steps * k), steps * batch);
        let (lines, line) = (Walk::new(&[(steps, k), (batch, steps * k)]), Walk::new(&[(k, 1)]));
        let by_rows = Walked { data: &x[..], offset: 0, rows: lines, cols: line, skipped: [0, 0] };
        let in_order = (0..m).flat_map(|row| x[(row % batch * steps + row / batch) * k..][..k].to_vec());
        let in_order: Vec<f32> = in_order.collect();
        let product = |[m, n, k]: [usize; 3], a: Operand<f32>| {
            let w = whole(k * n);
            let mut out = vec![f32::NAN; m * n];
            gemm_into(m, n, k, a, Matrix::rows(&w, n), &mut out, n);
            out
        };
        let rows = Matrix::rows(&in_order, k);
        assert_eq!(product([m, n, k], by_rows.into()), product([m, n, k], rows.into()), "{m} {n} {k}");
        let by_terms = Walked { rows: line, cols: lines, ..by_rows };
        let want = product([k, n, m], rows.transposed().into());
        assert_eq!(product([k, n, m], by_terms.into()), want, "{k} {n} {m}");
    }
}
