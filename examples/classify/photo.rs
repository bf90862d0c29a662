//! Decodes pictures.

use image::{ImageReader, RgbImage};
use kiln_examples::Result;
use std::path::Path;

/// Decodes a picture, as JPEG or PNG whatever its name.
pub fn read(path: &Path) -> Result<RgbImage> {
    let fault = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let reader = ImageReader::open(path).map_err(|error| fault(&error))?;
    let reader = reader.with_guessed_format().map_err(|error| fault(&error))?;
    if reader.format().is_none() {
        return Err(fault(&"neither a JPEG nor a PNG picture").into());
    }
    Ok(reader.decode().map_err(|error| fault(&error))?.to_rgb8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_said() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = read(&here).expect_err("a text").to_string();
        assert!(error.ends_with("Cargo.toml: neither a JPEG nor a PNG picture"), "{error}");
        let error = read(Path::new("nowhere.png")).expect_err("no file").to_string();
        assert!(error.starts_with("nowhere.png: "), "{error}");
    }
}
