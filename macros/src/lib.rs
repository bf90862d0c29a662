//! The proc macros of Kiln. Invariant: no logic here; each macro hands its tokens to `kiln-compiler`.

use kiln_compiler::source::Source;
use proc_macro::{Span, TokenStream};

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
/// - `#[name("0")]` on any field is its name in files, where that is no name in Rust: layer 0 of an `nn.Sequential`.
///   `#[name("layer1.1", "layer1.2")]` names the layers of an array one by one, otherwise numbered from 0 under its name;
///   under `#[name("")]` what a struct holds stands beside its owner's fields, under `#[name("*_l0")]` with their own names where the
///   `*` is, and under `#[name("*_l{1}")]` those of an array's layers with numbers from 1.
/// - `#[params(crate = k)]` where `Cargo.toml` has `k = { package = "kiln", … }`.
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
    with_source(|source| kiln_compiler::params::expand(attr.into(), item.into(), source)).into()
}

/// Compiles a function over tensors while the crate is built.
///
/// An argument is a tensor with its dims (`Tensor<N, 784>`, `Tensor<i64, N>`), a tree of parameters (`&Net`), or state
/// that is updated in place (`&mut Net`, `&mut Adam<Net>`, `&mut Tensor<N>`). A dim that is a generic of the function
/// is free: it is read from the arguments at each call. The function that is left behind takes anything that views as a
/// tensor ([`AsTensor`](https://docs.rs/kiln)) and returns a `kiln::Result`, whose error is a shape that doesn't fit.
///
/// - `f::value_and_grad`, `f::grad`: of a model that returns a float scalar, with respect to its params. `f::vjp` of any
///   other.
/// - `f::freeze(&net)`: what hangs on the parameters alone is computed once, `run(x)` does the rest. It takes all that the
///   model takes by `&`; state by `&mut` is an argument of `run`.
/// - `f::PLAN` to read, `f::PARAM_COUNT`, `f::FLOPS`, `f::MULTIPLY_ADDS`, `f::SCRATCH_BYTES`; where they depend on free dims without a bound
///   they are functions of these in lower case.
/// - `#[model(N <= 32)]` bounds a free dim, `#[model(grad(x))]` takes the gradient of a tensor too, `#[model(inline)]`
///   is a building block for other models alone. `#[model(crate = k)]` where `Cargo.toml` has `k = { package = "kiln", … }`.
///
/// ```
/// use kiln::prelude::*;
///
/// #[params]
/// struct Mlp {
///     fc1: Linear<2, 8>,
///     fc2: Linear<8, 1>,
/// }
///
/// #[model]
/// fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 2>) -> Tensor<N, 1> {
///     net.fc2.forward(net.fc1.forward(x).tanh())
/// }
///
/// #[model]
/// fn loss<const N: usize>(net: &Mlp, x: Tensor<N, 2>, y: Tensor<N, 1>) -> Tensor<> {
///     mse_loss(mlp(net, x), y)
/// }
///
/// #[model]
/// fn train<const N: usize>(net: &mut Mlp, opt: &mut Adam<Mlp>, x: Tensor<N, 2>, y: Tensor<N, 1>) -> Tensor<> {
///     let (loss, grads) = value_and_grad(loss)(net, x, y);
///     opt.step(net, grads);
///     loss
/// }
///
/// let mut net = Mlp::init(&mut Rng::seed(0));
/// let mut opt = Adam::new(&net, 0.05);
/// let (x, y) = ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [[0.0], [1.0], [1.0], [0.0]]);
/// for _ in 0..300 {
///     train(&mut net, &mut opt, x, y)?;
/// }
/// assert!(loss(&net, x, y)?.item()? < 0.01);
/// assert!(mlp(&net, [[1.0, 2.0, 3.0]]).is_err());
/// # Ok::<(), kiln::Error>(())
/// ```
#[proc_macro_attribute]
pub fn model(attr: TokenStream, item: TokenStream) -> TokenStream {
    with_source(|source| kiln_compiler::model::expand(attr.into(), item.into(), source)).into()
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

/// The file that an item stands in: editors may have none.
fn with_source<T>(run: impl FnOnce(Option<&Source>) -> T) -> T {
    let read = |path: &std::path::Path| std::fs::read_to_string(path).ok();
    match Span::call_site().local_file() {
        Some(path) => run(Some(&Source::new(&path, &read))),
        None => run(None),
    }
}
