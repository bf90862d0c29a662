//! Operands that are windows over images: which of a product's axes count channels, places in a window, windows. The zeros
//! between which an image lies are part of what windows are, so that they are stored nowhere.

use super::affine::{Affine, Var, flat};
use super::gemm::walk;
use super::kernel::{Matrix, Role, Sides, Windows, renamed};
use kiln_ir::{Dim, PadAxis, Value};

/// A pixel that an operand's element is, over the product's axes.
pub struct Pixel {
    /// Where images are stored.
    pub buffer: Value,
    /// Where its image begins.
    image: Affine,
    /// Its place in the image, down and along.
    at: [Affine; 2],
    /// Lines and pixels of one.
    size: [Dim; 2],
    /// Its places in the windows.
    places: Vec<Affine>,
}

impl Pixel {
    /// The element of a stored value at an index, under windows; `None` where its shape is no image's.
    pub fn new(buffer: Value, index: &[Affine], shape: &[Dim], places: Vec<Affine>) -> Option<Pixel> {
        if places.is_empty() {
            return None;
        }
        let (outer, [height, width]) = shape.split_last_chunk()?;
        let (which, at) = index.split_last_chunk()?;
        let image = flat(which, outer).times(&(height.clone() * width.clone()));
        Some(Pixel { buffer, image, at: at.clone(), size: [height.clone(), width.clone()], places })
    }

    /// The operand whose rows are these axes and whose columns those; `None` where they aren't the windows' in order, or where
    /// windows are summed over, as for a gradient of factors: those are better added line by line.
    pub fn windows(
        &self,
        lengths: &[Dim],
        [terms, columns]: [&[usize]; 2],
        runs: &[Vec<usize>],
    ) -> Option<Windows> {
        let (channels, places) = self.split(lengths, terms)?;
        let (none, windows) = self.split(lengths, columns)?;
        let channels = match &*walk(&self.image, lengths, channels) {
            [] => (Dim::from(1), Dim::from(0)),
            [one] => one.clone(),
            _ => return None,
        };
        let place = |i: &usize| self.places.iter().any(|at| !at.coefficient(Var::Axis(*i)).is(0));
        if !none.is_empty() || columns.iter().any(place) {
            return None;
        }
        let own = |at: &Affine| {
            let outside = terms.iter().chain(columns).fold(at.clone(), |at, i| at.without(Var::Axis(*i)));
            renamed(&outside, runs)
        };
        let first = [own(&self.at[0]), own(&self.at[1])];
        let (buffer, offset, size) = (self.buffer, own(&self.image), self.size.clone());
        Some(Windows { buffer, offset, each: 0.into(), channels, size, first, places, windows })
    }

    /// Axes that choose an image, then at most one down and one along it, as length and distance.
    fn split<'a>(&self, lengths: &[Dim], axes: &'a [usize]) -> Option<(&'a [usize], Sides)> {
        let one = || (Dim::from(1), Dim::from(1));
        let (mut sides, mut images, mut least) = ([one(), one()], 0, 0);
        for &i in axes {
            let by = |at: &Affine| at.coefficient(Var::Axis(i));
            let by = [by(&self.image), by(&self.at[0]), by(&self.at[1])];
            let mut moved = (0..3).filter(|n| !by[*n].is(0));
            match (moved.next()?, moved.next()) {
                (0, None) if least == 0 => images += 1,
                (n, None) if n > least => {
                    sides[n - 1] = (lengths[i].clone(), by[n].clone());
                    least = n;
                }
                _ => return None,
            }
        }
        Some((&axes[..images], sides))
    }
}

/// The index in what a pad puts between zeros, if those are around images only.
pub fn inside(index: &[Affine], pads: &[PadAxis], shape: &[Dim]) -> Option<Vec<Affine>> {
    let zeros = |pad: &PadAxis| !pad.low.is(0) || !pad.high.is(0);
    let image = pads.len().checked_sub(2)?;
    if pads.iter().any(|p| p.step != 1) || pads[..image].iter().any(zeros) {
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
