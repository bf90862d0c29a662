//! What a product's columns are scaled and shifted by becomes part of its factors before they are frozen, as a normalization with kept
//! statistics behind a convolution: `((x * w) − m) s g + b = x * (w s g) + ((0 − m) s g + b)`.
//!
//! Sums are rounded in another place then, so `#[model(exact)]` leaves them. Invariant: a product that something else reads stays.

use crate::fuse;
use kiln_ir::{Builder, Dim, Error, Func, Node, Op, Scalar, Value};
use std::collections::HashMap;

/// The function with such scales folded. `ready`: the values that hang on parameters alone.
///
/// # Errors
/// None in a graph that was built before.
pub fn fold(func: &Func, ready: &[bool]) -> Result<Func, Error> {
    let chains = chains(func, ready);
    let scales = |c: &&Chain| c.links.iter().any(|l| matches!(l.how, Scalar::Mul | Scalar::Div));
    let ends: HashMap<Value, &Chain> =
        chains.values().filter(scales).filter_map(|c| Some((c.links.last()?.value, c))).collect();
    if ends.is_empty() {
        return Ok(func.clone());
    }
    let mut b = Builder::new(&func.name, func.syms.clone());
    let mut here: Vec<Value> = Vec::new();
    for (v, node) in func.values() {
        b.at(node.loc);
        let args: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize]).collect();
        let value = match (&node.op, ends.get(&v)) {
            (Op::Input(i), _) => b.declare(&func.inputs[*i as usize]),
            (_, Some(chain)) => chain.folded(&mut b, func, &here)?,
            (op, None) => b.emit(op.clone(), &args)?,
        };
        if let Some(name) = &func.names[v.0 as usize] {
            b.name(value, name);
        }
        here.push(value);
    }
    for output in &func.outputs {
        b.output(&output.name, here[output.value.0 as usize], output.updates);
    }
    Ok(b.finish())
}

/// A product and what maps it, one behind the other.
struct Chain {
    /// The contraction.
    product: Value,
    /// Which operand has the factors, and which of its axes counts what is scaled.
    factors: (usize, usize),
    /// The axis of a mapped value that counts it.
    axis: usize,
    links: Vec<Link>,
}

/// A map with one number a column.
struct Link {
    value: Value,
    how: Scalar,
    /// The numbers, `[C]`.
    by: Value,
}

/// The chains that begin with each product, by their last value.
fn chains(func: &Func, ready: &[bool]) -> HashMap<Value, Chain> {
    let mut uses = vec![0; func.nodes.len()];
    func.values().for_each(|(_, n)| n.args.iter().for_each(|a| uses[a.0 as usize] += 1));
    func.outputs.iter().for_each(|o| uses[o.value.0 as usize] += 2);
    let mut chains: HashMap<Value, Chain> = HashMap::new();
    for (v, node) in func.values().filter(|(v, _)| !ready[v.0 as usize]) {
        let grown = node.args.first().filter(|a| uses[a.0 as usize] == 1).and_then(|a| chains.remove(a));
        let chain = match &node.op {
            Op::Contract { .. } => {
                begun(func, ready, v).filter(|c| is_own(func, &uses, node.args[c.factors.0]))
            }
            Op::Reshape(to) => grown.and_then(|chain| chain.reshaped(&func.ty(node.args[0]).shape, to)),
            Op::Map(how) => grown.and_then(|chain| chain.longer(func, ready, v, node, *how)),
            _ => None,
        };
        chains.extend(chain.map(|chain| (v, chain)));
    }
    chains
}

/// The chain of a product whose factors are ready and have one wide axis of their own in the result, or share it.
fn begun(func: &Func, ready: &[bool], v: Value) -> Option<Chain> {
    let node = func.node(v);
    let Op::Contract { lhs, rhs, out } = &node.op else { return None };
    let i = (0..2).find(|i| ready[node.args[*i].0 as usize])?;
    let labels = [lhs, rhs][i];
    let shape = &func.ty(node.args[i]).shape;
    let mut wide = (0..labels.len()).filter(|at| out.contains(&labels[*at]) && !shape[*at].is(1));
    let (at, None) = (wide.next()?, wide.next()) else { return None };
    let axis = out.iter().position(|l| *l == labels[at])?;
    Some(Chain { product: v, factors: (i, at), axis, links: vec![] })
}

/// Whether factors are kept for one product alone, in its element type.
fn is_own(func: &Func, uses: &[usize], mut v: Value) -> bool {
    loop {
        match func.node(v).args[..] {
            _ if uses[v.0 as usize] != 1 || fuse::is_widening(func, v) => return false,
            [arg] if matches!(func.node(v).op, Op::Reshape(_) | Op::Permute(_)) => v = arg,
            _ => return true,
        }
    }
}

impl Chain {
    /// The chain behind a reshape that keeps the axis.
    fn reshaped(mut self, from: &[Dim], to: &[Dim]) -> Option<Chain> {
        let wide = |shape: &[Dim]| (0..shape.len()).filter(|i| !shape[*i].is(1)).collect::<Vec<_>>();
        let (old, new) = (wide(from), wide(to));
        let same = old.iter().map(|i| &from[*i]).eq(new.iter().map(|i| &to[*i]));
        self.axis = new[old.iter().position(|i| *i == self.axis).filter(|_| same)?];
        self.links.is_empty().then_some(self)
    }

    /// The chain with a map by one number a column.
    fn longer(
        mut self,
        func: &Func,
        ready: &[bool],
        value: Value,
        node: &Node,
        how: Scalar,
    ) -> Option<Chain> {
        let known = matches!(how, Scalar::Add | Scalar::Sub | Scalar::Mul | Scalar::Div);
        let [_, by] = *node.args else { return None };
        let Op::Broadcast(axes) = &func.node(by).op else { return None };
        let (by, rank) = (func.node(by).args[0], node.ty.rank());
        let along: Vec<usize> = (0..rank).filter(|i| !axes.iter().any(|(at, _)| at == i)).collect();
        if !known || !ready[by.0 as usize] || along != [self.axis] {
            return None;
        }
        self.links.push(Link { value, how, by });
        Some(self)
    }

    /// The product by scaled factors, shifted.
    fn folded(&self, b: &mut Builder, func: &Func, here: &[Value]) -> Result<Value, Error> {
        let (scale, shift) = self.total(b, here)?;
        let product = self.scaled(b, func, here, scale)?;
        let shape = &func.ty(self.links[0].value).shape;
        let product = b.emit(Op::Reshape(shape.clone()), &[product])?;
        match shift {
            Some(shift) => {
                let shift = along(b, shift, shape, self.axis)?;
                b.map(Scalar::Add, &[product, shift])
            }
            None => Ok(product),
        }
    }

    /// What all links scale by, and what they shift by.
    fn total(&self, b: &mut Builder, here: &[Value]) -> Result<(Option<Value>, Option<Value>), Error> {
        let (mut scale, mut shift): (Option<Value>, Option<Value>) = (None, None);
        for Link { how, by, .. } in &self.links {
            let by = here[by.0 as usize];
            if matches!(how, Scalar::Mul | Scalar::Div) {
                let one = b.splat(1.0, by)?;
                scale = Some(b.map(*how, &[scale.unwrap_or(one), by])?);
                shift = shift.map(|had| b.map(*how, &[had, by])).transpose()?;
            } else {
                let zero = b.splat(0.0, by)?;
                shift = Some(b.map(*how, &[shift.unwrap_or(zero), by])?);
            }
        }
        Ok((scale, shift))
    }

    fn scaled(
        &self,
        b: &mut Builder,
        func: &Func,
        here: &[Value],
        scale: Option<Value>,
    ) -> Result<Value, Error> {
        let node = func.node(self.product);
        let mut args: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize]).collect();
        let (i, axis) = self.factors;
        if let Some(scale) = scale {
            let scale = along(b, scale, &func.ty(node.args[i]).shape, axis)?;
            args[i] = b.map(Scalar::Mul, &[args[i], scale])?;
        }
        b.emit(node.op.clone(), &args)
    }
}

/// `[C]` along an axis of a shape.
fn along(b: &mut Builder, v: Value, shape: &[Dim], axis: usize) -> Result<Value, Error> {
    let others = (0..shape.len()).filter(|i| *i != axis).map(|i| (i, shape[i].clone())).collect();
    b.emit(Op::Broadcast(others), &[v])
}
