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

#[cfg(test)]
mod tests {
    use super::*;
    use kiln::Rng;
    use kiln::nn::{LayerNorm, Linear};
    use safetensors::tensor::{Dtype, TensorView};

    #[test]
    fn weights_are_loaded_and_what_is_none_is_told() {
        let file = std::env::temp_dir().join(format!("kiln-weights-{}.safetensors", std::process::id()));
        let mut rng = Rng::seed(0);
        let net = Linear::<2, 3>::init(&mut rng);
        let (bytes, mask) = (net.to_bytes().expect("a sound net"), [0; 8]);
        let tensors = SafeTensors::deserialize(&bytes).expect("just written");
        let mask = TensorView::new(Dtype::I64, vec![1], &mask).expect("eight bytes");
        let all =
            tensors.iter().map(|(name, view)| (name.to_string(), view)).chain([("h.0.mask".into(), mask)]);
        std::fs::write(&file, safetensors::serialize(all, None).expect("sound")).expect("room for it");
        let mut loaded = Linear::<2, 3>::init(&mut rng);
        let unknown = load(&mut loaded, &file, &[]).expect_err("a mask").to_string();
        load(&mut loaded, &file, &[".mask"]).expect("its own weights");
        let other =
            load(&mut LayerNorm::<4>::init(&mut rng), &file, &[".mask"]).expect_err("another's").to_string();
        std::fs::write(&file, "text").expect("room for it");
        let text = load(&mut loaded, &file, &[]).expect_err("a text").to_string();
        std::fs::remove_file(&file).expect("it is there");
        let none = load(&mut loaded, &file, &[]).expect_err("no file").to_string();
        let name = file.display();
        assert_eq!(loaded.weight, net.weight);
        assert_eq!(
            unknown,
            format!("{name} has weights of another net: 1 tensors are unknown (h.0.mask, …)")
        );
        assert!(other.contains("2 tensors are of another shape"), "{other}");
        assert!(
            text.starts_with(&format!("{name}: ")) && none.starts_with(&format!("{name}: ")),
            "{text} {none}"
        );
    }
}
