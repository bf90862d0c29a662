//! The models whose graphs are on record, as Rust compiles them and as they run: compiled and eager agree.
#![allow(missing_docs, dead_code)]

use kiln::prelude::*;

/// The models of a file that the compiler's own tests trace.
macro_rules! models {
    ($($name:ident)*) => {$(
        mod $name {
            use kiln::prelude::*;

            include!(concat!("../../macros/compiler/tests/graphs/", stringify!($name), ".rs"));
            include!(concat!("agree/", stringify!($name), ".rs"));
        }
    )*};
}
models!(attention gradients layers mlp state);

fn drawn(seed: u64, shape: &[usize]) -> Tensor {
    let mut rng = Rng::seed(seed);
    let data = (0..shape.iter().product()).map(|_| rng.normal()).collect();
    Tensor::from_vec(shape, data).expect("as many as the shape has")
}

#[track_caller]
fn close<T: kiln::Element + Into<f64>>(a: &Tensor<T>, b: &Tensor<T>) {
    let b = b.clone().ok().expect("an eager result");
    assert_eq!(a.shape(), b.shape());
    for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
        let (a, b): (f64, f64) = ((*a).into(), (*b).into());
        assert!((a - b).abs() <= 2e-5 * (1.0 + a.abs()), "{a} and {b}");
    }
}

#[track_caller]
fn same(a: &impl Params, b: &impl Params) {
    for (a, b) in a.named_leaves().iter().zip(b.named_leaves()) {
        close(a.tensor.as_f32().unwrap(), b.tensor.as_f32().unwrap());
    }
}
