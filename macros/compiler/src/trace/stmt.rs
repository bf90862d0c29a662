//! Statements and assignments.

use super::Tracer;
use super::frame::Flow;
use super::types::plain;
use super::value::{Value, Var};
use crate::message::body as message;
use quote::ToTokens;
use syn::{Expr, ExprAssign, Item, Local, Stmt};

impl Tracer<'_> {
    /// Runs statements; the value is that of an expression at the end.
    pub fn statements(&mut self, stmts: &[Stmt]) -> Value {
        let mut value = Value::Unit;
        for stmt in stmts {
            if !matches!(self.frame().flow, Flow::On) {
                return Value::Unit;
            }
            value = match stmt {
                Stmt::Local(local) => self.local(local),
                Stmt::Expr(expr, None) => self.expr(expr),
                Stmt::Expr(expr, Some(_)) => {
                    let value = self.expr(expr);
                    if value.is_poison() { Value::Poison } else { Value::Unit }
                }
                Stmt::Macro(m) => self.macro_call(&m.mac),
                Stmt::Item(item) => self.item_statement(item),
            };
        }
        value
    }

    fn local(&mut self, local: &Local) -> Value {
        let Some(init) = &local.init else {
            self.fault(local, message::let_without_value());
            self.pattern(&local.pat, Value::Poison);
            return Value::Unit;
        };
        if let Some((token, _)) = &init.diverge {
            self.fault(token, message::cant("`let … else`", message::REFUTABLE));
            self.poison_names(&local.pat);
            return Value::Unit;
        }
        let value = self.expr(&init.expr);
        self.pattern(&local.pat, value);
        Value::Unit
    }

    fn item_statement(&mut self, item: &Item) -> Value {
        match item {
            Item::Const(c) => {
                let name = c.ident.to_string();
                let value = self.expr(&c.expr);
                let var = self.variable(&name, value, false, None);
                self.bind(&name, var);
                Value::Unit
            }
            Item::Use(_) => Value::Unit,
            Item::Macro(m) => self.macro_call(&m.mac),
            Item::Fn(f) => self.fault(&f.sig.ident, message::item("a function")),
            other => self.fault(other, message::item("this item")),
        }
    }

    /// `a = b`
    pub fn assignment(&mut self, a: &ExprAssign) -> Value {
        let value = self.expr(&a.right);
        if matches!(&*a.left, Expr::Infer(_)) {
            return Value::Unit;
        }
        if let (Expr::Tuple(targets), Value::Tuple(list)) = (&*a.left, &value)
            && targets.elems.len() == list.len()
        {
            for (target, value) in targets.elems.iter().zip(list) {
                self.assign(target, value.clone(), &a.eq_token);
            }
            return Value::Unit;
        }
        self.assign(&a.left, value, &a.eq_token)
    }

    /// Assigns to a variable or state.
    pub fn assign(&mut self, left: &Expr, value: Value, at: &dyn ToTokens) -> Value {
        let target = self.peek(left);
        if let Some(tree) = self.tree_target(left, &target) {
            return self.assign_tree(left, &tree, value);
        }
        let Some(var) = self.place(left) else {
            if let Expr::Path(p) = left
                && self.lookup(&plain(&p.path)).is_none()
            {
                return self.expr(left);
            }
            // A fault in what is assigned to is the only one.
            let faults = self.errors.len();
            self.expr(left);
            if self.errors.len() != faults || value.is_poison() {
                return Value::Poison;
            }
            let text = self.text(left);
            return self.fault(left, message::no_state(&text));
        };
        if !self.assignable(left, var, at) {
            return Value::Poison;
        }
        if value.is_poison() {
            self.write(var, Value::Poison);
            return Value::Poison;
        }
        self.store(left, var, value)
    }

    /// The tree that an assignment fills: `*net = …`, `net.fc1 = …`, but not `grads = …`.
    fn tree_target(&mut self, left: &Expr, target: &Option<Value>) -> Option<Value> {
        let target = target.clone()?;
        if matches!(left, Expr::Path(_)) {
            return None;
        }
        match self.read(target) {
            tree @ (Value::Tree(_) | Value::Tuple(_) | Value::Array(_) | Value::Layers(_)) => Some(tree),
            _ => None,
        }
    }

    fn assign_tree(&mut self, left: &Expr, tree: &Value, value: Value) -> Value {
        if value.is_poison() {
            return Value::Poison;
        }
        let (mut mine, mut given) = (Vec::new(), Vec::new());
        super::entry::places(tree, &mut mine);
        self.tensors(&value, &mut given);
        if mine.len() != given.len() || mine.is_empty() {
            let (want, got) = (self.describe(tree), self.describe(&value));
            return self.fault(left, message::state_kind(&want, &got));
        }
        for (var, tensor) in mine.into_iter().zip(given) {
            if !self.assignable(left, var, left) || self.store(left, var, Value::Tensor(tensor)).is_poison() {
                return Value::Poison;
            }
        }
        Value::Unit
    }

    fn assignable(&mut self, left: &Expr, var: Var, at: &dyn ToTokens) -> bool {
        let text = self.text(left);
        let (mutable, state) = (self.vars[var.0].mutable, self.vars[var.0].role.is_some());
        if !self.reaches(var) {
            self.fault(left, message::outside_of_closure(&text));
        } else if !mutable && state {
            let root = self.vars[var.0].name.split('.').next().unwrap_or_default().to_string();
            self.fault(left, message::state_immutable(&text, &root));
        } else if !mutable {
            self.fault(left, message::not_mut(&text));
        } else if let Expr::Path(p) = left
            && self.lookup(&plain(&p.path)) != Some(var)
        {
            self.fault(at.to_token_stream(), message::star(&text));
        } else {
            return true;
        }
        false
    }

    pub(super) fn store(&mut self, left: &Expr, var: Var, value: Value) -> Value {
        let old = self.read(Value::Place(var));
        let value = self.read(value);
        if self.store_spread(left, var, &value) {
            return Value::Unit;
        }
        match (&old, &value) {
            (Value::Tensor(old), Value::Tensor(new)) => {
                let (want, got) = (self.ty(old), self.ty(new));
                let state = self.vars[var.0].role.is_some();
                let fits = want.dtype == got.dtype && (!state || self.same_shape(&want.shape, &got.shape));
                if !fits {
                    let (want, got) = (self.show_ty(&want), self.show_ty(&got));
                    let text = self.text(left);
                    return self.fault(left, message::state_type(&text, &want, &got));
                }
                let at = self.here(new);
                let value = self.tensor(at);
                self.write(var, value);
            }
            (Value::Tensor(_), _) => {
                let (want, got) = (self.describe(&old), self.describe(&value));
                return self.fault(left, message::state_kind(&want, &got));
            }
            _ => {
                let name = self.vars[var.0].name.clone();
                let value = self.spread(&name, value);
                self.write(var, value);
            }
        }
        Value::Unit
    }
}
