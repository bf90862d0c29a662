//! GPT-2 small at its size: it writes a token at a time over its cache. A file's text is told where a `vocab.json` stands beside
//! it, else the tokens' numbers.

use crate::draw::Draw;
use kiln::prelude::*;
use kiln_examples::{Result, weights};
use kiln_zoo::fill::filled;
use kiln_zoo::gpt2::{Cache, Gpt2, LONGEST, VOCABULARY, gpt2_step};
use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

/// The token that every text begins behind.
pub const BEGIN: i64 = 50256;

/// What stands in Hugging Face's files beside the weights: masks.
const BESIDE: [&str; 2] = [".attn.bias", ".attn.masked_bias"];

/// Writes so many tokens behind a beginning, with the weights of a file or such as know nothing.
pub fn write(file: Option<&Path>, prompt: &[i64], count: usize, draw: &Draw, rng: &mut Rng) -> Result<()> {
    fits(prompt, count)?;
    let start = Instant::now();
    let (net, names) = match file {
        Some(file) => {
            let mut net = Gpt2::init(&mut Rng::seed(0));
            weights::load(&mut net, file, &BESIDE)?;
            (net, names(&file.with_file_name("vocab.json"))?)
        }
        None => (filled(), None),
    };
    let what = if file.is_some() { "" } else { ", with weights that know nothing" };
    println!(
        "GPT-2 small, {} parameters{what}, ready after {:.1} s",
        net.param_count(),
        start.elapsed().as_secs_f64()
    );
    let (mut ids, mut cache, start) = (prompt.to_vec(), Cache::init(rng), Instant::now());
    for at in 0..prompt.len() + count - 1 {
        let scores = gpt2_step(&net, &mut cache, [[ids[at]]], [at as i64])?;
        if at + 1 == ids.len() {
            ids.push(draw.drawn(scores.as_slice(), rng));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", names.map_or_else(|| format!("{ids:?}"), |names| text(&ids, &names)));
    println!("{:.1} tokens/s over a cache of {LONGEST}", (prompt.len() + count - 1) as f64 / seconds);
    Ok(())
}

/// Whether the net knows the tokens and has places for all.
fn fits(prompt: &[i64], count: usize) -> Result<(), String> {
    match (prompt.len(), prompt.iter().find(|id| !(0..VOCABULARY as i64).contains(*id))) {
        (_, Some(id)) => Err(format!("there is no token {id}, but 0 to {}", VOCABULARY - 1)),
        (0, _) => Err("a text begins with at least one token".into()),
        (before, _) if count == 0 || before + count > LONGEST => Err(format!(
            "behind {before} tokens there is room for 1 to {} more",
            LONGEST.saturating_sub(before)
        )),
        _ => Ok(()),
    }
}

/// The tokens' names by their numbers, if the file is there.
fn names(file: &Path) -> Result<Option<HashMap<i64, String>>> {
    let Ok(json) = std::fs::read(file) else { return Ok(None) };
    let ids: HashMap<String, i64> =
        serde_json::from_slice(&json).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Some(ids.into_iter().map(|(name, id)| (id, name)).collect()))
}

/// A name's characters each stand for a byte: those that can be seen for themselves, the others from 256 on.
fn text(ids: &[i64], names: &HashMap<i64, String>) -> String {
    let seen = |byte: &u8| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let (own, others): (Vec<u8>, Vec<u8>) = (0..=255).partition(seen);
    let others = others.into_iter().zip('\u{100}'..).map(|(byte, c)| (c, byte));
    let bytes: HashMap<char, u8> =
        own.into_iter().map(|byte| (char::from(byte), byte)).chain(others).collect();
    let chars = ids.iter().filter_map(|id| names.get(id)).flat_map(|name| name.chars());
    let all: Vec<u8> = chars.filter_map(|c| bytes.get(&c).copied()).collect();
    String::from_utf8_lossy(&all).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bytes() {
        let names =
            ["The", "Ġna", "Ã¯", "ve", "Ċ"].into_iter().zip(7..).map(|(name, id)| (id, name.to_string()));
        assert_eq!(text(&[7, 8, 9, 10, 11], &names.collect()), "The naïve\n");
    }

    #[test]
    fn what_has_no_place_is_told() {
        assert_eq!(fits(&[BEGIN], 1023), Ok(()));
        let error = |prompt: &[i64], count| fits(prompt, count).expect_err("no place");
        assert_eq!(error(&[BEGIN], 1024), "behind 1 tokens there is room for 1 to 1023 more");
        assert_eq!(error(&[0, 50257], 1), "there is no token 50257, but 0 to 50256");
        assert_eq!(error(&[], 1), "a text begins with at least one token");
    }

    #[test]
    fn a_file_of_something_else_is_told() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/resnet18.safetensors");
        assert!(names(&here).expect_err("no list").to_string().contains("resnet18.safetensors: "));
    }
}
