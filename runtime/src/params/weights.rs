//! Weights as safetensors: leaves to bytes and back, and the file they stand in.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Leaf;
use crate::{Error, Result, ShapeFault, Tensor, WeightFaults};

/// The bytes of a file that holds the leaves; an error if two share a name or one isn't of its declared shape.
pub(super) fn encode(leaves: &[Leaf<'_>]) -> Result<Vec<u8>> {
    let mut faults = WeightFaults { repeated: repeated(leaves), ..WeightFaults::default() };
    for leaf in leaves.iter().filter(|leaf| leaf.shape != leaf.tensor.shape()) {
        faults.ill_shaped.push(shape_fault(leaf, leaf.tensor.shape(), Dtype::F32));
    }
    fitting(faults)?;
    let data: Vec<Vec<u8>> = leaves.iter().map(|leaf| to_le_bytes(leaf.tensor)).collect();
    let mut views = BTreeMap::new();
    for (leaf, data) in leaves.iter().zip(&data) {
        views.insert(&leaf.name, TensorView::new(Dtype::F32, leaf.shape.clone(), data).map_err(bad)?);
    }
    safetensors::serialize(views, None).map_err(bad)
}

/// The tensors for the leaves, in their order, out of the bytes of a file; an error that lists all that doesn't fit.
pub(super) fn decode(leaves: &[Leaf<'_>], bytes: &[u8]) -> Result<Vec<Tensor>> {
    let file = SafeTensors::deserialize(bytes).map_err(bad)?;
    let mut stored: BTreeMap<_, _> = file.iter().collect();
    let mut faults = WeightFaults { repeated: repeated(leaves), ..WeightFaults::default() };
    let mut tensors = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        match stored.remove(leaf.name.as_str()) {
            Some(view) if view.dtype() == Dtype::F32 && view.shape() == leaf.shape => {
                tensors.push(Tensor::from_vec(view.shape(), from_le_bytes(view.data()))?);
            }
            Some(view) => faults.ill_shaped.push(shape_fault(leaf, view.shape(), view.dtype())),
            None if faults.repeated.contains(&leaf.name) => {}
            None => faults.missing.push(leaf.name.clone()),
        }
    }
    faults.unexpected = stored.into_keys().map(str::to_owned).collect();
    fitting(faults)?;
    Ok(tensors)
}

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Writes beside the file first and renames, so that a reader never sees, and a crash never leaves, half a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = OsString::from(path);
    beside.push(format!(".{}.tmp", std::process::id()));
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(|source| {
        // The error that counts is the one at hand.
        let _ = fs::remove_file(&beside);
        Error::Io { path: path.to_owned(), source }
    })
}

fn fitting(mut faults: WeightFaults) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    faults.missing.sort();
    faults.ill_shaped.sort_by(|a, b| a.name.cmp(&b.name));
    Err(Error::Weights { path: None, faults })
}

fn repeated(leaves: &[Leaf<'_>]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<_> =
        leaves.iter().map(|leaf| &leaf.name).filter(|&name| !seen.insert(name)).collect();
    twice.into_iter().cloned().collect()
}

fn shape_fault(leaf: &Leaf<'_>, given: &[usize], dtype: Dtype) -> ShapeFault {
    ShapeFault {
        name: leaf.name.clone(),
        wanted: leaf.shape.clone(),
        given: given.to_vec(),
        dtype: dtype.to_string(),
    }
}

fn bad(cause: safetensors::SafeTensorError) -> Error {
    Error::BadWeights { path: None, cause: cause.to_string() }
}

fn to_le_bytes(tensor: &Tensor) -> Vec<u8> {
    tensor.as_slice().iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn from_le_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect()
}
