//! What a golden file says about its case, without the numbers.

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A case: its name, hyper-parameters, and the types of its tensors by key.
pub struct Case {
    pub path: String,
    pub name: String,
    pub variant: String,
    pub config: Value,
    pub types: BTreeMap<String, Type>,
}

/// A tensor's element type, as the model has it, and its shape.
#[derive(Clone, PartialEq)]
pub struct Type {
    pub dtype: &'static str,
    pub shape: Vec<usize>,
}

impl Case {
    pub fn read(path: &Path) -> Case {
        let bytes = std::fs::read(path).expect("a readable golden file");
        let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("a safetensors header");
        let metadata = metadata.metadata().clone().expect("metadata");
        let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let ty = |dtype: Dtype| match dtype {
            Dtype::I64 => "i64",
            Dtype::U8 => "bool",
            _ => "f64",
        };
        let types = file.iter().map(|(name, view)| {
            (name.to_string(), Type { dtype: ty(view.dtype()), shape: view.shape().to_vec() })
        });
        Case {
            path: path.display().to_string(),
            name: metadata["case"].clone(),
            variant: metadata["variant"].clone(),
            config: serde_json::from_str(&metadata["config"]).expect("config is JSON"),
            types: types.collect(),
        }
    }

    /// Tensors whose key starts with a prefix, by the rest of the key.
    pub fn group<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Type)> {
        self.types.iter().filter_map(move |(key, ty)| Some((key.strip_prefix(prefix)?, ty)))
    }

    /// Whether the case has that tensor.
    pub fn has(&self, key: &str) -> bool {
        self.types.contains_key(key)
    }

    /// The shape of an input.
    pub fn shape(&self, name: &str) -> &[usize] {
        &self.types[&format!("in.{name}")].shape
    }

    pub fn int(&self, key: &str) -> Option<i64> {
        self.config[key].as_i64()
    }

    /// A number as a float literal.
    pub fn float(&self, key: &str) -> Option<String> {
        self.config[key].as_f64().map(|x| format!("{x:?}"))
    }

    /// A list of integers, or one.
    pub fn ints(&self, key: &str) -> Option<Vec<i64>> {
        match &self.config[key] {
            Value::Array(list) => list.iter().map(Value::as_i64).collect(),
            one => one.as_i64().map(|i| vec![i]),
        }
    }

    pub fn flag(&self, key: &str) -> bool {
        self.config[key].as_bool() == Some(true)
    }

    pub fn text(&self, key: &str) -> &str {
        self.config[key].as_str().unwrap_or("mean")
    }
}
