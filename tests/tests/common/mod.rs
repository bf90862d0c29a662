//! Inputs, and comparison with what they should give.

use kiln::Tensor;

/// Numbers of [-1, 1] that don't repeat soon.
pub fn input<const R: usize>(shape: [usize; R]) -> Tensor {
    let n = shape.iter().product::<usize>();
    let at = |i: usize| ((i * 37 % 101) as f32 / 50.0) - 1.0;
    Tensor::from_vec(shape, (0..n).map(at).collect()).expect("as many elements")
}

/// # Panics
/// If they differ by more than rounding.
pub fn close(got: &Tensor, want: &Tensor, what: &str) {
    assert_eq!(got.shape(), want.shape(), "{what}");
    for (g, w) in got.as_slice().iter().zip(want.as_slice()) {
        assert!((g - w).abs() <= 2e-5 * w.abs().max(1.0), "{what}: {g} for {w}");
    }
}
