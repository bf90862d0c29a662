//! A kernel as a struct of what it reads and a function that runs.

use super::dims::{Dims, variable};
use super::scalar::{self, Code};
use super::sizes::Fields;
use super::{columns, elements, padded, rows, total};
use crate::fuse::affine::Var;
use crate::fuse::expr::Expr;
use crate::fuse::kernel::{Computed, Kernel, Loops, Role, Store};
use kiln_ir::{DType, Dim, Func, Scalar, Sym, SymKind, Value};
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::BTreeSet;

/// What a kernel's code calls things.
pub struct Names<'a> {
    /// The slice of a stored value.
    pub slice: &'a dyn Fn(Value) -> Ident,
    /// Its elements' Rust type: bools are bytes in the scratch area.
    pub element: &'a dyn Fn(Value) -> &'static str,
    /// For an input that the kernel overwrites: the stored value, in whose slice it is read.
    pub in_place: &'a dyn Fn(Value) -> Option<Value>,
}

/// What emitting a kernel needs to know.
pub struct Context<'a> {
    /// The function.
    pub func: &'a Func,
    /// Names of values.
    pub names: &'a Names<'a>,
}

/// A kernel's struct.
pub struct Emitted {
    /// Fields: the stored values that it reads.
    pub reads: Vec<Value>,
    /// Fields: the free dims that it needs.
    pub frees: Vec<Sym>,
    /// Fields: counters of the loops around a product.
    pub batch: Vec<Ident>,
    /// Values of its last fields: sizes in which kernels differ that are else alike.
    pub sizes: Vec<usize>,
    /// Whether it sums block by block.
    pub total: bool,
    /// The struct and its implementation.
    pub items: TokenStream,
}

/// Emits a kernel under a name, with such sizes as fields.
pub fn kernel(cx: &Context, kernel: &Kernel, name: &Ident, varying: Option<&Fields>) -> Emitted {
    let dims = Dims { syms: &cx.func.syms };
    let loaded = loaded(kernel);
    let reads: Vec<Value> = loaded.into_iter().filter(|v| (cx.names.in_place)(*v).is_none()).collect();
    let frees = frees(cx.func, kernel);
    let batch: Vec<Ident> = match &kernel.loops {
        Loops::Gemm(g) => (0..g.roles.len())
            .filter(|i| g.roles[*i] == Role::Batch)
            .map(|i| variable(Var::Axis(i)))
            .collect(),
        Loops::Operand(computed) => around(kernel, computed).map(|i| variable(Var::Axis(i))).collect(),
        _ => vec![],
    };
    let fields: Vec<Ident> = reads.iter().map(|v| (cx.names.slice)(*v)).collect();
    let free = frees.iter().map(|s| super::dims::ident(&cx.func.syms.info(*s).name));
    let varying_names = varying.into_iter().flat_map(|fields| fields.names.clone());
    let sizes: Vec<Ident> = free.chain(batch.clone()).chain(varying_names).collect();
    let types = reads.iter().map(|v| scalar::element((cx.names.element)(*v)));
    let (declared, used) = match reads.is_empty() {
        true => (quote!(), quote!()),
        false => (quote!(<'a>), quote!(<'_>)),
    };
    let known = varying.map(Fields::known);
    let open = quote!(let &Self { #(#fields,)* #(#sizes,)* } = self; #known);
    let total = total::is_total(kernel, &|v| (cx.names.in_place)(v).is_some());
    let body = match &kernel.loops {
        Loops::Gemm(g) => elements::gemm(cx, kernel, g.value, &dims, &open),
        Loops::Turns(_) => unreachable!("a loop is emitted by the function that runs it"),
        Loops::Operand(computed) => elements::operand(cx, kernel, computed, &dims, &open),
        Loops::Flat => elements::flat(cx, kernel, &dims, &open),
        Loops::Rows { .. } if total => total::total(cx, kernel, &dims, &open),
        Loops::Rows { reduces, .. } => padded::padded(cx, kernel, &dims, &open)
            .unwrap_or_else(|| rows::rows(cx, kernel, reduces, &dims, &open)),
        Loops::Columns { outer, reduces } => columns::columns(cx, kernel, *outer, reduces, &dims, &open),
        Loops::Scatter { inside, at, onto, .. } => {
            columns::scatter(cx, kernel, [*inside, *at], onto.is_some(), &dims, &open)
        }
    };
    let body = varying.map_or(body.clone(), |fields| fields.put(body));
    let of = match kernel.loops {
        Loops::Gemm(_) => quote!(Finish),
        Loops::Operand(_) => quote!(Source),
        _ if total => quote!(Total),
        _ => quote!(Kernel),
    };
    let items = quote! {
        struct #name #declared { #(#fields: &'a [#types],)* #(#sizes: usize,)* }
        impl ::kiln::rt::#of for #name #used { #body }
    };
    Emitted { reads, frees, batch, sizes: vec![], total, items }
}

/// The axes of the loops around a product on which its computed operand depends.
fn around<'k>(kernel: &'k Kernel, computed: &'k Computed) -> impl Iterator<Item = usize> + 'k {
    let own = [computed.lines, computed.along];
    let used = |i: &usize| kernel.exprs.affines().any(|at| !at.coefficient(Var::Axis(*i)).is(0));
    (0..kernel.axes.len()).filter(move |i| !own.contains(&Some(*i))).filter(used)
}

/// The stored values that a kernel's expressions load.
pub(super) fn loaded(kernel: &Kernel) -> Vec<Value> {
    let mut loaded = Vec::new();
    for id in kernel.exprs.needed(&kernel.roots()) {
        if let Expr::Load(v, ..) = kernel.exprs.get(id)
            && !loaded.contains(v)
        {
            loaded.push(*v);
        }
    }
    loaded
}

/// The free dims that occur anywhere in a kernel's code.
fn frees(func: &Func, kernel: &Kernel) -> Vec<Sym> {
    let mut syms = BTreeSet::new();
    let mut add = |d: &Dim| syms.extend(func.syms.roots(d));
    kernel.axes.iter().for_each(&mut add);
    for at in kernel.exprs.affines() {
        add(&at.constant);
        at.terms.iter().for_each(|(_, c)| add(c));
    }
    for derived in &kernel.exprs.derived {
        derived.divisor().into_iter().for_each(&mut add);
    }
    for (expr, _) in &kernel.exprs.nodes {
        if let Expr::Load(_, _, guards) | Expr::Inside(guards) = expr {
            guards.iter().for_each(|g| add(&g.span));
        }
    }
    let free = |s: &Sym| matches!(func.syms.info(*s).kind, SymKind::Free { .. });
    syms.into_iter().filter(free).collect()
}

/// `(a, (b, ()))`
pub fn nested(items: &[TokenStream]) -> TokenStream {
    items.iter().rev().fold(quote!(()), |rest, item| quote!((#item, #rest)))
}

pub(super) fn out_type(cx: &Context, kernel: &Kernel, what: &TokenStream) -> TokenStream {
    let one = |s: &Store| {
        let t = scalar::element((cx.names.element)(s.value));
        quote!(::kiln::rt::#what<'o, #t>)
    };
    let types: Vec<TokenStream> = kernel.stores.iter().map(one).collect();
    nested(&types)
}

pub(super) fn store_names(cx: &Context, kernel: &Kernel) -> Vec<Ident> {
    kernel.stores.iter().map(|s| (cx.names.slice)(s.value)).collect()
}

/// The value as it is stored: truth values as bytes where they are.
pub(super) fn stored(cx: &Context, store: &Store, dtype: DType, value: &Code) -> TokenStream {
    let value = value.bare();
    match (dtype, (cx.names.element)(store.value)) {
        (DType::Bool, "u8") => quote!(u8::from(#value)),
        _ => value.clone(),
    }
}

/// The loops of levels 2 and more around the innermost statements.
pub(super) fn nest(
    kernel: &Kernel,
    dims: &Dims,
    levels: &[Vec<TokenStream>],
    innermost: TokenStream,
) -> TokenStream {
    let outer = kernel.outer();
    let depth = levels.len();
    let mut body = innermost;
    for level in (0..depth.saturating_sub(1)).rev() {
        let (name, len, statements) =
            (variable(Var::Axis(outer + level)), dims.dim(&kernel.axes[outer + level]), &levels[level]);
        body = quote!(for #name in 0..#len { #(#statements)* #body });
    }
    body
}

/// `name[j] = value`, for every element stored.
pub(super) fn element_stores(cx: &Context, kernel: &Kernel, roots: &[Code]) -> Vec<TokenStream> {
    let one = |(s, root): (&Store, &Code)| {
        let (name, value) = ((cx.names.slice)(s.value), stored(cx, s, kernel.exprs.dtype(s.expr), root));
        quote!(#name[j] = #value;)
    };
    kernel.stores.iter().zip(roots).map(one).collect()
}

/// The implementation of a kernel that runs by units: `body` finds the parts of its results under their names.
pub(super) fn by_units(
    cx: &Context,
    kernel: &Kernel,
    open: &TokenStream,
    before: &[TokenStream],
    body: &TokenStream,
) -> TokenStream {
    let parts: Vec<TokenStream> = store_names(cx, kernel).iter().map(|n| quote!(mut #n)).collect();
    let (out, parts) = (out_type(cx, kernel, &quote!(Part)), nested(&parts));
    quote! {
        type Out<'o> = #out;
        #[inline(always)]
        fn run<Math: ::kiln::rt::Math>(&self, units: ::core::ops::Range<usize>, out: Self::Out<'_>) {
            #open
            let #parts = out;
            #(#before)*
            #body
        }
    }
}

/// The counters of the axes that count rows, if there are several.
pub(super) fn row_counters(kernel: &Kernel, dims: &Dims) -> TokenStream {
    let outer = kernel.outer();
    if outer < 2 {
        return quote!();
    }
    let mut rest = quote!(row);
    let mut counters = Vec::new();
    for i in (0..outer).rev() {
        let name = variable(Var::Axis(i));
        if i == 0 {
            counters.push(quote!(let #name = #rest;));
            break;
        }
        let len = dims.divisor(&kernel.axes[i]);
        counters.push(quote!(let #name = #rest % #len;));
        rest = quote!(#rest / #len);
    }
    quote!(#(#counters)*)
}

/// Elements of a row.
pub fn width(kernel: &Kernel) -> Dim {
    kernel.axes[kernel.outer()..].iter().fold(Dim::from(1), |n, d| n * d.clone())
}

/// About how many additions a random number costs: ten rounds of its generator.
pub const RANDOM: usize = 30;

/// About how many additions a scalar function costs, by instructions of wide vectors and what a division takes.
pub fn weight(s: Scalar) -> usize {
    use Scalar::*;
    match s {
        Exp | Expm1 | Log | Log1p => 24,
        Tanh | Sigmoid => 48,
        Div | Sqrt => 32,
        Erf | Sin | Cos | Tan | Pow | Atan2 => 60,
        _ => 1,
    }
}

/// Whether a result is better kept than computed again.
pub fn is_costly(s: Scalar) -> bool {
    !matches!(s, Scalar::Div | Scalar::Sqrt) && weight(s) > 1
}
