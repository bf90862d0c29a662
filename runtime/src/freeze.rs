//! Models with frozen parameters.

/// A model that can be frozen: `mlp::freeze(&net)` computes once what hangs on the parameters alone (transposes,
/// folded norms), and `run(x)` of the result does the rest.
pub trait Freeze {
    /// What is kept.
    type Frozen;
}

/// The type of a frozen model, to name it: `Frozen<mlp>` is what `mlp::freeze(&net)` returns.
pub type Frozen<M> = <M as Freeze>::Frozen;
