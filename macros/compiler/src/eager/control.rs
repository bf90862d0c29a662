//! `cond` and `while_loop`: Rust's own branch and loop, which read the one truth value that decides.

use super::calls::{Given, bare};
use super::hidden;
use super::statements::Body;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Expr;

impl Body<'_> {
    /// A call of `cond` or `while_loop`; an error in what decides is the result.
    pub fn control(&mut self, name: &str, given: &[Given]) -> TokenStream {
        let written: Option<Vec<&Expr>> = given
            .iter()
            .map(|given| match given {
                Given::Written(expr) => Some(*expr),
                Given::Copy(_) => None,
            })
            .collect();
        match (name, written.as_deref()) {
            ("cond", Some(&[pred, then, other])) => {
                let pred = self.value(pred);
                let [then, other] = [then, other].map(|branch| self.called(branch, &[]));
                quote! {
                    match ::kiln::rt::eager::decided(#pred) {
                        ::core::result::Result::Ok(true) => #then,
                        ::core::result::Result::Ok(false) => #other,
                        ::core::result::Result::Err(error) => ::kiln::rt::eager::failure(error),
                    }
                }
            }
            ("while_loop", Some(&[max, state, going, turn])) => self.search(max, state, going, turn),
            _ => self.refuse("another number of arguments"),
        }
    }

    fn search(&mut self, max: &Expr, state: &Expr, going: &Expr, turn: &Expr) -> TokenStream {
        let Some(count) = self.arity(turn) else {
            return self.refuse("a loop whose turn's arguments aren't seen");
        };
        self.gradients += 1;
        let number = self.gradients;
        let all: Vec<Ident> = (0..count).map(|i| hidden(&format!("state{number}_{i}"))).collect();
        let given: Vec<Given> = all.iter().cloned().map(Given::Copy).collect();
        let (first, most) = (self.value(bare(state)), self.value(max));
        let (going, turn) = (self.called(going, &given), self.called(turn, &given));
        let (pattern, whole) = match all.as_slice() {
            [one] => (quote!(mut #one), quote!(#one)),
            _ => (quote!((#(mut #all),*)), quote!((#(#all),*))),
        };
        quote! {{
            let #pattern = #first;
            for _ in 0..::kiln::rt::eager::int(#most) {
                match ::kiln::rt::eager::decided(#going) {
                    ::core::result::Result::Ok(true) => #whole = #turn,
                    ::core::result::Result::Ok(false) => break,
                    ::core::result::Result::Err(error) => {
                        #whole = ::kiln::rt::eager::failure(error);
                        break;
                    }
                }
            }
            #whole
        }}
    }
}
