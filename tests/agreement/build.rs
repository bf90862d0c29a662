//! Compiles each case to Rust, in a module of its own.

#[allow(dead_code)]
#[path = "src/cases.rs"]
mod cases;

use kiln_compiler::emit::{Compiled, Unit, element};
use kiln_ir::{DType, Func};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=../../macros/ir/tests/common");
    println!("cargo::rerun-if-env-changed=KILN_SEEDS");
    let modules = cases::all().into_iter().map(|case| module(&case.name, &case.func));
    let names = cases::all().into_iter().map(|case| {
        let (name, ident) = (case.name.clone(), format_ident!("{}", case.name));
        quote!((#name, #ident::call as Call))
    });
    let all = quote! {
        #(#modules)*
        /// The compiled cases, by name.
        pub const COMPILED: &[(&str, Call)] = &[#(#names),*];
    };
    let text = all.to_string();
    let file = syn::parse_str(&text).unwrap_or_else(|e| {
        let line = text.lines().nth(e.span().start().line - 1).unwrap_or_default();
        let column = e.span().start().column;
        panic!("{e}: {}", &line[column.saturating_sub(300)..(column + 100).min(line.len())])
    });
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("compiled.rs");
    std::fs::write(out, prettyplease::unparse(&file)).expect("OUT_DIR is writable");
}

/// The kernels of a function, and `call` from arrays to arrays.
fn module(name: &str, func: &Func) -> TokenStream {
    let mut unit = Unit::new();
    let Compiled { run, dims, scratch, .. } = unit.add(func);
    let (items, module) = (unit.finish(), format_ident!("{name}"));
    let ty = |d: DType| element(d.name());
    let inputs: Vec<_> = (0..func.inputs.len()).map(|i| format_ident!("input{i}")).collect();
    let outputs: Vec<_> = (0..func.outputs.len()).map(|i| format_ident!("output{i}")).collect();
    let free: Vec<_> = dims.iter().map(|s| format_ident!("{}", func.syms.info(*s).name)).collect();
    let apart = |i: usize| func.inputs[i].apart;
    let views = inputs.iter().enumerate().map(|(i, name)| {
        let ty = ty(func.inputs[i].ty.dtype);
        match apart(i) {
            true => quote!(let mut #name: Vec<Vec<#ty>> = crate::layers(&arrays[#i]);),
            false => quote!(let mut #name: Vec<#ty> = crate::typed(&arrays[#i]);),
        }
    });
    let updated = |i: usize| func.outputs.iter().any(|o| o.updates == Some(i));
    let passed = inputs.iter().enumerate().map(|(i, name)| match (apart(i), updated(i)) {
        (true, true) => quote!(&mut crate::places(&mut #name)),
        (false, true) => quote!(&mut #name),
        (_, false) => quote!(&#name),
    });
    let made = func.outputs.iter().zip(&outputs).filter(|(o, _)| o.updates.is_none());
    let vectors = made.clone().map(|(o, name)| {
        let (ty, node) = (ty(func.ty(o.value).dtype), func.ty(o.value));
        let dims: Vec<_> = node
            .shape
            .iter()
            .map(|d| kiln_compiler::emit::dims::Dims { syms: &func.syms }.operand(d))
            .collect();
        quote!(let mut #name: Vec<#ty> = crate::poisoned(&[#(#dims),*]);)
    });
    let taken = made.map(|(_, name)| quote!(&mut #name));
    let results = func.outputs.iter().zip(&outputs).map(|(o, name)| match o.updates {
        Some(i) => {
            let input = &inputs[i];
            if apart(i) {
                quote!(crate::Element::array(&#input.concat()))
            } else {
                quote!(crate::Element::array(&#input))
            }
        }
        None => quote!(crate::Element::array(&#name)),
    });
    quote! {
        #[allow(non_snake_case, unused, unused_comparisons, clippy::all)]
        mod #module {
            #items
            pub fn call(N: usize, arrays: &[kiln_ir::ops::Array]) -> Vec<kiln_ir::ops::Array> {
                #(let #free = N;)*
                #(#views)*
                #(#vectors)*
                kiln::rt::scratch(#scratch, |scratch| #run(#(#free,)* #(#passed,)* #(#taken,)* scratch));
                vec![#(#results),*]
            }
        }
    }
}
