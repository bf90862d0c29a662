//! The images that windows of 3 × 3 slide over.

use super::transform::LANES;
use crate::kernels::gemm::windows::Windows;

/// Images, a channel each, under windows of 3 × 3.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    data: &'a [f32],
    start: usize,
    pub channels: usize,
    /// From one channel to the next.
    plane: usize,
    /// Images, and from one to the next.
    images: (usize, usize),
    /// Lines and pixels of one that are there.
    size: [usize; 2],
    /// Where the first window begins.
    first: [isize; 2],
    /// Pixels of the result.
    pub height: usize,
    pub width: usize,
    /// Pixels of a tile along a side.
    tile: usize,
}

/// Tiles of one row of tiles that follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    /// Which image.
    pub image: usize,
    /// Which row of tiles in it.
    pub row: usize,
    /// The first tile in it.
    pub col: usize,
    pub tiles: usize,
    /// Tiles of the group before it.
    pub at: usize,
}

/// Tiles computed at a time.
pub(super) const GROUP: usize = 64;
/// Pixels of a line of their patches, at most.
pub(super) const LINE: usize = GROUP * 4;

/// The lines of a group's patches: the pixels of each tile, and the first ones of the tile after it.
pub(super) struct Lines<const P: usize> {
    pub own: [[f32; LINE]; P],
    pub next: [[f32; LINE]; P],
}

impl<'a> Image<'a> {
    /// The images under these windows, in tiles of so many pixels along a side.
    ///
    /// # Panics
    /// If the windows aren't 3 × 3 with a stride of 1.
    pub fn of(b: &Windows<'a, f32>, tile: usize) -> Image<'a> {
        let ([(3, 1), (3, 1)], [(height, 1), (width, 1)]) = (b.places, b.windows) else {
            panic!("winograd: no windows of 3 × 3 with stride 1: {:?}, {:?}", b.places, b.windows);
        };
        assert!(b.skipped == [0, 0] && b.each == 0, "winograd: no windows of an image");
        let ((channels, plane), Windows { data, offset: start, images, size, first, .. }) = (b.channels, *b);
        Image { data, start, channels, plane, images, size, first, height, width, tile }
    }

    /// Tiles of a row.
    pub fn across(&self) -> usize {
        self.width.div_ceil(self.tile)
    }

    /// Rows of tiles of an image.
    fn down(&self) -> usize {
        self.height.div_ceil(self.tile)
    }

    /// Tiles of all images.
    pub fn tiles(&self) -> usize {
        self.images.0 * self.across() * self.down()
    }

    /// The tiles from `first` on as parts of rows of tiles.
    pub fn segments(&self, first: usize, tiles: usize) -> impl Iterator<Item = Segment> {
        let (down, across) = (self.down(), self.across());
        let mut at = 0;
        std::iter::from_fn(move || {
            let (row, col) = ((first + at) / across, (first + at) % across);
            let (image, row) = (row / down, row % down);
            let here = Segment { image, row, col, tiles: (across - col).min(tiles - at), at };
            at += here.tiles;
            (here.tiles > 0).then_some(here)
        })
    }

    /// Fills the lines of a channel's patches, with zeros beyond the image and the windows.
    #[inline(always)]
    pub fn lines<const P: usize>(&self, channel: usize, segment: Segment, to: &mut Lines<P>) {
        let (at, len) = (segment.at * self.tile, segment.tiles * self.tile);
        let (row, col) = (segment.row * self.tile, segment.col * self.tile);
        let start = self.start + channel * self.plane + segment.image * self.images.1;
        for r in 0..P {
            self.line(start, [row + r, col], len, &mut to.own[r][at..]);
            self.line(start, [row + r, col + self.tile], len, &mut to.next[r][at..]);
        }
    }

    /// Fills `len` pixels of the image at `start` from those on that the first window has at `place`; more may be written where there
    /// is room.
    #[inline(always)]
    fn line(&self, start: usize, place: [usize; 2], len: usize, to: &mut [f32]) {
        let [height, width] = self.size;
        let [y, x] = [0, 1].map(|i| self.first[i] + place[i] as isize);
        if y < 0 || y >= height as isize || place[0] >= self.height + 2 {
            return to[..len].fill(0.0);
        }
        // The first pixel that is there, and the first one that is not.
        let low = ((-x).max(0) as usize).min(len);
        let high = ((width as isize - x).max(low as isize) as usize).min(len);
        let high = high.min((self.width + 2).saturating_sub(place[1])).max(low);
        let from = start + y as usize * width;
        let from = self.data.get(from + (x + low as isize) as usize..).unwrap_or(&[]);
        if low > 0 {
            to[..low].fill(0.0);
        }
        copy(from, &mut to[low..], len - low, high - low);
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
