//! A loop whose turns compute each row by itself: threads take rows of their own through all turns.

use super::launch::{Outs, shared_out};
use super::scratch::Lines;
use super::threads::threads_for;
use std::marker::PhantomData;
use std::ops::Range;

/// Rows that a thread takes, at least: as many as a tile that keeps the processor busy.
const FEWEST: usize = 4;

/// What a loop yields with each turn, of some rows.
#[derive(Debug)]
pub struct Turnwise<'o, T> {
    /// The first of these rows in the first turn.
    first: *mut T,
    turns: usize,
    /// From turn to turn.
    stride: usize,
    rows: usize,
    width: usize,
    owner: PhantomData<&'o mut [T]>,
}

// SAFETY: as `&mut [T]`: no other part has its rows.
unsafe impl<T: Send> Send for Turnwise<'_, T> {}

/// What a loop yields: with each of so many turns, so many rows of `width` elements.
///
/// # Panics
/// If the elements are fewer.
pub fn turnwise<T>(data: &mut [T], turns: usize, [rows, width]: [usize; 2]) -> Turnwise<'_, T> {
    assert!(turns * rows * width <= data.len(), "{turns} turns of {rows} rows of {width}: {}", data.len());
    Turnwise { first: data.as_mut_ptr(), turns, stride: rows * width, rows, width, owner: PhantomData }
}

impl<T> Turnwise<'_, T> {
    /// The rows of a turn.
    pub fn turn(&mut self, turn: usize) -> &mut [T] {
        assert!(turn < self.turns);
        // SAFETY: the turn is one of those that were there at first, and the rows are this part's alone, which is borrowed
        // mutably.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(turn * self.stride), self.rows * self.width) }
    }
}

impl<T: Send, R: Outs> Outs for (Turnwise<'_, T>, R) {
    fn split(self, units: usize) -> (Self, Self) {
        let (all, (head, tail)) = (self.0, self.1.split(units));
        let rest = all.rows.checked_sub(units).expect("as many rows as there are");
        let behind = all.first.wrapping_add(units * all.width);
        ((Turnwise { rows: units, ..all }, head), (Turnwise { first: behind, rows: rest, ..all }, tail))
    }
}

impl<R: Outs> Outs for (Lines<'_>, R) {
    fn split(self, units: usize) -> (Self, Self) {
        let ((first, rest), (head, tail)) = (self.0.split(units), self.1.split(units));
        ((first, head), (rest, tail))
    }
}

/// Calls `f` with all rows and what they write to, in parts: one a thread, as long as they have enough of them. `cost`: operations a
/// row.
pub fn by_rows<O: Outs>(rows: usize, cost: usize, out: O, f: &(dyn Fn(Range<usize>, O) + Sync)) {
    match threads_for(rows / FEWEST, cost.saturating_mul(FEWEST)) {
        0 | 1 => f(0..rows, out),
        threads => shared_out([threads, rows], cost, out, f),
    }
}

#[cfg(test)]
mod tests {
    use super::super::launch::part;
    use super::super::scratch::scratch;
    use super::*;

    #[test]
    fn every_row_is_taken_through_every_turn() {
        for rows in [0, 1, 4, 7, 8, 9, 32, 33] {
            for (turns, cost) in [(0, 1), (1, 1 << 24), (5, 1 << 24)] {
                let (mut carried, mut yields) = (vec![1; 3 * rows], vec![0; turns * rows * 2]);
                scratch(64 * rows.max(1), |area| {
                    let [mut slot] = area.slots([64 * rows]);
                    let out = (
                        part(&mut carried, 3),
                        (turnwise(&mut yields, turns, [rows, 2]), (slot.by_rows(1), ())),
                    );
                    by_rows(rows, cost, out, &|range, (mut carried, (mut yields, (mut work, ())))| {
                        for turn in 0..turns {
                            let [mut slot] = work.scratch().slots([64 * range.len()]);
                            assert_eq!(slot.get_mut::<f32>(16 * range.len()).len(), 16 * range.len());
                            carried.all().iter_mut().for_each(|x| *x += 1);
                            let made = yields.turn(turn).chunks_exact_mut(2);
                            assert_eq!(made.len(), range.len());
                            for (row, made) in range.clone().zip(made) {
                                made.copy_from_slice(&[turn, row]);
                            }
                        }
                    });
                });
                assert!(carried.iter().all(|x| *x == turns + 1));
                let at = |i: usize| [i / rows, i % rows];
                assert!(yields.chunks_exact(2).enumerate().all(|(i, made)| made == at(i)));
            }
        }
    }

    #[test]
    #[should_panic(expected = "2 turns of 3 rows of 4: 23")]
    fn what_turns_yield_has_room() {
        turnwise(&mut [0.0; 23], 2, [3, 4]);
    }
}
