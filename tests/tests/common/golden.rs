//! A golden file for a layer that is loaded by torch's names.
#![allow(dead_code)] // Each test file uses a part.

use kiln::{Params, Tensor};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// A file of torch's: its parameters in `P`, and its tensors.
pub struct Golden(Vec<u8>);

impl Golden {
    pub fn read(name: &str) -> Golden {
        let path = format!("{}/data/goldens/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Golden(std::fs::read(path).expect("a golden file"))
    }

    pub fn params<P: Params>(&self) -> P {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let views: Vec<(String, TensorView)> = file
            .iter()
            .filter_map(|(name, view)| Some((name.strip_prefix("param.")?.to_string(), view)))
            .collect();
        P::from_bytes(&safetensors::serialize(views, None).expect("sound"))
            .expect("torch's names and layouts")
    }

    pub fn tensor(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let view = file.tensor(name).expect("a tensor of the file");
        let data = match view.dtype() {
            Dtype::F64 => view.data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            _ => view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        };
        Tensor::from_vec(view.shape(), data).expect("as many numbers")
    }

    pub fn bools(&self, name: &str) -> Tensor<bool> {
        let file = SafeTensors::deserialize(&self.0).expect("a golden file");
        let view = file.tensor(name).expect("a tensor of the file");
        let data = view.data().iter().map(|b| *b != 0).collect();
        Tensor::from_vec(view.shape(), data).expect("as many truth values")
    }

    pub fn check(&self, compiled: kiln::Result<Tensor>, eager: &Tensor) {
        let want = self.tensor("out.y");
        for y in [&compiled.expect("shapes fit"), eager] {
            assert_eq!(y.shape(), want.shape());
            let far = y
                .as_slice()
                .iter()
                .zip(want.as_slice())
                .map(|(a, b)| (a - b).abs())
                .max_by(f32::total_cmp)
                .unwrap_or(0.0);
            assert!(far < 1e-5, "{far}");
        }
    }
}
