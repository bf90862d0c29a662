//! Tests of parameter trees and their files: every way in which a file may not fit.

use std::path::PathBuf;

use super::*;
use crate::{Error, ShapeFault, Tensor, WeightFaults, init};

#[derive(Clone, Debug, PartialEq)]
struct Layer {
    weight: Tensor,
    seen: Tensor,
}

impl Params for Layer {
    fn init(rng: &mut Rng) -> Self {
        Self { weight: init::normal(0.0, 1.0).tensor(rng, &[2, 3]), seen: init::ones().tensor(rng, &[]) }
    }

    fn leaves<'a>(&'a self, prefix: &str, out: &mut Vec<Leaf<'a>>) {
        let name = join(prefix, "weight");
        out.push(Leaf { name, kind: LeafKind::Parameter, shape: vec![2, 3], tensor: (&self.weight).into() });
        let name = join(prefix, "seen");
        out.push(Leaf { name, kind: LeafKind::Buffer, shape: vec![], tensor: (&self.seen).into() });
    }

    fn leaves_mut<'a>(&'a mut self, prefix: &str, out: &mut Vec<LeafMut<'a>>) {
        let name = join(prefix, "weight");
        out.push(LeafMut {
            name,
            kind: LeafKind::Parameter,
            shape: vec![2, 3],
            tensor: (&mut self.weight).into(),
        });
        let name = join(prefix, "seen");
        out.push(LeafMut { name, kind: LeafKind::Buffer, shape: vec![], tensor: (&mut self.seen).into() });
    }
}

/// A tree whose two leaves have the same name.
#[derive(Clone)]
struct Twins(Layer, Layer);

impl Params for Twins {
    fn init(rng: &mut Rng) -> Self {
        Self(Layer::init(rng), Layer::init(rng))
    }

    fn leaves<'a>(&'a self, prefix: &str, out: &mut Vec<Leaf<'a>>) {
        self.0.leaves(prefix, out);
        self.1.leaves(prefix, out);
    }

    fn leaves_mut<'a>(&'a mut self, prefix: &str, out: &mut Vec<LeafMut<'a>>) {
        self.0.leaves_mut(prefix, out);
        self.1.leaves_mut(prefix, out);
    }
}

fn layers<const N: usize>(seed: u64) -> [Layer; N] {
    Params::init(&mut Rng::seed(seed))
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("kiln-{}-{name}.safetensors", std::process::id()))
}

/// The faults of loading `bytes` into `params`, which must stay as they were.
fn faults<P: Params + PartialEq + std::fmt::Debug>(params: &mut P, bytes: &[u8]) -> WeightFaults {
    let before = params.clone();
    let Err(Error::Weights { faults, .. }) = params.load_bytes(bytes) else { panic!("expected faults") };
    assert_eq!(*params, before);
    faults
}

#[test]
fn leaves_are_named_and_counted() {
    let layers = layers::<2>(0);
    let mut leaves = Vec::new();
    layers.leaves("blocks", &mut leaves);
    let names: Vec<_> = leaves.iter().map(|leaf| leaf.name.as_str()).collect();
    assert_eq!(names, ["blocks.0.weight", "blocks.0.seen", "blocks.1.weight", "blocks.1.seen"]);
    assert_eq!(layers.param_count(), 12);
    assert_eq!(layers[0].named_leaves()[0].name, "weight");
    assert_ne!(layers[0], layers[1], "each is drawn anew");
}

#[test]
fn zeros_like_leaves_the_original() {
    let layer = &layers::<1>(0)[0];
    let zeros = layer.zeros_like();
    assert_eq!(zeros.weight, Tensor::zeros([2, 3]));
    assert_eq!(zeros.seen, Tensor::scalar(0.0));
    assert_eq!(layer.seen, Tensor::scalar(1.0));
}

#[test]
fn files_round_trip() {
    let path = temporary("round-trip");
    let saved = layers::<3>(1);
    saved.save(&path).unwrap();
    let mut loaded = layers::<3>(2);
    assert_ne!(saved, loaded);
    loaded.load(&path).unwrap();
    assert_eq!(saved, loaded);
    saved.save(&path).expect("a file is replaced");
    std::fs::remove_file(path).unwrap();
    assert_eq!(<[Layer; 3]>::from_bytes(&saved.to_bytes().unwrap()).unwrap(), saved);
    assert_eq!(saved.to_bytes().unwrap(), loaded.to_bytes().unwrap());
}

#[test]
fn special_values_keep_their_bits() {
    let mut layer = layers::<1>(0);
    layer[0].weight = Tensor::from([[f32::NAN, f32::INFINITY, -0.0], [f32::MIN_POSITIVE / 2.0, 1.0, -1.0]]);
    let loaded = <[Layer; 1]>::from_bytes(&layer.to_bytes().unwrap()).unwrap();
    let bits = |t: &Tensor| t.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&loaded[0].weight), bits(&layer[0].weight));
}

#[test]
fn missing_and_unexpected_are_all_listed() {
    let (one, three) = (layers::<1>(0).to_bytes().unwrap(), layers::<3>(0).to_bytes().unwrap());
    let found = faults(&mut layers::<3>(1), &one);
    assert_eq!(found.missing, ["1.seen", "1.weight", "2.seen", "2.weight"]);
    assert!(found.unexpected.is_empty() && found.ill_shaped.is_empty());
    let found = faults(&mut layers::<1>(1), &three);
    assert_eq!(found.unexpected, ["1.seen", "1.weight", "2.seen", "2.weight"]);
}

#[test]
fn several_faults_come_at_once() {
    use safetensors::tensor::{Dtype, TensorView};
    let data = [0u8; 64];
    let view =
        |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), &data[..bytes]).unwrap();
    let views = [
        ("0.weight", view(Dtype::F32, &[3, 2], 24)),
        ("0.seen", view(Dtype::I64, &[], 8)),
        ("1.seen", view(Dtype::F32, &[], 4)),
        ("head.bias", view(Dtype::F32, &[4], 16)),
    ];
    let bytes = safetensors::serialize(views, None).unwrap();
    let found = faults(&mut layers::<2>(0), &bytes);
    let fault = |name: &str, wanted: &[usize], given: &[usize], dtype: &str| ShapeFault {
        name: name.into(),
        wanted: wanted.into(),
        wanted_dtype: "F32".into(),
        given: given.into(),
        dtype: dtype.into(),
    };
    let ill_shaped = vec![fault("0.seen", &[], &[], "I64"), fault("0.weight", &[2, 3], &[3, 2], "F32")];
    assert_eq!(found.ill_shaped, ill_shaped);

    let path = temporary("faults");
    std::fs::write(&path, bytes).unwrap();
    let message = layers::<2>(0).load(&path).unwrap_err().to_string();
    std::fs::remove_file(&path).unwrap();
    let wanted = format!(
        "{}: the weights don't fit the parameters
  missing: 1.weight
  unexpected: head.bias
  ill-shaped: 0.seen must be F32 [], but is I64 []
  ill-shaped: 0.weight must be F32 [2, 3], but is F32 [3, 2]",
        path.display()
    );
    assert_eq!(message, wanted);
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = layers::<2>(0).to_bytes().unwrap();
    let mut params = layers::<2>(1);
    for length in 0..bytes.len() {
        let result = params.load_bytes(&bytes[..length]);
        assert!(matches!(result, Err(Error::BadWeights { .. })), "{length}: {result:?}");
    }
    assert_eq!(params, layers::<2>(1));
}

#[test]
fn corruption_never_panics() {
    let bytes = layers::<2>(0).to_bytes().unwrap();
    for i in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut corrupt = bytes.clone();
            corrupt[i] ^= flip;
            // A flip within the numbers goes unseen: the format has no checksum.
            let _ = layers::<2>(1).load_bytes(&corrupt);
        }
    }
    let error = layers::<2>(1).load_bytes(b"PK\x03\x04 this is a pickle").unwrap_err();
    assert!(error.to_string().starts_with("no intact safetensors file: "), "{error}");
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let path = temporary("absent");
    let error = layers::<1>(0).load(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { path: named, .. } if *named == path));
    assert!(error.to_string().starts_with(&path.display().to_string()));
    assert!(layers::<1>(0).save(path.join("below")).is_err());
}

#[test]
fn trees_that_cannot_be_saved() {
    let mut layer = layers::<1>(0);
    layer[0].weight = Tensor::zeros([3]);
    let error = layer.to_bytes().unwrap_err().to_string();
    assert!(error.ends_with("0.weight must be F32 [2, 3], but is F32 [3]"), "{error}");

    let bytes = layers::<1>(0)[0].to_bytes().unwrap();
    let Err(Error::Weights { faults, .. }) = Twins::init(&mut Rng::seed(0)).to_bytes() else { panic!() };
    assert_eq!(faults.repeated, ["seen", "weight"]);
    let Err(Error::Weights { faults, .. }) = Twins::from_bytes(&bytes) else { panic!() };
    assert_eq!(faults.repeated, ["seen", "weight"]);
    assert!(faults.missing.is_empty());
}

#[test]
fn torchs_count_of_batches_is_passed_over() {
    use safetensors::tensor::{Dtype, TensorView};
    let zeros = [0u8; 24];
    let view =
        |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), &zeros[..bytes]).unwrap();
    let with = |dtype, bytes| {
        let views = [
            ("0.weight", view(Dtype::F32, &[2, 3], 24)),
            ("0.seen", view(Dtype::F32, &[], 4)),
            ("bn.num_batches_tracked", view(dtype, &[], bytes)),
        ];
        safetensors::serialize(views, None).unwrap()
    };
    assert!(layers::<1>(0).load_bytes(&with(Dtype::I64, 8)).is_ok());
    let found = faults(&mut layers::<1>(0), &with(Dtype::F32, 4));
    assert_eq!(found.unexpected, ["bn.num_batches_tracked"]);
}
