//! Weights that come from elsewhere.

use crate::Result;
use kiln::{Error, Params};
use safetensors::SafeTensors;
use std::path::Path;

/// Loads the weights of a safetensors file; what is of another net is told in a line. Tensors whose names end as one of `beside`
/// are passed over: some files hold masks and places beside their weights.
pub fn load(net: &mut impl Params, file: &Path, beside: &[&str]) -> Result<()> {
    let fault = |what: &dyn std::fmt::Display| format!("{}: {what}", file.display());
    let bytes = std::fs::read(file).map_err(|error| fault(&error))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| fault(&error))?;
    let weight = |name: &str| !beside.iter().any(|end| name.ends_with(end));
    let loaded = match tensors.names().into_iter().all(weight) {
        true => net.load_bytes(&bytes),
        false => {
            let weights = tensors.iter().filter(|(name, _)| weight(name));
            net.load_bytes(&safetensors::serialize(weights, None)?)
        }
    };
    Ok(loaded.map_err(|error| told(file, error))?)
}

/// What doesn't fit, in a line: of another net's weights hundreds don't.
fn told(file: &Path, error: Error) -> String {
    let Error::Weights { faults, .. } = &error else { return format!("{}: {error}", file.display()) };
    let ill_shaped = faults.ill_shaped.iter().map(|fault| &fault.name);
    let lists = [
        ("missing", faults.missing.iter().collect::<Vec<_>>()),
        ("unknown", faults.unexpected.iter().collect()),
        ("of another shape", ill_shaped.collect()),
    ];
    let count = |(what, names): &(&str, Vec<&String>)| {
        Some(format!("{} tensors are {what} ({}, …)", names.len(), names.first()?))
    };
    let counts: Vec<String> = lists.iter().filter_map(count).collect();
    format!("{} has weights of another net: {}", file.display(), counts.join(", "))
}
