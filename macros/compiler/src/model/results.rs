//! Results: the tensors that a run writes, and the form in which they are returned.

use super::arguments::Form;
use super::entry::Entry;
use super::names::Names;
use super::sizes::Sizes;
use super::stub::dtype;
use super::table::{self, MANY};
use super::trees;
use crate::syntax::ast::ArgKind;
use crate::traced::Ret;
use kiln_ir::{DType, Func, Value};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

/// The type of a result.
pub fn ty(entry: &Entry, ret: &Ret) -> TokenStream {
    match ret {
        Ret::Tensor(output) => {
            let func = &entry.traced.func;
            let dtype = dtype(func.ty(func.outputs[*output].value).dtype);
            quote!(::kiln::Tensor<#dtype>)
        }
        Ret::Tuple(rets) => {
            let types = rets.iter().map(|ret| ty(entry, ret));
            quote!((#(#types,)*))
        }
        Ret::Array(rets) => {
            let (each, count) =
                (rets.first().map(|ret| ty(entry, ret)), Literal::usize_unsuffixed(rets.len()));
            let each = each.unwrap_or_else(|| quote!(::kiln::Tensor));
            quote!([#each; #count])
        }
        Ret::Like { arg, .. } => match entry.declared.get(*arg).map(|a| &a.kind) {
            Some(ArgKind::Params(ty) | ArgKind::ParamsMut(ty)) => quote!(#ty),
            _ => quote!(::kiln::Tensor<f32>),
        },
        Ret::Seen { .. } => unreachable!("a closure's graph is inlined"),
    }
}

/// The tensors that a run writes.
pub struct Outputs {
    /// Where they come from.
    pub statements: TokenStream,
    /// A variable for each output, `None` for one that is written over an input: its tensor, or the elements to write where all
    /// tensors are in an array.
    names: Vec<Option<Ident>>,
    /// The array of many, by output.
    many: Option<Ident>,
}

impl Outputs {
    /// The slices that a run writes.
    pub fn written(&self) -> Vec<TokenStream> {
        let slice = |name| if self.many.is_some() { quote!(#name) } else { quote!(#name.as_mut_slice()) };
        self.names.iter().flatten().map(slice).collect()
    }

    /// A tensor as it is handed out; `None` where an input is written over.
    pub fn tensor(&self, output: usize) -> Option<TokenStream> {
        let name = self.names[output].as_ref()?;
        // Which of the tensors it is.
        let at = Literal::usize_unsuffixed(self.names[..output].iter().flatten().count());
        Some(match &self.many {
            Some(many) => quote!(::core::mem::take(&mut #many[#at])),
            None => quote!(#name),
        })
    }
}

/// Takes a tensor for each output that updates nothing, all of them by one pattern (why, is said in [`trees`]).
pub fn outputs(entry: &Entry, sizes: &Sizes, names: &mut Names) -> Outputs {
    let func = &entry.traced.func;
    let made: Vec<usize> = (0..func.outputs.len()).filter(|i| func.outputs[*i].updates.is_none()).collect();
    if made.len() >= MANY && made.iter().all(|i| is_f32(func, func.outputs[*i].value)) {
        return in_array(entry, &made, sizes, names);
    }
    let mut values = Vec::new();
    let all = func.outputs.iter().map(|output| {
        let fresh = output.updates.is_none().then(|| names.fresh(&format!("out_{}", output.name)))?;
        let ty = func.ty(output.value);
        let (dtype, dims) = (dtype(ty.dtype), sizes.list(&ty.shape));
        values.push(quote!(::kiln::rt::output::<#dtype>(&[#dims])));
        Some(fresh)
    });
    let names: Vec<Option<Ident>> = all.collect();
    let own: Vec<&Ident> = names.iter().flatten().collect();
    let statements = match (&own[..], &values[..]) {
        ([], _) => TokenStream::new(),
        ([name], [value]) => quote!(let mut #name = #value;),
        _ => quote!(let (#(mut #own),*) = (#(#values),*);),
    };
    Outputs { statements, names, many: None }
}

/// The outputs `made`, all of them tensors of f32, in an array.
fn in_array(entry: &Entry, made: &[usize], sizes: &Sizes, names: &mut Names) -> Outputs {
    let func = &entry.traced.func;
    let all = names.fresh("outs");
    let made: Vec<_> = made.iter().map(|i| &func.outputs[*i]).collect();
    let own: Vec<Ident> = made.iter().map(|o| names.fresh(&format!("out_{}", o.name))).collect();
    let shapes = made.iter().map(|o| sizes.list(&func.ty(o.value).shape));
    let statements = quote! {
        let mut #all = ::kiln::rt::outputs([#(&[#shapes]),*]);
        let [#(#own),*] = ::kiln::rt::elements(&mut #all);
    };
    let mut own = own.into_iter();
    let names = func.outputs.iter().map(|o| o.updates.is_none().then(|| own.next())?).collect();
    Outputs { statements, names, many: Some(all) }
}

fn is_f32(func: &Func, value: Value) -> bool {
    func.ty(value).dtype == DType::F32
}

/// What a result is put together of.
pub struct Parts<'a> {
    /// The function.
    pub entry: &'a Entry<'a>,
    /// Its arguments.
    pub forms: &'a [Form<'a>],
    /// Inputs and the variables of their tensors.
    pub tensors: &'a [(usize, Ident)],
    /// The outputs that update nothing.
    pub outputs: &'a Outputs,
}

impl Parts<'_> {
    /// Statements behind the run, and the value that is returned.
    pub fn value(&self, names: &mut Names) -> (TokenStream, TokenStream) {
        let mut statements = TokenStream::new();
        let value = self.assemble(&self.entry.traced.result, names, &mut statements);
        (statements, value)
    }

    fn assemble(&self, ret: &Ret, names: &mut Names, statements: &mut TokenStream) -> TokenStream {
        let mut all = |rets: &[Ret]| -> Vec<TokenStream> {
            rets.iter().map(|ret| self.assemble(ret, names, statements)).collect()
        };
        match ret {
            Ret::Tensor(output) => self.outputs.tensor(*output).unwrap_or_else(|| self.updated(*output)),
            Ret::Tuple(rets) => {
                let values = all(rets);
                quote!((#(#values,)*))
            }
            Ret::Array(rets) => {
                let made = self.outputs.names.iter().enumerate().filter(|(_, name)| name.is_some());
                let whole = made.map(|(i, _)| Ret::Tensor(i)).eq(rets.iter().cloned());
                if let Some(many) = self.outputs.many.as_ref().filter(|_| whole) {
                    return quote!(#many);
                }
                let values = all(rets);
                quote!([#(#values),*])
            }
            Ret::Seen { .. } => unreachable!("a closure's graph is inlined"),
            Ret::Like { arg, tree } => {
                let like = &self.forms[*arg].name;
                let copy = names.fresh(&format!("like_{like}"));
                let many = self.outputs.many.as_ref();
                let replace = many.and_then(|many| table::put(&copy, tree, many));
                let replace = replace.unwrap_or_else(|| {
                    trees::replace(&copy, tree, &|output| self.outputs.tensor(output), names)
                });
                statements.extend(quote!(let mut #copy = ::core::clone::Clone::clone(&*#like); { #replace }));
                quote!(#copy)
            }
        }
    }

    /// A result that is an argument's new state.
    fn updated(&self, output: usize) -> TokenStream {
        let input = self.entry.traced.func.outputs[output].updates;
        match self.tensors.iter().find(|(tensor, _)| Some(*tensor) == input) {
            Some((_, tensor)) => quote!(::core::clone::Clone::clone(&*#tensor)),
            None => quote!(::core::default::Default::default()),
        }
    }
}
