//! The images that windows of 3 × 3 slide over.

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

    /// A channel's pixels, from that of the first image on.
    #[inline(always)]
    pub fn pixels(&self, channel: usize) -> &'a [f32] {
        &self.data[self.start + channel * self.plane..]
    }

    /// The pixels that are there of a line of a segment's patches: of line `line / 2` those of the tiles, or the first ones of the tiles after
    /// them. All others are zeros: beyond the image, and beyond what windows reach.
    #[inline(always)]
    pub fn run(&self, segment: Segment, line: usize) -> Option<Run> {
        let [height, width] = self.size;
        let (row, col) = (segment.row * self.tile + line / 2, (segment.col + line % 2) * self.tile);
        let [y, x] = [(0, row), (1, col)].map(|(i, place)| self.first[i] + place as isize);
        if y < 0 || y >= height as isize || row >= self.height + 2 {
            return None;
        }
        // The first pixel that is there, and the first one that is not.
        let reach = (width as isize - x).min((self.width + 2) as isize - col as isize);
        let high = reach.clamp(0, (segment.tiles * self.tile) as isize) as usize;
        let low = (-x).max(0) as usize;
        let from = segment.image * self.images.1 + y as usize * width;
        let from = || from + (x + low as isize) as usize;
        (low < high).then(|| Run {
            from: from(),
            to: (line * LINE + segment.at * self.tile + low) as u32,
            len: (high - low) as u32,
        })
    }
}

/// Pixels of a line that are copied.
#[derive(Clone, Copy, Default)]
pub(super) struct Run {
    from: usize,
    to: u32,
    len: u32,
}

impl Run {
    #[inline(always)]
    pub fn copy(self, from: &[f32], to: &mut [f32]) {
        let len = self.len as usize;
        let (from, to) = (&from[self.from..][..len], &mut to[self.to as usize..][..len]);
        match len {
            16.. => by::<16>(from, to),
            8..=15 => by::<8>(from, to),
            4..=7 => by::<4>(from, to),
            _ => to.iter_mut().zip(from).for_each(|(to, x)| *to = *x),
        }
    }
}

/// Some elements at a time, the last ones over some of those before: short runs take less than a call would.
#[inline(always)]
fn by<const W: usize>(from: &[f32], to: &mut [f32]) {
    for at in (0..to.len()).step_by(W) {
        let at = at.min(to.len() - W);
        let from: &[f32; W] = from[at..].first_chunk().expect("as many as there are to write");
        *to[at..].first_chunk_mut().expect("whole steps") = *from;
    }
}
