//! Rows: reductions over a row, one pass each, then a last pass that stores.

use super::dims::Dims;
use super::kernel::{Context, by_units, is_costly, loaded, nest, row_counters, store_names, stored, width};
use super::pass::{Innermost, Pass, Writer};
use super::scalar;
use crate::fuse::expr::{Expr, Id};
use crate::fuse::kernel::{How, Kernel, Reduce, Store};
use kiln_ir::{DType, Value};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The body of a kernel that runs row by row.
pub fn rows(
    cx: &Context,
    kernel: &Kernel,
    reduces: &[Reduce],
    dims: &Dims,
    open: &TokenStream,
) -> TokenStream {
    let len = kernel.axes[kernel.outer()..].last().map_or(quote!(1), |d| dims.dim(d));
    let innermost = Innermost { start: None, len };
    let mut writer = Writer::new(kernel, dims, cx.names, innermost);
    let mut hosts: Vec<&Store> = hosts(cx, kernel);
    for (n, reduce) in reduces.iter().enumerate() {
        let later: Vec<Id> =
            reduces[n + 1..].iter().map(|r| r.expr).chain(kernel.stores.iter().map(|s| s.expr)).collect();
        let stash = stash(kernel, reduce.expr, &later, &mut hosts, &writer);
        reduction(cx, kernel, [n, reduces.len()], reduce, stash, &mut writer, dims);
    }
    store_rows(cx, kernel, &mut writer, dims);
    let names = store_names(cx, kernel);
    let [kernel_scope, row_scope] = &writer.scopes;
    let units = kernel.stores.iter().zip(&names).map(|(s, name)| {
        let width = if s.per_row { quote!(1) } else { dims.dim(&width(kernel)) };
        quote!(let #name = &mut #name.unit(unit)[..#width];)
    });
    let counters = row_counters(kernel, dims);
    let body = quote! {
        for (unit, row) in units.enumerate() {
            #(#units)*
            #counters
            #(#row_scope)*
        }
    };
    by_units(cx, kernel, open, kernel_scope, &body)
}

/// Results in whose slices an earlier pass can leave what a later one needs again.
fn hosts<'k>(cx: &Context, kernel: &'k Kernel) -> Vec<&'k Store> {
    let overwrites = |s: &Store| loaded(kernel).iter().any(|v| (cx.names.in_place)(*v) == Some(s.value));
    let one_loop = kernel.axes.len() == kernel.outer() + 1;
    kernel
        .stores
        .iter()
        .filter(|s| one_loop && !s.per_row && !overwrites(s) && cx.func.ty(s.value).dtype.is_float())
        .collect()
}

/// A costly expression of this pass that a later pass needs, and the result in whose slice it is left.
fn stash(
    kernel: &Kernel,
    root: Id,
    later: &[Id],
    hosts: &mut Vec<&Store>,
    writer: &Writer,
) -> Option<(Id, Value)> {
    let needed = kernel.exprs.needed(later);
    let costly = kernel.exprs.needed(&[root]).into_iter().rev().find(|id| {
        let heavy = match kernel.exprs.get(*id) {
            Expr::Map(s, _) => is_costly(*s),
            expr => matches!(expr, Expr::Random(..)),
        };
        heavy && needed.contains(id) && !writer.stashed.contains_key(id)
    })?;
    let host = hosts.iter().position(|s| kernel.exprs.dtype(s.expr) == kernel.exprs.dtype(costly))?;
    Some((costly, hosts.remove(host).value))
}

fn reduction(
    cx: &Context,
    kernel: &Kernel,
    [n, reduces]: [usize; 2],
    reduce: &Reduce,
    stash: Option<(Id, Value)>,
    writer: &mut Writer,
    dims: &Dims,
) {
    let dtype = kernel.exprs.dtype(reduce.expr);
    let roots: Vec<Id> = std::iter::once(reduce.expr).chain(stash.map(|(id, _)| id)).collect();
    let Pass { levels, roots } = writer.pass(&roots);
    let value = &roots[0];
    let element = value.bare();
    let name = format_ident!("r{n}");
    writer.reduced.push(quote!(#name));
    let Some(inner) = levels.last() else {
        let alone = if reduce.how == How::ArgMax { quote!(0i64) } else { quote!(#element) };
        return writer.scopes[1].push(quote!(let #name = #alone;));
    };
    let kept = stash.map(|(id, host)| {
        let (slice, value) = ((cx.names.slice)(host), roots[1].bare().clone());
        writer.stashed.insert(id, host);
        (slice, value)
    });
    let keep = kept.as_ref().map(|(slice, value)| quote!(#slice[j] = #value;));
    let len = &writer.innermost.len;
    let statement = match (reduce.how, dtype.is_float()) {
        (How::ArgMax, _) => arg_max(&name, dtype, len, &quote!(#(#inner)* #keep), element),
        (how, true) => {
            let (start, combine) = start_and_combine(how, dtype);
            let ahead = if n + 1 == reduces && levels.len() == 1 { writer.next_rows() } else { vec![] };
            let ahead = (!ahead.is_empty()).then(|| quote!(, ahead #(#ahead)*));
            let (host, element) = match &kept {
                Some((slice, value)) => (quote!(, keep #slice), quote!((#element, #value))),
                None => (quote!(), element.clone()),
            };
            let fold =
                quote!(::kiln::rt::fold!(#start, #combine; j < #len #ahead #host => #(#inner)* #element));
            if levels.len() == 1 {
                quote!(let #name = #fold;)
            } else {
                let nest = nest(kernel, dims, &levels, quote!(#name = #combine(#name, #fold);));
                quote!(let mut #name = #start; #nest)
            }
        }
        (how, false) => {
            let (start, next) = match how {
                How::Sum => (scalar::zero(dtype), scalar::add(dtype, &quote!(#name), value)),
                _ => (scalar::lowest(dtype), scalar::max(dtype, &quote!(#name), value)),
            };
            let nest =
                nest(kernel, dims, &levels, quote!(for j in 0..#len { #(#inner)* #keep #name = #next; }));
            quote!(let mut #name = #start; #nest)
        }
    };
    writer.scopes[1].push(statement);
}

/// From what floats are combined, and how.
pub(super) fn start_and_combine(how: How, dtype: DType) -> (TokenStream, TokenStream) {
    match how {
        How::Sum => (scalar::zero(dtype), quote!(::kiln::rt::add)),
        _ => (scalar::lowest(dtype), quote!(::kiln::rt::max)),
    }
}

/// The index of the first maximum; a NaN counts as the greatest.
fn arg_max(
    name: &Ident,
    dtype: DType,
    len: &TokenStream,
    inner: &TokenStream,
    element: &TokenStream,
) -> TokenStream {
    let lowest = scalar::lowest(dtype);
    let nan = if dtype.is_float() { quote!(|| (value.is_nan() && !best.is_nan())) } else { quote!() };
    quote! {
        let mut best = #lowest;
        let mut #name = 0i64;
        for j in 0..#len {
            #inner
            let value = #element;
            if value > best #nan {
                best = value;
                #name = j as i64;
            }
        }
    }
}

/// The last pass: what is stored for each element, and for the row.
fn store_rows(cx: &Context, kernel: &Kernel, writer: &mut Writer, dims: &Dims) {
    let (rows, full): (Vec<&Store>, Vec<&Store>) = kernel.stores.iter().partition(|s| s.per_row);
    if !full.is_empty() {
        let ids: Vec<Id> = full.iter().map(|s| s.expr).collect();
        let Pass { levels, roots } = writer.pass(&ids);
        let index = writer.inner_index();
        let stores = full.iter().zip(&roots).map(|(s, root)| {
            if writer.stashed.get(&s.expr) == Some(&s.value) {
                // An earlier pass has left it where it belongs.
                return quote!();
            }
            let (slice, value) = ((cx.names.slice)(s.value), stored(cx, s, kernel.exprs.dtype(s.expr), root));
            quote!(#slice[#index] = #value;)
        });
        let stores = quote!(#(#stores)*);
        let statement = match levels.last() {
            Some(inner) => {
                let len = &writer.innermost.len;
                nest(kernel, dims, &levels, quote!(for j in 0..#len { #(#inner)* #stores }))
            }
            None => stores,
        };
        writer.scopes[1].push(statement);
    }
    let ids: Vec<Id> = rows.iter().map(|s| s.expr).collect();
    let Pass { roots, .. } = writer.pass(&ids);
    for (s, root) in rows.iter().zip(&roots) {
        let (slice, value) = ((cx.names.slice)(s.value), stored(cx, s, kernel.exprs.dtype(s.expr), root));
        writer.scopes[1].push(quote!(#slice[0] = #value;));
    }
}
