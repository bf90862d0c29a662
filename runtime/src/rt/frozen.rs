//! Why a model can't be frozen, or called: bounds that nothing meets, for their messages at the call.

/// Of a model that takes its parameters by `&mut`.
#[diagnostic::on_unimplemented(
    message = "`{M}` can't be frozen: it updates its parameters",
    label = "what is updated at each call can't be computed once",
    note = "freeze a model that takes its params by `&`"
)]
pub trait UpdatesNoParams<M> {}

/// Of a model without parameters.
#[diagnostic::on_unimplemented(
    message = "`{M}` can't be frozen: it has no parameters",
    label = "there is nothing to compute once",
    note = "call `{M}` itself"
)]
pub trait HasParams<M> {}

/// Of a model with arguments that are known while compiling.
#[diagnostic::on_unimplemented(
    message = "`{M}` can't be frozen: each value of its `bool`s is a graph of its own",
    label = "one graph is frozen",
    note = "freeze a model that calls it with `true` or `false`: `#[model] fn infer(…) -> … {{ {M}(…, false) }}`"
)]
pub trait HasOneGraph<M> {}

/// Of a model that returns params.
#[diagnostic::on_unimplemented(
    message = "`{M}` can't be frozen: it returns params",
    label = "what is frozen returns tensors",
    note = "freeze a model that calls it"
)]
pub trait ReturnsTensors<M> {}

/// Of a model that only a call in another model gives all it must know.
#[diagnostic::on_unimplemented(
    message = "`{M}` has arguments that must be known while compiling, so only models can call it",
    label = "no function was compiled for this",
    note = "call it in a model with literals, `#[model] fn net(…) -> … {{ {M}(…, 8) }}`; or call `{M}::eager`"
)]
pub trait CalledInModels<M> {}
