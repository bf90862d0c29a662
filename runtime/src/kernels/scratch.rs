//! The memory for intermediate results: one area a thread, which grows to what the largest model needs.

use super::area::{Area, Line};
use std::cell::RefCell;

/// The scratch area of a call, cut into slots.
#[derive(Debug)]
pub struct Scratch<'a>(&'a mut [Line]);

/// Memory for one intermediate result at a time.
#[derive(Debug)]
pub struct Slot<'a>(&'a mut [Line]);

/// Numbers of which every bit pattern is one.
///
/// # Safety
/// Implemented only for types without padding or invalid bit patterns, of an alignment of at most 64.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}
// SAFETY: primitive numbers.
unsafe impl Plain for f32 {}
// SAFETY: primitive numbers.
unsafe impl Plain for f64 {}
// SAFETY: 16 bits, of which all patterns are numbers.
unsafe impl Plain for crate::bf16 {}
// SAFETY: 16 bits, of which all patterns are numbers.
unsafe impl Plain for crate::f16 {}
// SAFETY: primitive numbers.
unsafe impl Plain for i64 {}
// SAFETY: primitive numbers.
unsafe impl Plain for i32 {}
// SAFETY: primitive numbers.
unsafe impl Plain for u8 {}

thread_local! {
    static AREA: RefCell<Area> = const { RefCell::new(Area::new()) };
}

/// Bytes that a slot for `bytes` bytes takes.
pub const fn slot_bytes(bytes: usize) -> usize {
    bytes.next_multiple_of(64)
}

/// Calls `f` with a scratch area of at least `bytes` bytes, whose content is anything.
///
/// A model that is called while another one runs on this thread (from a user's `AsTensor`, say) gets an area of its
/// own. With the environment variable `KILN_POISON` set, the area is filled with NaN before, which makes any read
/// of memory that was not written visible.
pub fn scratch<R>(bytes: usize, f: impl FnOnce(Scratch) -> R) -> R {
    let lines = bytes.div_ceil(64);
    AREA.with(|area| match area.try_borrow_mut() {
        Ok(mut area) => f(ready(&mut area, lines)),
        Err(_) => f(ready(&mut Area::new(), lines)),
    })
}

fn ready(area: &mut Area, lines: usize) -> Scratch<'_> {
    area.reserve(lines);
    if poisoned() {
        area.fill(Line([0xff; 64]));
    }
    Scratch(&mut area[..lines])
}

fn poisoned() -> bool {
    static POISON: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *POISON.get_or_init(|| std::env::var_os("KILN_POISON").is_some())
}

impl<'a> Scratch<'a> {
    /// The area's slots, of so many bytes each.
    ///
    /// # Panics
    /// If the area is smaller than all of them.
    pub fn slots<const N: usize>(self, bytes: [usize; N]) -> [Slot<'a>; N] {
        let mut rest = self.0;
        bytes.map(|bytes| {
            let (slot, others) = std::mem::take(&mut rest).split_at_mut(bytes.div_ceil(64));
            rest = others;
            Slot(slot)
        })
    }
}

/// A slot cut into rows, as many cache lines each.
#[derive(Debug)]
pub struct Lines<'a> {
    lines: &'a mut [Line],
    each: usize,
}

impl Lines<'_> {
    /// The scratch area of all rows.
    pub fn scratch(&mut self) -> Scratch<'_> {
        Scratch(self.lines)
    }

    /// Those of the first rows, and the rest.
    pub(super) fn split(self, rows: usize) -> (Self, Self) {
        let (first, rest) = self.lines.split_at_mut(rows * self.each);
        (Lines { lines: first, each: self.each }, Lines { lines: rest, each: self.each })
    }
}

impl Slot<'_> {
    /// The slot for rows of so many cache lines each.
    pub fn by_rows(&mut self, each: usize) -> Lines<'_> {
        Lines { lines: self.0, each }
    }

    /// The slot as a scratch area, as a turn of a loop needs one.
    pub fn scratch(&mut self) -> Scratch<'_> {
        Scratch(self.0)
    }

    /// Its first `len` elements.
    ///
    /// # Panics
    /// If it is shorter.
    #[inline]
    pub fn get<T: Plain>(&self, len: usize) -> &[T] {
        self.check::<T>(len);
        // SAFETY: the slot's bytes are initialized, aligned to 64, hold `len` elements, and any are a `T`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), len) }
    }

    /// Its first `len` elements, to write to.
    ///
    /// # Panics
    /// If it is shorter.
    #[inline]
    pub fn get_mut<T: Plain>(&mut self, len: usize) -> &mut [T] {
        self.check::<T>(len);
        // SAFETY: as in `get`; what is written leaves bytes that are initialized, because `T` has no padding.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), len) }
    }

    fn check<T>(&self, len: usize) {
        let (need, have) = (len.checked_mul(size_of::<T>()), size_of_val(self.0));
        assert!(need.is_some_and(|need| need <= have), "a slot of {have} bytes for {len} elements");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_disjoint_and_aligned() {
        scratch(64 * 3, |scratch| {
            let [mut a, mut b] = scratch.slots([100, 4]);
            a.get_mut::<f32>(25).fill(1.0);
            b.get_mut::<i32>(1)[0] = -1;
            assert!(a.get::<f32>(25).iter().all(|x| *x == 1.0));
            assert_eq!(b.get::<f32>(1).as_ptr() as usize % 64, 0);
        });
    }

    #[test]
    fn calls_within_calls_have_areas_of_their_own() {
        scratch(64, |outer| {
            let [mut a] = outer.slots([64]);
            a.get_mut::<f64>(8).fill(2.0);
            scratch(64, |inner| inner.slots([64])[0].get_mut::<f64>(8).fill(3.0));
            assert_eq!(a.get::<f64>(8), [2.0; 8]);
        });
    }

    #[test]
    #[should_panic(expected = "a slot of 64 bytes for 9 elements")]
    fn a_slot_ends_where_it_ends() {
        scratch(128, |scratch| {
            let [slot, _] = scratch.slots([64, 64]);
            slot.get::<f64>(9);
        });
    }
}
