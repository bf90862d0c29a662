//! A picture of any size through YOLOv5s.

use crate::boxes::{Choice, Found, chosen};
use crate::letterbox::Letterbox;
use crate::names::COCO;
use crate::{draw, photo};
use kiln::Params;
use kiln_examples::picture::Picture;
use kiln_examples::{Result, labels, memory, weights};
use kiln_zoo::fill::filled;
use kiln_zoo::yolov5::{CLASSES, YoloV5s, yolov5s};
use std::path::Path;
use std::time::Instant;

/// Pixels of the square that the net sees.
const SIDE: u32 = 640;

/// Finds what is in a picture, tells it, and writes the picture with boxes.
pub fn find(image: &Path, file: Option<&Path>, names: Option<&Path>, how: Choice, png: &Path) -> Result<()> {
    let photo = photo::read(image)?;
    let names = match names {
        Some(path) => labels::read(path, CLASSES)?,
        None => COCO.map(str::to_string).to_vec(),
    };
    let mut net = knowing_nothing();
    if let Some(file) = file {
        weights::load(&mut net, file, &[])?;
    }
    let params = net.param_count();
    let frozen = yolov5s::into_frozen(net)?;
    let place = Letterbox::new(photo.dimensions(), SIDE);
    let x = place.filled(&photo, SIDE);
    let start = Instant::now();
    let rows = frozen.run(&x)?;
    let took = start.elapsed();
    let found = chosen(rows.as_slice(), 5 + CLASSES, how);
    let found = found.into_iter().map(|f| Found { rect: place.back(f.rect), ..f });
    // What lies in the grey around the picture is nothing.
    let found: Vec<Found> = found.filter(|f| f.rect.area() > 0.0).collect();
    for one in &found {
        let [x, y] = one.rect.centre();
        let [width, height] = one.rect.size();
        println!(
            "{:5.1} % {:16} {width:4.0} × {height:4.0} at {x:4.0}, {y:4.0}",
            100.0 * one.score,
            names[one.class]
        );
    }
    let (width, height) = photo.dimensions();
    let mut picture = Picture::of(width as usize, height as usize, photo.into_raw());
    let zoom = (width.max(height) as usize / 320).max(1);
    draw::draw(&mut picture, &found, &names, zoom);
    picture.save(png)?;
    let from = match file {
        Some(path) => format!("weights of {}", path.display()),
        None => "weights that know nothing (--weights FILE loads some)".to_string(),
    };
    println!("YOLOv5s, {params} parameters, {from}");
    let ms = took.as_secs_f64() * 1e3;
    println!("{} objects in {}; {ms:.0} ms a picture{}", found.len(), png.display(), memory::told());
    Ok(())
}

/// Widths and heights of YOLOv5's boxes in pixels, three for steps of 8, 16 and 32 pixels each.
const ANCHORS: [f32; 18] = [
    10.0, 13.0, 16.0, 30.0, 33.0, 23.0, 30.0, 61.0, 62.0, 45.0, 59.0, 119.0, 116.0, 90.0, 156.0, 198.0,
    373.0, 326.0,
];

/// Weights that no one trained, with YOLOv5's boxes.
fn knowing_nothing() -> YoloV5s {
    let mut net: YoloV5s = filled();
    let sizes = ANCHORS.iter().enumerate().map(|(i, size)| size / (8 << (i / 6)) as f32);
    net.model.anchors.as_mut_slice().iter_mut().zip(sizes).for_each(|(to, size)| *to = size);
    net
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICE: Choice = Choice { score: 0.25, overlap: 0.45 };

    fn told(image: &str, file: Option<&Path>, names: Option<&Path>) -> String {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let png = std::env::temp_dir().join(format!("kiln-detect-{}.png", std::process::id()));
        find(&here.join(image), file, names, CHOICE, &png).expect_err("a fault").to_string()
    }

    #[test]
    fn faults_are_told_in_a_line() {
        let flower = "../data/flower.jpg";
        let toml = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(told("Cargo.toml", None, None).ends_with("neither a JPEG nor a PNG picture"));
        assert!(told(flower, None, Some(&toml)).ends_with("lines, not 80"));
        let file = std::env::temp_dir().join(format!("kiln-detect-{}.safetensors", std::process::id()));
        let other: kiln_zoo::mobilenet::MobileNetV2 = filled();
        other.save(&file).expect("room in the temporary folder");
        let error = told(flower, Some(&file), None);
        std::fs::remove_file(&file).expect("it is there");
        assert!(error.contains("has weights of another net: ") && !error.contains('\n'), "{error}");
    }
}
