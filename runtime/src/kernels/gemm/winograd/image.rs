//! The images that windows of 3 × 3 slide over.

use super::transform::{LANES, PATCH, TILE};
use crate::kernels::gemm::walk::Walked;

/// Images, a channel each, of `height + 2` by `width + 2` pixels.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    data: &'a [f32],
    start: usize,
    pub channels: usize,
    /// From one channel to the next.
    plane: usize,
    /// From one line of pixels to the next.
    line: usize,
    /// Pixels of the result.
    pub height: usize,
    pub width: usize,
}

/// Tiles of one row of tiles that follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    /// Which row of tiles.
    pub row: usize,
    /// The first tile in it.
    pub col: usize,
    pub tiles: usize,
    /// Tiles of the group before it.
    pub at: usize,
}

/// Tiles computed at a time.
pub(super) const GROUP: usize = 64;
/// Pixels of a line of their patches.
pub(super) const LINE: usize = GROUP * TILE;

/// The lines of a group's patches: the four pixels of each tile, and the first ones of the tile after it.
pub(super) struct Lines {
    pub own: [[f32; LINE]; PATCH],
    pub next: [[f32; LINE]; PATCH],
}

impl<'a> Image<'a> {
    /// The images under these windows.
    ///
    /// # Panics
    /// If the windows aren't 3 × 3 with a stride of 1.
    pub fn of(b: &Walked<'a, f32>) -> Image<'a> {
        let (k, pixels) = (b.rows.axes(), b.cols.axes());
        let ([(channels, plane), (3, down), (3, 1)], [(height, line), (width, 1)]) = (&*k, &*pixels) else {
            panic!("winograd: no windows of 3 × 3 with stride 1: {k:?}, {pixels:?}");
        };
        assert!(down == line && b.skipped == [0, 0], "winograd: no windows of an image");
        let (channels, plane, line) = (*channels, *plane, *line);
        Image { data: b.data, start: b.offset, channels, plane, line, height: *height, width: *width }
    }

    /// Tiles of a row.
    pub fn across(&self) -> usize {
        self.width.div_ceil(TILE)
    }

    pub fn tiles(&self) -> usize {
        self.across() * self.height.div_ceil(TILE)
    }

    /// The tiles from `first` on as parts of rows of tiles.
    pub fn segments(&self, first: usize, tiles: usize) -> impl Iterator<Item = Segment> {
        let across = self.across();
        let mut at = 0;
        std::iter::from_fn(move || {
            let (row, col) = ((first + at) / across, (first + at) % across);
            let here = Segment { row, col, tiles: (across - col).min(tiles - at), at };
            at += here.tiles;
            (here.tiles > 0).then_some(here)
        })
    }

    /// Fills the lines of a channel's patches, with zeros beyond the image.
    #[inline(always)]
    pub fn lines(&self, channel: usize, segment: Segment, to: &mut Lines) {
        let from = self.start + channel * self.plane + segment.col * TILE;
        let (at, len) = (segment.at * TILE, segment.tiles * TILE);
        let there = self.width + 2 - segment.col * TILE;
        for r in 0..PATCH {
            let y = segment.row * TILE + r;
            if y >= self.height + 2 {
                to.own[r][at..at + len].fill(0.0);
                to.next[r][at..at + len].fill(0.0);
                continue;
            }
            let line = from + y * self.line;
            copy(&self.data[line..], &mut to.own[r][at..], len, there.min(len));
            let rest = there.saturating_sub(TILE).min(len);
            copy(self.data.get(line + TILE..).unwrap_or(&[]), &mut to.next[r][at..], len, rest);
        }
    }
}

/// The first `there` elements, then zeros, `len` in all; more may be written where there is room.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32], len: usize, there: usize) {
    for x in (0..len).step_by(LANES) {
        match (from.get(x..x + LANES), to.get_mut(x..x + LANES)) {
            (Some(from), Some(to)) => to.copy_from_slice(from),
            _ => {
                let end = there.min(x + LANES);
                if x < end {
                    to[x..end].copy_from_slice(&from[x..end]);
                }
            }
        }
    }
    if there < len {
        to[there..len].fill(0.0);
    }
}
