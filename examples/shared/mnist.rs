//! The images: read, scaled to 0 … 1, and split evenly over the digits.

use flate2::read::GzDecoder;
use kiln::Rng;
use std::fs::File;
use std::path::Path;

/// Pixels of an image's side.
pub const SIDE: usize = 28;
/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;
/// Images to train with, of each digit.
const TRAIN_EACH: usize = 400;

/// Images and their digits.
#[derive(Default)]
pub struct Images {
    /// Pixels, image after image.
    pub pixels: Vec<f32>,
    /// The digit of each image.
    pub labels: Vec<i64>,
}

impl Images {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of an image.
    pub fn image(&self, i: usize) -> &[f32] {
        &self.pixels[i * PIXELS..][..PIXELS]
    }

    fn push(&mut self, image: &[f32], label: i64) {
        self.pixels.extend_from_slice(image);
        self.labels.push(label);
    }

    /// The images of these numbers, in their order.
    pub fn pick(&self, numbers: &[usize]) -> Images {
        let mut picked = Images::default();
        numbers.iter().for_each(|&i| picked.push(self.image(i), self.labels[i]));
        picked
    }

    /// So many of the images, spread evenly; all of them at most.
    pub fn spread(&self, count: usize) -> Images {
        let count = count.min(self.len());
        self.pick(&(0..count).map(|i| i * self.len() / count).collect::<Vec<_>>())
    }

    /// The images of these numbers, each moved by up to two pixels each way: a digit is the same wherever it stands.
    pub fn pick_moved(&self, numbers: &[usize], rng: &mut Rng) -> Images {
        let mut picked = Images::default();
        for &i in numbers {
            let (down, right) = (rng.below(5), rng.below(5));
            picked.push(&moved(self.image(i), down, right), self.labels[i]);
        }
        picked
    }
}

/// The image moved by `down - 2` rows and `right - 2` columns, with black where nothing was.
fn moved(image: &[f32], down: usize, right: usize) -> Vec<f32> {
    let mut out = vec![0.0; PIXELS];
    for (i, grey) in image.iter().enumerate() {
        let (row, col) = (i / SIDE + down, i % SIDE + right);
        if (2..SIDE + 2).contains(&row) && (2..SIDE + 2).contains(&col) {
            out[(row - 2) * SIDE + col - 2] = *grey;
        }
    }
    out
}

/// Reads a gzipped CSV file: a line is 784 grey values and the digit.
pub fn read(path: &Path) -> Result<Images, String> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let file = File::open(path).map_err(|e| named(&e))?;
    let mut lines = csv::ReaderBuilder::new().has_headers(false).from_reader(GzDecoder::new(file));
    let mut images = Images::default();
    for (n, line) in lines.deserialize::<Vec<u8>>().enumerate() {
        let line = line.map_err(|e| named(&e))?;
        match line.split_last() {
            Some((label @ 0..=9, grey)) if grey.len() == PIXELS => {
                let image: Vec<f32> = grey.iter().map(|g| f32::from(*g) / 255.0).collect();
                images.push(&image, i64::from(*label));
            }
            Some((label @ 10.., grey)) if grey.len() == PIXELS => {
                return Err(named(&format!("line {}: the label is {label}; 0 to 9 were expected", n + 1)));
            }
            _ => {
                let want =
                    format!("line {} has {} numbers; {PIXELS} and a digit were expected", n + 1, line.len());
                return Err(named(&want));
            }
        }
    }
    match (0..10).find(|digit| images.labels.iter().filter(|label| *label == digit).count() <= TRAIN_EACH) {
        Some(digit) => Err(named(&format!("no more than {TRAIN_EACH} images of the digit {digit}"))),
        None => Ok(images),
    }
}

/// 400 images of each digit to train with and the others to test with, the same for each run.
pub fn split(images: &Images) -> (Images, Images) {
    let mut rng = Rng::seed(5000);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for digit in 0..10 {
        let mut of_digit: Vec<usize> = (0..images.len()).filter(|i| images.labels[*i] == digit).collect();
        rng.shuffle(&mut of_digit);
        let (first, rest) = of_digit.split_at(TRAIN_EACH.min(of_digit.len()));
        train.extend_from_slice(first);
        test.extend_from_slice(rest);
    }
    (images.pick(&train), images.pick(&test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::io::Write;

    fn shipped() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist_5k.csv.gz")
    }

    #[test]
    fn the_split_is_even_and_the_same_for_each_run() {
        let all = read(&shipped()).expect("the file beside the example");
        let ((train, test), (_, again)) = (split(&all), split(&all));
        let each = |images: &Images, digit| images.labels.iter().filter(|label| **label == digit).count();
        assert!((0..10).all(|digit| (each(&train, digit), each(&test, digit)) == (400, 100)));
        assert!(test.pixels == again.pixels && test.labels == again.labels);
        let bits = |images: &Images| -> BTreeSet<Vec<u32>> {
            (0..images.len()).map(|i| images.image(i).iter().map(|x| x.to_bits()).collect()).collect()
        };
        assert!(bits(&train).is_disjoint(&bits(&test)));
    }

    #[test]
    fn missing_and_corrupt_files_are_told_in_a_line() {
        let path = std::env::temp_dir().join(format!("kiln-digits-{}.csv.gz", std::process::id()));
        let told = || {
            let told = read(&path).err().expect("no images");
            assert!(told.contains("kiln-digits") && !told.contains('\n'), "{told}");
            told
        };
        told();
        let zipped = |text: &str| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(text.as_bytes()).and_then(|()| gz.finish()).expect("memory takes it")
        };
        let image = |label: &str| format!("{}{label}\n", "0,".repeat(PIXELS));
        let whole = std::fs::read(shipped()).expect("the file beside the example");
        let cases = [
            (whole[..9_000].to_vec(), ""),
            (b"no gzip".to_vec(), ""),
            (zipped(""), "no more than 400 images of the digit 0"),
            (zipped(&image("3")), "no more than 400 images of the digit 0"),
            (zipped(&image("300")), ""),
            (zipped(&image("10")), ": line 1: the label is 10; 0 to 9 were expected"),
            (zipped("1,2,3\n"), "line 1 has 3 numbers"),
        ];
        for (bytes, want) in cases {
            std::fs::write(&path, bytes).expect("a file in the temporary folder");
            assert!(told().contains(want), "no {want:?} in {}", told());
        }
        std::fs::remove_file(&path).expect("the file just written");
    }
}
