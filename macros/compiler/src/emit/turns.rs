//! A loop whose turns are a function of their own: what is carried is updated where it lies, what is scanned is cut.

use super::Compiled;
use super::choice::Stays;
use super::dims::ident;
use super::kernel::nested;
use super::run::Runner;
use crate::fuse::cut::{self, Cut};
use crate::fuse::kernel::{Kernel, Loops, Turns};
use crate::fuse::panels::Panels;
use kiln_ir::{Dim, Scan, Ty};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// What is written of a loop.
#[derive(Default)]
struct Written {
    /// Before it.
    open: Vec<TokenStream>,
    /// At the start of each turn.
    first: Vec<TokenStream>,
    /// What a turn is called with.
    args: Vec<TokenStream>,
    /// Of a loop that is cut: what it writes to, by name, and as what is cut into rows.
    outs: Vec<(Ident, TokenStream)>,
}

impl Runner<'_> {
    /// The loop; `work` is the slot in which its turns work.
    pub fn turns(&self, kernel: &Kernel, work: usize, turn_of: &Compiled) -> TokenStream {
        let Loops::Turns(turns) = &kernel.loops else { unreachable!("the loops are turns") };
        let (scan, body) = (&turns.scan, &turns.part.func);
        let mut written = Written::default();
        let stays = self.choice.in_turns(self.func, kernel);
        let cut = stays.cut.as_ref();
        for i in 0..turns.args.len() {
            match body.outputs.iter().position(|o| o.updates == Some(i)) {
                Some(n) if n < scan.carries => self.carried(kernel, turns, i, cut, &mut written),
                Some(n) => self.replaced(kernel, turns, (i, n), &mut written),
                None => self.read(turns, i, &stays, &mut written),
            }
        }
        for (n, store) in kernel.stores.iter().enumerate() {
            if body.outputs[n].updates.is_some() {
                continue;
            }
            let (name, place) = (format_ident!("y{n}"), self.plan.places[&store.value]);
            let slice = self.get_mut(store.value, place);
            written.open.push(quote!(let #name = #slice;));
            if let Some(cut) = cut {
                let [trips, width] =
                    [&scan.trips, &cut::width(body, turns.part.fused.outputs[n])].map(|d| self.dims.dim(d));
                let batch = Literal::i64_unsuffixed(cut.batch);
                let out = quote!(::kiln::rt::turnwise(#name, #trips, [#batch, #width]));
                written.outs.push((name.clone(), out));
                written.args.push(quote!(#name.turn(turn)));
                continue;
            }
            written.args.push(match self.is_apart(place) {
                true => quote!(&mut *#name[turn]),
                false => self.cut_mut(&name, body.ty(body.outputs[n].value)),
            });
        }
        let Written { open, first, args, outs } = written;
        let (run, slot, trips) = (&turn_of.run, format_ident!("s{work}"), self.dims.dim(&scan.trips));
        let dims = turn_of.dims.iter().map(|s| ident(&self.func.syms.info(*s).name));
        let range = if scan.reverse { quote!((0..#trips).rev()) } else { quote!(0..#trips) };
        let count = cut.map(|_| quote!(rows.len(),));
        let call = quote!(#run(#(#dims,)* #count #(#args,)* #slot.scratch()););
        let turn = match scan.guard {
            Some(guard) => guarded(scan, guard, &args, &call),
            None => call,
        };
        let all = quote!(for turn in #range { #(#first)* #turn });
        let all = match cut {
            Some(cut) => {
                let lines = turns.part.plan.slots.iter().filter_map(Dim::literal).sum::<i64>()
                    / cut.batch
                    / cut::LINE;
                let [batch, lines] = [cut.batch, lines].map(Literal::i64_unsuffixed);
                let work = (slot.clone(), quote!(#slot.by_rows(#lines)));
                let (names, outs): (Vec<_>, Vec<_>) = outs.into_iter().chain([work]).unzip();
                let names: Vec<_> = names.iter().map(|name| quote!(mut #name)).collect();
                let (names, outs, flops) = (nested(&names), nested(&outs), &turn_of.flops);
                quote!(::kiln::rt::by_rows(#batch, (#flops) * #trips / #batch, #outs, &|rows, #names| #all);)
            }
            None => all,
        };
        let all = self.choice.before(kernel).into_iter().flatten().fold(all, |all, (i, panels)| {
            let (name, [rows, cols]) =
                (format_ident!("a{i}"), [&panels.rows, &panels.cols].map(|s| self.dims.axes(s)));
            quote!(::kiln::rt::with_panels(#name, #rows, #cols, |#name| { #all });)
        });
        quote!({ #(#open)* #all })
    }

    /// What is carried: its first value is put where it ends, unless it lies there.
    fn carried(&self, kernel: &Kernel, turns: &Turns, i: usize, cut: Option<&Cut>, written: &mut Written) {
        let (arg, result, name) = (turns.args[i], kernel.stores[i].value, format_ident!("a{i}"));
        let (from, to) = (self.plan.places[&arg], self.plan.places[&result]);
        let (slice, first) = (self.get_mut(result, to), self.get(arg, from));
        written.open.push(quote!(let #name = #slice;));
        if from != to {
            written.open.push(quote!(#name.copy_from_slice(#first);));
        }
        if cut.is_some() {
            let body = &turns.part.func;
            let width = self.dims.dim(&cut::width(body, body.input(i)));
            written.outs.push((name.clone(), quote!(::kiln::rt::part(#name, #width))));
            written.args.push(quote!(#name.all()));
            return;
        }
        written.args.push(quote!(&mut *#name));
    }

    /// A layer that a turn replaces: where it lies, or in a copy of it.
    fn replaced(&self, kernel: &Kernel, turns: &Turns, (i, n): (usize, usize), written: &mut Written) {
        let (arg, result, name) = (turns.args[i], kernel.stores[n].value, format_ident!("a{i}"));
        let (from, to) = (self.plan.places[&arg], self.plan.places[&result]);
        let slice = self.get_mut(result, to);
        if from == to {
            written.open.push(quote!(let #name = #slice;));
            written.args.push(quote!(&mut *#name[turn]));
            return;
        }
        let (copy, first) = (format_ident!("y{n}"), self.get(arg, from));
        let cut = self.cut_mut(&copy, &turns.part.func.inputs[i].ty);
        written.open.push(quote!(let #name = #first; let #copy = #slice;));
        written.first.push(quote!(#cut.copy_from_slice(&#name[turn]);));
        written.args.push(cut);
    }

    /// What a turn reads: its own part of what is scanned, or what is the same in each.
    fn read(&self, turns: &Turns, i: usize, stays: &Stays, written: &mut Written) {
        let (body, panels) = (&turns.part.func, stays.panels.get(&i));
        let (arg, name, scan) = (turns.args[i], format_ident!("a{i}"), &turns.scan);
        let place = self.plan.places[&arg];
        let slice = self.get(arg, place);
        written.open.push(quote!(let #name = #slice;));
        let own = stays.cut.as_ref().filter(|cut| cut.inputs.contains(&i)).map(|_| {
            let width = self.dims.dim(&cut::width(body, body.input(i)));
            quote!([rows.start * #width..rows.end * #width])
        });
        let arg = match (i < scan.carries + scan.scanned, self.is_apart(place)) {
            (true, true) => quote!(&*#name[turn]),
            (true, false) => {
                let own = || body.inputs[i].ty.numel();
                let len = self.dims.dim(&panels.map_or_else(own, Panels::elements));
                quote!(::kiln::rt::turn(#name, turn, #len))
            }
            (false, _) => quote!(#name),
        };
        written.args.push(if own.is_some() { quote!(&#arg #own) } else { arg });
    }

    fn cut_mut(&self, name: &Ident, ty: &Ty) -> TokenStream {
        let len = self.dims.dim(&ty.numel());
        quote!(::kiln::rt::turn_mut(#name, turn, #len))
    }
}

/// A turn that is run where its guard holds; else what is carried stays where it lies, and what it yields is zero.
fn guarded(scan: &Scan, guard: usize, args: &[TokenStream], call: &TokenStream) -> TokenStream {
    let name = format_ident!("a{guard}");
    let at =
        if (scan.carries..scan.carries + scan.scanned).contains(&guard) { quote!(turn) } else { quote!(0) };
    let yields = &args[scan.body.inputs.len()..];
    quote! {
        if #name[#at] != 0 {
            #call
        } else {
            #(<[_]>::fill(#yields, ::core::default::Default::default());)*
        }
    }
}
