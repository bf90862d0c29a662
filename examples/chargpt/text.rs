//! The text as numbers of its characters, and windows of it.

use crate::net::{T, VOCAB};
use flate2::read::GzDecoder;
use kiln::{Rng, Tensor};
use std::io::Read;
use std::path::Path;

/// Every character of the text, by its number.
const ALPHABET: &[u8; VOCAB] = b"\n !'(),.:;?ABCDEFGHIJKLMNOPRSTUVWYZabcdefghijklmnopqrstuvwxyz";

/// Characters to numbers; `None` if there is one that the text hasn't.
pub fn encode(text: &str) -> Option<Vec<i64>> {
    text.bytes().map(|c| ALPHABET.iter().position(|a| *a == c).map(|i| i as i64)).collect()
}

/// The character of a number.
pub fn character(id: i64) -> char {
    usize::try_from(id).ok().and_then(|i| ALPHABET.get(i)).map_or('?', |c| char::from(*c))
}

/// The text: nine tenths to train with, and what is behind them.
pub fn read(path: &Path) -> Result<(Vec<i64>, Vec<i64>), String> {
    let named = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| named(&e))?;
    GzDecoder::new(file).read_to_string(&mut text).map_err(|e| named(&e))?;
    let mut ids = encode(&text).ok_or_else(|| named(&"a character that isn't in the alphabet"))?;
    if ids.len() < 20 * (T + 1) {
        return Err(named(&"too short"));
    }
    let rest = ids.split_off(ids.len() / 10 * 9);
    Ok((ids, rest))
}

/// Windows that begin at these places, and the same moved on by a character: `[N, T]` each.
pub fn windows(ids: &[i64], starts: &[usize]) -> kiln::Result<(Tensor<i64>, Tensor<i64>)> {
    let all = |by: usize| starts.iter().flat_map(|s| &ids[s + by..s + by + T]).copied().collect::<Vec<i64>>();
    let shape = [starts.len(), T];
    Ok((Tensor::from_vec(shape, all(0))?, Tensor::from_vec(shape, all(1))?))
}

/// As many random windows.
pub fn random(ids: &[i64], count: usize, rng: &mut Rng) -> kiln::Result<(Tensor<i64>, Tensor<i64>)> {
    let starts: Vec<usize> = (0..count).map(|_| rng.below(ids.len() - T)).collect();
    windows(ids, &starts)
}
