//! The function that runs the kernels of a plan, one after the other.

use super::alike::Buffer;
use super::choice::Choice;
use super::dims::{Dims, ident};
use super::kernel::{Emitted, RANDOM, nested, weight, width};
use super::{Made, MadeKernel, Struct, Unit, scalar};
use crate::fuse::affine::{Affine, Var, flat};
use crate::fuse::algorithm::{self, Winograd};
use crate::fuse::cut;
use crate::fuse::expr::{Expr, counters};
use crate::fuse::kernel::{Gemm, Kernel, Loops, Operand, Role, Store};
use crate::part::Part;
use crate::plan::{Place, Plan, Step, element};
use kiln_ir::{Dim, Func, Op, Sym, Value};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What the steps of a function need to know.
pub(super) struct Runner<'a> {
    pub func: &'a Func,
    pub plan: &'a Plan,
    names: &'a BTreeMap<Value, Ident>,
    pub dims: Dims<'a>,
    pub choice: &'a Choice,
    /// While a step is written as a function of its buffers: these, in order of occurrence.
    pub buffers: RefCell<Option<Vec<Buffer>>>,
}

/// Bytes of the scratch area, each slot in whole cache lines.
pub fn scratch(plan: &Plan, dims: &Dims) -> TokenStream {
    let slots = plan.slots.iter().map(|s| {
        let bytes = dims.dim(s);
        quote!(::kiln::rt::slot_bytes(#bytes))
    });
    quote!(0usize #(+ #slots)*)
}

/// The function.
pub fn function(
    part: &Part,
    names: &BTreeMap<Value, Ident>,
    made: &[Made],
    name: &Ident,
    dims: &[Sym],
    choice: &Choice,
    unit: &mut Unit,
) -> TokenStream {
    let Part { func, fused, plan } = part;
    let buffers = RefCell::default();
    let runner = Runner { func, plan, names, dims: Dims { syms: &func.syms }, choice, buffers };
    let rows = choice.cut.iter().map(|_| format_ident!("rows"));
    let sizes: Vec<Ident> = dims.iter().map(|s| ident(&func.syms.info(*s).name)).chain(rows).collect();
    let inputs = (0..func.inputs.len()).map(|i| {
        let (name, ty) = (runner.input(i), scalar::element(func.inputs[i].ty.dtype.name()));
        let is_updated = func.outputs.iter().any(|o| o.updates == Some(i));
        match (func.inputs[i].apart, is_updated) {
            (false, true) => quote!(#name: &mut [#ty]),
            (false, false) => quote!(#name: &[#ty]),
            (true, true) => quote!(#name: &mut [&mut [#ty]]),
            (true, false) => quote!(#name: &[impl ::core::ops::Deref<Target = [#ty]>]),
        }
    });
    let outputs = func.outputs.iter().enumerate().filter(|(_, o)| o.updates.is_none()).map(|(o, out)| {
        let (name, ty) = (format_ident!("out{o}"), scalar::element(func.ty(out.value).dtype.name()));
        quote!(#name: &mut [#ty])
    });
    let alike = runner.alike(part, made, &sizes, unit);
    let steps = plan.steps.iter().zip(alike).map(|(step, alike)| match step {
        _ if alike.is_some() => alike.unwrap_or_default(),
        Step::Run(k) => match &made[*k] {
            Made::Kernel(made) => runner.kernel(&fused.kernels[*k], made),
            Made::Turns(turn) => runner.turns(&fused.kernels[*k], plan.work[k], turn),
        },
        Step::Copy { value, from, to } => runner.copied((*value, *from), (*value, *to)),
    });
    let steps: Vec<TokenStream> = steps.collect();
    let slots: Vec<Ident> = (0..plan.slots.len()).map(|i| format_ident!("s{i}")).collect();
    let bytes = plan.slots.iter().map(|s| match &choice.cut {
        Some(cut) => runner.rows(&Dim::from(s.literal().expect("known, as it is cut") / cut.batch)),
        None => runner.dims.dim(s),
    });
    quote! {
        #[allow(clippy::all, clippy::pedantic, non_snake_case, unused)]
        fn #name(#(#sizes: usize,)* #(#inputs,)* #(#outputs,)* scratch: ::kiln::rt::Scratch) {
            let [#(mut #slots),*] = scratch.slots([#(#bytes),*]);
            #(#steps)*
        }
    }
}

impl Runner<'_> {
    pub fn input(&self, i: usize) -> Ident {
        let is = |v: &Value| matches!(self.func.node(*v).op, Op::Input(n) if n as usize == i);
        self.names.iter().find(|(v, _)| is(v)).map(|(_, name)| name.clone()).expect("inputs are never pruned")
    }

    /// Whether what lies there are layers with memory of their own.
    pub fn is_apart(&self, place: Place) -> bool {
        matches!(place, Place::Input(i) if self.func.inputs[i].apart)
    }

    fn numel(&self, v: Value) -> TokenStream {
        match &self.choice.cut {
            Some(_) => self.rows(&cut::width(self.func, v)),
            None => self.dims.dim(&self.func.ty(v).numel()),
        }
    }

    /// So many of each of the rows that are computed.
    fn rows(&self, each: &Dim) -> TokenStream {
        let each = self.dims.dim(each);
        quote!((rows * #each))
    }

    pub fn get(&self, v: Value, place: Place) -> TokenStream {
        if let Some(name) = self.buffer(v, place, false) {
            return quote!(#name);
        }
        match place {
            Place::Input(i) => {
                let name = self.input(i);
                quote!(&*#name)
            }
            Place::Output(o) => {
                let name = format_ident!("out{o}");
                quote!(&*#name)
            }
            Place::Slot(s) => {
                let (slot, len) = (format_ident!("s{s}"), self.numel(v));
                let ty = scalar::element(element(self.func.ty(v).dtype, place));
                quote!(#slot.get::<#ty>(#len))
            }
        }
    }

    pub fn get_mut(&self, v: Value, place: Place) -> TokenStream {
        if let Some(name) = self.buffer(v, place, true) {
            return quote!(#name);
        }
        match place {
            Place::Input(i) => {
                let name = self.input(i);
                quote!((&mut *#name))
            }
            Place::Output(o) => {
                let name = format_ident!("out{o}");
                quote!((&mut *#name))
            }
            Place::Slot(s) => {
                let (slot, len) = (format_ident!("s{s}"), self.numel(v));
                let ty = scalar::element(element(self.func.ty(v).dtype, place));
                quote!(#slot.get_mut::<#ty>(#len))
            }
        }
    }

    /// A kernel's struct with its fields.
    pub fn value(&self, (known, emitted): &(Struct, Emitted)) -> TokenStream {
        let reads = emitted.reads.iter().map(|v| self.get(*v, self.plan.places[v]));
        let sizes = emitted.frees.iter().map(|s| {
            let name = ident(&self.func.syms.info(*s).name);
            quote!(#name)
        });
        let batch = emitted.batch.iter().map(|b| quote!(#b));
        let varying = emitted.sizes.iter().map(|n| {
            let n = proc_macro2::Literal::usize_unsuffixed(*n);
            quote!(#n)
        });
        let (name, fields) = (&known.name, &known.fields);
        let values = reads.chain(sizes).chain(batch).chain(varying);
        quote!(#name { #(#fields: #values),* })
    }

    /// One kernel's launch.
    pub fn kernel(&self, kernel: &Kernel, made: &MadeKernel) -> TokenStream {
        let value = self.value(&made.kernel);
        if let Loops::Gemm(g) = &kernel.loops {
            return self.gemm(kernel, g, &value, &made.operands);
        }
        let (units, per_unit) = self.units(kernel);
        let out = |s: &Store| {
            let width = match (&kernel.loops, s.per_row) {
                (Loops::Flat, _) | (_, true) => quote!(1),
                (Loops::Columns { outer: 0, .. }, _) => quote!(1),
                (Loops::Columns { .. }, _) => self.dims.dim(kernel.axes.last().expect("columns")),
                (Loops::Scatter { width, .. }, _) => self.dims.dim(width),
                _ => self.dims.dim(&width(kernel)),
            };
            let slice = self.get_mut(s.value, self.plan.places[&s.value]);
            quote!(::kiln::rt::part(#slice, #width))
        };
        let outs: Vec<TokenStream> = kernel.stores.iter().map(out).collect();
        let outs = nested(&outs);
        if made.kernel.1.total {
            let (units, run) = kernel.axes.split_at(1);
            let elements = run.iter().fold(Dim::from(1), |n, d| n * d.clone());
            let cost = self.dims.dim(&(elements.clone() * Dim::from(cost(kernel))));
            let (units, elements) = (self.dims.dim(&units[0]), self.dims.dim(&elements));
            return quote!(::kiln::rt::total_of(&#value, #units, #elements, #cost, #outs););
        }
        let base = self.base(kernel);
        quote!(#base ::kiln::rt::launch(&#value, #units, #per_unit, #outs);)
    }

    /// What an update writes over is copied to the result's place, unless it lies there.
    fn base(&self, kernel: &Kernel) -> TokenStream {
        let Loops::Scatter { onto: Some(base), .. } = kernel.loops else { return TokenStream::new() };
        let to = kernel.stores[0].value;
        if self.plan.places[&base] == self.plan.places[&to] {
            return TokenStream::new();
        }
        self.copied((base, self.plan.places[&base]), (to, self.plan.places[&to]))
    }

    /// A value as another one; truth values may be bytes on one side.
    fn copied(&self, from: (Value, Place), to: (Value, Place)) -> TokenStream {
        let kind = |(v, place): (Value, Place)| element(self.func.ty(v).dtype, place);
        let (source, target) = (self.get(from.0, from.1), self.get_mut(to.0, to.1));
        match (kind(from), kind(to)) {
            _ if self.is_apart(to.1) => quote!(::kiln::rt::spread(#source, #target);),
            // Layers that a loop yields where they lie, returned once more.
            _ if self.is_apart(from.1) => quote!(::kiln::rt::gathered(#source, #target);),
            (one, other) if one == other => quote!(#target.copy_from_slice(#source);),
            ("bool", _) => quote!(::kiln::rt::bytes_of(#target, #source);),
            _ => quote!(::kiln::rt::truths_of(#target, #source);),
        }
    }

    /// Units of a kernel that is no product, and what one costs.
    fn units(&self, kernel: &Kernel) -> (TokenStream, TokenStream) {
        let product = |axes: &[Dim]| axes.iter().fold(Dim::from(1), |n, d| n * d.clone());
        if self.choice.cut.is_some() {
            let all = self.numel(kernel.stores[0].value);
            let row = product(&kernel.axes[kernel.outer()..]);
            let outer = &kernel.axes[kernel.outer().min(1)..kernel.outer()];
            return match kernel.loops {
                Loops::Flat => (all, self.dims.dim(&Dim::from(cost(kernel)))),
                _ => (self.rows(&product(outer)), self.dims.dim(&(row * Dim::from(cost(kernel))))),
            };
        }
        let split = match kernel.loops {
            Loops::Flat => kernel.axes.len(),
            Loops::Columns { outer: 0, .. } => {
                let (reduced, kept) = kernel.axes.split_at(kernel.axes.len() - 1);
                let cost = product(reduced) * Dim::from(cost(kernel));
                return (self.dims.dim(&kept[0]), self.dims.dim(&cost));
            }
            _ => kernel.outer(),
        };
        let (rows, row) = kernel.axes.split_at(split);
        (self.dims.dim(&product(rows)), self.dims.dim(&(product(row) * Dim::from(cost(kernel)))))
    }

    fn gemm(
        &self,
        kernel: &Kernel,
        g: &Gemm,
        value: &TokenStream,
        operands: &[Option<(Struct, Emitted)>; 2],
    ) -> TokenStream {
        let side = |role: Role| g.roles.iter().position(|r| *r == role);
        let len = |role: Role| side(role).map_or(quote!(1), |i| self.dims.dim(&kernel.axes[i]));
        let m = if self.choice.cut.is_some() { quote!(rows) } else { len(Role::M) };
        let (n, k) = (len(Role::N), self.dims.dim(&g.k));
        let [a, b] =
            [0, 1].map(|i| self.operand(g.operands()[i], operands[i].as_ref(), [[&m, &k], [&k, &n]][i]));
        let b = match (&g.b, self.choice.is_packed(self.func, &g.b)) {
            (Operand::Stored(matrix), true) => {
                let data = self.get(matrix.buffer, self.plan.places[&matrix.buffer]);
                quote!(::kiln::rt::packed(#data, [#k, #n]))
            }
            _ => b,
        };
        let at = flat(&counters(kernel.axes.len()), &kernel.axes);
        let stride = match side(Role::M) {
            Some(i) => self.dims.dim(&at.coefficient(Var::Axis(i))),
            None => n.clone(),
        };
        let inside =
            [Role::M, Role::N].iter().filter_map(|r| side(*r)).fold(at, |at, i| at.without(Var::Axis(i)));
        let batched = g.roles.first() == Some(&Role::Batch);
        let names: Vec<Ident> = (0..kernel.stores.len()).map(|o| format_ident!("o{o}")).collect();
        let within = if batched { inside.without(Var::Axis(0)) } else { inside.clone() };
        let start = self.at(&within);
        let outs: Vec<TokenStream> = kernel
            .stores
            .iter()
            .zip(&names)
            .map(|(s, name)| {
                let slice = match batched {
                    true => quote!(#name.all()),
                    false => self.get_mut(s.value, self.plan.places[&s.value]),
                };
                match within == Affine::zero() {
                    true => slice,
                    false => quote!(&mut #slice[#start..]),
                }
            })
            .collect();
        let winograd = self.choice.winograd(kernel);
        let tile = winograd.map(|w| proc_macro2::Literal::i64_unsuffixed(w.tile));
        let images = if winograd.is_some_and(|w| w.together) { &a } else { &b };
        if let Some(gradient) = self.choice.gradient(kernel) {
            let tile = proc_macro2::Literal::i64_unsuffixed(gradient.tile);
            let [a, b] = [&gradient.of, &gradient.images].map(|w| self.windows(w));
            if kernel.is_bare() {
                let out = &outs[0];
                return quote!(::kiln::rt::winograd_gradient_into(#tile, &#a, &#b, #out, #stride););
            }
            let planes: Vec<TokenStream> =
                outs.iter().map(|out| quote!(::kiln::rt::plane(#out, #stride))).collect();
            let planes = nested(&planes);
            return quote!(::kiln::rt::winograd_gradient_finish(#tile, &#a, &#b, &#value, &#planes););
        }
        let call = if kernel.is_bare() && winograd.is_some() {
            let out = &outs[0];
            quote!(::kiln::rt::winograd_into(#tile, [#m, #n], factors, #images, #out, #stride);)
        } else if kernel.is_bare() {
            let out = &outs[0];
            quote!(::kiln::rt::gemm_into(#m, #n, #k, #a, #b, #out, #stride);)
        } else {
            let planes: Vec<TokenStream> =
                outs.iter().map(|out| quote!(::kiln::rt::plane(#out, #stride))).collect();
            let planes = nested(&planes);
            match winograd {
                Some(_) => {
                    quote!(::kiln::rt::winograd_finish(#tile, [#m, #n], factors, #images, &#value, &#planes);)
                }
                None => quote!(::kiln::rt::gemm_finish([#m, #n, #k], #a, #b, &#value, &#planes);),
            }
        };
        let looped = (usize::from(batched)..g.roles.len()).filter(|i| g.roles[*i] == Role::Batch).rev();
        let body = looped.fold(call, |body, i| {
            let (name, len) = (super::dims::variable(Var::Axis(i)), self.dims.dim(&kernel.axes[i]));
            quote!(for #name in 0..#len { #body })
        });
        let body = if batched { self.batched(kernel, g, &names, &inside, &body) } else { body };
        match winograd {
            Some(winograd) => self.with_factors(kernel, g, winograd, &body),
            None => body,
        }
    }

    /// What reads a convolution's factors at Winograd's points as `factors`.
    fn with_factors(&self, kernel: &Kernel, g: &Gemm, winograd: Winograd, body: &TokenStream) -> TokenStream {
        let factors = algorithm::factors(g).expect("chosen for them");
        if self.choice.is_frozen(self.func, kernel) {
            let data = self.get(factors.buffer, self.plan.places[&factors.buffer]);
            return quote!({ let factors = #data; #body });
        }
        let (tiles, a) = (super::tiles(&winograd), self.matrix(&factors));
        quote!(::kiln::rt::winograd(#tiles, #a, |factors| { #body });)
    }

    /// Products over the first axis, which share threads.
    fn batched(
        &self,
        kernel: &Kernel,
        g: &Gemm,
        names: &[Ident],
        at: &Affine,
        body: &TokenStream,
    ) -> TokenStream {
        let width = self.dims.dim(&at.coefficient(Var::Axis(0)));
        let parts = kernel.stores.iter().map(|s| {
            let slice = self.get_mut(s.value, self.plan.places[&s.value]);
            quote!(::kiln::rt::part(#slice, #width))
        });
        let (parts, names) = (nested(&parts.collect::<Vec<_>>()), names.iter().map(|n| quote!(mut #n)));
        let names = nested(&names.collect::<Vec<_>>());
        let (count, rest) = (self.dims.dim(&kernel.axes[0]), &kernel.axes[1..]);
        let each = g.k.clone() * Dim::from(2) + Dim::from(cost(kernel));
        let cost = self.dims.dim(&rest.iter().fold(each, |n, d| n * d.clone()));
        let counter = super::dims::variable(Var::Axis(0));
        quote!(::kiln::rt::batched(#count, #cost, #parts, &|#counter, #names| { #body });)
    }

    pub fn at(&self, at: &Affine) -> TokenStream {
        let var = |v: Var| {
            let name = super::dims::variable(v);
            quote!(#name)
        };
        self.dims.affine(at, &var, false)
    }
}

/// Operations of one iteration: an addition takes as long as the multiply-add of a product, which counts as two.
fn cost(kernel: &Kernel) -> i64 {
    let of = |id: &crate::fuse::expr::Id| match kernel.exprs.get(*id) {
        Expr::Map(s, _) => weight(*s),
        Expr::Random(..) => RANDOM,
        _ => 1,
    };
    2 * kernel.exprs.needed(&kernel.roots()).iter().map(of).sum::<usize>() as i64
}
