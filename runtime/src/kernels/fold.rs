//! Sums and maxima over a row, in blocks: the block's elements by a loop that LLVM vectorizes, then lane by lane
//! into as many partial results, so that no order of floating-point additions is assumed away.

use super::math::Real;

/// Elements of a block, and number of partial results.
pub const BLOCK: usize = 64;

/// A run of at most [`BLOCK`] indices below a limit. Invariant: `at + len <= limit`.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    at: usize,
    len: usize,
    limit: usize,
}

impl Block {
    /// How many indices.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Index `l` of the block.
    ///
    /// # Panics
    /// If the block is shorter.
    #[inline(always)]
    pub fn index(self, l: usize) -> usize {
        assert!(l < self.len);
        // SAFETY: `l < len`, and `at + len <= limit` for each block that `blocks` makes. It tells LLVM that slices
        // of `limit` elements hold the index, so that loops over a block need no further check.
        unsafe { std::hint::assert_unchecked(self.at + l < self.limit) };
        self.at + l
    }
}

/// The blocks of `0..n`, in order.
#[inline(always)]
pub fn blocks(n: usize) -> impl Iterator<Item = Block> {
    (0..n.div_ceil(BLOCK)).map(move |i| {
        let at = i * BLOCK;
        // Where the number is known and whole blocks, so is the length of each: loops over it have no rest.
        let len = if n.is_multiple_of(BLOCK) { BLOCK } else { (n - at).min(BLOCK) };
        Block { at, len, limit: n }
    })
}

/// How far ahead a row is read, at most: no further than what stays near until then.
const AHEAD: usize = 4096;

/// Brings near the elements a row further than those of a block. A processor sees no stream beyond the end of a page, which
/// rows often end at: each would begin with what memory takes.
#[inline(always)]
pub fn ahead<T>(row: &[T], block: Block) {
    let at = row.as_ptr().wrapping_add(row.len().min(AHEAD) + block.at);
    for line in (0..BLOCK * size_of::<T>()).step_by(LINE) {
        prefetch(at.wrapping_byte_add(line).cast());
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// Any address will do.
#[inline(always)]
fn prefetch(at: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: each processor of the target has it, and it reads nothing.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at);
    }
    let _ = at;
}

/// The sum of partial results, halving them.
#[inline(always)]
pub fn total<T: Real>(lanes: [T; BLOCK], combine: impl Fn(T, T) -> T) -> T {
    let mut lanes = lanes;
    let mut width = BLOCK / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] = combine(lanes[l], lanes[l + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// `fold!(start, combine; j < n => element)`: the elements for `j` in `0..n`, combined. `j < n, ahead row` brings near what
/// follows the row on the way; `j < n, keep host` expects `(element, kept)`, and leaves what is kept in `host[j]`: a block at a
/// time, as LLVM can't know that a host isn't what the elements are read from, and would compile the loop twice.
#[doc(hidden)]
#[macro_export]
macro_rules! __kiln_fold {
    ($start:expr, $combine:path; $j:ident < $n:expr $(, ahead $($row:ident)*)? => $($element:tt)*) => {{
        let mut lanes = [$start; $crate::rt::BLOCK];
        for block in $crate::rt::blocks($n) {
            let mut elements = [$start; $crate::rt::BLOCK];
            let used = &mut elements[..block.len()];
            for l in 0..used.len() {
                let $j = block.index(l);
                used[l] = { $($element)* };
            }
            $($($crate::rt::ahead($row, block);)*)?
            for l in 0..$crate::rt::BLOCK {
                lanes[l] = $combine(lanes[l], elements[l]);
            }
        }
        $crate::rt::total(lanes, $combine)
    }};
    ($start:expr, $combine:path; $j:ident < $n:expr $(, ahead $($row:ident)*)?, keep $host:ident
     => $($element:tt)*) => {{
        let mut lanes = [$start; $crate::rt::BLOCK];
        let mut kept = [Default::default(); $crate::rt::BLOCK];
        for block in $crate::rt::blocks($n) {
            let mut elements = [$start; $crate::rt::BLOCK];
            let used = &mut elements[..block.len()];
            for l in 0..used.len() {
                let $j = block.index(l);
                (used[l], kept[l]) = { $($element)* };
            }
            for l in 0..used.len() {
                $host[block.index(l)] = kept[l];
            }
            $($($crate::rt::ahead($row, block);)*)?
            for l in 0..$crate::rt::BLOCK {
                lanes[l] = $combine(lanes[l], elements[l]);
            }
        }
        $crate::rt::total(lanes, $combine)
    }};
}

#[cfg(test)]
mod tests {
    #[test]
    fn folds_of_every_length() {
        for n in [0, 1, 2, 31, 63, 64, 65, 127, 128, 200] {
            let x: Vec<f32> = (0..n).map(|i| (i * 7 % 11) as f32 - 5.0).collect();
            let x = &x[..n];
            let sum = crate::rt::fold!(0.0f32, crate::rt::add; j < n => x[j] * 2.0);
            assert_eq!(sum, x.iter().sum::<f32>() * 2.0, "{n}");
            let same = crate::rt::fold!(0.0f32, crate::rt::add; j < n, ahead x => x[j] * 2.0);
            assert_eq!(same, sum, "{n}");
            let mut host = vec![0.0; n];
            let host = &mut host[..n];
            let kept = crate::rt::fold!(0.0f32, crate::rt::add; j < n, keep host => (x[j] * 2.0, x[j] + 1.0));
            assert_eq!(kept, sum, "{n}");
            assert!(host.iter().zip(x).all(|(host, x)| *host == x + 1.0), "{n}");
            let max = crate::rt::fold!(f32::NEG_INFINITY, crate::rt::max; j < n => x[j]);
            assert_eq!(max, x.iter().copied().fold(f32::NEG_INFINITY, f32::max), "{n}");
        }
    }

    #[test]
    fn a_maximum_passes_nan_on() {
        let x = [1.0, f32::NAN, 3.0];
        assert!(crate::rt::fold!(f32::NEG_INFINITY, crate::rt::max; j < 3 => x[j]).is_nan());
    }
}
