//! `f::freeze(&net)`: what hangs on the parameters alone is computed, and kept in a struct whose `run` does the rest.
//! `f::into_frozen(net)` takes the params for itself: leaf by leaf they are written over, packed and let go of.
//!
//! What the model takes by `&` is frozen, state that it takes by `&mut` is an argument of `run`. Sizes in the types of what is
//! frozen are generics of the struct.

use super::arguments::{self, Form, FormKind};
use super::entry::Entry;
use super::results;
use super::sizes::Sizes;
use super::split::{self, Leaf, Split};
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
pub struct Freeze<'a> {
    /// The whole model's graph.
    traced: &'a Traced,
    /// The model with the arguments that are frozen alone.
    params: Model,
    /// The model with the struct and all other arguments.
    rest: Model,
    split: Split,
    once: Compiled,
    run: Compiled,
}

impl<'a> Freeze<'a> {
    /// The halves of a model that takes params by `&`; `None` for any other.
    pub fn new(model: &Model, traced: &'a Traced, unit: &mut Unit) -> Option<Freeze<'a>> {
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
        if split.once.args.iter().any(|arg| arg.mutable) {
            params.args.iter_mut().for_each(|arg| arg.kind = updated(&arg.kind));
        }
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
        Some(Freeze { traced, params, rest, split, once, run })
    }

    /// Bytes of all that is kept.
    pub fn bytes(&self) -> Dim {
        let kept = &self.split.run.func.inputs[..self.split.kept()];
        kept.iter().fold(Dim::from(0), |sum, kept| sum + kept.ty.numel() * Dim::from(kept.ty.dtype.size()))
    }

    /// What the plan says of it.
    pub fn summary(&self) -> String {
        let bytes = self.bytes().display(&self.split.run.func.syms).to_string();
        format!("frozen, {bytes} bytes kept: {}", self.run.summary)
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

    /// What is kept of a leaf, or of what was made, in the form that is wanted.
    fn formed(&self, input: usize, kept: &TokenStream) -> TokenStream {
        let dims = Dims { syms: &self.split.run.func.syms };
        let layers = self.split.taken.get(input).and_then(|leaf| leaf.layers);
        let joined = layers.map_or_else(|| kept.clone(), |_| quote!(::kiln::rt::joined(#kept)));
        match self.run.frozen.get(&input) {
            None => joined,
            Some(Ready::Points(winograd)) => {
                let tiles = tiles(winograd);
                quote!(::kiln::rt::at_points(#joined, #tiles))
            }
            Some(Ready::Panels(panels)) => {
                let [rows, cols] = [&panels.rows, &panels.cols].map(|side| dims.axes(side));
                let len = dims.dim(&panels.elements());
                let operands = panels.layers.as_ref().map_or_else(|| Dim::from(1), Dim::clone);
                if layers.is_some_and(|[count, _]| operands.is(count as i64)) {
                    return quote!(::kiln::rt::layers_in_panels(#kept, #rows, #cols, #len));
                }
                let operands = dims.dim(&operands);
                quote!(::kiln::rt::in_panels(#joined, #operands, #rows, #cols, #len))
            }
        }
    }

    fn functions(&self, once: &Entry, run: &Entry) -> TokenStream {
        let (inner, name) = (once.inner_name(), once.model.ident.to_string());
        let (doc, owned_doc) = (message::freeze_doc(&name), message::into_frozen_doc(&name));
        let forms = arguments::forms(once);
        let names: Vec<&Ident> = forms.iter().map(|form| &form.name).collect();
        let types = forms.iter().filter_map(|form| match form.kind {
            FormKind::Tree(ty) => Some(ty),
            _ => None,
        });
        let types: Vec<&syn::Type> = types.collect();
        let (own, used) = (arguments::generics(once.model), arguments::generics_used(once.model));
        let (first, second) = (once.inner(), run.inner());
        let lent = forms.iter().map(|form| if form.arg.mutable { quote!(&mut) } else { quote!(&) });
        let made = quote!(Self::#inner(#(#lent #names),*)?);
        let body = if self.is_many() { self.array(&names, &made) } else { self.by_field(&names, &made) };
        quote! {
            #[doc = #doc]
            #[inline]
            pub fn freeze #own(#(#names: &#types),*) -> ::kiln::Result<FrozenModel #used> {
                Self::into_frozen(#(::core::clone::Clone::clone(#names)),*)
            }
            #[doc = #owned_doc]
            #[inline]
            pub fn into_frozen #own(#(mut #names: #types),*) -> ::kiln::Result<FrozenModel #used> { #body }
            #first
            #second
        }
    }

    /// What is taken of the arguments: the numbers of the fields, and how they are had.
    fn taken(&self, names: &[&Ident]) -> Vec<(std::ops::Range<usize>, TokenStream)> {
        let mut begin = 0;
        let follows = |a: &Leaf, b: &Leaf| {
            (a.arg, a.dtype) == (b.arg, b.dtype) && a.leaf < b.leaf && a.layers.or(b.layers).is_none()
        };
        let all = self.split.taken.chunk_by(follows).map(|leaves| {
            let (name, dtype) = (names[leaves[0].arg], super::stub::dtype(leaves[0].dtype));
            let model = self.params.ident.to_string();
            let rows = leaves.iter().map(|leaf| self.row(leaf));
            let fields = begin..begin + leaves.len();
            begin = fields.end;
            let value = match leaves[0].layers {
                None => quote!(::kiln::rt::taken::<#dtype, _>(&mut #name, #model, &[#(#rows),*])?),
                Some(layers) => {
                    let [count, step] = layers.map(Literal::usize_unsuffixed);
                    quote!(::kiln::rt::taken_layers::<#dtype>(&mut #name, #model, #(#rows),*, [#count, #step])?)
                }
            };
            (fields, value)
        });
        all.collect()
    }

    /// A leaf's number, its path, and its extents twice: to compare with, and as the signature has them.
    fn row(&self, leaf: &Leaf) -> TokenStream {
        let (input, sizes) = (&self.traced.func.inputs[leaf.input], Sizes::new(self.traced));
        let own = &input.ty.shape[usize::from(input.apart)..];
        let (number, name) = (Literal::usize_unsuffixed(leaf.leaf), &input.name);
        let (dims, text) = (sizes.list(own), sizes.shape_text(own));
        quote!((#number, #name, &[#dims], #text))
    }

    fn by_field(&self, names: &[&Ident], made: &TokenStream) -> TokenStream {
        let fields = self.fields();
        // An argument may be called as a field is.
        let bound: Vec<Ident> = fields.iter().map(|field| format_ident!("__{field}")).collect();
        let own = &bound[self.split.taken.len()..];
        let taken = self.taken(names).into_iter().map(|(numbers, value)| {
            let fields = &bound[numbers.clone()];
            match self.split.taken[numbers.start].layers {
                None => quote!(let [#(#fields),*] = #value;),
                Some(_) => quote!(let #(#fields)* = #value;),
            }
        });
        let kept = bound.iter().enumerate().map(|(input, bound)| self.formed(input, &quote!(#bound)));
        quote! {
            let (#(#own,)*) = #made;
            #(#taken)*
            #(::core::mem::drop(#names);)*
            ::core::result::Result::Ok(FrozenModel { #(#fields: #kept),* })
        }
    }

    fn array(&self, names: &[&Ident], made: &TokenStream) -> TokenStream {
        let in_layers = |input: usize| self.split.taken.get(input).is_some_and(|leaf| leaf.layers.is_some());
        let taken = self.taken(names).into_iter().map(|(numbers, value)| match in_layers(numbers.start) {
            true => {
                let formed = self.formed(numbers.start, &value);
                quote!([#formed])
            }
            false => value,
        });
        let made = match &self.split.once.result {
            Ret::Tuple(values) => {
                let fields: Vec<Ident> =
                    (0..values.len()).map(|i| format_ident!("{}", split::field(i))).collect();
                quote!({ let (#(#fields,)*) = #made; [#(#fields),*] })
            }
            _ => made.clone(),
        };
        let formed = self.run.frozen.keys().filter(|input| !in_layers(**input)).map(|input| {
            let at = Literal::usize_unsuffixed(*input);
            let value = self.formed(*input, &quote!(::core::mem::take(&mut __all[#at])));
            quote!(__all[#at] = #value;)
        });
        quote! {
            let __made = #made;
            let mut __all = ::kiln::rt::all(::core::iter::empty()#(.chain(#taken))*.chain(__made));
            #(::core::mem::drop(#names);)*
            #(#formed)*
            ::core::result::Result::Ok(FrozenModel { all: __all })
        }
    }
}

/// The argument as one that is written over.
fn updated(kind: &ArgKind) -> ArgKind {
    match kind {
        ArgKind::Params(ty) => ArgKind::ParamsMut(ty.clone()),
        other => other.clone(),
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
        #[doc(hidden)]
        pub fn into_frozen<P: ::kiln::rt::#why<Self>>(_: P) {}
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
