//! Builds a function. Building does the work: infer the type, fold constants, apply the named algebraic
//! rules, share equal nodes. So no pass is needed for any of them, and gradients come out simplified.

use crate::{
    DType, Dim, Error, Fault, Func, Input, Literal, Loc, Node, Op, Output, Role, Scalar, Scan, Sym, Syms, Ty,
    Value,
};
use crate::{ops, simplify};
use std::collections::{BTreeMap, HashMap};

/// A function under construction.
#[derive(Default)]
pub struct Builder {
    func: Func,
    /// Equal nodes are one: only looked up, never iterated, so that the order of nodes is the user's.
    known: HashMap<(Op, Vec<Value>), Value>,
    /// Loops in whose place others stand that have the same results and further ones.
    extended: BTreeMap<Value, Value>,
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
        self.declare(&Input { name: name.into(), ty, role, apart: false })
    }

    /// Declares the next argument, like one of another function.
    pub fn declare(&mut self, input: &Input) -> Value {
        let index = self.func.inputs.len() as u32;
        self.func.inputs.push(input.clone());
        let v = self.push(Op::Input(index), &[], input.ty.clone());
        self.name(v, &input.name);
        v
    }

    /// Declares the next result; `updates` is the input that it replaces in place.
    pub fn output(&mut self, name: &str, value: Value, updates: Option<usize>) {
        self.func.outputs.push(Output { name: name.into(), value, updates });
    }

    /// The finished function, without the nodes that no output needs.
    pub fn finish(mut self) -> Func {
        // A loop that was extended after its results were read: they are the extended one's.
        let extended = std::mem::take(&mut self.extended);
        for node in self.func.nodes.iter_mut().filter(|n| matches!(n.op, Op::Result(..))) {
            while let Some(newer) = extended.get(&node.args[0]) {
                node.args[0] = *newer;
            }
        }
        prune(self.func)
    }

    /// The results of a loop.
    ///
    /// # Errors
    /// If an argument hasn't the type that the body says, or a carry comes out as another type than it went in.
    pub fn scan(&mut self, scan: Scan, args: &[Value]) -> Result<Vec<Value>, Error> {
        let results = scan.results();
        let node = self.emit(Op::Scan(Box::new(scan)), args)?;
        let result = |(i, ty): (usize, Ty)| self.emit(Op::Result(i, ty), &[node]);
        results.into_iter().enumerate().map(result).collect()
    }

    /// The loop that stands in the place of this one now.
    pub(crate) fn newest(&self, mut scan: Value) -> Value {
        while let Some(newer) = self.extended.get(&scan) {
            scan = *newer;
        }
        scan
    }

    /// Puts a loop in the place of one whose results are the first of its own, and whose arguments are the same.
    pub(crate) fn extend(&mut self, scan: Value, by: Value) {
        if scan != by {
            self.extended.insert(scan, by);
        }
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
        let syms: Vec<Dim> = self.adopted(&callee.syms);
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
            let op = node.op.map_dims(&dim, &self.func.syms);
            let value = self.emit(op, &args)?;
            if let Some(name) = &callee.names[v.0 as usize] {
                self.name(value, name);
            }
            here.push(value);
        }
        self.at(caller);
        Ok(callee.outputs.iter().map(|o| here[o.value.0 as usize]).collect())
    }

    /// Each symbol of another function as a dim of this one.
    fn adopted(&mut self, other: &Syms) -> Vec<Dim> {
        let named = |s: Sym, to: &mut Syms| {
            let info = other.info(s);
            to.intern(&info.name, info.kind.clone()).into()
        };
        let all = (0..other.0.len() as u32).map(Sym);
        all.map(|s| other.replace(&s.into(), self.syms(), &named)).collect()
    }

    /// A fault with the names of this function's dims.
    pub fn error(&self, fault: Fault) -> Error {
        Error { fault: Box::new(fault), syms: self.func.syms.clone(), of: None }
    }

    fn push(&mut self, op: Op, args: &[Value], ty: Ty) -> Value {
        self.func.nodes.push(Node { op, args: args.to_vec(), ty, loc: self.loc });
        self.func.names.push(None);
        Value(self.func.nodes.len() as u32 - 1)
    }
}

/// Drops what no output needs; inputs stay. Arguments come before their users, otherwise the order is kept.
fn prune(func: Func) -> Func {
    let mut place: Vec<Option<Value>> = vec![None; func.nodes.len()];
    let mut pruned = Func { nodes: vec![], names: vec![], ..func.clone() };
    let inputs = func.values().filter(|(_, n)| matches!(n.op, Op::Input(_))).map(|(v, _)| v);
    let needed = func.needed(func.outputs.iter().map(|o| o.value).chain(inputs).collect());
    // A loop may stand behind those that read its results.
    for (v, _) in func.values().filter(|(v, _)| needed[v.0 as usize]) {
        place_after_arguments(&func, v, &mut place, &mut pruned);
    }
    pruned.outputs.iter_mut().for_each(|o| o.value = place[o.value.0 as usize].expect("it is needed"));
    pruned
}

fn place_after_arguments(func: &Func, v: Value, place: &mut [Option<Value>], out: &mut Func) {
    // Not recursive: a chain of late arguments may be long.
    let mut open = vec![v];
    while let Some(&v) = open.last() {
        let node = func.node(v);
        if place[v.0 as usize].is_some() {
            open.pop();
        } else if let Some(late) = node.args.iter().find(|a| place[a.0 as usize].is_none()) {
            open.push(*late);
        } else {
            place[v.0 as usize] = Some(Value(out.nodes.len() as u32));
            let args = node.args.iter().map(|a| place[a.0 as usize].expect("just seen")).collect();
            out.nodes.push(Node { args, ..node.clone() });
            out.names.push(func.names[v.0 as usize].clone());
            open.pop();
        }
    }
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
