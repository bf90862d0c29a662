//! Patches of images that keep their channels apart, at the points: a lane is a tile. The lines of a group's patches are copied,
//! tile behind tile, then dealt out to vectors of a pixel of each tile.

use super::image::{GROUP, Image, LINE, Run};
use super::transform::{Along, By, Cut, column};
use crate::kernels::isa::Body;
use crate::kernels::lanes::{LANES, Lanes};
use crate::kernels::math::Math;
use std::ops::Range;

/// A buffer of which threads write disjoint parts.
pub(super) struct Shared(pub *mut f32, pub usize);

// SAFETY: threads write the parts of different channels.
unsafe impl Sync for Shared {}

/// From one channel to the next at a point: vectors are written beyond the last tile.
pub(super) const CHANNEL: usize = GROUP + LANES;

/// Evaluates the patches of some channels of a group at the points.
pub(super) struct Patches<'a, 's, const T: usize, const P: usize> {
    pub image: Image<'a>,
    pub first: usize,
    pub tiles: usize,
    pub channels: Range<usize>,
    /// From one point to the next.
    pub point: usize,
    pub to: &'s Shared,
}

/// Lines of a group's patches: of each the pixels of all tiles, and the first ones of the tiles after them.
#[repr(align(64))]
struct Lines<const P: usize>([[[f32; LINE]; 2]; P]);

/// Runs of pixels that a group's lines are, at most.
const RUNS: usize = GROUP * 2 * 6;

impl<const T: usize, const P: usize> Body for Patches<'_, '_, T, P>
where
    By: Cut<T, P>,
{
    type Output = ();
    #[inline(always)]
    fn run<M: Math>(self) {
        // Where zeros are is the same for all channels.
        let mut lines = Lines([[[0.0; LINE]; 2]; P]);
        let mut runs = [Run::default(); RUNS];
        let mut count = 0;
        for segment in self.image.segments(self.first, self.tiles) {
            for line in 0..2 * P {
                if let Some(run) = self.image.run(segment, line) {
                    runs[count] = run;
                    count += 1;
                }
            }
        }
        for channel in self.channels {
            let pixels = self.image.pixels(channel);
            let to = lines.0.as_flattened_mut().as_flattened_mut();
            runs[..count].iter().for_each(|run| run.copy(pixels, to));
            for at in (0..self.tiles).step_by(LANES) {
                let mut across = [[M::Lanes::all(0.0); P]; P];
                for (across, line) in across.iter_mut().zip(&lines.0) {
                    *across = <By as Cut<T, P>>::Patch::line(dealt::<M::Lanes, T, P>(line, at * T));
                }
                for c in 0..P {
                    for (r, x) in <By as Cut<T, P>>::Patch::line(column(&across, c)).iter().enumerate() {
                        let place = (r * P + c) * self.point + channel * CHANNEL + at;
                        assert!(place + LANES <= self.to.1);
                        // SAFETY: in bounds by the assertion; a channel's places, up to `CHANNEL` at each point, are written by
                        // the one thread that has it.
                        x.put(unsafe { &mut *self.to.0.add(place).cast() });
                    }
                }
            }
        }
    }
}

/// The pixels of several patches' line, a vector each.
#[inline(always)]
fn dealt<V: Lanes, const T: usize, const P: usize>(line: &[[f32; LINE]; 2], at: usize) -> [V; P] {
    let mut pixels = [V::all(0.0); P];
    for (i, line) in line.iter().enumerate() {
        let line = &line[at..][..LANES * T];
        if let (4, Some(line)) = (T, line.first_chunk()) {
            let dealt = V::deal(line);
            for c in i * T..P.min((i + 1) * T) {
                pixels[c] = dealt[c - i * T];
            }
            continue;
        }
        for c in i * T..P.min((i + 1) * T) {
            let mut every = [0.0; LANES];
            (0..LANES).for_each(|l| every[l] = line[l * T + c - i * T]);
            pixels[c] = V::of(&every);
        }
    }
    pixels
}
