//! Sums of everything: block by block, so that threads may share them.

use super::dims::{Dims, variable};
use super::kernel::{Context, nested, out_type, store_names, stored};
use super::pass::{Innermost, Pass, Writer};
use super::rows::start_and_combine;
use crate::fuse::affine::Var;
use crate::fuse::expr::{Expr, Id};
use crate::fuse::group::is_long;
use crate::fuse::kernel::{How, Kernel, Loops, Reduce};
use kiln_ir::Value;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Whether a kernel only sums its elements, of which there may be many, each sum by itself.
pub fn is_total(kernel: &Kernel, overwritten: &dyn Fn(Value) -> bool) -> bool {
    let Loops::Rows { outer: 0, reduces } = &kernel.loops else { return false };
    let sums = |r: &Reduce| r.how != How::ArgMax && kernel.exprs.dtype(r.expr).is_float();
    let roots: Vec<Id> = reduces.iter().map(|r| r.expr).collect();
    let alone = |id: &Id| match kernel.exprs.get(*id) {
        Expr::Reduced(_) => false,
        Expr::Load(v, ..) => !overwritten(*v),
        _ => true,
    };
    !reduces.is_empty()
        && is_long(&kernel.axes)
        && reduces.iter().all(sums)
        && kernel.stores.iter().all(|s| s.per_row)
        && kernel.exprs.needed(&roots).iter().all(alone)
}

/// The body of such a kernel.
pub fn total(cx: &Context, kernel: &Kernel, dims: &Dims, open: &TokenStream) -> TokenStream {
    let reduces = kernel.reduces();
    let names: Vec<Ident> = (0..reduces.len()).map(|n| format_ident!("r{n}")).collect();
    let of = |list: &[Ident]| nested(&list.iter().map(|n| quote!(#n)).collect::<Vec<_>>());
    let types = reduces.iter().map(|r| format_ident!("{}", kernel.exprs.dtype(r.expr).name()));
    let (sums, named) = (of(&types.collect::<Vec<_>>()), of(&names));
    let others: Vec<Ident> = (0..reduces.len()).map(|n| format_ident!("s{n}")).collect();
    let other = of(&others);
    let combined = reduces.iter().zip(names.iter().zip(&others)).map(|(reduce, (a, b))| {
        let (_, combine) = start_and_combine(reduce.how, kernel.exprs.dtype(reduce.expr));
        quote!(#combine(#a, #b))
    });
    let combined = nested(&combined.collect::<Vec<_>>());
    let block = block(cx, kernel, &names, dims);
    let (out, finish) = (out_type(cx, kernel, &quote!(Part)), finish(cx, kernel, &names, dims));
    quote! {
        type Sums = #sums;
        type Out<'o> = #out;
        #[inline(always)]
        fn block<Math: ::kiln::rt::Math>(&self, units: ::core::ops::Range<usize>) -> Self::Sums {
            #open
            #block
            #named
        }
        #[inline(always)]
        fn combine(first: Self::Sums, second: Self::Sums) -> Self::Sums {
            let (#named, #other) = (first, second);
            #combined
        }
        #[inline(always)]
        fn finish<Math: ::kiln::rt::Math>(&self, sums: Self::Sums, out: Self::Out<'_>) {
            #open
            let #named = sums;
            #finish
        }
    }
}

/// The sums over the units `units`: elements of the only axis, or runs of the first.
fn block(cx: &Context, kernel: &Kernel, names: &[Ident], dims: &Dims) -> TokenStream {
    let innermost = match &*kernel.axes {
        [_] => Innermost { start: Some(quote!(units.start)), len: quote!(units.len()) },
        axes => Innermost { start: None, len: axes.last().map_or(quote!(1), |d| dims.dim(d)) },
    };
    let len = innermost.len.clone();
    let mut writer = Writer::new(kernel, dims, cx.names, innermost);
    for (reduce, name) in kernel.reduces().iter().zip(names) {
        let Pass { levels, roots } = writer.pass(&[reduce.expr]);
        let (start, combine) = start_and_combine(reduce.how, kernel.exprs.dtype(reduce.expr));
        let (inner, element) = (levels.last().into_iter().flatten(), roots[0].bare());
        let fold = quote!(::kiln::rt::fold!(#start, #combine; j < #len => #(#inner)* #element));
        let statement = match levels.len() {
            0 | 1 => quote!(let #name = #fold;),
            depth => {
                let mut body = quote!(#name = #combine(#name, #fold););
                for level in (0..depth - 1).rev() {
                    let (counter, statements) = (variable(Var::Axis(level)), &levels[level]);
                    let range = match level {
                        0 => quote!(units.clone()),
                        _ => {
                            let len = dims.dim(&kernel.axes[level]);
                            quote!(0..#len)
                        }
                    };
                    body = quote!(for #counter in #range { #(#statements)* #body });
                }
                quote!(let mut #name = #start; #body)
            }
        };
        writer.scopes[1].push(statement);
    }
    let [kernel_scope, row_scope] = &writer.scopes;
    quote!(#(#kernel_scope)* #(#row_scope)*)
}

/// Stores what comes of the sums.
fn finish(cx: &Context, kernel: &Kernel, names: &[Ident], dims: &Dims) -> TokenStream {
    let mut writer = Writer::new(kernel, dims, cx.names, Innermost { start: None, len: quote!(1) });
    writer.reduced = names.iter().map(|n| quote!(#n)).collect();
    let ids: Vec<Id> = kernel.stores.iter().map(|s| s.expr).collect();
    let Pass { roots, .. } = writer.pass(&ids);
    let slices = store_names(cx, kernel);
    let parts = nested(&slices.iter().map(|n| quote!(mut #n)).collect::<Vec<_>>());
    let stores = kernel.stores.iter().zip(slices.iter().zip(&roots)).map(|(s, (slice, root))| {
        let value = stored(cx, s, kernel.exprs.dtype(s.expr), root);
        quote!(#slice[0] = #value;)
    });
    let [kernel_scope, row_scope] = &writer.scopes;
    quote! {
        let #parts = out;
        #(let #slices = &mut #slices.unit(0)[..1];)*
        #(#kernel_scope)*
        #(#row_scope)*
        #(#stores)*
    }
}
