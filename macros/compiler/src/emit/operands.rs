//! A product's operands, as `kiln::rt` takes them.

use super::Struct;
use super::dims::variable;
use super::kernel::Emitted;
use super::run::Runner;
use crate::fuse::affine::{Affine, Var};
use crate::fuse::kernel::{Loops, Matrix, Operand, Pixels, Side, Sides, Windows};
use kiln_ir::Dim;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

impl Runner<'_> {
    /// The operand; `made` computes it, if it is computed.
    pub fn operand(
        &self,
        operand: &Operand,
        made: Option<&(Struct, Emitted)>,
        size: [&TokenStream; 2],
    ) -> TokenStream {
        match (operand, made) {
            (Operand::Stored(matrix), _) => self.matrix(matrix),
            (Operand::Windows(windows), _) => self.windows(windows),
            (Operand::Pixels(pixels), _) => self.pixels(pixels),
            (Operand::Computed(kernel), Some(made)) => {
                let ([rows, cols], value) = (size, self.value(made));
                let by_cols = matches!(&kernel.loops, Loops::Operand(o) if o.side == Side::Cols);
                let name = if by_cols { quote!(computed_rows) } else { quote!(computed_cols) };
                quote!(::kiln::rt::#name(&#value, [#rows, #cols]))
            }
            (Operand::Computed(_), None) => unreachable!("made with its product"),
        }
    }

    pub fn windows(&self, w: &Windows) -> TokenStream {
        let data = self.get(w.buffer, self.plan.places[&w.buffer]);
        let (offset, each) = (self.at(&w.offset), self.dims.dim(&w.each));
        let (channels, rest) =
            (self.pair(&w.channels), self.over(&w.size, &w.first, [&w.places, &w.windows]));
        let windows = quote!(::kiln::rt::windows(#data, #offset, #each, #channels, #rest));
        if w.images.0.is(1) {
            return windows;
        }
        let (count, by) = (self.dims.dim(&w.images.0), self.dims.dim(&w.images.1));
        quote!(#windows.images(#count, #by))
    }

    fn pixels(&self, p: &Pixels) -> TokenStream {
        let data = self.get(p.buffer, self.plan.places[&p.buffer]);
        let (offset, pitch) = (self.at(&p.offset), self.dims.dim(&p.pitch));
        let channels = p.channels.as_ref().map_or(quote!(0), |n| self.dims.dim(n));
        let (images, rest) = (self.pair(&p.images), self.over(&p.size, &p.first, [&p.places, &p.windows]));
        quote!(::kiln::rt::pixels(#data, #offset, [#channels, #pitch], #images, #rest))
    }

    fn pair(&self, (len, by): &(Dim, Dim)) -> TokenStream {
        let (len, by) = (self.dims.dim(len), self.dims.dim(by));
        quote!((#len, #by))
    }

    /// An image's size, where the first window begins, places in a window and windows.
    fn over(&self, size: &[Dim; 2], first: &[Affine; 2], sides: [&Sides; 2]) -> TokenStream {
        let [height, width] = size.each_ref().map(|d| self.dims.dim(d));
        let var = |v: Var| variable(v).into_token_stream();
        let [top, left] = first.each_ref().map(|at| self.dims.affine(at, &var, true));
        let [[r, s], [y, x]] = sides.map(|side| side.each_ref().map(|one| self.pair(one)));
        quote!([#height, #width], [#top, #left], [[#r, #s], [#y, #x]])
    }

    pub fn matrix(&self, o: &Matrix) -> TokenStream {
        let data = self.get(o.buffer, self.plan.places[&o.buffer]);
        let offset = self.at(&o.offset);
        if let ([] | [_], [] | [_]) = (&*o.rows, &*o.cols) {
            let stride = |side: &[(Dim, Dim)]| side.first().map_or(quote!(0), |(_, s)| self.dims.dim(s));
            let (row, col) = (stride(&o.rows), stride(&o.cols));
            return quote!(::kiln::rt::matrix(#data, #offset, [#row, #col]));
        }
        let (rows, cols) = (self.dims.axes(&o.rows), self.dims.axes(&o.cols));
        quote!(::kiln::rt::walked(#data, #offset, #rows, #cols))
    }
}
