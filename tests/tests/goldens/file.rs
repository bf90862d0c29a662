//! One golden file: PyTorch's inputs, outputs and gradients of a case.

use kiln_ir::DType;
use kiln_ir::ops::Array;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// A golden file in memory. Floats are f64, because torch computed what it expects in f64.
pub struct Golden {
    pub case: String,
    pub variant: String,
    /// How far torch's own f32 run is from what is expected.
    pub f32_error: f64,
    pub tensors: BTreeMap<String, Array>,
}

impl Golden {
    pub fn read(path: &Path) -> Golden {
        let bytes = std::fs::read(path).expect("a readable golden file");
        let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a safetensors header");
        let metadata = metadata.metadata().clone().expect("metadata");
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        Golden {
            case: metadata["case"].clone(),
            variant: metadata["variant"].clone(),
            f32_error: metadata["f32_err"].parse().expect("a number"),
            tensors: file.iter().map(|(name, view)| (name.to_string(), array(&view))).collect(),
        }
    }

    /// Tensors whose key starts with `prefix`, by the rest of the key.
    pub fn group<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Array)> {
        self.tensors.iter().filter_map(move |(key, array)| Some((key.strip_prefix(prefix)?, array)))
    }
}

fn array(view: &TensorView) -> Array {
    let bytes = view.data();
    let wide = |size: usize, of: fn(&[u8]) -> f64| bytes.chunks_exact(size).map(of).collect();
    let (dtype, data) = match view.dtype() {
        Dtype::F32 => (DType::F64, wide(4, |b| f32::from_le_bytes(b.try_into().expect("4 bytes")) as f64)),
        Dtype::F64 => (DType::F64, wide(8, |b| f64::from_le_bytes(b.try_into().expect("8 bytes")))),
        Dtype::I64 => (DType::I64, wide(8, |b| i64::from_le_bytes(b.try_into().expect("8 bytes")) as f64)),
        Dtype::U8 => (DType::Bool, wide(1, |b| b[0] as f64)),
        other => panic!("golden files hold no {other:?}"),
    };
    Array::rounded(dtype, view.shape().to_vec(), data)
}

/// The largest difference that counts, as the goldens' README defines it: relative to the tensor's own largest
/// entry, but to no less than 0.01 and a hundredth of the largest entry of its kind.
pub fn distance(got: &Array, want: &Array, largest: f64) -> f64 {
    if got.shape != want.shape {
        return f64::INFINITY;
    }
    let scale = peak(want).max(0.01).max(largest / 100.0);
    let apart = |(a, b): (&f64, &f64)| if a == b || (a.is_nan() && b.is_nan()) { 0.0 } else { (a - b).abs() };
    let off = got.data.iter().zip(&want.data).map(apart);
    off.fold(0.0, |worst: f64, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) }) / scale
}

/// The largest entry.
pub fn peak(a: &Array) -> f64 {
    a.data.iter().fold(0.0, |top, x| top.max(x.abs()))
}
