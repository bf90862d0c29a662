//! Trees of params: taken apart into leaves, each checked; and put together again.

use super::arguments::{Form, is_updated, place};
use super::entry::Entry;
use super::names::Names;
use super::sizes::Sizes;
use super::stub::dtype;
use crate::traced::Tree;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// Statements that bind the slice of each leaf.
pub fn take_apart(
    entry: &Entry,
    form: &Form,
    sizes: &Sizes,
    inputs: &[Ident],
    names: &mut Names,
) -> TokenStream {
    let mut leaf = |input: Option<usize>, at: &Ident| {
        let Some(input) = input else { return TokenStream::new() };
        let (slice, known) = (&inputs[input], &entry.traced.func.inputs[input]);
        let own = &known.ty.shape[usize::from(known.apart)..];
        let place = place(entry, &known.name, own, sizes);
        let dims = sizes.list(own);
        let found = match (is_updated(entry, input), form.arg.mutable) {
            (true, _) => quote!(::kiln::rt::leaf_mut(#at, &[#dims], #place)),
            (false, true) => quote!(::kiln::rt::leaf(&*#at, &[#dims], #place)),
            (false, false) => quote!(::kiln::rt::leaf(#at, &[#dims], #place)),
        };
        match known.apart {
            true => quote!(#slice[turn] = ::kiln::rt::of_layer(#found, turn)?;),
            false => quote!(let #slice = #found?;),
        }
    };
    // The slices of all layers, filled by a loop over these.
    let around = |tree: &Tree, count: i64, filled: TokenStream| {
        let mut all = Vec::new();
        tree.leaves(&mut all);
        let count = Literal::i64_unsuffixed(count);
        let (mut before, mut behind) = (TokenStream::new(), TokenStream::new());
        for input in all {
            let (slice, dtype) = (&inputs[input], dtype(entry.traced.func.inputs[input].ty.dtype));
            let mutable = is_updated(entry, input).then(|| quote!(mut));
            before.extend(quote!(let mut #slice: [&#mutable [#dtype]; #count] = ::kiln::rt::layers();));
            behind.extend(quote!(let #slice = &#mutable #slice;));
        }
        quote!(#before #filled #behind)
    };
    let walk = Walk { mutable: form.arg.mutable, all: false, names, around: &around };
    walk.descend(&form.arg.tree, &form.name, &form.arg.name, &mut leaf)
}

/// Statements that put an output into each leaf of a copy, and zeros where there is none.
pub fn replace(copy: &Ident, tree: &Tree, outputs: &[Option<Ident>], names: &mut Names) -> TokenStream {
    let mut of_layers = Vec::new();
    tree.layers(&mut of_layers);
    let mut leaf =
        |output: Option<usize>, at: &Ident| match output.and_then(|i| Some((i, outputs[i].as_ref()?))) {
            Some((i, output)) if of_layers.contains(&i) => quote!(*#at = ::kiln::rt::layer(&#output, turn);),
            Some((_, output)) => quote!(*#at = #output;),
            None => quote!(::kiln::rt::zero(#at);),
        };
    let walk = Walk { mutable: true, all: true, names, around: &|_, _, filled| filled };
    walk.descend(tree, copy, GRAD, &mut leaf)
}

/// What a copy is called, from which the names of its parts are made.
const GRAD: &str = "grad";

struct Walk<'a> {
    mutable: bool,
    /// Whether leaves that the graph doesn't have are visited too.
    all: bool,
    names: &'a mut Names,
    /// What stands around a loop over so many layers.
    around: &'a dyn Fn(&Tree, i64, TokenStream) -> TokenStream,
}

impl Walk<'_> {
    fn descend(
        mut self,
        tree: &Tree,
        at: &Ident,
        path: &str,
        leaf: &mut dyn FnMut(Option<usize>, &Ident) -> TokenStream,
    ) -> TokenStream {
        let mut out = TokenStream::new();
        self.visit(tree, at, path, leaf, &mut out);
        out
    }

    fn visit(
        &mut self,
        tree: &Tree,
        at: &Ident,
        path: &str,
        leaf: &mut dyn FnMut(Option<usize>, &Ident) -> TokenStream,
        out: &mut TokenStream,
    ) {
        match tree {
            Tree::Leaf(index) => out.extend(leaf(*index, at)),
            Tree::Struct(fields) => {
                let named: Vec<(String, &Tree)> =
                    fields.iter().map(|(name, tree)| (format!("{path}.{name}"), tree)).collect();
                let parts = self.parts(&named);
                let accessor =
                    format_ident!("{}", if self.mutable { "__kiln_fields_mut" } else { "__kiln_fields" });
                let patterns = patterns(&parts);
                out.extend(quote!(let (#(#patterns,)*) = #at.#accessor();));
                self.visit_parts(&named, &parts, leaf, out);
            }
            Tree::Array(items) => {
                let named: Vec<(String, &Tree)> =
                    items.iter().enumerate().map(|(i, tree)| (format!("{path}.{i}"), tree)).collect();
                let parts = self.parts(&named);
                let patterns = patterns(&parts);
                let whole = self.whole(at, path);
                out.extend(quote!(let [#(#patterns),*] = #whole;));
                self.visit_parts(&named, &parts, leaf, out);
            }
            // Tuples are of tensors alone, which are arguments of their own.
            Tree::Tuple(_) => {}
            Tree::Layers(count, each) => {
                let whole = self.whole(at, path);
                let path = format!("{path}.*");
                let (one, mut body) = (self.names.fresh(&variable(&path, each)), TokenStream::new());
                self.visit(each, &one, &path, leaf, &mut body);
                let filled = quote!(for (turn, #one) in ::core::iter::IntoIterator::into_iter(#whole).enumerate() { #body });
                out.extend((self.around)(each, *count, filled));
            }
        }
    }

    /// An array to be taken apart: a copy is owned, and its elements are written in place.
    fn whole(&self, at: &Ident, path: &str) -> TokenStream {
        if self.all && path == GRAD { quote!(&mut #at) } else { quote!(#at) }
    }

    /// A variable for each part that something is in.
    fn parts(&mut self, named: &[(String, &Tree)]) -> Vec<Option<Ident>> {
        let wanted = |tree: &Tree| self.all || has_leaves(tree);
        let wanted: Vec<bool> = named.iter().map(|(_, tree)| wanted(tree)).collect();
        let each = named.iter().zip(wanted);
        each.map(|((path, tree), wanted)| wanted.then(|| self.names.fresh(&variable(path, tree)))).collect()
    }

    fn visit_parts(
        &mut self,
        named: &[(String, &Tree)],
        parts: &[Option<Ident>],
        leaf: &mut dyn FnMut(Option<usize>, &Ident) -> TokenStream,
        out: &mut TokenStream,
    ) {
        for ((path, tree), part) in named.iter().zip(parts) {
            if let Some(part) = part {
                self.visit(tree, part, path, leaf, out);
            }
        }
    }
}

/// A leaf's own name is that of its elements.
fn variable(path: &str, tree: &Tree) -> String {
    if matches!(tree, Tree::Leaf(_)) { format!("{path}.t") } else { path.to_string() }
}

fn patterns(parts: &[Option<Ident>]) -> Vec<TokenStream> {
    parts.iter().map(|part| part.as_ref().map_or(quote!(_), |name| quote!(#name))).collect()
}

fn has_leaves(tree: &Tree) -> bool {
    let mut leaves = Vec::new();
    tree.leaves(&mut leaves);
    !leaves.is_empty()
}
