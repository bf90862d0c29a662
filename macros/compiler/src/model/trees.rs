//! Trees of params: taken apart into leaves, each checked; and put together again.
//!
//! All leaves of a tree are bound by one pattern: a variable's scope lies within that of the one before, and rustc goes down through
//! all of them where it writes debug information, so that a net of a thousand variables would overflow its stack.

use super::arguments::{Form, is_updated, place};
use super::entry::Entry;
use super::names::Names;
use super::sizes::Sizes;
use super::stub::dtype;
use super::table::Table;
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
        let Some(input) = input else { return Part::default() };
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
            true => Part::done(quote!(#slice[turn] = ::kiln::rt::of_layer(#found, turn)?;)),
            false => Part { pattern: quote!(#slice), value: quote!(#found?) },
        }
    };
    // The slices of all layers, filled by a loop over these.
    let mut before = TokenStream::new();
    let mut around = |tree: &Tree, count: i64, filled: TokenStream| {
        let mut all = Vec::new();
        tree.leaves(&mut all);
        let count = Literal::i64_unsuffixed(count);
        let slices: Vec<&Ident> = all.iter().map(|input| &inputs[*input]).collect();
        let mutable = |input: &usize| is_updated(entry, *input).then(|| quote!(mut));
        let mutable: Vec<_> = all.iter().map(mutable).collect();
        for ((input, slice), mutable) in all.iter().zip(&slices).zip(&mutable) {
            let dtype = dtype(entry.traced.func.inputs[*input].ty.dtype);
            before.extend(quote!(let mut #slice: [&#mutable [#dtype]; #count] = ::kiln::rt::layers();));
        }
        Part { pattern: quote!((#(#slices,)*)), value: quote!({ #filled (#(&#mutable #slices,)*) }) }
    };
    let table = Table { entry, sizes, inputs, mutable: form.arg.mutable };
    let mut walk = Walk {
        mutable: form.arg.mutable,
        all: false,
        table: Some(&table),
        bound: true,
        names,
        leaf: &mut leaf,
        around: &mut around,
    };
    let Part { pattern, value } = walk.visit(&form.arg.tree, &form.name, &form.arg.name);
    quote!(#before let #pattern = #value;)
}

/// Statements that put an output into each leaf of a copy, and zeros where there is none.
pub fn replace(
    copy: &Ident,
    tree: &Tree,
    outputs: &dyn Fn(usize) -> Option<TokenStream>,
    names: &mut Names,
) -> TokenStream {
    let mut of_layers = Vec::new();
    tree.layers(&mut of_layers);
    let mut leaf = |output: Option<usize>, at: &Ident| {
        Part::done(match output.and_then(|i| Some((i, outputs(i)?))) {
            Some((i, output)) if of_layers.contains(&i) => quote!(*#at = ::kiln::rt::layer(&#output, turn);),
            Some((_, output)) => quote!(*#at = #output;),
            None => quote!(::kiln::rt::zero(#at);),
        })
    };
    let mut around = |_: &Tree, _, filled| Part::done(filled);
    let mut walk = Walk {
        mutable: true,
        all: true,
        table: None,
        bound: false,
        names,
        leaf: &mut leaf,
        around: &mut around,
    };
    walk.visit(tree, copy, GRAD).value
}

/// A part of a tree: what its leaves are bound by and the value that they are bound to, or statements and no leaves.
struct Part {
    pattern: TokenStream,
    value: TokenStream,
}

impl Default for Part {
    fn default() -> Part {
        Part { pattern: quote!(()), value: quote!(()) }
    }
}

impl Part {
    /// Statements, which bind nothing.
    fn done(statements: TokenStream) -> Part {
        Part { pattern: quote!(()), value: statements }
    }
}

/// What a copy is called, from which the names of its parts are made.
const GRAD: &str = "grad";

/// What stands in place of a leaf, by its input or output and the variable that has it.
type OfLeaf<'a> = &'a mut dyn FnMut(Option<usize>, &Ident) -> Part;
/// What stands in place of so many layers, around a loop over them.
type OfLayers<'a> = &'a mut dyn FnMut(&Tree, i64, TokenStream) -> Part;

struct Walk<'a> {
    mutable: bool,
    /// Whether leaves that the graph doesn't have are visited too.
    all: bool,
    /// What binds the leaves of large trees.
    table: Option<&'a Table<'a>>,
    /// Whether parts have values; else they are statements.
    bound: bool,
    names: &'a mut Names,
    leaf: OfLeaf<'a>,
    around: OfLayers<'a>,
}

impl Walk<'_> {
    fn visit(&mut self, tree: &Tree, at: &Ident, path: &str) -> Part {
        if let Some((pattern, value)) = self.table.filter(|_| self.bound).and_then(|table| table.of(tree, at))
        {
            return Part { pattern, value };
        }
        match tree {
            Tree::Leaf(index) => (self.leaf)(*index, at),
            Tree::Struct(fields) => {
                let named: Vec<(String, &Tree)> =
                    fields.iter().map(|(name, tree)| (format!("{path}.{name}"), tree)).collect();
                let parts = self.parts(&named);
                let accessor =
                    format_ident!("{}", if self.mutable { "__kiln_fields_mut" } else { "__kiln_fields" });
                let patterns = patterns(&parts);
                self.within(quote!(let (#(#patterns,)*) = #at.#accessor();), &named, &parts)
            }
            Tree::Array(items) => {
                let named: Vec<(String, &Tree)> =
                    items.iter().enumerate().map(|(i, tree)| (format!("{path}.{i}"), tree)).collect();
                let parts = self.parts(&named);
                let patterns = patterns(&parts);
                let whole = self.whole(at, path);
                self.within(quote!(let [#(#patterns),*] = #whole;), &named, &parts)
            }
            // Tuples are of tensors alone, which are arguments of their own.
            Tree::Tuple(_) => Part::default(),
            Tree::Layers(count, each) => {
                let whole = self.whole(at, path);
                let path = format!("{path}.*");
                let one = self.names.fresh(&variable(&path, each));
                let bound = std::mem::replace(&mut self.bound, false);
                let body = self.visit(each, &one, &path).value;
                self.bound = bound;
                let filled = quote!(for (turn, #one) in ::core::iter::IntoIterator::into_iter(#whole).enumerate() { #body });
                (self.around)(each, *count, filled)
            }
        }
    }

    /// The parts of what a statement takes apart.
    fn within(&mut self, apart: TokenStream, named: &[(String, &Tree)], parts: &[Option<Ident>]) -> Part {
        let each = named.iter().zip(parts);
        let inner = each.filter_map(|((path, tree), at)| Some(self.visit(tree, at.as_ref()?, path)));
        let (patterns, values): (Vec<_>, Vec<_>) = inner.map(|part| (part.pattern, part.value)).unzip();
        match self.bound {
            true => Part { pattern: quote!((#(#patterns,)*)), value: quote!({ #apart (#(#values,)*) }) },
            false => Part::done(quote!({ #apart #(#values)* })),
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
