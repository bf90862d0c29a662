//! Why a model can't be frozen: bounds that nothing meets, for their messages at the call of `freeze`.

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
