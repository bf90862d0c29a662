//! Operands that are windows over images: which of a product's axes count channels, places in a window, windows. The zeros
//! between which an image lies are part of what windows are, so that they are stored nowhere.

use super::affine::{Affine, Var, flat};
use super::gemm::walk;
use super::kernel::{Matrix, Pixels, Role, Sides, Windows, renamed};
use kiln_ir::{Dim, PadAxis, Value};

/// A pixel that an operand's element is, over the product's axes.
pub struct Pixel {
    /// Where images are stored.
    pub buffer: Value,
    /// Its index there.
    index: Vec<Affine>,
    /// The buffer's shape.
    shape: Vec<Dim>,
    /// Which axes have zeros around them.
    zeros: Vec<bool>,
    /// Its places in the windows.
    places: Vec<Affine>,
}

/// How an index is read: as an image's, a place in it, and a channel of the pixel there.
struct Parts {
    image: Affine,
    at: [Affine; 2],
    channel: Affine,
}

impl Pixel {
    /// The element of a stored value at an index, under windows, between zeros around some axes; `None` where its shape is no
    /// image's.
    pub fn new(
        buffer: Value,
        index: &[Affine],
        shape: &[Dim],
        zeros: Vec<bool>,
        places: Vec<Affine>,
    ) -> Option<Pixel> {
        let is = !places.is_empty() && shape.len() >= 2;
        is.then(|| Pixel { buffer, index: index.to_vec(), shape: shape.to_vec(), zeros, places })
    }

    /// The index with so many axes of channels behind an image's two, one or none.
    fn parts(&self, channels: usize) -> Option<(Parts, [Dim; 2])> {
        let image = self.shape.len().checked_sub(2 + channels)?;
        let outside = |i: usize| i < image || i >= image + 2;
        if (0..self.zeros.len()).any(|i| self.zeros[i] && outside(i)) {
            return None;
        }
        let each = self.shape[image..].iter().fold(Dim::from(1), |n, d| n * d.clone());
        let at = |i: usize| self.index[image + i].clone();
        let channel = if channels == 0 { Affine::zero() } else { at(2) };
        let parts = Parts {
            image: flat(&self.index[..image], &self.shape[..image]).times(&each),
            at: [at(0), at(1)],
            channel,
        };
        Some((parts, [self.shape[image].clone(), self.shape[image + 1].clone()]))
    }

    /// The operand whose rows are these axes and whose columns those; `None` where they aren't the windows' in order, or where
    /// windows are summed over, as for a gradient of factors: those are better added line by line.
    pub fn windows(
        &self,
        lengths: &[Dim],
        [terms, columns]: [&[usize]; 2],
        runs: &[Vec<usize>],
    ) -> Option<Windows> {
        let (parts, size) = self.parts(0)?;
        let (channels, places, _) = parts.split(lengths, terms)?;
        let (images, windows, _) = parts.split(lengths, columns)?;
        if self.has_places(columns) {
            return None;
        }
        let [channels, images] = [channels, images].map(|axes| one_axis(walk(&parts.image, lengths, axes)));
        let (channels, images) = (channels?, images?);
        let own = |at: &Affine| own(at, [terms, columns], runs);
        let (offset, first) = (own(&parts.image), parts.at.each_ref().map(own));
        let each = 0.into();
        let buffer = self.buffer;
        Some(Windows { buffer, offset, each, channels, images, size, first, places, windows })
    }

    /// The operand whose rows are windows over images of pixels that keep their channels together, and whose columns are those
    /// axes; each column of the product has a channel of its own if that is an axis of it. `None` as of [`Pixel::windows`].
    pub fn pixels(
        &self,
        lengths: &[Dim],
        [rows, terms]: [&[usize]; 2],
        column: Option<usize>,
        runs: &[Vec<usize>],
    ) -> Option<Pixels> {
        let (parts, size) = self.parts(1)?;
        let (images, windows, none) = parts.split(lengths, rows)?;
        let (no_images, places, summed) = parts.split(lengths, terms)?;
        let pitch = self.shape.last()?.clone();
        let channel = column.map(|i| parts.channel.coefficient(Var::Axis(i)));
        if none.is_some() || !no_images.is_empty() || self.has_places(rows) {
            return None;
        }
        let channels = match (summed, channel) {
            (None, Some(by)) if by.is(1) => None,
            (Some((n, by)), None) if by.is(1) => Some(n),
            (None, None) => Some(Dim::from(1)),
            _ => return None,
        };
        let images = one_axis(walk(&parts.image, lengths, images))?;
        let own =
            |at: &Affine| own(&column.map_or(at.clone(), |i| at.without(Var::Axis(i))), [rows, terms], runs);
        let (offset, first) =
            (own(&parts.image.clone().plus(parts.channel.clone())), parts.at.each_ref().map(own));
        Some(Pixels { buffer: self.buffer, offset, channels, pitch, images, size, first, places, windows })
    }

    /// Whether axes count places in windows.
    fn has_places(&self, axes: &[usize]) -> bool {
        let place = |i: &usize| self.places.iter().any(|at| !at.coefficient(Var::Axis(*i)).is(0));
        axes.iter().any(place)
    }
}

/// What a position is over the loops around.
fn own(at: &Affine, sides: [&[usize]; 2], runs: &[Vec<usize>]) -> Affine {
    let axes = sides.into_iter().flatten();
    renamed(&axes.fold(at.clone(), |at, i| at.without(Var::Axis(*i))), runs)
}

/// At most one axis.
fn one_axis(walk: Vec<(Dim, Dim)>) -> Option<(Dim, Dim)> {
    match <[_; 1]>::try_from(walk) {
        Ok([one]) => Some(one),
        Err(walk) => walk.is_empty().then(|| (Dim::from(1), Dim::from(0))),
    }
}

impl Parts {
    /// Axes that choose an image, then at most one down it, one along it and one of channels, as length and distance.
    #[allow(clippy::type_complexity)]
    fn split<'a>(
        &self,
        lengths: &[Dim],
        axes: &'a [usize],
    ) -> Option<(&'a [usize], Sides, Option<(Dim, Dim)>)> {
        let one = || (Dim::from(1), Dim::from(1));
        let (mut sides, mut images, mut least) = ([one(), one()], 0, 0);
        let mut channels = None;
        for &i in axes {
            let by = |at: &Affine| at.coefficient(Var::Axis(i));
            let by = [by(&self.image), by(&self.at[0]), by(&self.at[1]), by(&self.channel)];
            let mut moved = (0..4).filter(|n| !by[*n].is(0));
            match (moved.next()?, moved.next()) {
                (0, None) if least == 0 => images += 1,
                (n, None) if n > least => {
                    let side = (lengths[i].clone(), by[n].clone());
                    match n {
                        3 => channels = Some(side),
                        _ => sides[n - 1] = side,
                    }
                    least = n;
                }
                _ => return None,
            }
        }
        Some((&axes[..images], sides, channels))
    }
}

/// Which axes a pad puts zeros around.
pub fn padded(pads: &[PadAxis]) -> Vec<bool> {
    pads.iter().map(zeros).collect()
}

fn zeros(pad: &PadAxis) -> bool {
    !pad.low.is(0) || !pad.high.is(0)
}

/// The index in what a pad puts between zeros.
pub fn inside(index: &[Affine], pads: &[PadAxis], shape: &[Dim]) -> Option<Vec<Affine>> {
    if pads.iter().any(|p| p.step != 1) {
        return None;
    }
    let one = |((at, pad), len): ((&Affine, &PadAxis), &Dim)| match len.is(1) && !zeros(pad) {
        // Whatever stands for the index of an axis of one element.
        true => Affine::zero(),
        false => at.clone().plus((Dim::from(0) - pad.low.clone()).into()),
    };
    Some(index.iter().zip(pads).zip(shape).map(one).collect())
}

/// Most terms of a product whose rows have images of their own, as `kernels::gemm::channels` takes them.
const FEW_TERMS: i64 = 64;

/// Whether a product has so few terms.
pub fn few(terms: &Dim) -> bool {
    terms.literal().is_some_and(|k| (1..=FEW_TERMS).contains(&k))
}

/// A product for each channel, of one row, becomes one product whose rows have images of their own: a convolution of each
/// channel by itself is one kernel over all channels.
pub fn each(axes: &[Dim], roles: &mut [Role], a: &mut Matrix, b: &mut Windows) {
    let moves = |at: &Affine, i: usize| !at.coefficient(Var::Axis(i)).is(0);
    let fits = |i: &usize| {
        roles[*i] == Role::Batch
            && moves(&a.offset, *i)
            && moves(&b.offset, *i)
            && !b.first.iter().any(|at| moves(at, *i))
    };
    if roles.contains(&Role::M) {
        return;
    }
    let Some(i) = (0..roles.len()).rev().find(fits) else { return };
    roles[i] = Role::M;
    let channel = Var::Axis(i);
    a.rows = vec![(axes[i].clone(), a.offset.coefficient(channel))];
    b.each = b.offset.coefficient(channel);
    (a.offset, b.offset) = (a.offset.without(channel), b.offset.without(channel));
}
