//! Builds a function. Building does the work: infer the type, fold constants, apply the named algebraic
//! rules, share equal nodes. So no pass is needed for any of them, and gradients come out simplified.

use crate::{
    DType, Dim, Error, Fault, Func, Input, Literal, Loc, Node, Op, Output, Role, Scalar, Syms, Ty, Value,
};
use crate::{ops, simplify};
use std::collections::HashMap;

/// A function under construction.
#[derive(Default)]
pub struct Builder {
    func: Func,
    /// Equal nodes are one: only looked up, never iterated, so that the order of nodes is the user's.
    known: HashMap<(Op, Vec<Value>), Value>,
    loc: Loc,
}

impl Builder {
    /// An empty function of that name, with these symbols for its dims.
    pub fn new(name: &str, syms: Syms) -> Builder {
        Builder { func: Func { name: name.into(), syms, ..Func::default() }, ..Builder::default() }
    }

    /// The function so far.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// The symbols of the dims, to intern new ones.
    pub fn syms(&mut self) -> &mut Syms {
        &mut self.func.syms
    }

    /// The type of a value.
    pub fn ty(&self, v: Value) -> &Ty {
        self.func.ty(v)
    }

    /// Nodes built from now on come from there.
    pub fn at(&mut self, loc: Loc) {
        self.loc = loc;
    }

    /// Gives a value the user's name, unless it has one.
    pub fn name(&mut self, v: Value, name: &str) {
        self.func.names[v.0 as usize].get_or_insert_with(|| name.to_string());
    }

    /// Declares the next argument.
    pub fn input(&mut self, name: &str, ty: Ty, role: Role) -> Value {
        let index = self.func.inputs.len() as u32;
        self.func.inputs.push(Input { name: name.into(), ty: ty.clone(), role });
        let v = self.push(Op::Input(index), &[], ty);
        self.name(v, name);
        v
    }

    /// Declares the next result; `updates` is the input that it replaces in place.
    pub fn output(&mut self, name: &str, value: Value, updates: Option<usize>) {
        self.func.outputs.push(Output { name: name.into(), value, updates });
    }

    /// The finished function, without the nodes that no output needs.
    pub fn finish(self) -> Func {
        prune(self.func)
    }

    /// The value of `op(args)`: a known one where there is one.
    pub fn emit(&mut self, op: Op, args: &[Value]) -> Result<Value, Error> {
        let types: Vec<&Ty> = args.iter().map(|a| self.ty(*a)).collect();
        let ty = ops::infer(&op, &types).map_err(|fault| self.error(fault))?;
        if let Some(simpler) = simplify::simplify(self, &op, args, &ty)? {
            return Ok(simpler);
        }
        let key = (op, args.to_vec());
        if let Some(v) = self.known.get(&key) {
            return Ok(*v);
        }
        let v = self.push(key.0.clone(), args, ty);
        self.known.insert(key, v);
        Ok(v)
    }

    /// A scalar function of arguments that have one shape already.
    pub fn map(&mut self, scalar: Scalar, args: &[Value]) -> Result<Value, Error> {
        self.emit(Op::Map(scalar), args)
    }

    /// A rank-0 constant.
    pub fn constant(&mut self, x: f64, dtype: DType) -> Value {
        self.emit(Op::Const(Literal::new(x, dtype), dtype), &[])
            .expect("a constant has no arguments to be wrong")
    }

    /// A constant of the type of another value.
    pub fn splat(&mut self, x: f64, like: Value) -> Result<Value, Error> {
        let ty = self.ty(like).clone();
        let c = self.constant(x, ty.dtype);
        self.emit(Op::Broadcast(ty.shape.into_iter().enumerate().collect()), &[c])
    }

    /// The value under a shape to which it broadcasts as in NumPy.
    pub fn broadcast_to(&mut self, v: Value, shape: &[Dim]) -> Result<Value, Error> {
        let ty = self.ty(v).clone();
        let target = Ty::new(ty.dtype, shape);
        let misfit = Fault::Broadcast { left: ty.clone(), right: target };
        let Some(lead) = shape.len().checked_sub(ty.rank()) else { return Err(self.error(misfit)) };
        let mut kept = Vec::new();
        let mut widened: Vec<(usize, Dim)> = shape[..lead].iter().cloned().enumerate().collect();
        for (i, (have, want)) in ty.shape.iter().zip(&shape[lead..]).enumerate() {
            match (have == want, have.is(1)) {
                (true, _) => kept.push(have.clone()),
                (false, true) => widened.push((lead + i, want.clone())),
                _ => return Err(self.error(misfit)),
            }
        }
        let squeezed = self.emit(Op::Reshape(kept), &[v])?;
        self.emit(Op::Broadcast(widened), &[squeezed])
    }

    /// A scalar function of arguments that are broadcast against each other as in NumPy.
    pub fn elementwise(&mut self, scalar: Scalar, args: &[Value]) -> Result<Value, Error> {
        let mut shape: Vec<Dim> = Vec::new();
        for &a in args {
            shape = self.common_shape(&shape, a)?;
        }
        let args: Result<Vec<Value>, Error> = args.iter().map(|&a| self.broadcast_to(a, &shape)).collect();
        self.map(scalar, &args?)
    }

    fn common_shape(&self, shape: &[Dim], v: Value) -> Result<Vec<Dim>, Error> {
        let other = self.ty(v);
        let rank = shape.len().max(other.rank());
        let one = Dim::from(1);
        let at = |s: &[Dim], i: usize| (i + s.len()).checked_sub(rank).map_or(one.clone(), |i| s[i].clone());
        let join = |i| match (at(shape, i), at(&other.shape, i)) {
            (a, b) if a == b || b.is(1) => Ok(a),
            (a, b) if a.is(1) => Ok(b),
            _ => {
                let left = Ty::new(other.dtype, shape);
                Err(self.error(Fault::Broadcast { left, right: other.clone() }))
            }
        };
        (0..rank).map(join).collect()
    }

    /// The results of another function applied to these values: its body is rebuilt here.
    ///
    /// Its symbols are looked up by name, so the two functions must mean the same by a name.
    pub fn inline(&mut self, callee: &Func, args: &[Value]) -> Result<Vec<Value>, Error> {
        if args.len() != callee.inputs.len() {
            let op = callee.name.clone();
            return Err(self.error(Fault::Arity { op, want: callee.inputs.len(), got: args.len() }));
        }
        let syms: Vec<Dim> =
            callee.syms.0.iter().map(|s| self.syms().intern(&s.name, s.kind.clone()).into()).collect();
        let dim = |d: &Dim| d.substitute(&|s| syms[s.0 as usize].clone());
        for (input, arg) in callee.inputs.iter().zip(args) {
            let want = Ty::new(input.ty.dtype, input.ty.shape.iter().map(dim).collect::<Vec<_>>());
            ops::same(&callee.name, &want, self.ty(*arg)).map_err(|fault| self.error(fault))?;
        }
        let caller = self.loc;
        let mut here: Vec<Value> = Vec::new();
        for (v, node) in callee.values() {
            if let Op::Input(i) = node.op {
                here.push(args[i as usize]);
                continue;
            }
            let args: Vec<Value> = node.args.iter().map(|a| here[a.0 as usize]).collect();
            self.at(node.loc);
            let value = self.emit(node.op.map_dims(&dim), &args)?;
            if let Some(name) = &callee.names[v.0 as usize] {
                self.name(value, name);
            }
            here.push(value);
        }
        self.at(caller);
        Ok(callee.outputs.iter().map(|o| here[o.value.0 as usize]).collect())
    }

    /// A fault with the names of this function's dims.
    pub fn error(&self, fault: Fault) -> Error {
        Error { fault: Box::new(fault), syms: self.func.syms.clone() }
    }

    fn push(&mut self, op: Op, args: &[Value], ty: Ty) -> Value {
        self.func.nodes.push(Node { op, args: args.to_vec(), ty, loc: self.loc });
        self.func.names.push(None);
        Value(self.func.nodes.len() as u32 - 1)
    }
}

/// Drops what no output needs; inputs stay.
fn prune(func: Func) -> Func {
    let mut needed = vec![false; func.nodes.len()];
    func.outputs.iter().for_each(|o| needed[o.value.0 as usize] = true);
    for (i, node) in func.nodes.iter().enumerate().rev() {
        needed[i] |= matches!(node.op, Op::Input(_));
        if needed[i] {
            node.args.iter().for_each(|a| needed[a.0 as usize] = true);
        }
    }
    let mut place = vec![Value(0); func.nodes.len()];
    let mut pruned = Func { nodes: vec![], names: vec![], ..func.clone() };
    for (i, mut node) in func.nodes.into_iter().enumerate().filter(|(i, _)| needed[*i]) {
        place[i] = Value(pruned.nodes.len() as u32);
        node.args.iter_mut().for_each(|a| *a = place[a.0 as usize]);
        pruned.nodes.push(node);
        pruned.names.push(func.names[i].clone());
    }
    pruned.outputs.iter_mut().for_each(|o| o.value = place[o.value.0 as usize]);
    pruned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SymKind;

    #[test]
    fn inlining_finds_symbols_by_name() {
        let free = |syms: &mut Syms, name: &str| Dim::from(syms.intern(name, SymKind::Free { bound: None }));
        let vector = |n: Dim| Ty::new(DType::F32, [n]);
        let mut syms = Syms::default();
        free(&mut syms, "M");
        let n = free(&mut syms, "N");
        let mut callee = Builder::new("g", syms);
        let x = callee.input("x", vector(n), Role::Argument);
        let zero = callee.splat(0.0, x).unwrap();
        let y = callee.map(Scalar::Max, &[x, zero]).unwrap();
        callee.output("y", y, None);
        let callee = callee.finish();

        let mut syms = Syms::default();
        let (n, k) = (free(&mut syms, "N"), free(&mut syms, "K"));
        let mut b = Builder::new("f", syms);
        let x = b.input("x", vector(n.clone()), Role::Argument);
        let other = b.input("other", vector(k), Role::Argument);
        let y = b.inline(&callee, &[x]).unwrap()[0];
        assert_eq!(*b.ty(y), vector(n));
        assert!(
            b.inline(&callee, &[other]).unwrap_err().to_string().contains("`g` needs arguments of one type")
        );
    }
}
