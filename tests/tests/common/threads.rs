//! A computation on one thread and on two, noise to compute with, and how far apart two results are.

use kiln::kernels::threads::set_threads;
use kiln::prelude::*;
use std::fmt::Debug;
use std::sync::Mutex;

/// One test at a time sets the number of threads.
static THREADS: Mutex<()> = Mutex::new(());

/// What `f` gives on one thread, which must be what it gives on two.
///
/// # Panics
/// If it isn't.
pub fn on_threads<T: PartialEq + Debug>(f: impl Fn() -> T) -> T {
    let _own = THREADS.lock().expect("no test panics while it holds it");
    set_threads(1);
    let one = f();
    set_threads(2);
    assert_eq!(one, f());
    set_threads(0);
    one
}

/// Normal numbers.
pub fn noise<const R: usize>(rng: &mut Rng, shape: [usize; R]) -> Tensor {
    init::normal(0.0, 1.0).tensor(rng, &shape)
}

/// The largest difference over the largest number.
///
/// # Panics
/// If the shapes differ.
pub fn apart(x: &Tensor, y: &Tensor) -> f32 {
    assert_eq!(x.shape(), y.shape());
    let pairs = || x.as_slice().iter().zip(y.as_slice());
    let most = pairs().map(|(x, _)| x.abs()).fold(0.0, f32::max);
    pairs().map(|(x, y)| (x - y).abs()).max_by(f32::total_cmp).unwrap_or(0.0) / most
}
