//! Models that call themselves by way of others: none of them could be asked for its sources first.

use super::Source;
use super::outline::ItemKind;
use super::scope::{Found, Place, Space};
use crate::link;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// A model, by its file and the token of its name.
type Node = (PathBuf, usize);

/// The models that a model calls, each by the path as it is written.
type Calls = Vec<(String, Node, (Place, usize))>;

/// The calls that lead back to the model, and whether it is the one that reports it.
pub struct Cycle {
    /// The paths of the calls, with the names of the models called.
    pub calls: Vec<(String, String)>,
    /// Whether no model of the circle stands before it.
    pub first: bool,
}

/// What circle a model is part of.
pub fn cycle(source: &Source, place: &Place, index: usize) -> Option<Cycle> {
    let own = node(place, index);
    let mut known: BTreeMap<Node, Calls> = BTreeMap::new();
    explore(source, place, index, &mut known);
    let around = leading_to(&known, &own);
    let calls = known[&own].iter().filter(|(_, callee, _)| *callee != own && around.contains(callee));
    let calls: Vec<(String, String)> =
        calls.map(|(path, _, (place, index))| (path.clone(), place.item(*index).name.clone())).collect();
    let first = around.iter().all(|n| *n >= own);
    (!calls.is_empty()).then_some(Cycle { calls, first })
}

fn node(place: &Place, index: usize) -> Node {
    (place.path.clone(), place.item(index).at)
}

fn explore(source: &Source, place: &Place, index: usize, known: &mut BTreeMap<Node, Calls>) {
    let own = node(place, index);
    if known.contains_key(&own) {
        return;
    }
    let found = calls(source, place, index);
    known.insert(own, found.clone());
    for (_, _, (place, index)) in found {
        explore(source, &place, index, known);
    }
}

fn calls(source: &Source, place: &Place, index: usize) -> Calls {
    let mut calls = Vec::new();
    let paths = place.outline().calls(place.item(index), |text| {
        let models = syn::parse_str(text).map(|item| link::models_in(&item)).unwrap_or_default();
        models.iter().map(link::text_of_path).collect()
    });
    for path in paths {
        let segments: Vec<String> = path.split("::").map(String::from).collect();
        if let Found::Item(at, index) = place.resolve(source, &segments, Space::Values)
            && at.item(index).marked
            && at.item(index).kind == ItemKind::Function
        {
            calls.push((path, node(&at, index), (at, index)));
        }
    }
    calls
}

/// The models from which calls lead to one.
fn leading_to(known: &BTreeMap<Node, Calls>, to: &Node) -> BTreeSet<Node> {
    let mut found = BTreeSet::new();
    loop {
        let leads = |calls: &Calls| calls.iter().any(|(_, next, _)| next == to || found.contains(next));
        let more: Vec<Node> = known
            .iter()
            .filter(|(n, calls)| !found.contains(*n) && leads(calls))
            .map(|(n, _)| n.clone())
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}
