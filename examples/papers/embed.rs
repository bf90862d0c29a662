//! Sentences as points: the closer two are, the more alike the sentences.

use crate::wordpiece::{Vocabulary, words};
use kiln::prelude::*;
use kiln_examples::{Result, weights};
use kiln_zoo::bert::{self, MiniLm};
use kiln_zoo::fill::filled;
use std::collections::BTreeSet;
use std::path::Path;

/// Pieces of a sentence, at most: what is behind is left out, as the package does.
const MOST: usize = 256;
/// Sentences at a time.
const BATCH: usize = 16;

/// `[N, 384]` of pieces `[N, T]` and which of them are there.
type Points = Box<dyn Fn(&Tensor<i64>, &Tensor) -> kiln::Result<Tensor>>;

/// A net and its vocabulary.
pub struct Embedder {
    vocabulary: Vocabulary,
    points: Points,
}

impl Embedder {
    /// Of a folder with `model.safetensors` and `vocab.txt`.
    pub fn open(folder: &Path) -> Result<Embedder> {
        let vocabulary = Vocabulary::read(&folder.join("vocab.txt"), bert::VOCABULARY)?;
        let mut net = MiniLm::init(&mut Rng::seed(0));
        weights::load(&mut net, &folder.join("model.safetensors"), &["embeddings.position_ids"])?;
        Embedder::new(vocabulary, net)
    }

    /// One that knows nothing, with the words of these texts as its vocabulary.
    pub fn ignorant<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Embedder> {
        let all: BTreeSet<String> = texts.flat_map(words).collect();
        let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].into_iter().chain(all.iter().map(String::as_str));
        Embedder::new(Vocabulary::new(pieces.take(bert::VOCABULARY))?, filled())
    }

    fn new(vocabulary: Vocabulary, net: MiniLm) -> Result<Embedder> {
        let net = bert::embedded::into_frozen(net)?;
        Ok(Embedder { vocabulary, points: Box::new(move |ids, keep| net.run(ids, keep)) })
    }

    /// Where sentences lie, a point of length 1 each.
    pub fn embed(&self, sentences: &[&str]) -> Result<Vec<Vec<f32>>> {
        let mut points = Vec::new();
        for some in sentences.chunks(BATCH) {
            let pieces: Vec<Vec<i64>> = some.iter().map(|s| self.vocabulary.encode(s, MOST)).collect();
            let (ids, keep) = padded(&pieces)?;
            let found = (self.points)(&ids, &keep)?;
            points.extend(found.as_slice().chunks_exact(found.shape()[1]).map(<[f32]>::to_vec));
        }
        Ok(points)
    }
}

/// Sentences side by side, as long as the longest, and 1 where a piece is.
fn padded(pieces: &[Vec<i64>]) -> kiln::Result<(Tensor<i64>, Tensor)> {
    let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
    let places = || pieces.iter().flat_map(|p| (0..longest).map(|i| p.get(i)));
    let shape = [pieces.len(), longest];
    let ids = places().map(|piece| piece.copied().unwrap_or(0)).collect();
    let keep = places().map(|piece| f32::from(u8::from(piece.is_some()))).collect();
    Ok((Tensor::from_vec(shape, ids)?, Tensor::from_vec(shape, keep)?))
}

/// How alike two points of length 1 are: the cosine of the angle between them.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The nearest first, with how near they are.
pub fn ranked(point: &[f32], all: &[Vec<f32>]) -> Vec<(usize, f32)> {
    let mut order: Vec<(usize, f32)> = all.iter().map(|other| cosine(point, other)).enumerate().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::SafeTensors;

    #[test]
    fn a_sentence_lies_where_it_lies_in_any_company() {
        let texts = ["a short one", "one that is a little longer than a short one"];
        let embedder = Embedder::ignorant(texts.into_iter()).expect("a fill");
        let together = embedder.embed(&texts).expect("sentences");
        let alone = embedder.embed(&texts[..1]).expect("a sentence");
        assert!((cosine(&together[0], &alone[0]) - 1.0).abs() < 1e-5);
        assert_eq!(ranked(&alone[0], &together)[0].0, 0);
    }

    #[test]
    fn a_folder_without_a_net_is_told() {
        let error = Embedder::open(Path::new(env!("CARGO_MANIFEST_DIR"))).err().expect("no net").to_string();
        assert!(error.contains("vocab.txt: "), "{error}");
    }

    /// Word pieces and points of the package itself (`tests/sentences.py` wrote them), where its folder is named.
    #[test]
    fn points_are_those_of_the_package() {
        let Some(folder) = std::env::var_os(crate::FOLDER) else {
            return println!("not run: {} names no folder with the package's files", crate::FOLDER);
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sentences.safetensors");
        let bytes = std::fs::read(path).expect("it is in the repository");
        let file = SafeTensors::deserialize(&bytes).expect("a sound file");
        let data = |name: &str| file.tensor(name).expect("it is in the file").data();
        let whole = |name: &str| -> Vec<i64> {
            let words = data(name).chunks_exact(8);
            words.map(|b| i64::from_le_bytes(b.try_into().expect("eight bytes"))).collect()
        };
        let texts = std::str::from_utf8(data("texts")).expect("a text");
        let texts: Vec<&str> = texts.split('\u{1e}').collect();
        let embedder = Embedder::open(Path::new(&folder)).expect("the package's files");
        let (ids, mut begin) = (whole("ids"), 0);
        for (text, length) in texts.iter().zip(whole("lengths")) {
            let want = &ids[begin..begin + length as usize];
            assert_eq!(embedder.vocabulary.encode(text, MOST), want, "{text:?}");
            begin += length as usize;
        }
        let want = data("embeddings").chunks_exact(4);
        let want: Vec<f32> = want.map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect();
        let points = embedder.embed(&texts[..want.len() / 384]).expect("sentences").concat();
        let apart = points.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{} texts, at most {apart:.1e} apart", texts.len());
        assert!(points.len() == want.len() && apart < 1e-4, "{apart}");
    }
}
