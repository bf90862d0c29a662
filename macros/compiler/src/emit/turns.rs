//! A loop whose turns are a function of their own: what is carried is updated where it lies, what is scanned is cut.

use super::Compiled;
use super::dims::ident;
use super::run::Runner;
use crate::fuse::kernel::{Kernel, Loops};
use kiln_ir::Ty;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

impl Runner<'_> {
    /// The loop; `work` is the slot in which its turns work.
    pub fn turns(&self, kernel: &Kernel, work: usize, turn: &Compiled) -> TokenStream {
        let Loops::Turns(turns) = &kernel.loops else { unreachable!("the loops are turns") };
        let (scan, body) = (&turns.scan, &turns.part.func);
        let (mut open, mut args) = (Vec::new(), Vec::new());
        let element = |ty: &Ty| self.dims.dim(&ty.numel());
        for (i, (arg, input)) in turns.args.iter().zip(&body.inputs).enumerate() {
            let from = self.plan.places[arg];
            let name = format_ident!("a{i}");
            if i < scan.carries {
                let to = self.plan.places[&kernel.stores[i].value];
                let (slice, first) = (self.get_mut(kernel.stores[i].value, to), self.get(*arg, from));
                open.push(quote!(let #name = #slice;));
                if from != to {
                    open.push(quote!(#name.copy_from_slice(#first);));
                }
                args.push(quote!(&mut *#name));
                continue;
            }
            let slice = self.get(*arg, from);
            open.push(quote!(let #name = #slice;));
            args.push(match i < scan.carries + scan.scanned {
                true => {
                    let len = element(&input.ty);
                    quote!(::kiln::rt::turn(#name, turn, #len))
                }
                false => quote!(#name),
            });
        }
        for (n, store) in kernel.stores.iter().enumerate().skip(scan.carries) {
            let (name, slice) =
                (format_ident!("y{n}"), self.get_mut(store.value, self.plan.places[&store.value]));
            let len = element(body.ty(body.outputs[n].value));
            open.push(quote!(let #name = #slice;));
            args.push(quote!(::kiln::rt::turn_mut(#name, turn, #len)));
        }
        let (run, slot, trips) = (&turn.run, format_ident!("s{work}"), self.dims.dim(&scan.trips));
        let dims = turn.dims.iter().map(|s| ident(&self.func.syms.info(*s).name));
        let range = if scan.reverse { quote!((0..#trips).rev()) } else { quote!(0..#trips) };
        quote! {{
            #(#open)*
            for turn in #range {
                #run(#(#dims,)* #(#args,)* #slot.scratch());
            }
        }}
    }
}
