//! Operations on whole trees: each is one function of the graph over all trained leaves.

use std::panic::Location;

use kiln_ir::composite::optim;
use kiln_ir::{Builder, DType, Role, Syms, Value};

use super::Any;
use super::call::{Compiled, Given, apply, call, failed, first};
use super::tape::Track;
use crate::{LeafKind, Params, Result, Tensor};

/// See [`Params::norm`].
#[track_caller]
pub(crate) fn norm(tree: &impl Params) -> Tensor {
    let made = mapped(tree, |b, leaves| Ok(vec![optim::grad_norm(b, leaves)?]));
    match made {
        Ok(norms) => first(norms),
        Err(fault) => failed(fault),
    }
}

/// See [`Params::clip_norm`].
#[track_caller]
pub(crate) fn clip_norm<P: Params>(tree: &P, max: f64) -> P {
    replaced(tree, mapped(tree, |b, leaves| optim::clip_norm(b, leaves, max)))
}

/// See [`Params::clip_value`].
#[track_caller]
pub(crate) fn clip_value<P: Params>(tree: &P, max: f64) -> P {
    replaced(tree, mapped(tree, |b, leaves| optim::clip_value(b, leaves, max)))
}

/// `tree_map(f)(…)` when a model runs eagerly: the tree of what `f` makes of the leaves in one place, each in f32, rounded to the type
/// of the first tree's.
#[track_caller]
pub fn tree_map<P: Params, const N: usize>(trees: [&P; N], mut f: impl FnMut([Tensor; N]) -> Tensor) -> P {
    let leaves = trees.map(|tree| tree.named_leaves().into_iter().map(|leaf| leaf.tensor.any()));
    let mut leaves = leaves.map(|each| each.collect::<Vec<Any>>().into_iter());
    with_leaves(
        trees[0],
        |_| true,
        |old| {
            let parts = leaves.each_mut().map(|each| each.next().unwrap_or_else(|| old.clone()));
            let made = f(parts.map(|part| first(cast(part, DType::F32))));
            cast(Any::new(made), old.dtype()).remove(0)
        },
    )
}

/// Params by value, where a body may have them by reference.
pub trait Whole: Params {
    /// A clone, whose tensors share their elements.
    #[doc(hidden)]
    fn __kiln_whole(&self) -> Self {
        self.clone()
    }
}

impl<P: Params> Whole for P {}

/// A tensor in another type, alone.
#[track_caller]
fn cast(x: Any, to: DType) -> Vec<Any> {
    if x.dtype() == to {
        return vec![x];
    }
    let like = x.clone();
    call("to", vec![Given::Tensor(x), Given::Dtype(to)]).unwrap_or_else(|fault| vec![like.failed(fault)])
}

/// The results of a function of a tree's trained leaves.
#[track_caller]
fn mapped(
    tree: &impl Params,
    build: impl FnOnce(&mut Builder, &[Value]) -> Result<Vec<Value>, kiln_ir::Error>,
) -> Result<Vec<Any>, Track> {
    let at = Location::caller();
    let inputs = trained(tree);
    if let Some(bad) = inputs.iter().find(|x| x.track().is_fault()) {
        return Err(bad.track().clone());
    }
    function("tree", inputs, build).map_err(|what| Track::fault(what, at))
}

/// The results of a function built for these inputs, or what is wrong with them.
pub(crate) fn function(
    name: &str,
    inputs: Vec<Any>,
    build: impl FnOnce(&mut Builder, &[Value]) -> Result<Vec<Value>, kiln_ir::Error>,
) -> Result<Vec<Any>, String> {
    let mut b = Builder::new(name, Syms::default());
    let values: Vec<Value> = inputs.iter().map(|x| b.input("x", x.ty(), Role::Parameter)).collect();
    let results = build(&mut b, &values).map_err(|error| error.to_string())?;
    results.iter().for_each(|v| b.output("out", *v, None));
    apply(&Compiled::new(b.finish()), inputs).map_err(|error| error.to_string())
}

/// The trained leaves, in order.
pub(crate) fn trained(tree: &impl Params) -> Vec<Any> {
    let leaves = tree.named_leaves().into_iter().filter(|leaf| leaf.kind == LeafKind::Parameter);
    leaves.map(|leaf| leaf.tensor.any()).collect()
}

/// The tree with other trained leaves; all of them the fault, if there is one.
fn replaced<P: Params>(tree: &P, made: Result<Vec<Any>, Track>) -> P {
    let mut new = made.as_ref().map(|made| made.iter());
    with_trained(tree, |old| match &mut new {
        Ok(made) => made.next().cloned().unwrap_or(old),
        Err(fault) => old.failed(fault.clone()),
    })
}

/// A clone of the tree whose trained leaves are made of the old ones.
pub(crate) fn with_trained<P: Params>(tree: &P, made: impl FnMut(Any) -> Any) -> P {
    with_leaves(tree, |kind| kind == LeafKind::Parameter, made)
}

/// A clone of the tree whose leaves of some kinds are made of the old ones.
pub(crate) fn with_leaves<P: Params>(
    tree: &P,
    of: impl Fn(LeafKind) -> bool,
    mut made: impl FnMut(Any) -> Any,
) -> P {
    let mut tree = tree.clone();
    let mut leaves = Vec::new();
    tree.leaves_mut("", &mut leaves);
    for leaf in leaves.into_iter().filter(|leaf| of(leaf.kind)) {
        let old = leaf.tensor.as_ref().any();
        leaf.tensor.set(made(old));
    }
    tree
}
