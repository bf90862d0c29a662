//! Sums into a row of results: of columns, and of elements whose place is data.

use super::dims::Dims;
use super::kernel::{Context, by_units, nest, row_counters, store_names, stored};
use super::pass::{Innermost, Pass, Writer};
use super::scalar;
use crate::fuse::expr::Id;
use crate::fuse::kernel::{How, Kernel, Reduce};
use proc_macro2::TokenStream;
use quote::quote;

/// Sums of columns, over axes that are not the last.
pub fn columns(
    cx: &Context,
    kernel: &Kernel,
    outer: usize,
    reduces: &[Reduce],
    dims: &Dims,
    open: &TokenStream,
) -> TokenStream {
    let names = store_names(cx, kernel);
    let by_row = outer > 0;
    let innermost = match by_row {
        true => Innermost { start: None, len: dims.dim(kernel.axes.last().expect("columns")) },
        false => Innermost { start: Some(quote!(units.start)), len: quote!(units.len()) },
    };
    let len = innermost.len.clone();
    let mut writer = Writer::new(kernel, dims, cx.names, innermost);
    let ids: Vec<Id> = reduces.iter().map(|r| r.expr).collect();
    let Pass { levels, roots } = writer.pass(&ids);
    let mut starts = Vec::new();
    let mut sums = Vec::new();
    for ((reduce, name), root) in reduces.iter().zip(&names).zip(&roots) {
        let dtype = kernel.exprs.dtype(reduce.expr);
        let old = quote!(#name[j]);
        let (start, next) = match reduce.how {
            How::Sum => (scalar::zero(dtype), scalar::add(dtype, &old, root)),
            _ => (scalar::lowest(dtype), scalar::max(dtype, &old, root)),
        };
        starts.push(quote!(#name.fill(#start);));
        sums.push(quote!(#name[j] = #next;));
    }
    let inner = levels.last().expect("columns are loops");
    let nest = nest(kernel, dims, &levels, quote!(for j in 0..#len { #(#inner)* #(#sums)* }));
    let [kernel_scope, row_scope] = &writer.scopes;
    let body = match by_row {
        true => {
            let counters = row_counters(kernel, dims);
            quote! {
                for (unit, row) in units.enumerate() {
                    #(let #names = &mut #names.unit(unit)[..#len];)*
                    #counters
                    #(#starts)*
                    #(#row_scope)*
                    #nest
                }
            }
        }
        false => quote! {
            #(let #names = &mut #names.all()[..units.len()];)*
            #(#starts)*
            #(#row_scope)*
            #nest
        },
    };
    by_units(cx, kernel, open, kernel_scope, &body)
}

/// Elements added where an index says.
pub fn scatter(
    cx: &Context,
    kernel: &Kernel,
    [inside, at]: [Id; 2],
    over: bool,
    dims: &Dims,
    open: &TokenStream,
) -> TokenStream {
    let len = kernel.axes[kernel.outer()..].last().map_or(quote!(1), |d| dims.dim(d));
    let mut writer = Writer::new(kernel, dims, cx.names, Innermost { start: None, len: len.clone() });
    let store = &kernel.stores[0];
    let Pass { levels, roots } = writer.pass(&[store.expr, inside, at]);
    let (name, dtype) = ((cx.names.slice)(store.value), kernel.exprs.dtype(store.expr));
    let (inside, at) = (roots[1].bare(), roots[2].operand());
    let zero = scalar::zero(dtype);
    let (value, fill) = match over {
        true => (stored(cx, store, dtype, &roots[0]), quote!()),
        false => (scalar::add(dtype, &quote!(#name[place]), &roots[0]), quote!(#name.fill(#zero);)),
    };
    let add = quote!(if #inside { let place = #at as usize; #name[place] = #value; });
    let body = match levels.last() {
        Some(inner) => nest(kernel, dims, &levels, quote!(for j in 0..#len { #(#inner)* #add })),
        None => add,
    };
    let ([kernel_scope, row_scope], counters) = (&writer.scopes, row_counters(kernel, dims));
    let body = quote! {
        for (unit, row) in units.enumerate() {
            let #name = #name.unit(unit);
            #fill
            #counters
            #(#row_scope)*
            #body
        }
    };
    by_units(cx, kernel, open, kernel_scope, &body)
}
