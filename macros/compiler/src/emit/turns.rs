//! A loop whose turns are a function of their own: what is carried is updated where it lies, what is scanned is cut.

use super::Compiled;
use super::dims::ident;
use super::run::Runner;
use crate::fuse::kernel::{Kernel, Loops, Turns};
use crate::fuse::panels::Panels;
use kiln_ir::{Scan, Ty};
use proc_macro2::{Ident, TokenStream};
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
}

impl Runner<'_> {
    /// The loop; `work` is the slot in which its turns work.
    pub fn turns(&self, kernel: &Kernel, work: usize, turn: &Compiled) -> TokenStream {
        let Loops::Turns(turns) = &kernel.loops else { unreachable!("the loops are turns") };
        let (scan, body) = (&turns.scan, &turns.part.func);
        let mut written = Written::default();
        let stays = self.choice.in_turns(self.func, kernel);
        for i in 0..turns.args.len() {
            match body.outputs.iter().position(|o| o.updates == Some(i)) {
                Some(n) if n < scan.carries => self.carried(kernel, turns, i, &mut written),
                Some(n) => self.replaced(kernel, turns, (i, n), &mut written),
                None => self.read(turns, i, stays.panels.get(&i), &mut written),
            }
        }
        for (n, store) in kernel.stores.iter().enumerate() {
            if body.outputs[n].updates.is_some() {
                continue;
            }
            let (name, place) = (format_ident!("y{n}"), self.plan.places[&store.value]);
            let slice = self.get_mut(store.value, place);
            written.open.push(quote!(let #name = #slice;));
            written.args.push(match self.is_apart(place) {
                true => quote!(&mut *#name[turn]),
                false => self.cut_mut(&name, body.ty(body.outputs[n].value)),
            });
        }
        let Written { open, first, args } = written;
        let (run, slot, trips) = (&turn.run, format_ident!("s{work}"), self.dims.dim(&scan.trips));
        let dims = turn.dims.iter().map(|s| ident(&self.func.syms.info(*s).name));
        let range = if scan.reverse { quote!((0..#trips).rev()) } else { quote!(0..#trips) };
        let call = quote!(#run(#(#dims,)* #(#args,)* #slot.scratch()););
        let turn = match scan.guard {
            Some(guard) => guarded(scan, guard, &args, &call),
            None => call,
        };
        let all = quote!(for turn in #range { #(#first)* #turn });
        let all = self.choice.before(kernel).into_iter().flatten().fold(all, |all, (i, panels)| {
            let (name, [rows, cols]) =
                (format_ident!("a{i}"), [&panels.rows, &panels.cols].map(|s| self.dims.axes(s)));
            quote!(::kiln::rt::with_panels(#name, #rows, #cols, |#name| { #all });)
        });
        quote!({ #(#open)* #all })
    }

    /// What is carried: its first value is put where it ends, unless it lies there.
    fn carried(&self, kernel: &Kernel, turns: &Turns, i: usize, written: &mut Written) {
        let (arg, result, name) = (turns.args[i], kernel.stores[i].value, format_ident!("a{i}"));
        let (from, to) = (self.plan.places[&arg], self.plan.places[&result]);
        let (slice, first) = (self.get_mut(result, to), self.get(arg, from));
        written.open.push(quote!(let #name = #slice;));
        if from != to {
            written.open.push(quote!(#name.copy_from_slice(#first);));
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
    fn read(&self, turns: &Turns, i: usize, panels: Option<&Panels>, written: &mut Written) {
        let (arg, name, scan) = (turns.args[i], format_ident!("a{i}"), &turns.scan);
        let place = self.plan.places[&arg];
        let slice = self.get(arg, place);
        written.open.push(quote!(let #name = #slice;));
        written.args.push(match (i < scan.carries + scan.scanned, self.is_apart(place)) {
            (true, true) => quote!(&*#name[turn]),
            (true, false) => {
                let own = || turns.part.func.inputs[i].ty.numel();
                let len = self.dims.dim(&panels.map_or_else(own, Panels::elements));
                quote!(::kiln::rt::turn(#name, turn, #len))
            }
            (false, _) => quote!(#name),
        });
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
