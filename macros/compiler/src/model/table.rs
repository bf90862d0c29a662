//! Trees of many leaves: one call finds all of them by a table, a row a leaf, so that rustc has little to read.

use super::arguments::is_updated;
use super::entry::Entry;
use super::sizes::Sizes;
use crate::traced::Tree;
use kiln_ir::{DType, Input};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

/// As many leaves are worth a table.
pub const MANY: usize = 64;

/// The statement that puts outputs, which are in an array, into the leaves of a copy, and zeros where there is none; `None` where
/// leaves are few, or lie in layers.
pub fn put(copy: &Ident, tree: &Tree, outputs: &Ident) -> Option<TokenStream> {
    let (mut all, mut known) = (Vec::new(), Vec::new());
    tree.leaves(&mut all);
    tree.number(&mut 0, &mut |output, leaf| known.push((leaf, output)));
    if known.len() < MANY || known.len() != all.len() || !matches!(tree, Tree::Struct(_) | Tree::Array(_)) {
        return None;
    }
    let rows = known.iter().map(|(leaf, output)| {
        let [leaf, output] = [leaf, output].map(|n| Literal::usize_unsuffixed(*n));
        quote!((#leaf, #output))
    });
    Some(quote!(::kiln::rt::put(&mut #copy, &mut #outputs, &[#(#rows),*]);))
}

/// What finds the leaves of an argument.
pub struct Table<'a> {
    pub entry: &'a Entry<'a>,
    pub sizes: &'a Sizes<'a>,
    /// A variable for each input.
    pub inputs: &'a [Ident],
    /// Whether the argument is taken by `&mut`.
    pub mutable: bool,
}

impl Table<'_> {
    /// The pattern that binds the leaves of a tree of params, which is called `at`, and their value; `None` where there are few,
    /// where they are not all of one kind, or lie in layers.
    pub fn of(&self, tree: &Tree, at: &Ident) -> Option<(TokenStream, TokenStream)> {
        let (mut all, mut known) = (Vec::new(), Vec::new());
        tree.leaves(&mut all);
        tree.number(&mut 0, &mut |input, leaf| known.push((leaf, input)));
        let updated = known.iter().filter(|(_, input)| is_updated(self.entry, *input)).count();
        let kinds = known.iter().all(|(_, input)| self.input(*input).ty.dtype == DType::F32);
        let alone = matches!(tree, Tree::Struct(_) | Tree::Array(_)) && known.len() == all.len();
        if known.len() < MANY || !alone || !kinds {
            return None;
        }
        let slices: Vec<&Ident> = known.iter().map(|(_, input)| &self.inputs[*input]).collect();
        let rows = known.iter().map(|(leaf, input)| self.row(*leaf, self.input(*input)));
        let model = self.entry.model.ident.to_string();
        if ![0, known.len()].contains(&updated) {
            let is_written = |row: &usize| is_updated(self.entry, known[*row].1);
            let (write, read): (Vec<_>, Vec<_>) = (0..known.len()).partition(is_written);
            let [read, written] = [&read, &write].map(|rows| rows.iter().map(|row| slices[*row]));
            let write = write.iter().map(|row| Literal::usize_unsuffixed(*row));
            let found = quote!(::kiln::rt::table_both(#at, #model, &[#(#rows),*], &[#(#write),*])?);
            return Some((quote!(([#(#read),*], [#(#written),*])), found));
        }
        let (find, tree) = match (updated, self.mutable) {
            (0, false) => (quote!(table), quote!(#at)),
            (0, true) => (quote!(table), quote!(&*#at)),
            _ => (quote!(table_mut), quote!(#at)),
        };
        Some((quote!([#(#slices),*]), quote!(::kiln::rt::#find(#tree, #model, &[#(#rows),*])?)))
    }

    fn input(&self, input: usize) -> &Input {
        &self.entry.traced.func.inputs[input]
    }

    fn row(&self, leaf: usize, input: &Input) -> TokenStream {
        let (leaf, name, dims) =
            (Literal::usize_unsuffixed(leaf), &input.name, self.sizes.list(&input.ty.shape));
        let text = self.sizes.shape_text(&input.ty.shape);
        quote!((#leaf, #name, &[#dims], #text))
    }
}
