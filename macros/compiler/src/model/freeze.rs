//! `f::freeze(&net)`: what hangs on the parameters alone is computed, and kept in a struct whose `run` does the rest.
//!
//! What is taken by `&` is frozen, state that is taken by `&mut` is an argument of `run`. Sizes in the types of what is
//! frozen are generics of the struct.

use super::arguments::{self, Form};
use super::entry::Entry;
use super::results;
use super::split::{self, Split};
use super::table::MANY;
use crate::emit::dims::Dims;
use crate::emit::{Compiled, Ready, Unit, tiles};
use crate::message;
use crate::syntax::ast::{Arg, ArgKind, Model};
use crate::traced::{Ret, Traced};
use kiln_ir::{DType, Dim, Sym, Ty};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// The two halves of a model, compiled.
pub struct Freeze {
    /// The model with the arguments that are frozen alone.
    params: Model,
    /// The model with the struct and all other arguments.
    rest: Model,
    split: Split,
    once: Compiled,
    run: Compiled,
}

impl Freeze {
    /// The halves of a model that takes params by `&`; `None` for any other.
    pub fn new(model: &Model, traced: &Traced, unit: &mut Unit) -> Option<Freeze> {
        let frozen: Vec<usize> = (0..model.args.len()).filter(|i| is_frozen(&model.args[*i])).collect();
        if frozen.is_empty() || model.known().next().is_some() || model.result.holds_params() {
            return None;
        }
        let mut params = model.clone();
        params.args.retain(is_frozen);
        let used = arguments::generics_used(&params);
        let known: Vec<Sym> = arguments::typed(&params).filter_map(|name| symbol(traced, name)).collect();
        let mut rest = model.clone();
        rest.args.retain(|arg| !is_frozen(arg));
        let kept = Arg {
            ident: format_ident!("__frozen"),
            local: false,
            kind: ArgKind::Params(syn::parse_quote!(FrozenModel #used)),
        };
        rest.args.insert(0, kept);
        let mut split = split::split(traced, &frozen, &known, model.options.exact).ok()?;
        let once = unit.add(&split.once.func);
        let run = unit.add_frozen(&split.run.func, split.kept());
        // What the kernels want frozen in another form is an input of that form.
        for (input, form) in &run.frozen {
            let ty = &mut split.run.func.inputs[*input].ty;
            let len = match form {
                Ready::Points(winograd) => Dim::from(winograd.elements()),
                Ready::Panels(panels) => panels.layers.clone().unwrap_or(Dim::from(1)) * panels.elements(),
            };
            *ty = Ty::new(ty.dtype, &[len]);
        }
        Some(Freeze { params, rest, split, once, run })
    }

    /// The struct, and the functions of the model's type.
    pub fn items(&self) -> (TokenStream, TokenStream) {
        let once = entry(&self.params, "freeze_once", &self.split.once, &self.once);
        let run = entry(&self.rest, "freeze_run", &self.split.run, &self.run);
        (self.frozen(&run), self.functions(&once, &run))
    }

    fn fields(&self) -> Vec<Ident> {
        (0..self.split.kept()).map(|i| format_ident!("{}", split::field(i))).collect()
    }

    /// Whether what is kept stands in an array.
    fn is_many(&self) -> bool {
        let kept = self.split.kept();
        kept >= MANY && self.split.run.func.inputs[..kept].iter().all(|input| input.ty.dtype == DType::F32)
    }

    fn frozen(&self, run: &Entry) -> TokenStream {
        let fields = self.fields();
        let func = &self.split.run.func;
        let types: Vec<TokenStream> =
            (0..fields.len()).map(|i| super::stub::dtype(func.inputs[i].ty.dtype)).collect();
        let (model, inner) = (&run.model.ident, run.inner_name());
        let forms = arguments::forms(run);
        let parameters = forms.iter().skip(1).map(Form::parameter);
        let passed = forms.iter().skip(1).map(Form::passed);
        let result = results::ty(run, &self.split.run.result);
        let (doc, run_doc) =
            (message::frozen_doc(&model.to_string()), message::frozen_run_doc(&model.to_string()));
        let own = arguments::generics(&self.params);
        let used = arguments::generics_used(&self.params);
        // Sizes that only the other arguments' types have.
        let more = arguments::generics_besides(run.model, &self.params);
        // A type with sizes has no one name.
        let named = own.is_empty().then(|| {
            quote! {
                impl ::kiln::Freeze for #model {
                    type Frozen = FrozenModel;
                }
            }
        });
        let count = Literal::usize_unsuffixed(fields.len());
        let (declared, accessors) = match self.is_many() {
            true => (
                quote!(all: [::kiln::Tensor<f32>; #count]),
                quote! {
                    impl #own ::kiln::rt::Each for FrozenModel #used {
                        fn each<'a>(&'a self, see: &mut dyn ::core::ops::FnMut(::kiln::LeafTensor<'a>)) {
                            self.all.iter().for_each(|tensor| see(tensor.into()));
                        }
                    }
                },
            ),
            false => (
                quote!(#(#fields: ::kiln::Tensor<#types>),*),
                quote! {
                    impl #own FrozenModel #used {
                        fn __kiln_fields(&self) -> (#(&::kiln::Tensor<#types>,)*) { (#(&self.#fields,)*) }
                    }
                },
            ),
        };
        quote! {
            #[doc = #doc]
            #[derive(Clone, Debug)]
            pub struct FrozenModel #own { #declared }
            #accessors
            impl #own FrozenModel #used {
                #[doc = #run_doc]
                pub fn run #more(&self, #(#parameters),*) -> ::kiln::Result<#result> {
                    <#model>::#inner(self, #(#passed),*)
                }
            }
            #named
        }
    }

    /// What is kept in another form than the graph says.
    fn formed(&self, kept: &TokenStream, form: &Ready) -> TokenStream {
        let dims = Dims { syms: &self.split.run.func.syms };
        match form {
            Ready::Points(winograd) => {
                let tiles = tiles(winograd);
                quote!(::kiln::rt::at_points(&#kept, #tiles))
            }
            Ready::Panels(panels) => {
                let layers = panels.layers.as_ref().map_or(quote!(1), |n| dims.dim(n));
                let [rows, cols] = [&panels.rows, &panels.cols].map(|side| dims.axes(side));
                let len = dims.dim(&panels.elements());
                quote!(::kiln::rt::in_panels(&#kept, #layers, #rows, #cols, #len))
            }
        }
    }

    fn functions(&self, once: &Entry, run: &Entry) -> TokenStream {
        let (inner, doc) = (once.inner_name(), message::freeze_doc(&once.model.ident.to_string()));
        let forms = arguments::forms(once);
        let parameters = forms.iter().map(Form::inner_parameter);
        let names: Vec<&Ident> = forms.iter().map(|form| &form.name).collect();
        let (own, used) = (arguments::generics(once.model), arguments::generics_used(once.model));
        let (first, second) = (once.inner(), run.inner());
        let made = quote!(Self::#inner(#(#names),*)?);
        let body = if self.is_many() { self.array(&names, &made) } else { self.by_field(&names, &made) };
        quote! {
            #[doc = #doc]
            #[inline]
            pub fn freeze #own(#(#parameters),*) -> ::kiln::Result<FrozenModel #used> { #body }
            #first
            #second
        }
    }

    /// What is shared of each argument: the numbers of the fields, and how they are had.
    fn shared(&self, names: &[&Ident]) -> Vec<(std::ops::Range<usize>, TokenStream)> {
        let mut begin = 0;
        let alike = self.split.shared.chunk_by(|a, b| (a.0, a.2) == (b.0, b.2));
        let all = alike.map(|leaves| {
            let (name, dtype) = (names[leaves[0].0], super::stub::dtype(leaves[0].2));
            let numbers = leaves.iter().map(|leaf| Literal::usize_unsuffixed(leaf.1));
            let fields = begin..begin + leaves.len();
            begin = fields.end;
            (fields, quote!(::kiln::rt::shared::<#dtype, _>(#name, [#(#numbers),*])))
        });
        all.collect()
    }

    fn by_field(&self, names: &[&Ident], made: &TokenStream) -> TokenStream {
        let fields = self.fields();
        // An argument may be called as a field is.
        let bound: Vec<Ident> = fields.iter().map(|field| format_ident!("__{field}")).collect();
        let own = &bound[self.split.shared.len()..];
        let shared = self.shared(names).into_iter().map(|(numbers, value)| {
            let fields = &bound[numbers];
            quote!(let [#(#fields),*] = #value;)
        });
        let kept = bound.iter().enumerate().map(|(input, bound)| match self.run.frozen.get(&input) {
            Some(form) => self.formed(&quote!(#bound), form),
            None => quote!(#bound),
        });
        quote! {
            let (#(#own,)*) = #made;
            #(#shared)*
            ::core::result::Result::Ok(FrozenModel { #(#fields: #kept),* })
        }
    }

    fn array(&self, names: &[&Ident], made: &TokenStream) -> TokenStream {
        let shared = self.shared(names).into_iter().map(|(_, value)| value);
        let made = match &self.split.once.result {
            Ret::Tuple(values) => {
                let fields: Vec<Ident> =
                    (0..values.len()).map(|i| format_ident!("{}", split::field(i))).collect();
                quote!({ let (#(#fields,)*) = #made; [#(#fields),*] })
            }
            _ => made.clone(),
        };
        let formed = self.run.frozen.iter().map(|(input, form)| {
            let at = Literal::usize_unsuffixed(*input);
            let value = self.formed(&quote!(__all[#at]), form);
            quote!(__all[#at] = #value;)
        });
        quote! {
            let __made = #made;
            let mut __all = ::kiln::rt::all(::core::iter::empty()#(.chain(#shared))*.chain(__made));
            #(#formed)*
            ::core::result::Result::Ok(FrozenModel { all: __all })
        }
    }
}

/// What stands in place of `freeze` where there is nothing to freeze: a message at its call.
pub fn refusal(model: &Model) -> TokenStream {
    let known = model.known().next().is_some();
    let updated = model.args.iter().any(|arg| matches!(arg.kind, ArgKind::ParamsMut(_)));
    let why = match (known, updated) {
        _ if model.result.holds_params() => "ReturnsTensors",
        (true, _) => "HasOneGraph",
        (_, true) => "UpdatesNoParams",
        _ => "HasParams",
    };
    let why = format_ident!("{why}");
    quote! {
        #[doc(hidden)]
        pub fn freeze<P: ::kiln::rt::#why<Self>>(_: P) {}
    }
}

fn is_frozen(arg: &Arg) -> bool {
    matches!(arg.kind, ArgKind::Params(_))
}

fn symbol(traced: &Traced, name: &Ident) -> Option<Sym> {
    let at = traced.func.syms.0.iter().position(|info| *name == info.name)?;
    Some(Sym(at as u32))
}

fn entry<'a>(model: &'a Model, name: &str, traced: &'a Traced, compiled: &'a Compiled) -> Entry<'a> {
    Entry { model, name: format_ident!("{name}"), declared: model.args.clone(), traced, compiled, case: &[] }
}
