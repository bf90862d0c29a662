//! Rows that are parts of a stored value's rows between zeros, as the images of a convolution are: copied whole.

use super::dims::Dims;
use super::kernel::{Context, by_units, row_counters, store_names, width};
use super::pass::{Innermost, Writer};
use crate::fuse::affine::{Affine, Var};
use crate::fuse::expr::{Expr, Guard};
use crate::fuse::kernel::{Kernel, Loops};
use kiln_ir::Value;
use proc_macro2::TokenStream;
use quote::quote;

/// What each row is a part of.
struct Run<'k> {
    from: Value,
    at: &'k Affine,
    /// What says whether there is such a row, and which of its elements are there.
    rows: Vec<Guard>,
    along: &'k Guard,
    inner: Var,
}

/// The body of a kernel that does nothing but this.
pub fn padded(cx: &Context, kernel: &Kernel, dims: &Dims, open: &TokenStream) -> Option<TokenStream> {
    let Run { from, at, rows, along, inner } = run(cx, kernel)?;
    let writer = Writer::new(kernel, dims, cx.names, Innermost { start: None, len: quote!() });
    let (name, slice) = (&store_names(cx, kernel)[0], (cx.names.slice)(from));
    let inside = if rows.is_empty() { quote!(true) } else { writer.inside(&rows) };
    let [start, first] = [at, &along.at].map(|at| writer.affine(&at.without(inner), true));
    let (width, span) = (dims.dim(&width(kernel)), dims.dim(&along.span));
    let counters = row_counters(kernel, dims);
    let body = quote! {
        for (unit, row) in units.enumerate() {
            let #name = &mut #name.unit(unit)[..#width];
            #counters
            ::kiln::rt::padded(#name, #inside, #slice, #start, #first, #span);
        }
    };
    Some(by_units(cx, kernel, open, &[], &body))
}

fn run<'k>(cx: &Context, kernel: &'k Kernel) -> Option<Run<'k>> {
    let (Loops::Rows { outer, .. }, [store]) = (&kernel.loops, &*kernel.stores) else { return None };
    let Expr::Load(from, at, guards) = kernel.exprs.get(store.expr) else { return None };
    let inner = Var::Axis(kernel.axes.len().checked_sub(1)?);
    let same = (cx.names.element)(*from) == (cx.names.element)(store.value);
    if !same || store.per_row || kernel.axes.len() != outer + 1 || !kernel.reduces().is_empty() {
        return None;
    }
    let steady = |at: &Affine| !at.terms.iter().any(|(var, _)| matches!(var, Var::Derived(_)));
    let plain = steady(at) && guards.iter().all(|g| steady(&g.at) && g.step == 1);
    let (along, rows): (Vec<&Guard>, Vec<&Guard>) =
        guards.iter().partition(|g| !g.at.coefficient(inner).is(0));
    let ([along], true) = (&*along, plain && (cx.names.in_place)(*from).is_none()) else { return None };
    let by_one = along.at.coefficient(inner).is(1) && at.coefficient(inner).is(1);
    by_one.then(|| Run { from: *from, at, rows: rows.into_iter().cloned().collect(), along, inner })
}
