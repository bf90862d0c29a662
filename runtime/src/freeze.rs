//! Models with frozen parameters.

/// A model that can be frozen: `mlp::freeze(&net)` computes once what hangs on the parameters alone (transposes,
/// folded norms), and `run(x)` of the result does the rest.
///
/// `f::freeze(&net)` takes what the model takes by `&`: `f::freeze(&encoder, &decoder)` of two nets. State that it takes by
/// `&mut`, such as a cache, is an argument of `run`. A model that takes its parameters by `&mut` updates them, so that there
/// is nothing to freeze.
///
/// ```
/// use kiln::prelude::*;
///
/// #[params]
/// struct Net {
///     fc: Linear<2, 2>,
/// }
///
/// /// Adds what the net makes of `x` to what is remembered.
/// #[model]
/// fn remember<const N: usize>(net: &Net, memory: &mut Tensor<N, 2>, x: Tensor<N, 2>) -> Tensor<N, 2> {
///     *memory = memory + net.fc.forward(x);
///     *memory
/// }
///
/// struct Server {
///     net: kiln::Frozen<remember>,
///     memory: Tensor,
/// }
///
/// let net = Net::init(&mut Rng::seed(0));
/// let mut server = Server { net: remember::freeze(&net)?, memory: Tensor::zeros([1, 2]) };
/// let once = server.net.run(&mut server.memory, [[1.0, -1.0]])?;
/// let twice = server.net.run(&mut server.memory, [[1.0, -1.0]])?;
/// assert_eq!(twice.as_slice()[0], 2.0 * once.as_slice()[0]);
/// # Ok::<(), kiln::Error>(())
/// ```
/// Beside the params, what is frozen takes memory of its own. `f::into_frozen(net)` takes the params for itself: each tensor that is
/// kept as it is moves, each other one is let go of as soon as its frozen form is made, and a normalization is folded into weights
/// where they lie, so that nothing is held twice, neither meanwhile nor later. (Of params that a clone shares, the clone keeps what is
/// its.) `f::FROZEN_BYTES` says how much is kept.
///
/// ```
/// use kiln::prelude::*;
///
/// #[params]
/// struct Net {
///     fc: Linear<256, 256>,
/// }
///
/// #[model]
/// fn net<const N: usize>(net: &Net, x: Tensor<N, 256>) -> Tensor<N, 256> {
///     net.fc.forward(x)
/// }
///
/// let params = Net::init(&mut Rng::seed(0));
/// let x: Tensor = Tensor::ones([1, 256]);
/// let lent = net::freeze(&params)?.run(&x)?;
/// let frozen: kiln::Frozen<net> = net::into_frozen(params)?;
/// assert_eq!(frozen.run(&x)?, lent);
/// // The weight in panels, and the bias.
/// assert!(net::FROZEN_BYTES < 4 * (256 * 256 + 256) + 512);
/// # Ok::<(), kiln::Error>(())
/// ```
pub trait Freeze {
    /// What is kept.
    type Frozen;
}

/// The type of a frozen model, to name it: `Frozen<mlp>` is what `mlp::freeze(&net)` returns. A model whose params have free
/// dims (`&Linear<I, O>`) has one type for each size, and so none of that name: put a model with literal dims around it.
pub type Frozen<M> = <M as Freeze>::Frozen;
