//! Square products.

use kiln::kernels::gemm::{Matrix, gemm_into};

/// Edges of the products that are timed.
pub const SIZES: [usize; 6] = [64, 128, 256, 512, 1024, 2048];

/// One product of two `[n, n]` matrices a call.
pub fn product(n: usize) -> impl FnMut() {
    let numbers =
        |seed: usize| (0..n * n).map(|i| ((i * seed) % 17) as f32 / 17.0 - 0.5).collect::<Vec<f32>>();
    let (a, b, mut out) = (numbers(7), numbers(11), vec![0.0; n * n]);
    move || {
        gemm_into(n, n, n, Matrix::rows(&a, n), Matrix::rows(&b, n), &mut out, n);
        std::hint::black_box(&out);
    }
}
