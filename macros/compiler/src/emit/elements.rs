//! Element by element: over a product's lines, and over one run.

use super::dims::Dims;
use super::kernel::{Context, by_units, element_stores, nested, out_type, store_names};
use super::pass::{Innermost, Pass, Writer};
use super::scalar;
use crate::fuse::expr::Id;
use crate::fuse::kernel::{Computed, Kernel};
use kiln_ir::Value;
use proc_macro2::TokenStream;
use quote::quote;

/// A product, and what is mapped over each line of it.
pub fn gemm(cx: &Context, kernel: &Kernel, value: Value, dims: &Dims, open: &TokenStream) -> TokenStream {
    let acc = scalar::element(cx.func.ty(value).dtype.name());
    let innermost = Innermost { start: Some(quote!(col)), len: quote!(acc.len()) };
    let mut writer = Writer::new(kernel, dims, cx.names, innermost);
    let roots: Vec<Id> = kernel.stores.iter().map(|s| s.expr).collect();
    let Pass { levels, roots } = writer.pass(&roots);
    let names = store_names(cx, kernel);
    let lines = names.iter().map(|n| quote!(#n)).collect::<Vec<_>>();
    let lines = nested(&lines);
    let elements: Vec<TokenStream> =
        kernel.stores.iter().map(|s| scalar::element((cx.names.element)(s.value))).collect();
    let types = nested(&elements.iter().map(|t| quote!(&mut [#t])).collect::<Vec<_>>());
    let stores = element_stores(cx, kernel, &roots);
    let (out, [kernel_scope, row_scope]) = (out_type(cx, kernel, &quote!(Plane)), &writer.scopes);
    let statements = levels.iter().flatten();
    quote! {
        type Acc = #acc;
        type Out<'o> = #out;
        #[inline(always)]
        fn line<Math: ::kiln::rt::Math>(&self, row: usize, col: usize, acc: &[#acc], out: #types) {
            #open
            let #lines = out;
            #(let #names = &mut #names[..acc.len()];)*
            #(#kernel_scope)*
            #(#row_scope)*
            for j in 0..acc.len() { #(#statements)* #(#stores)* }
        }
    }
}

/// A line of a product's operand, while it is packed.
pub fn operand(
    cx: &Context,
    kernel: &Kernel,
    computed: &Computed,
    dims: &Dims,
    open: &TokenStream,
) -> TokenStream {
    let element = scalar::element(kernel.exprs.dtype(computed.element).name());
    let innermost = Innermost { start: Some(quote!(at)), len: quote!(to.len()) };
    let mut writer = Writer::new(kernel, dims, cx.names, innermost);
    let Pass { levels, roots } = writer.pass(&[computed.element]);
    let ([kernel_scope, row_scope], value) = (&writer.scopes, roots[0].bare());
    let statements = levels.iter().flatten();
    quote! {
        type Element = #element;
        #[inline(always)]
        fn line<Math: ::kiln::rt::Math>(&self, row: usize, at: usize, to: &mut [#element]) {
            #open
            #(#kernel_scope)*
            #(#row_scope)*
            for j in 0..to.len() { #(#statements)* to[j] = #value; }
        }
    }
}

/// One run over elements.
pub fn flat(cx: &Context, kernel: &Kernel, dims: &Dims, open: &TokenStream) -> TokenStream {
    let innermost = Innermost { start: Some(quote!(units.start)), len: quote!(units.len()) };
    let mut writer = Writer::new(kernel, dims, cx.names, innermost);
    let roots: Vec<Id> = kernel.stores.iter().map(|s| s.expr).collect();
    let Pass { levels, roots } = writer.pass(&roots);
    let names = store_names(cx, kernel);
    let stores = element_stores(cx, kernel, &roots);
    let [kernel_scope, row_scope] = &writer.scopes;
    let statements = levels.iter().flatten();
    let body = quote! {
        #(let #names = &mut #names.all()[..units.len()];)*
        #(#kernel_scope)*
        #(#row_scope)*
        for j in 0..units.len() { #(#statements)* #(#stores)* }
    };
    by_units(cx, kernel, open, &[], &body)
}
