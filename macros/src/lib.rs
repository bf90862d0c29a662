//! The proc macros of Kiln. Invariant: no logic here; each macro hands its tokens to `kiln-compiler`.

use proc_macro::TokenStream;

/// Makes a struct of tensors the parameters of a model.
///
/// A field is a tensor with its dims (`Tensor<O, I>`), another params struct, or an array of those. The
/// macro emits the struct with run-time tensors and implements `kiln::Params` for it: `init`, and the named
/// leaves (`"fc1.weight"`). Generics are sizes: `const N: usize`.
///
/// - `#[params(forward = path)]` names the model behind `.forward(x)`.
/// - `#[init(normal(0.0, 0.02))]` on a tensor chooses its initializer, any expression over `kiln::init`.
///   Without it a tensor of rank 2 or more is drawn by `fan_uniform` and others are zeros.
/// - `#[buffer]` on a tensor marks state that is not trained.
///
/// ```
/// use kiln::prelude::*;
///
/// #[params]
/// pub struct Linear<const I: usize, const O: usize> {
///     weight: Tensor<O, I>,
///     bias: Tensor<O>,
/// }
///
/// let layer = Linear::<3, 2>::init(&mut Rng::seed(0));
/// assert_eq!(layer.weight.shape(), [2, 3]);
/// ```
#[proc_macro_attribute]
pub fn params(attr: TokenStream, item: TokenStream) -> TokenStream {
    kiln_compiler::params::expand(attr.into(), item.into()).into()
}

/// Compiles a function over tensors.
///
/// The function's types are Kiln's: `Tensor<[dtype,] dims…>`, `&P` and `&mut P` of `#[params]` structs. What is left
/// behind takes anything that views as a tensor and returns `kiln::Result`.
#[proc_macro_attribute]
pub fn model(attr: TokenStream, item: TokenStream) -> TokenStream {
    kiln_compiler::model::expand(attr.into(), item.into()).into()
}

/// A link of the chain that collects the sources of a model.
#[doc(hidden)]
#[proc_macro]
pub fn __link(tokens: TokenStream) -> TokenStream {
    kiln_compiler::link::step(tokens.into()).into()
}

/// The hidden macros of what the compiler knows.
#[doc(hidden)]
#[proc_macro]
pub fn __builtins(_: TokenStream) -> TokenStream {
    kiln_compiler::link::builtins().into()
}
