//! Square products, which are checked by Freivalds' method: `C v = A (B v)`, in f64.

use crate::workload::{Outcome, Workload, within};
use kiln::kernels::gemm::{Matrix, gemm_into};

/// One product of two `[N, N]` matrices a call.
pub fn product<const N: usize>(check: bool) -> Outcome<Workload> {
    let numbers =
        |seed: usize| (0..N * N).map(|i| ((i * seed) % 17) as f32 / 17.0 - 0.5).collect::<Vec<f32>>();
    let (a, b, mut out) = (numbers(7), numbers(11), vec![0.0; N * N]);
    if check {
        gemm_into(N, N, N, Matrix::rows(&a, N), Matrix::rows(&b, N), &mut out, N);
        let v: Vec<f64> = (0..N).map(|i| ((i * 13) % 19) as f64 / 19.0 - 0.5).collect();
        let single = |v: Vec<f64>| v.into_iter().map(|x| x as f32).collect::<Vec<f32>>();
        within("the product", &single(times(&out, &v)), &single(times(&a, &times(&b, &v))), 0.0)?;
    }
    let run = Box::new(move || {
        gemm_into(N, N, N, Matrix::rows(&a, N), Matrix::rows(&b, N), &mut out, N);
        std::hint::black_box(&out);
        Ok(())
    });
    Ok(Workload { run, kept: 0, frozen: 0, passed: 3 * 4 * N * N, scratch: 0 })
}

/// A matrix times a vector.
fn times(matrix: &[f32], v: &[f64]) -> Vec<f64> {
    let row = |row: &[f32]| row.iter().zip(v).map(|(x, v)| f64::from(*x) * v).sum();
    matrix.chunks(v.len()).map(row).collect()
}
