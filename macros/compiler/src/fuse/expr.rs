//! What one iteration of a kernel's loops computes: a DAG of scalars, pulled from the graph by index.
//!
//! Views (reshape, permute, broadcast, slice, pad) move no data: they change the index at which their argument is
//! read. What another kernel has stored is loaded; everything else is computed where it is needed.

pub use super::affine::counters;
use super::affine::{Affine, Derived, Var, derive, flat};
pub use super::view::{is_unrolled, is_widening, size, through};
use kiln_ir::{DType, Dim, Draw, Func, Literal, Node, Op, PadAxis, Reduction, Scalar, Value, Window};
use std::collections::HashMap;

/// The index of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(pub usize);

/// `0 ≤ at < span`, and `at` a multiple of `step` where a pad has put zeros between.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Guard {
    /// Position in the padded axis, from the first element on.
    pub at: Affine,
    /// Elements times their distance.
    pub span: Dim,
    /// Distance of two elements.
    pub step: i64,
}

/// A scalar.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    /// An element of a stored value; 0 where a guard fails.
    Load(Value, Affine, Vec<Guard>),
    /// A position as a number.
    Index(Affine),
    /// A constant.
    Const(Literal),
    /// A scalar function.
    Map(Scalar, Vec<Id>),
    /// A conversion.
    Cast(Id),
    /// Whether all guards hold.
    Inside(Vec<Guard>),
    /// The random number of that position, of the words of a key and a counter.
    Random(Draw, [Id; 3], Affine),
    /// The result of the kernel's reduction or product of that number.
    Reduced(usize),
}

/// The expressions of a kernel; an expression's arguments stand before it.
#[derive(Clone, Debug, Default)]
pub struct Exprs {
    /// Expression and element type.
    pub nodes: Vec<(Expr, DType)>,
    /// The derived variables.
    pub derived: Vec<Derived>,
    known: HashMap<(Expr, DType), Id>,
}

impl Exprs {
    /// The expression of that index.
    pub fn get(&self, id: Id) -> &Expr {
        &self.nodes[id.0].0
    }

    /// Its element type.
    pub fn dtype(&self, id: Id) -> DType {
        self.nodes[id.0].1
    }

    /// The expressions that one needs: its arguments, and those that say where it reads.
    pub fn args(&self, id: Id) -> Vec<Id> {
        match self.get(id) {
            Expr::Map(_, args) => args.clone(),
            Expr::Cast(arg) => vec![*arg],
            Expr::Random(_, state, at) => state.iter().copied().chain(self.elements(at)).collect(),
            other => expr_affines(other).into_iter().flat_map(|at| self.elements(at)).collect(),
        }
    }

    /// The expressions whose values are places in a position.
    fn elements(&self, at: &Affine) -> Vec<Id> {
        let of = |(var, _): &(Var, Dim)| match var {
            Var::Derived(d) => match &self.derived[*d] {
                Derived::Element(id) => vec![*id],
                other => other.affine().map_or(vec![], |at| self.elements(at)),
            },
            Var::Axis(_) => vec![],
        };
        at.terms.iter().flat_map(of).collect()
    }

    /// Adds an expression unless it is known.
    pub fn add(&mut self, expr: Expr, dtype: DType) -> Id {
        let key = (expr, dtype);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        self.nodes.push(key.clone());
        let id = Id(self.nodes.len() - 1);
        self.known.insert(key, id);
        id
    }

    /// Every expression that these need, in order.
    pub fn needed(&self, roots: &[Id]) -> Vec<Id> {
        let mut needed = vec![false; self.nodes.len()];
        roots.iter().for_each(|r| needed[r.0] = true);
        for i in (0..needed.len()).rev() {
            if needed[i] {
                self.args(Id(i)).iter().for_each(|a| needed[a.0] = true);
            }
        }
        (0..needed.len()).filter(|i| needed[*i]).map(Id).collect()
    }

    /// Every affine expression in it.
    pub fn affines(&self) -> impl Iterator<Item = &Affine> {
        self.nodes
            .iter()
            .flat_map(|(e, _)| expr_affines(e))
            .chain(self.derived.iter().filter_map(Derived::affine))
    }

    /// The same expressions over other variables.
    pub fn map_affines(&self, of: &dyn Fn(&Affine) -> Affine) -> Exprs {
        let guards =
            |gs: &[Guard]| gs.iter().map(|g| Guard { at: of(&g.at), ..g.clone() }).collect::<Vec<_>>();
        let nodes = self.nodes.iter().map(|(e, t)| {
            let e = match e {
                Expr::Load(v, at, gs) => Expr::Load(*v, of(at), guards(gs)),
                Expr::Index(at) => Expr::Index(of(at)),
                Expr::Random(draw, state, at) => Expr::Random(*draw, *state, of(at)),
                Expr::Inside(gs) => Expr::Inside(guards(gs)),
                other => other.clone(),
            };
            (e, *t)
        });
        let derived = self.derived.iter().map(|d| d.map(of)).collect();
        Exprs { nodes: nodes.collect(), derived, known: HashMap::new() }
    }
}

fn expr_affines(expr: &Expr) -> Vec<&Affine> {
    match expr {
        Expr::Load(_, at, guards) => std::iter::once(at).chain(guards.iter().map(|g| &g.at)).collect(),
        Expr::Index(at) | Expr::Random(_, _, at) => vec![at],
        Expr::Inside(guards) => guards.iter().map(|g| &g.at).collect(),
        _ => vec![],
    }
}

/// Pulls expressions out of a graph.
pub struct Puller<'a> {
    /// The graph.
    pub func: &'a Func,
    /// Under which value another kernel (or the caller) has stored this one, if it has.
    pub stored: &'a dyn Fn(Value) -> Option<Value>,
    /// Results of this kernel's own reductions.
    pub reduced: HashMap<Value, usize>,
    /// What has been pulled.
    pub exprs: Exprs,
    memo: HashMap<(Value, Vec<Affine>, Vec<Guard>), Id>,
}

impl<'a> Puller<'a> {
    /// Nothing pulled yet.
    pub fn new(func: &'a Func, stored: &'a dyn Fn(Value) -> Option<Value>) -> Puller<'a> {
        Puller { func, stored, reduced: HashMap::new(), exprs: Exprs::default(), memo: HashMap::new() }
    }

    /// The element of `v` at an index.
    pub fn pull(&mut self, v: Value, index: &[Affine], guards: &[Guard]) -> Id {
        let key = (v, index.to_vec(), guards.to_vec());
        if let Some(id) = self.memo.get(&key) {
            return *id;
        }
        let id = self.element(v, index, guards);
        self.memo.insert(key, id);
        id
    }

    fn element(&mut self, v: Value, index: &[Affine], guards: &[Guard]) -> Id {
        let Node { op, args, ty, .. } = self.func.node(v);
        if let Some(n) = self.reduced.get(&v) {
            return self.exprs.add(Expr::Reduced(*n), ty.dtype);
        }
        if let Some(buffer) = (self.stored)(v) {
            return self.exprs.add(Expr::Load(buffer, flat(index, &ty.shape), guards.to_vec()), ty.dtype);
        }
        if let Some(n) = size(self.func, v) {
            return self.exprs.add(Expr::Index(n.into()), ty.dtype);
        }
        match op {
            Op::Const(literal, dtype) => self.exprs.add(Expr::Const(*literal), *dtype),
            Op::Iota { dtype, .. } => self.exprs.add(Expr::Index(index[0].clone()), *dtype),
            Op::Map(scalar) => {
                let args = args.iter().map(|a| self.pull(*a, index, guards)).collect();
                self.exprs.add(Expr::Map(*scalar, args), ty.dtype)
            }
            Op::Cast(dtype) => {
                let arg = self.pull(args[0], index, guards);
                self.exprs.add(Expr::Cast(arg), *dtype)
            }
            Op::Random(draw, shape) => self.random(*draw, [args[0], args[1]], (index, shape), guards),
            Op::Pad(axes) => self.padded(args[0], axes, index, guards),
            Op::Concat(axis) => self.concat(args, *axis, index, guards),
            Op::Gather(axis) => self.gathered([args[0], args[1]], *axis, index, guards),
            Op::Fold(w, _) => self.folded(args[0], w, index, guards),
            Op::Reduce(how, axes) if is_unrolled(self.func, v) => {
                self.unrolled(args[0], *how, axes, index, guards)
            }
            Op::Input(_)
            | Op::Reduce(..)
            | Op::ArgMax(_)
            | Op::Contract { .. }
            | Op::ScatterAdd(..)
            | Op::Update(_) => {
                unreachable!("%{} is stored before it is read", v.0)
            }
            _ => {
                let (arg, index) = through(self.func, v, index, &mut self.exprs.derived).expect("a view");
                self.pull(arg, &index, guards)
            }
        }
    }

    /// A number of a generator, whose key and counter are read where they lie.
    fn random(
        &mut self,
        draw: Draw,
        [key, counter]: [Value; 2],
        (index, shape): (&[Affine], &[Dim]),
        guards: &[Guard],
    ) -> Id {
        let [low, high] = [0, 1].map(|word| self.pull(key, &[Dim::from(word).into()], &[]));
        let (which, within) = index.split_at(index.len() - shape.len());
        let counter = self.pull(counter, which, guards);
        self.exprs.add(Expr::Random(draw, [low, high, counter], flat(within, shape)), draw.dtype())
    }

    fn padded(&mut self, arg: Value, axes: &[PadAxis], index: &[Affine], guards: &[Guard]) -> Id {
        let mut inner = Vec::new();
        let mut fresh = Vec::new();
        for ((i, pad), len) in index.iter().zip(axes).zip(self.func.ty(arg).shape.clone()) {
            let at = i.clone().plus((Dim::from(0) - pad.low.clone()).into());
            let step = Dim::from(pad.step);
            let stepped = match pad.step {
                1 => at.clone(),
                _ => derive(Derived::Quotient(at.clone(), step.clone()), &mut self.exprs.derived),
            };
            inner.push(stepped);
            if pad.step != 1 || !pad.low.is(0) || !pad.high.is(0) {
                let span = len * step;
                fresh.push(Guard { at, span, step: pad.step });
            }
        }
        let all = [guards, &fresh].concat();
        let value = self.pull(arg, &inner, &all);
        if fresh.is_empty() || matches!(self.exprs.get(value), Expr::Load(_, _, g) if *g == all) {
            return value;
        }
        self.inside(fresh, value)
    }

    /// The value where the guards hold, and 0 elsewhere.
    fn inside(&mut self, guards: Vec<Guard>, value: Id) -> Id {
        let dtype = self.exprs.dtype(value);
        let inside = self.exprs.add(Expr::Inside(guards), DType::Bool);
        let zero = self.exprs.add(Expr::Const(Literal::new(0.0, dtype)), dtype);
        self.exprs.add(Expr::Map(Scalar::Select, vec![inside, value, zero]), dtype)
    }

    /// The element at a place that is data; 0 where there is none.
    fn gathered(&mut self, [x, places]: [Value; 2], axis: usize, index: &[Affine], guards: &[Guard]) -> Id {
        let place = self.pull(places, index, guards);
        let at = derive(Derived::Element(place), &mut self.exprs.derived);
        let guard = Guard { at: at.clone(), span: self.func.ty(x).shape[axis].clone(), step: 1 };
        let mut inner = index.to_vec();
        inner[axis] = at;
        let all = [guards, std::slice::from_ref(&guard)].concat();
        let value = self.pull(x, &inner, &all);
        match self.exprs.get(value) {
            Expr::Load(_, _, own) if *own == all => value,
            _ => self.inside(vec![guard], value),
        }
    }

    /// The sum of what the windows have at an index: for each place in a window, the one window that has it there.
    fn folded(&mut self, arg: Value, w: &Window, index: &[Affine], guards: &[Guard]) -> Id {
        let dtype = self.func.ty(arg).dtype;
        let stride = Dim::from(w.stride);
        let mut sum = None;
        for place in 0..w.size {
            let at = index[w.axis].clone().plus(Dim::from(-place * w.dilation).into());
            let window = match w.stride {
                1 => at.clone(),
                _ => derive(Derived::Quotient(at.clone(), stride.clone()), &mut self.exprs.derived),
            };
            let guard = Guard { at, span: w.len.clone() * stride.clone(), step: w.stride };
            let mut inner = index.to_vec();
            inner.splice(w.axis..=w.axis, [window, Dim::from(place).into()]);
            let all = [guards, std::slice::from_ref(&guard)].concat();
            let value = self.pull(arg, &inner, &all);
            let value = match self.exprs.get(value) {
                Expr::Load(_, _, own) if *own == all => value,
                _ => self.inside(vec![guard], value),
            };
            sum = Some(match sum {
                Some(sum) => self.exprs.add(Expr::Map(Scalar::Add, vec![sum, value]), dtype),
                None => value,
            });
        }
        sum.expect("a window has a place")
    }

    /// A reduction over axes of few elements, written out.
    fn unrolled(
        &mut self,
        arg: Value,
        how: Reduction,
        axes: &[usize],
        index: &[Affine],
        guards: &[Guard],
    ) -> Id {
        let ty = self.func.ty(arg).clone();
        let scalar = if how == Reduction::Sum { Scalar::Add } else { Scalar::Max };
        let lengths: Vec<i64> = axes.iter().map(|a| ty.shape[*a].literal().expect("written out")).collect();
        let mut total = None;
        for n in 0..lengths.iter().product() {
            let mut rest = n;
            let mut places = vec![0; axes.len()];
            for (place, len) in places.iter_mut().zip(&lengths).rev() {
                (*place, rest) = (rest % len, rest / len);
            }
            let mut inner = index.to_vec();
            axes.iter().zip(&places).for_each(|(a, place)| inner.insert(*a, Dim::from(*place).into()));
            let value = self.pull(arg, &inner, guards);
            total = Some(match total {
                Some(total) => self.exprs.add(Expr::Map(scalar, vec![total, value]), ty.dtype),
                None => value,
            });
        }
        total.expect("there is an element")
    }

    fn concat(&mut self, args: &[Value], axis: usize, index: &[Affine], guards: &[Guard]) -> Id {
        let mut start = Dim::from(0);
        let mut pieces = Vec::new();
        for arg in args {
            let len = self.func.ty(*arg).shape[axis].clone();
            let at = index[axis].clone().plus((Dim::from(0) - start.clone()).into());
            let guard = Guard { at: at.clone(), span: len.clone(), step: 1 };
            let mut inner = index.to_vec();
            inner[axis] = at;
            let value = self.pull(*arg, &inner, &[guards, std::slice::from_ref(&guard)].concat());
            pieces.push((guard, value));
            start = start + len;
        }
        let (_, last) = pieces.pop().expect("a concat has arguments");
        pieces.into_iter().rev().fold(last, |rest, (guard, value)| {
            let dtype = self.exprs.dtype(value);
            let inside = self.exprs.add(Expr::Inside(vec![guard]), DType::Bool);
            self.exprs.add(Expr::Map(Scalar::Select, vec![inside, value, rest]), dtype)
        })
    }
}
