//! Splits a graph by what it depends on: what hangs on the parameters alone is computed once, the rest at each call.
//!
//! A value whose shape has a free dim can't be computed before the call, and one that is only broadcast is stored
//! as it was before: the kernel that reads it broadcasts for nothing. So does one that reads a narrow float as f32.

use super::scales;
use super::table::MANY;
use crate::fuse;
use crate::traced::{Arg, Ret, Traced, Tree};
use kiln_ir::{Builder, DType, Error, Func, Op, Role, Sym, SymKind, Value};
use std::collections::BTreeMap;

/// The two halves.
pub struct Split {
    /// The leaves of params that are kept: as they are, and then those that `once` has written a value over.
    pub taken: Vec<Leaf>,
    /// From the params to the other values that are stored, behind those.
    pub once: Traced,
    /// From what is kept, which is its first argument, and the other arguments to the results.
    pub run: Traced,
}

/// A leaf of what is frozen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// The argument that has it.
    pub arg: usize,
    /// Which of the argument's leaves it is; the first layer's, if layers have one each.
    pub leaf: usize,
    /// The input that it is of the whole graph.
    pub input: usize,
    pub dtype: DType,
    /// How many layers there are, and how many leaves from one's to the next one's.
    pub layers: Option<[usize; 2]>,
}

impl Split {
    /// How many values are kept.
    pub fn kept(&self) -> usize {
        self.taken.len() + self.made()
    }

    /// How many of them have memory of their own.
    pub fn made(&self) -> usize {
        self.once.func.outputs.iter().filter(|o| o.updates.is_none()).count()
    }
}

/// Splits a model by the arguments that are frozen, none of which is updated. `known` has the free dims that these
/// arguments' types tell. `exact`: each sum is rounded where it was.
///
/// # Errors
/// None in a graph that was built before.
pub fn split(traced: &Traced, frozen: &[usize], known: &[Sym], exact: bool) -> Result<Split, Error> {
    let mut ready = ready(traced, frozen, known);
    let folded;
    let traced = match exact {
        true => traced,
        false => {
            folded = Traced { func: scales::fold(&traced.func, &ready)?, ..traced.clone() };
            ready = self::ready(&folded, frozen, known);
            &folded
        }
    };
    let mut stored = stored(&traced.func, &ready);
    let leaves = leaves(traced, frozen);
    let leaf = |v: &Value| input_of(&traced.func, *v).and_then(|input| leaves.get(&input).copied());
    stored.sort_by_key(|v| leaf(v).map_or((1, 0, 0), |leaf| (0, leaf.arg, leaf.leaf)));
    let mut taken: Vec<Leaf> = stored.iter().map_while(leaf).collect();
    let own = &mut stored[taken.len()..];
    let over = overwritten(&once(traced, frozen, own, &BTreeMap::new())?.func, traced, &leaves, &taken);
    let over: BTreeMap<Value, Leaf> = over.into_iter().map(|(at, leaf)| (own[at], leaf)).collect();
    own.sort_by_key(|v| over.get(v).map_or((1, 0, 0), |leaf| (0, leaf.arg, leaf.leaf)));
    taken.extend(own.iter().map_while(|v| over.get(v)));
    let once = once(traced, frozen, own, &over)?;
    Ok(Split { once, run: run(traced, frozen, &stored)?, taken })
}

/// The number of the input that a value is.
fn input_of(func: &Func, v: Value) -> Option<usize> {
    match func.node(v).op {
        Op::Input(input) => Some(input as usize),
        _ => None,
    }
}

/// The inputs that are tensors of their own among the leaves of what is frozen, or a tensor a layer.
fn leaves(traced: &Traced, frozen: &[usize]) -> BTreeMap<usize, Leaf> {
    let dtype = |input: usize| traced.func.inputs[input].ty.dtype;
    let is_tensor = |input: &usize| matches!(dtype(*input), DType::F32 | DType::BF16 | DType::F16);
    let mut found = BTreeMap::new();
    for (arg, i) in frozen.iter().enumerate() {
        let (tree, mut all) = (&traced.args[*i].tree, Vec::new());
        tree.leaves(&mut all);
        // Numbers, such as an optimizer's, are leaves of no tree of params.
        if !all.iter().all(is_tensor) {
            continue;
        }
        let mut tell = |input, leaf, layers| {
            let leaf = Leaf { arg, leaf, input, dtype: dtype(input), layers };
            found.extend((traced.func.inputs[input].apart == layers.is_some()).then_some((input, leaf)));
        };
        tree.number(&mut 0, &mut |input, leaf| tell(input, leaf, None));
        tree.number_layers(&mut 0, &mut |input, leaf, layers| tell(input, leaf, Some(layers)));
    }
    found
}

/// The results that may be written over a leaf, by number: those of maps of a leaf that nothing else reads. Where the leaf is the
/// caller's alone they take no memory of their own.
fn overwritten(
    once: &Func,
    traced: &Traced,
    leaves: &BTreeMap<usize, Leaf>,
    kept: &[Leaf],
) -> Vec<(usize, Leaf)> {
    let mut uses = vec![0; once.nodes.len()];
    once.nodes.iter().flat_map(|node| &node.args).for_each(|a| uses[a.0 as usize] += 1);
    once.outputs.iter().for_each(|o| uses[o.value.0 as usize] += 1);
    let found = once.outputs.iter().enumerate().filter_map(|(at, output)| {
        let name = &once.inputs[mapped(once, &uses, output.value)?].name;
        let input = traced.func.inputs.iter().position(|input| input.name == *name)?;
        let leaf = leaves.get(&input).filter(|leaf| leaf.layers.is_none() && !kept.contains(leaf))?;
        Some((at, *leaf))
    });
    found.collect()
}

/// The input that a value is a map of, element by element, if it is the only one of its type.
fn mapped(func: &Func, uses: &[usize], v: Value) -> Option<usize> {
    let node = func.node(v);
    match node.op {
        _ if uses[v.0 as usize] != 1 => None,
        Op::Input(input) => Some(input as usize),
        Op::Map(_) => {
            let mut found = node.args.iter().filter(|a| func.ty(**a) == &node.ty);
            found.find_map(|a| mapped(func, uses, *a))
        }
        _ => None,
    }
}

/// The values that depend on parameters and on nothing else.
fn ready(traced: &Traced, frozen: &[usize], known: &[Sym]) -> Vec<bool> {
    let func = &traced.func;
    let mut of_params = Vec::new();
    frozen.iter().for_each(|i| traced.args[*i].tree.leaves(&mut of_params));
    let free = |v: Value| {
        let dims = func.ty(v).shape.iter().flat_map(|d| func.syms.roots(d));
        dims.into_iter()
            .any(|s| matches!(func.syms.info(s).kind, SymKind::Free { .. }) && !known.contains(&s))
    };
    // Constants are neither: they are made again wherever they are used.
    let mut constant = vec![false; func.nodes.len()];
    let mut ready = vec![false; func.nodes.len()];
    for (v, node) in func.values() {
        let at = v.0 as usize;
        constant[at] = !matches!(node.op, Op::Input(_)) && node.args.iter().all(|a| constant[a.0 as usize]);
        ready[at] = match node.op {
            Op::Input(i) => of_params.contains(&(i as usize)),
            _ => {
                let args = || node.args.iter().map(|a| a.0 as usize);
                !constant[at] && args().all(|a| ready[a] || constant[a])
            }
        } && !free(v);
    }
    ready
}

/// The values that the rest of the graph reads, in order.
fn stored(func: &Func, ready: &[bool]) -> Vec<Value> {
    let again = |v: Value| matches!(func.node(v).op, Op::Broadcast(_)) || fuse::is_widening(func, v);
    let rest = |v: Value| !ready[v.0 as usize] || again(v);
    let mut needed = vec![false; func.nodes.len()];
    func.outputs.iter().for_each(|o| needed[o.value.0 as usize] = true);
    let mut stored = Vec::new();
    for (v, node) in func.values().collect::<Vec<_>>().into_iter().rev() {
        if !needed[v.0 as usize] {
            continue;
        }
        if rest(v) {
            node.args.iter().for_each(|a| needed[a.0 as usize] = true);
        } else {
            stored.push(v);
        }
    }
    stored.reverse();
    stored
}

/// The values `stored`, of which some are written over leaves.
fn once(
    traced: &Traced,
    frozen: &[usize],
    stored: &[Value],
    over: &BTreeMap<Value, Leaf>,
) -> Result<Traced, Error> {
    let func = &traced.func;
    let mut b = Builder::new(&func.name, func.syms.clone());
    let mut place = vec![None; func.nodes.len()];
    let mut args: Vec<Arg> =
        frozen.iter().map(|i| argument(&mut b, func, &traced.args[*i], &mut place)).collect();
    args.iter_mut().for_each(|arg| arg.mutable = !over.is_empty());
    rebuild(&mut b, func, &mut place)?;
    let mut results = Vec::new();
    for (i, v) in stored.iter().enumerate() {
        if let Some(value) = place[v.0 as usize] {
            let leaf = over.get(v);
            let updates = leaf.and_then(|leaf| redeclared_input(b.func(), func, leaf.input, &place));
            b.output(&field(i), value, updates);
            results.extend(updates.is_none().then_some(Ret::Tensor(i)));
        }
    }
    // A tuple of very many is more than rustc reads in little time.
    let made = stored.iter().filter(|v| !over.contains_key(v));
    let alike = results.len() >= MANY && made.into_iter().all(|v| func.ty(*v).dtype == DType::F32);
    let result = if alike { Ret::Array(results) } else { Ret::Tuple(results) };
    Ok(Traced { func: b.finish(), args, result, ..traced.clone() })
}

fn run(traced: &Traced, frozen: &[usize], stored: &[Value]) -> Result<Traced, Error> {
    let func = &traced.func;
    let mut b = Builder::new(&func.name, func.syms.clone());
    let mut place = vec![None; func.nodes.len()];
    let mut fields = Vec::new();
    for (i, v) in stored.iter().enumerate() {
        let name = func.names[v.0 as usize].clone().unwrap_or_else(|| field(i));
        place[v.0 as usize] = Some(b.input(&name, func.ty(*v).clone(), Role::Parameter));
        fields.push((field(i), Tree::Leaf(Some(i))));
    }
    let mut args = vec![Arg { name: FROZEN.to_string(), mutable: false, tree: Tree::Struct(fields) }];
    for (_, arg) in traced.args.iter().enumerate().filter(|(i, _)| !frozen.contains(i)) {
        args.push(argument(&mut b, func, arg, &mut place));
    }
    rebuild(&mut b, func, &mut place)?;
    for output in &func.outputs {
        if let Some(value) = place[output.value.0 as usize] {
            let updates = output.updates.and_then(|input| redeclared_input(b.func(), func, input, &place));
            b.output(&output.name, value, updates);
        }
    }
    Ok(Traced { func: b.finish(), args, ..traced.clone() })
}

/// The name of what is kept, among arguments.
pub const FROZEN: &str = "frozen";

/// The input that stands for one of the whole graph.
fn redeclared_input(new: &Func, old: &Func, input: usize, place: &[Option<Value>]) -> Option<usize> {
    let (value, _) = old.values().find(|(_, n)| matches!(n.op, Op::Input(i) if i as usize == input))?;
    match new.node(place[value.0 as usize]?).op {
        Op::Input(i) => Some(i as usize),
        _ => None,
    }
}

/// The name of a stored value.
pub fn field(i: usize) -> String {
    format!("v{i}")
}

/// Declares an argument's inputs.
fn argument(b: &mut Builder, func: &Func, arg: &Arg, place: &mut [Option<Value>]) -> Arg {
    let tree = redeclared(b, func, &arg.tree, place);
    Arg { name: arg.name.clone(), mutable: arg.mutable, tree }
}

fn redeclared(b: &mut Builder, func: &Func, tree: &Tree, place: &mut [Option<Value>]) -> Tree {
    match tree {
        Tree::Leaf(None) => Tree::Leaf(None),
        Tree::Leaf(Some(index)) => {
            let input = &func.inputs[*index];
            let at = b.func().inputs.len();
            let value = b.declare(input);
            let old = func.values().find(|(_, n)| matches!(n.op, Op::Input(i) if i as usize == *index));
            old.into_iter().for_each(|(old, _)| place[old.0 as usize] = Some(value));
            Tree::Leaf(Some(at))
        }
        Tree::Struct(fields) => {
            let fields = fields.iter().map(|(n, t)| (n.clone(), redeclared(b, func, t, place)));
            Tree::Struct(fields.collect())
        }
        Tree::Array(items) => Tree::Array(items.iter().map(|t| redeclared(b, func, t, place)).collect()),
        Tree::Tuple(items) => Tree::Tuple(items.iter().map(|t| redeclared(b, func, t, place)).collect()),
        Tree::Layers(n, each) => Tree::Layers(*n, Box::new(redeclared(b, func, each, place))),
    }
}

/// Builds every value that can be from those that have a place.
fn rebuild(b: &mut Builder, func: &Func, place: &mut [Option<Value>]) -> Result<(), Error> {
    for (v, node) in func.values() {
        if place[v.0 as usize].is_some() || matches!(node.op, Op::Input(_)) {
            continue;
        }
        let args: Option<Vec<Value>> = node.args.iter().map(|a| place[a.0 as usize]).collect();
        let Some(args) = args else { continue };
        b.at(node.loc);
        let value = b.emit(node.op.clone(), &args)?;
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(value, name);
        }
        place[v.0 as usize] = Some(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_ir::{DType, Dim, Scalar, Syms, Ty};

    /// `x·wᵀ + exp(b)`, with x [N, 3].
    fn linear() -> Traced {
        let mut syms = Syms::default();
        let n = Dim::from(syms.intern("N", SymKind::Free { bound: None }));
        let mut b = Builder::new("f", syms);
        let ty = |shape: &[Dim]| Ty::new(DType::F32, shape);
        let w = b.input("net.w", ty(&[2.into(), 3.into()]), Role::Parameter);
        let bias = b.input("net.b", ty(&[2.into()]), Role::Parameter);
        let x = b.input("x", ty(&[n, 3.into()]), Role::Argument);
        let wt = b.emit(Op::Permute(vec![1, 0]), &[w]).unwrap();
        let e = b.map(Scalar::Exp, &[bias]).unwrap();
        let contract = Op::Contract { lhs: vec![0, 1], rhs: vec![1, 2], out: vec![0, 2] };
        let product = b.emit(contract, &[x, wt]).unwrap();
        let y = b.add(product, e).unwrap();
        b.output("out", y, None);
        let leaf = |i| Tree::Leaf(Some(i));
        let net = Tree::Struct(vec![("w".into(), leaf(0)), ("b".into(), leaf(1))]);
        let arg = |name: &str, tree| Arg { name: name.into(), mutable: false, tree };
        Traced {
            func: b.finish(),
            args: vec![arg("net", net), arg("x", leaf(2))],
            result: Ret::Tensor(0),
            wrt: vec![0],
            spans: vec![],
            asserts: vec![],
            consts: vec![],
        }
    }

    #[test]
    fn what_hangs_on_the_parameters_alone_runs_once() {
        let split = split(&linear(), &[0], &[], false).unwrap();
        let once = split.once.func.to_string();
        assert!(once.contains("exp") && !once.contains("contract") && !once.contains("permute"), "{once}");
        let weight = Leaf { arg: 0, leaf: 0, input: 0, dtype: DType::F32, layers: None };
        let bias = Leaf { leaf: 1, input: 1, ..weight };
        assert_eq!(split.taken, [weight, bias]);
        assert_eq!((split.once.func.outputs[0].updates, split.made()), (Some(1), 0));
        let run = split.run.func.to_string();
        assert!(run.contains("contract") && run.contains("broadcast"), "{run}");
        assert!(!run.contains("exp") && !run.contains("permute"), "{run}");
        assert_eq!(split.run.args[1].tree, Tree::Leaf(Some(2)));
    }
}
