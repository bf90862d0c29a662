//! The statements of one pass over a kernel's innermost loop.
//!
//! Each expression stands at the outermost level at which its variables are known: 0 is the kernel, 1 a row, 2 and
//! more the loops within a row. What levels 0 and 1 have computed, later passes find there.

use super::dims::{Dims, variable};
use super::kernel::Names;
use super::scalar::{self, Code};
use crate::fuse::affine::{Affine, Var};
use crate::fuse::expr::{Expr, Guard, Id};
use crate::fuse::kernel::{Kernel, Loops};
use kiln_ir::{DType, Scalar, Value};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::cell::RefCell;
use std::collections::HashMap;

/// The innermost loop: `for j in 0..len`.
pub struct Innermost {
    /// What `j` counts from, if not from 0.
    pub start: Option<TokenStream>,
    /// Number of iterations.
    pub len: TokenStream,
}

/// Writes passes.
pub struct Writer<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Dims by name.
    pub dims: &'a Dims<'a>,
    /// Names.
    pub names: &'a Names<'a>,
    /// The innermost loop.
    pub innermost: Innermost,
    /// Statements of levels 0 and 1.
    pub scopes: [Vec<TokenStream>; 2],
    /// Results of reductions.
    pub reduced: Vec<TokenStream>,
    /// Expressions that an earlier pass has left in a result's slice.
    pub stashed: HashMap<Id, Value>,
    /// The levels of expressions that were asked for.
    pub levels: RefCell<HashMap<Id, usize>>,
    bound: HashMap<Id, Code>,
    pub(super) slices: HashMap<(Value, Affine), Ident>,
    vars: Vec<usize>,
}

/// The statements of a pass: those of level 2 first, and the expressions asked for.
pub struct Pass {
    /// Statements by level, from 2 on.
    pub levels: Vec<Vec<TokenStream>>,
    /// The roots' values.
    pub roots: Vec<Code>,
}

impl<'a> Writer<'a> {
    /// Nothing written yet.
    pub fn new(
        kernel: &'a Kernel,
        dims: &'a Dims<'a>,
        names: &'a Names<'a>,
        innermost: Innermost,
    ) -> Writer<'a> {
        Writer {
            kernel,
            dims,
            names,
            innermost,
            scopes: [vec![], vec![]],
            reduced: vec![],
            stashed: HashMap::new(),
            levels: RefCell::default(),
            bound: HashMap::new(),
            slices: HashMap::new(),
            vars: vec![],
        }
    }

    /// The value of a variable.
    fn var(&self, var: Var) -> TokenStream {
        match (Some(var) == self.inner_axis(), &self.innermost.start) {
            (true, Some(start)) => quote!((#start + j)),
            (true, None) => quote!(j),
            _ if self.is_row(var) => quote!(row),
            _ => {
                let name = variable(var);
                quote!(#name)
            }
        }
    }

    /// A position. One from which something is taken away may be below 0 where a guard keeps it from being used.
    pub(super) fn affine(&self, at: &Affine, wrapping: bool) -> TokenStream {
        self.dims.affine(at, &|v| self.var(v), wrapping || takes_away(at))
    }

    /// Whether a position hangs on one that may be any number where it isn't used: one outside of a gather's range, or below 0
    /// where a guard holds it back.
    fn is_open(&self, at: &Affine) -> bool {
        let open = |var: &Var| match var {
            Var::Derived(d) => {
                self.kernel.exprs.derived[*d].affine().is_none_or(|at| takes_away(at) || self.is_open(at))
            }
            Var::Axis(_) => false,
        };
        at.terms.iter().any(|(var, _)| open(var))
    }

    /// Writes what the roots need.
    pub fn pass(&mut self, roots: &[Id]) -> Pass {
        let mut levels = vec![vec![]; self.deepest().saturating_sub(1)];
        let needed = self.needed(roots);
        let mut here: HashMap<Id, Code> = HashMap::new();
        let mut slices = HashMap::new();
        for &id in &needed {
            if self.bound.contains_key(&id) {
                continue;
            }
            let level = self.expr_level(id);
            self.derive(id, &here, &mut levels);
            let value = match self.stashed.get(&id) {
                Some(host) => {
                    let host = (self.names.slice)(*host);
                    Code::atom(quote!(#host[j]))
                }
                None => self.expression(id, &here, &mut levels, &mut slices),
            };
            let value = if self.must_bind(id, level, roots, &needed) {
                let name = format_ident!("t{}", id.0);
                let value = value.bare();
                self.put(level, &mut levels, quote!(let #name = #value;));
                Code::atom(quote!(#name))
            } else {
                value
            };
            if level <= 1 && !self.is_name(id) {
                self.bound.insert(id, value);
            } else {
                here.insert(id, value);
            }
        }
        let roots = roots.iter().map(|id| self.known(*id, &here)).collect();
        Pass { levels, roots }
    }

    /// What the roots need, but for what lies behind values that are there already.
    fn needed(&self, roots: &[Id]) -> Vec<Id> {
        let mut needed = std::collections::BTreeSet::new();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if needed.insert(id) && !self.bound.contains_key(&id) && !self.stashed.contains_key(&id) {
                open.extend(self.kernel.exprs.args(id));
            }
        }
        needed.into_iter().collect()
    }

    fn known(&self, id: Id, here: &HashMap<Id, Code>) -> Code {
        here.get(&id).or_else(|| self.bound.get(&id)).cloned().expect("arguments stand before")
    }

    fn put(&mut self, level: usize, levels: &mut [Vec<TokenStream>], statement: TokenStream) {
        match level {
            0 | 1 => self.scopes[level].push(statement),
            _ => levels[level - 2].push(statement),
        }
    }

    /// Whether an expression gets a name: if it is used twice, by a deeper level, or as a branch of a select, whose
    /// branches are computed before so that LLVM sees no branch.
    fn must_bind(&self, id: Id, level: usize, roots: &[Id], needed: &[Id]) -> bool {
        if self.is_name(id) {
            return false;
        }
        let users = needed.iter().filter(|u| !self.bound.contains_key(u) && !self.stashed.contains_key(u));
        let users: Vec<&Id> = users.filter(|u| self.kernel.exprs.args(**u).contains(&id)).collect();
        let selected = |u: &&Id| matches!(self.kernel.exprs.get(**u), Expr::Map(Scalar::Select, _));
        let uses = users
            .iter()
            .map(|u| self.kernel.exprs.args(**u).iter().filter(|a| **a == id).count())
            .sum::<usize>()
            + roots.iter().filter(|r| **r == id).count();
        let overwritten =
            matches!(self.kernel.exprs.get(id), Expr::Load(v, ..) if (self.names.in_place)(*v).is_some());
        // What lies in a result's slice is read before any result is written.
        level <= 1
            || overwritten
            || self.stashed.contains_key(&id)
            || uses > 1
            || users.iter().any(selected)
            || users.iter().any(|u| self.expr_level(**u) > level)
    }

    /// Whether it is a constant or the result of a reduction, which needs no other name.
    fn is_name(&self, id: Id) -> bool {
        let gemm = matches!(self.kernel.loops, Loops::Gemm(_));
        match self.kernel.exprs.get(id) {
            Expr::Const(_) => true,
            Expr::Reduced(_) => !gemm,
            _ => false,
        }
    }

    /// Defines the derived variables that an expression needs.
    fn derive(&mut self, id: Id, here: &HashMap<Id, Code>, levels: &mut [Vec<TokenStream>]) {
        let affines: Vec<Affine> = match self.kernel.exprs.get(id) {
            Expr::Load(_, at, guards) => {
                std::iter::once(at).chain(guards.iter().map(|g| &g.at)).cloned().collect()
            }
            Expr::Index(at) | Expr::Random(_, _, at) => vec![at.clone()],
            Expr::Inside(guards) => guards.iter().map(|g| g.at.clone()).collect(),
            _ => vec![],
        };
        for at in affines {
            self.derive_affine(&at, here, levels);
        }
    }

    fn derive_affine(&mut self, at: &Affine, here: &HashMap<Id, Code>, levels: &mut [Vec<TokenStream>]) {
        for (var, _) in &at.terms {
            let Var::Derived(d) = *var else { continue };
            let what = self.kernel.exprs.derived[d].clone();
            if let Some(at) = what.affine() {
                self.derive_affine(at, here, levels);
            }
            let (name, level) = (variable(*var), self.level(*var));
            let value = self.dims.derived(&what, &|v| self.var(v), &|id| self.known(id, here).operand());
            let statement = quote!(let #name = #value;);
            // Levels 2 and more begin anew with each pass.
            let text = statement.to_string();
            let there = match level {
                0 | 1 => &self.scopes[level],
                _ => &levels[level - 2],
            };
            if !there.iter().any(|s| s.to_string() == text) {
                self.put(level, levels, statement);
            }
        }
    }

    fn expression(
        &mut self,
        id: Id,
        here: &HashMap<Id, Code>,
        levels: &mut [Vec<TokenStream>],
        slices: &mut HashMap<(Value, Affine), Ident>,
    ) -> Code {
        let dtype = self.kernel.exprs.dtype(id);
        match self.kernel.exprs.get(id).clone() {
            Expr::Const(literal) => Code::atom(scalar::constant(literal, dtype)),
            Expr::Map(s, args) => {
                let of = self.kernel.exprs.dtype(*args.last().expect("a scalar has arguments"));
                let args: Vec<Code> = args.iter().map(|a| self.known(*a, here)).collect();
                scalar::scalar(s, of, &args)
            }
            Expr::Cast(arg) => scalar::cast(&self.known(arg, here), self.kernel.exprs.dtype(arg), dtype),
            Expr::Index(at) => {
                let value = Code::loose(self.affine(&at, self.is_open(&at))).operand();
                let ty = format_ident!("{}", dtype.name());
                Code::loose(match dtype {
                    DType::Bool => quote!(#value != 0),
                    _ => quote!(#value as #ty),
                })
            }
            Expr::Inside(guards) => Code::loose(self.inside(&guards)),
            Expr::Random(draw, state, at) => {
                let at = self.affine(&at, self.is_open(&at));
                let name = format_ident!("random_{}", draw.name());
                let state = state.iter().map(|id| self.known(*id, here).bare().clone());
                Code::atom(quote!(::kiln::rt::#name(#(#state,)* #at)))
            }
            Expr::Reduced(n) => match &self.kernel.loops {
                Loops::Gemm(_) => Code::atom(quote!(acc[j])),
                _ => Code::atom(self.reduced[n].clone()),
            },
            Expr::Load(v, at, guards) => self.load(v, &at, &guards, dtype, levels, slices),
        }
    }

    pub(super) fn inside(&self, guards: &[Guard]) -> TokenStream {
        let one = |g: &Guard| {
            let (at, span) = (Code::loose(self.affine(&g.at, true)).operand(), self.dims.operand(&g.span));
            match g.step {
                1 => quote!(#at < #span),
                step => {
                    let step = proc_macro2::Literal::i64_unsuffixed(step);
                    quote!(#at < #span && #at % #step == 0)
                }
            }
        };
        let all: Vec<TokenStream> = guards.iter().map(one).collect();
        quote!(#(#all)&&*)
    }

    fn load(
        &mut self,
        v: Value,
        at: &Affine,
        guards: &[Guard],
        dtype: DType,
        levels: &mut [Vec<TokenStream>],
        slices: &mut HashMap<(Value, Affine), Ident>,
    ) -> Code {
        let truth = |x: TokenStream, v: Value| match (dtype, (self.names.element)(v)) {
            (DType::Bool, "u8") => Code::loose(quote!(#x != 0)),
            _ => Code::atom(x),
        };
        if let Some(store) = (self.names.in_place)(v) {
            let slice = (self.names.slice)(store);
            let own = self.kernel.stores.iter().find(|s| s.value == store).expect("it is stored here");
            let index = if own.per_row { quote!(0) } else { self.inner_index() };
            return truth(quote!(#slice[#index]), v);
        }
        let slice = (self.names.slice)(v);
        if !guards.is_empty() {
            let (inside, index, zero) = (self.inside(guards), self.affine(at, true), scalar::zero(dtype));
            let element = truth(quote!(#slice[#index]), v);
            let element = element.bare();
            return Code::loose(quote!(if #inside { #element } else { #zero }));
        }
        let inner = self.inner_axis().filter(|var| at.coefficient(*var).is(1));
        let cut = at
            .terms
            .iter()
            .any(|(var, _)| matches!(var, Var::Derived(_)) && self.level(*var) == self.deepest());
        match inner {
            Some(var) if !cut => {
                let name = self.window(v, &at.without(var), levels, slices);
                truth(quote!(#name[j]), v)
            }
            _ => {
                let index = self.affine(at, false);
                truth(quote!(#slice[#index]), v)
            }
        }
    }

    /// The slice of the elements that the innermost loop passes, from `base` on.
    fn window(
        &mut self,
        v: Value,
        base: &Affine,
        levels: &mut [Vec<TokenStream>],
        slices: &mut HashMap<(Value, Affine), Ident>,
    ) -> Ident {
        let key = (v, base.clone());
        if let Some(name) = self.slices.get(&key).or_else(|| slices.get(&key)) {
            return name.clone();
        }
        let whole = (self.names.slice)(v);
        // Columns: where a run of them begins is known in a row at the earliest.
        let level = self.affine_level(base);
        let n = self.vars.len();
        self.vars.push(n);
        let name = format_ident!("{whole}_{n}");
        let (mut from, len) = (self.affine(base, false), self.innermost.len.clone());
        if let Some(start) = &self.innermost.start {
            from = if base.terms.is_empty() && base.constant.is(0) {
                quote!(#start)
            } else {
                quote!(#from + #start)
            };
        }
        self.put(level, levels, quote!(let #name = &#whole[#from..][..#len];));
        match level {
            0 | 1 => self.slices.insert(key, name.clone()),
            _ => slices.insert(key, name.clone()),
        };
        name
    }

    /// Position within a row, for what is stored there.
    pub fn inner_index(&self) -> TokenStream {
        let outer = match &self.kernel.loops {
            Loops::Rows { outer, .. } => *outer,
            _ => return quote!(j),
        };
        let axes = &self.kernel.axes[outer..];
        if axes.is_empty() {
            return quote!(0);
        }
        let vars: Vec<Affine> = (outer..self.kernel.axes.len()).map(|i| Var::Axis(i).into()).collect();
        self.affine(&crate::fuse::affine::flat(&vars, axes), false)
    }
}

/// Whether something is taken away in a position, so that it may be below 0.
fn takes_away(at: &Affine) -> bool {
    let minus = |d: &kiln_ir::Dim| d.terms().iter().any(|(_, c)| *c < 0);
    minus(&at.constant) || at.terms.iter().any(|(_, c)| minus(c))
}
