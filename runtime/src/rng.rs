//! The random generator: counter-based, so that its state is a few words and its bits are the same everywhere.
//!
//! Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).

/// A Philox4x32-10 generator. The same seed gives the same bits; a clone repeats what the original gives.
///
/// ```
/// use kiln::Rng;
/// let (mut a, mut b) = (Rng::seed(7), Rng::seed(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert!((0.0..1.0).contains(&a.uniform()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    /// The words of the seed, the low one first.
    key: [i32; 2],
    /// The block that `words` will be refilled from.
    counter: i64,
    words: [u32; 4],
    /// How many of `words` have been given out.
    used: usize,
}

impl Rng {
    /// The generator of this seed.
    pub fn seed(seed: u64) -> Self {
        Self { key: [seed as i32, (seed >> 32) as i32], counter: 0, words: [0; 4], used: 4 }
    }

    /// The generator as it stands, to be taken up again: key, counter, and what is left of the last block.
    ///
    /// ```
    /// use kiln::Rng;
    /// let mut rng = Rng::seed(7);
    /// rng.next_u32();
    /// let mut again = Rng::from_state(rng.state());
    /// assert_eq!(again.next_u64(), rng.next_u64());
    /// ```
    pub fn state(&self) -> [u64; 5] {
        let pair = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        let [a, b, c, d] = self.words;
        let key = pair(self.key[0] as u32, self.key[1] as u32);
        [key, self.counter as u64, pair(a, b), pair(c, d), self.used as u64]
    }

    /// The generator that [`Rng::state`] told of.
    pub fn from_state([key, counter, low, high, used]: [u64; 5]) -> Self {
        let words = [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32];
        Self { counter: counter as i64, words, used: used.min(4) as usize, ..Self::seed(key) }
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            self.words = block(self.key, self.counter);
            self.counter = self.counter.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.words[self.used - 1]
    }

    /// Key and counter, as compiled models know them: each draw there begins with a fresh block.
    #[doc(hidden)]
    pub fn __kiln_fields(&self) -> (&[i32; 2], &i64) {
        (&self.key, &self.counter)
    }

    /// The same to write to.
    #[doc(hidden)]
    pub fn __kiln_fields_mut(&mut self) -> (&mut [i32; 2], &mut i64) {
        (&mut self.key, &mut self.counter)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        u64::from(self.next_u32()) << 32 | low
    }

    /// A number of `[0, 1)`: a multiple of 2⁻²⁴.
    pub fn uniform(&mut self) -> f32 {
        unit(self.next_u32())
    }

    /// A number of `[0, 1)` in double precision: a multiple of 2⁻⁵³.
    pub fn uniform_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number of the normal distribution of mean 0 and deviation 1, by Box and Muller (1958):
    /// `√(-2 ln u) cos(2πv)`, `u` of `(0, 1]`.
    pub fn normal(&mut self) -> f32 {
        let u = 1.0 - self.uniform_f64();
        let v = self.uniform_f64();
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    }

    /// A whole number below `n`, all equally likely; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 {
            return 0;
        }
        // Lemire 2019: the high half of a product, rejecting the low halves that occur once too often.
        let n = n as u64;
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts the items in random order, all orders equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// The numbers below `n` in random order.
    ///
    /// ```
    /// let mut order = kiln::Rng::seed(0).permutation(10);
    /// order.sort();
    /// assert_eq!(order, (0..10).collect::<Vec<_>>());
    /// ```
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

/// A word as a number of `[0, 1)`.
#[inline(always)]
fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

/// The words of a block.
#[inline(always)]
fn block(key: [i32; 2], counter: i64) -> [u32; 4] {
    philox([counter as u32, (counter >> 32) as u32, 0, 0], key.map(|word| word as u32))
}

/// Word number `at` of the blocks from `counter` on.
///
/// Every element computes its own block, so that LLVM has the loop in lanes; three of four words are thrown away.
#[inline(always)]
fn word(low: i32, high: i32, counter: i64, at: usize) -> u32 {
    let [a, b, c, d] = block([low, high], counter.wrapping_add((at / 4) as i64));
    let (even, odd) = (if at & 2 == 0 { a } else { c }, if at & 2 == 0 { b } else { d });
    if at & 1 == 0 { even } else { odd }
}

/// An element of `kiln_ir`'s uniform draw.
#[inline(always)]
pub fn random_uniform(low: i32, high: i32, counter: i64, at: usize) -> f32 {
    unit(word(low, high, counter, at))
}

/// An element of `kiln_ir`'s draw of bits.
#[inline(always)]
pub fn random_bits(low: i32, high: i32, counter: i64, at: usize) -> i64 {
    word(low, high, counter, at).into()
}

/// Ten rounds over one block.
#[inline(always)]
fn philox(mut block: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let (high0, low0) = product(0xD251_1F53, block[0]);
        let (high1, low1) = product(0xCD9E_8D57, block[2]);
        block = [high1 ^ block[1] ^ key[0], low1, high0 ^ block[3] ^ key[1], low0];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    block
}

/// The high and the low half of `a · b`.
#[inline(always)]
fn product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the authors' Random123 distribution, `tests/kat_vectors`.
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        assert_eq!(
            philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn seed_zero_starts_with_block_zero() {
        let mut rng = Rng::seed(0);
        assert_eq!([0; 4].map(|_| rng.next_u32()), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(rng.next_u32(), philox([1, 0, 0, 0], [0; 2])[0]);
    }

    #[test]
    fn seeds_differ_and_clones_repeat() {
        let mut a = Rng::seed(1);
        let mut b = a.clone();
        assert_eq!(a.next_u64(), b.next_u64());
        assert_ne!(Rng::seed(1).next_u64(), Rng::seed(2).next_u64());
        assert_ne!(Rng::seed(1).next_u64(), Rng::seed(1 << 32).next_u64());
    }

    #[test]
    fn a_generator_is_taken_up_where_it_was() {
        let mut rng = Rng::seed(u64::MAX - 5);
        for _ in 0..6 {
            assert_eq!(Rng::from_state(rng.state()), rng);
            rng.next_u32();
        }
        assert_eq!(Rng::from_state([1, 2, 3, 4, 99]).used, 4);
    }

    fn moments(mut draw: impl FnMut() -> f32) -> (f64, f64) {
        let n = 100_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..n {
            let x = f64::from(draw());
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        (mean, squares / f64::from(n) - mean * mean)
    }

    #[test]
    fn uniform_and_normal_have_their_moments() {
        let mut rng = Rng::seed(3);
        let (mean, variance) = moments(|| rng.uniform());
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002, "{mean} {variance}");
        let (mean, variance) = moments(|| rng.normal());
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn below_is_even() {
        let mut rng = Rng::seed(4);
        let mut counts = [0; 5];
        (0..50_000).for_each(|_| counts[rng.below(5)] += 1);
        assert!(counts.iter().all(|&n| (9_500..10_500).contains(&n)), "{counts:?}");
        assert_eq!((rng.below(0), rng.below(1)), (0, 0));
    }

    #[test]
    fn shuffles_reach_every_order() {
        let mut rng = Rng::seed(5);
        let mut orders: Vec<_> = (0..200).map(|_| rng.permutation(3)).collect();
        orders.sort();
        orders.dedup();
        assert_eq!(orders.len(), 6);
        rng.shuffle::<u8>(&mut []);
    }
}
