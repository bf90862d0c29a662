//! Steps that are alike but for their buffers, as those of cells of one shape: a function of these is emitted once, for all functions
//! of a unit, so that rustc reads a call a step.

use super::run::Runner;
use super::{Made, Unit, scalar};
use crate::part::Part;
use crate::plan::{Place, Step, element};
use kiln_ir::Value;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::HashMap;

/// As many steps are worth looking for some that are alike.
const MANY: usize = 32;

/// What a step reads or writes.
#[derive(Clone, Copy, PartialEq)]
pub struct Buffer {
    value: Value,
    place: Place,
    written: bool,
}

/// A step as a function of its buffers.
struct Written {
    parameters: Vec<TokenStream>,
    body: TokenStream,
    arguments: Vec<TokenStream>,
}

impl Written {
    /// Equal for steps that are alike.
    fn key(&self) -> String {
        let (parameters, body) = (&self.parameters, &self.body);
        quote!(#(#parameters),* => #body).to_string()
    }
}

impl Runner<'_> {
    /// A call for each step that is like another one; `None` for the others.
    pub fn alike(
        &self,
        part: &Part,
        made: &[Made],
        sizes: &[Ident],
        unit: &mut Unit,
    ) -> Vec<Option<TokenStream>> {
        if part.plan.steps.len() < MANY || self.choice.cut.is_some() {
            return vec![None; part.plan.steps.len()];
        }
        let all: Vec<Option<(String, &str, Written)>> = part
            .plan
            .steps
            .iter()
            .map(|step| {
                let Step::Run(k) = step else { return None };
                let Made::Kernel(made) = &made[*k] else { return None };
                let written = self.written(|| self.kernel(&part.fused.kernels[*k], made))?;
                Some((written.key(), part.fused.kernels[*k].name.as_str(), written))
            })
            .collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        all.iter().flatten().for_each(|(key, ..)| *times.entry(key).or_default() += 1);
        let calls = all.iter().map(|step| {
            let (key, name, written) = step.as_ref()?;
            let function = unit.step(key, name, times[key.as_str()], |function| {
                let (parameters, body) = (&written.parameters, &written.body);
                quote! {
                    #[allow(clippy::all, clippy::pedantic, non_snake_case, unused)]
                    fn #function(#(#sizes: usize,)* #(#parameters),*) { #body }
                }
            })?;
            let arguments = &written.arguments;
            Some(quote!(#function(#(#sizes,)* #(#arguments),*);))
        });
        calls.collect()
    }

    /// A step as a function, unless it reads or writes layers that lie apart.
    fn written(&self, step: impl FnOnce() -> TokenStream) -> Option<Written> {
        *self.buffers.borrow_mut() = Some(Vec::new());
        let body = step();
        let buffers = self.buffers.take()?;
        if buffers.iter().any(|buffer| self.is_apart(buffer.place)) {
            return None;
        }
        let parameters = buffers.iter().enumerate().map(|(i, buffer)| {
            let ty = scalar::element(element(self.func.ty(buffer.value).dtype, buffer.place));
            let (name, mutable) = (buffer.name(i), buffer.written.then(|| quote!(mut)));
            quote!(#name: &#mutable [#ty])
        });
        let parameters = parameters.collect();
        Some(Written {
            parameters,
            body,
            arguments: buffers.iter().map(|buffer| self.argument(buffer)).collect(),
        })
    }

    fn argument(&self, &Buffer { value, place, written }: &Buffer) -> TokenStream {
        match place {
            Place::Input(i) if self.func.outputs.iter().all(|o| o.updates != Some(i)) => {
                let name = self.input(i);
                quote!(#name)
            }
            _ if written => self.get_mut(value, place),
            _ => self.get(value, place),
        }
    }

    /// The parameter that a buffer is, while a step is written as a function.
    pub fn buffer(&self, value: Value, place: Place, written: bool) -> Option<Ident> {
        let mut buffers = self.buffers.borrow_mut();
        let (buffers, buffer) = (buffers.as_mut()?, Buffer { value, place, written });
        let known = buffers.iter().position(|known| *known == buffer);
        let at = known.unwrap_or_else(|| {
            buffers.push(buffer);
            buffers.len() - 1
        });
        Some(buffer.name(at))
    }
}

impl Buffer {
    fn name(&self, at: usize) -> Ident {
        if self.written { format_ident!("to{at}") } else { format_ident!("from{at}") }
    }
}

impl Unit {
    /// The function of a step that occurs so many times, if it is there, or worth being made.
    fn step(
        &mut self,
        key: &str,
        name: &str,
        times: usize,
        make: impl FnOnce(&Ident) -> TokenStream,
    ) -> Option<Ident> {
        if let Some(known) = self.steps.get(key) {
            return Some(known.clone());
        }
        if times < 2 {
            return None;
        }
        let function = self.fresh(&format!("step_{name}"));
        let (hint, item) = (&self.hint, make(&function));
        self.items.push(quote!(#hint #item));
        self.steps.insert(key.to_string(), function.clone());
        Some(function)
    }
}
