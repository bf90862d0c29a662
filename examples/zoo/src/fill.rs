//! Weights that take no file: each number is a hash of its tensor's name and its place, so that another language has the same ones
//! (`tests/pytorch.py`). Matrices and kernels keep the scale of what goes through them.

use kiln::{LeafTensorMut, Params, Rng, Tensor};

/// The net with such weights.
pub fn filled<P: Params>() -> P {
    let mut net = P::init(&mut Rng::seed(0));
    let mut leaves = Vec::new();
    net.leaves_mut("", &mut leaves);
    for leaf in leaves {
        let (middle, reach) = range(&leaf.name, &leaf.shape);
        if let LeafTensorMut::F32(tensor) = leaf.tensor {
            fill(tensor.as_mut_slice(), &leaf.name, middle, reach);
        }
    }
    net
}

/// An input of that name, uniform over ±√3, so that its variance is 1.
pub fn input<const R: usize>(name: &str, shape: [usize; R]) -> Tensor {
    let mut x = Tensor::zeros(shape);
    fill(x.as_mut_slice(), name, 0.0, 3f64.sqrt() as f32);
    x
}

/// Indices below a number.
pub fn indices(name: &str, len: usize, below: u32) -> Vec<i64> {
    let start = start(name);
    (0..len as u32).map(|i| i64::from((hashed(start, i) >> 8) % below)).collect()
}

/// Where a tensor's numbers lie: the middle and how far from it.
fn range(name: &str, shape: &[usize]) -> (f32, f32) {
    match name.rsplit('.').next() {
        _ if shape.len() > 1 => {
            let terms: usize = shape[1..].iter().product();
            (0.0, (6.0 / terms as f64).sqrt() as f32)
        }
        Some("running_var") => (1.0, 0.5),
        Some("weight") => (0.75, 0.25),
        _ => (0.0, 0.1),
    }
}

fn fill(to: &mut [f32], name: &str, middle: f32, reach: f32) {
    let start = start(name);
    for (i, x) in to.iter_mut().enumerate() {
        let unit = (hashed(start, i as u32) >> 8) as f32 / 8_388_608.0 - 1.0;
        *x = middle + reach * unit;
    }
}

/// FNV-1a of a name.
fn start(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The finalizer of MurmurHash3 over a place.
fn hashed(start: u32, i: u32) -> u32 {
    let mut x = i.wrapping_mul(0x9e37_79b1).wrapping_add(start);
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}
