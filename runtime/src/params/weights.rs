//! Weights as safetensors: leaves to bytes and back, and the file they stand in.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::leaf::from_le_bytes;
use super::{Leaf, LeafMut};
use crate::{Error, Result, ShapeFault, WeightFaults};

/// A number that stands in a file as a tensor of rank 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A hyper-parameter.
    F64(f64),
    /// A count.
    I64(i64),
}

impl Number {
    fn dtype(self) -> Dtype {
        match self {
            Number::F64(_) => Dtype::F64,
            Number::I64(_) => Dtype::I64,
        }
    }

    fn to_le_bytes(self) -> [u8; 8] {
        match self {
            Number::F64(x) => x.to_le_bytes(),
            Number::I64(x) => x.to_le_bytes(),
        }
    }

    /// The number of the same type that these bytes hold.
    fn read(self, bytes: &[u8]) -> Option<Number> {
        let bytes = bytes.try_into().ok()?;
        Some(match self {
            Number::F64(_) => Number::F64(f64::from_le_bytes(bytes)),
            Number::I64(_) => Number::I64(i64::from_le_bytes(bytes)),
        })
    }
}

/// The bytes of a file that holds leaves and numbers; an error if two share a name or one isn't of its declared shape.
pub(crate) fn encode(leaves: &[Leaf<'_>], numbers: &[(&str, Number)]) -> Result<Vec<u8>> {
    let mut faults = WeightFaults { repeated: repeated(leaves), ..WeightFaults::default() };
    for leaf in leaves.iter().filter(|leaf| leaf.shape != leaf.tensor.shape()) {
        faults.ill_shaped.push(shape_fault(
            &Wanted::leaf(leaf),
            leaf.tensor.shape(),
            leaf.tensor.stored_as(),
        ));
    }
    fitting(faults)?;
    let data: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.tensor.to_le_bytes()).collect();
    let numbers: Vec<_> = numbers.iter().map(|(name, n)| (*name, n.dtype(), n.to_le_bytes())).collect();
    let mut views = BTreeMap::new();
    for (leaf, data) in leaves.iter().zip(&data) {
        let dtype = leaf.tensor.stored_as();
        views.insert(&*leaf.name, TensorView::new(dtype, leaf.shape.clone(), data).map_err(bad)?);
    }
    for (name, dtype, data) in &numbers {
        views.insert(name, TensorView::new(*dtype, vec![], data).map_err(bad)?);
    }
    safetensors::serialize(views, None).map_err(bad)
}

/// Which element types a file may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Types {
    /// Those of the leaves.
    AsDeclared,
    /// Any floats.
    AnyFloat,
}

/// A leaf's shape and elements, which f32 holds exactly unless the file has f64.
pub(crate) type Read = (Vec<usize>, Vec<f32>);

/// The elements for the leaves and the numbers, in their order, out of the bytes of a file; an error that lists all that
/// doesn't fit.
pub(crate) fn decode(
    leaves: &[Leaf<'_>],
    numbers: &[(&str, Number)],
    bytes: &[u8],
    types: Types,
) -> Result<(Vec<Read>, Vec<Number>)> {
    let file = SafeTensors::deserialize(bytes).map_err(bad)?;
    let mut stored: BTreeMap<_, _> = file.iter().collect();
    let mut faults = WeightFaults { repeated: repeated(leaves), ..WeightFaults::default() };
    let mut tensors = Vec::with_capacity(leaves.len());
    for wanted in leaves.iter().map(Wanted::leaf) {
        let view = take(&mut stored, &wanted, types, &mut faults);
        tensors.extend(view.and_then(|v| Some((v.shape().to_vec(), from_le_bytes(v.dtype(), v.data())?))));
    }
    let mut read = Vec::with_capacity(numbers.len());
    for (name, number) in numbers {
        let wanted = Wanted { name, dtype: number.dtype(), shape: &[] };
        read.extend(
            take(&mut stored, &wanted, Types::AsDeclared, &mut faults)
                .and_then(|view| number.read(view.data())),
        );
    }
    stored.retain(|name, view| !is_count_of_batches(name, view));
    faults.unexpected = stored.into_keys().map(str::to_owned).collect();
    fitting(faults)?;
    Ok((tensors, read))
}

/// PyTorch's count beside the running statistics of a norm, an i64 scalar: it says nothing where they move by a momentum, and
/// PyTorch itself does without it in files that lack it.
fn is_count_of_batches(name: &str, view: &TensorView<'_>) -> bool {
    name.rsplit('.').next() == Some("num_batches_tracked")
        && view.dtype() == Dtype::I64
        && view.shape().is_empty()
}

/// What a file must hold.
struct Wanted<'a> {
    name: &'a str,
    dtype: Dtype,
    shape: &'a [usize],
}

impl<'a> Wanted<'a> {
    fn leaf(leaf: &'a Leaf<'_>) -> Self {
        Wanted { name: &leaf.name, dtype: leaf.tensor.stored_as(), shape: &leaf.shape }
    }
}

/// What is stored under that name, if it fits.
fn take<'a>(
    stored: &mut BTreeMap<&str, TensorView<'a>>,
    wanted: &Wanted<'_>,
    types: Types,
    faults: &mut WeightFaults,
) -> Option<TensorView<'a>> {
    let any = |dtype| types == Types::AnyFloat && from_le_bytes(dtype, &[]).is_some();
    let fits =
        |v: &TensorView<'_>| v.shape() == wanted.shape && (v.dtype() == wanted.dtype || any(v.dtype()));
    match stored.remove(wanted.name) {
        Some(view) if fits(&view) => return Some(view),
        Some(view) => faults.ill_shaped.push(shape_fault(wanted, view.shape(), view.dtype())),
        None if faults.repeated.iter().any(|name| name == wanted.name) => {}
        None => faults.missing.push(wanted.name.to_owned()),
    }
    None
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// Writes beside the file first and renames, so that a reader never sees, and a crash never leaves, half a file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
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

fn shape_fault(wanted: &Wanted<'_>, given: &[usize], dtype: Dtype) -> ShapeFault {
    ShapeFault {
        name: wanted.name.to_owned(),
        wanted: wanted.shape.to_vec(),
        wanted_dtype: wanted.dtype.to_string(),
        given: given.to_vec(),
        dtype: dtype.to_string(),
    }
}

fn bad(cause: safetensors::SafeTensorError) -> Error {
    Error::BadWeights { path: None, cause: cause.to_string() }
}

/// Puts what was read into the leaves.
pub(crate) fn set(leaves: Vec<LeafMut<'_>>, read: Vec<Read>) -> Result<()> {
    leaves
        .into_iter()
        .zip(read)
        .try_for_each(|(leaf, (shape, elements))| leaf.tensor.set_f32(&shape, elements))
}
