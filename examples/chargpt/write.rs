//! Writing: a character at a time over the cache of keys and values.

use crate::draw::Draw;
use crate::net::{Cache, Gpt, T, step};
use crate::text::character;
use kiln::prelude::*;

/// As many characters behind the prompt, which isn't empty.
pub fn write(net: &Gpt, prompt: &[i64], count: usize, draw: &Draw, rng: &mut Rng) -> kiln::Result<String> {
    let mut cache = Cache::init(rng);
    let mut ids = prompt[prompt.len().saturating_sub(T)..].to_vec();
    let (mut at, mut out) = (0, String::new());
    for _ in 0..count {
        if ids.len() > T {
            // The net knows no place behind the last one: the second half moves to the front.
            ids.drain(..T / 2);
            at = 0;
        }
        let mut scores = Tensor::zeros([0]);
        while at < ids.len() {
            scores = step(net, &mut cache, [[ids[at]]], [at as i64])?;
            at += 1;
        }
        let next = draw.drawn(scores.as_slice(), rng);
        ids.push(next);
        out.push(character(next));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::scores;

    #[test]
    fn the_cache_tells_what_the_whole_text_tells() {
        let mut rng = Rng::seed(0);
        let net = Gpt::init(&mut rng);
        let ids: Vec<i64> = (0..T).map(|_| rng.below(crate::net::VOCAB) as i64).collect();
        let whole =
            scores(&net, Tensor::from_vec([1, T], ids.clone()).expect("as many")).expect("shapes fit");
        // What an earlier text left in the cache is no part of this one.
        let mut cache = Cache::init(&mut rng);
        for id in 0..T as i64 {
            step(&net, &mut cache, [[id % 7]], [id]).expect("shapes fit");
        }
        for (at, id) in ids.iter().enumerate() {
            let one = step(&net, &mut cache, [[*id]], [at as i64]).expect("shapes fit");
            let want = &whole.as_slice()[at * one.len()..][..one.len()];
            let far = one.as_slice().iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-5, "{at}: {far}");
        }
    }
}
