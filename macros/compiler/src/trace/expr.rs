//! Expressions.

use super::Tracer;
use super::frame::Flow;
use super::types::plain;
use super::value::{Function, Tree, Value, Var};
use crate::message::body as message;
use crate::source::Number;
use kiln_ir::{DType, Dim, SymKind, surface};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Block, Expr, ExprCast, ExprIf, ExprLit, ExprPath, Lit, Member, Type, UnOp};

impl<'a> Tracer<'a> {
    /// The value of an expression; places are read, except that `&mut` gives one.
    pub fn expr(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Lit(lit) => self.literal(lit),
            Expr::Path(path) => self.path(path),
            Expr::Paren(p) => self.expr(&p.expr),
            Expr::Group(g) => self.expr(&g.expr),
            Expr::Reference(r) if r.mutability.is_some() => match (self.place(&r.expr), self.peek(&r.expr)) {
                (Some(var), _) => self.reborrowed(var),
                (None, Some(parts @ (Value::Tree(_) | Value::Array(_) | Value::Layers(_)))) => parts,
                (None, _) => self.expr(&r.expr),
            },
            Expr::Reference(r) => self.expr(&r.expr),
            Expr::Unary(u) => match u.op {
                UnOp::Deref(_) => self.expr(&u.expr),
                _ => self.unary(u),
            },
            Expr::Binary(b) => self.binary(b),
            Expr::Assign(a) => self.assignment(a),
            Expr::Field(f) => {
                let base = self.expr(&f.base);
                self.field(base, &f.member)
            }
            Expr::Index(i) => self.index(i),
            Expr::MethodCall(call) => self.method(call),
            Expr::Call(call) => self.call(call),
            Expr::Closure(closure) => self.closure(closure),
            Expr::Cast(cast) => self.cast(cast),
            Expr::Tuple(t) if t.elems.is_empty() => Value::Unit,
            Expr::Tuple(t) => Value::Tuple(t.elems.iter().map(|e| self.expr(e)).collect()),
            Expr::Array(a) => Value::Array(a.elems.iter().map(|e| self.expr(e)).collect()),
            Expr::Repeat(r) => self.repeat(r),
            Expr::Range(r) => self.range(r),
            Expr::Block(b) if b.label.is_none() => self.block_value(&b.block),
            Expr::If(i) => self.condition(i),
            Expr::Match(m) => self.choose(m),
            Expr::ForLoop(f) => self.for_loop(f),
            Expr::Return(r) => {
                let value = r.expr.as_ref().map_or(Value::Unit, |e| self.expr(e));
                self.frame().flow = Flow::Return(value);
                Value::Unit
            }
            Expr::Break(b) if b.expr.is_none() && b.label.is_none() => {
                self.frame().flow = Flow::Break;
                Value::Unit
            }
            Expr::Continue(c) if c.label.is_none() => {
                self.frame().flow = Flow::Continue;
                Value::Unit
            }
            Expr::Macro(m) => self.macro_call(&m.mac),
            other => self.refused(other),
        }
    }

    /// An argument: what is behind a reference stays a place.
    pub fn passed(&mut self, expr: &Expr) -> Value {
        match self.peek(expr) {
            Some(Value::Place(var)) => match self.vars[var.0].value {
                Value::Place(inner) => self.reborrowed(inner),
                _ if self.vars[var.0].role.is_some() => Value::Place(var),
                _ => self.expr(expr),
            },
            _ => self.expr(expr),
        }
    }

    /// `&mut` of a variable: a tree is itself, because its tensors are places.
    fn reborrowed(&self, var: Var) -> Value {
        match &self.vars[var.0].value {
            Value::Place(inner) => self.reborrowed(*inner),
            tree @ (Value::Tree(_) | Value::Tuple(_) | Value::Array(_) | Value::Layers(_)) => tree.clone(),
            _ => Value::Place(var),
        }
    }

    /// What an expression that can be assigned to leads to, without a fault: a place, or a part of a variable.
    pub fn peek(&mut self, expr: &Expr) -> Option<Value> {
        match expr {
            Expr::Path(p) => {
                let name = p.path.get_ident()?.to_string();
                self.lookup(&name).map(Value::Place)
            }
            Expr::Paren(p) => self.peek(&p.expr),
            Expr::Group(g) => self.peek(&g.expr),
            Expr::Reference(r) => self.peek(&r.expr),
            Expr::Unary(u) if matches!(u.op, UnOp::Deref(_)) => self.peek(&u.expr),
            Expr::Field(f) => {
                let base = self.peek(&f.base)?;
                match (self.read(base), &f.member) {
                    (Value::Tree(tree), Member::Named(name)) => {
                        let at = tree.form.fields.iter().position(|n| name.unraw() == n)?;
                        Some(tree.fields[at].clone())
                    }
                    (Value::Tuple(list), Member::Unnamed(i)) => list.get(i.index as usize).cloned(),
                    _ => None,
                }
            }
            Expr::Index(i) => {
                let base = self.peek(&i.expr)?;
                let faults = self.errors.len();
                let index = self.expr(&i.index);
                self.errors.truncate(faults);
                match (self.read(base), index) {
                    (Value::Array(list), Value::Int(n)) => {
                        list.get(usize::try_from(n.literal()?).ok()?).cloned()
                    }
                    (Value::Layers(layers), _) => Some(self.separate(&layers)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The variable that an expression can assign to.
    pub fn place(&mut self, expr: &Expr) -> Option<Var> {
        let Value::Place(mut var) = self.peek(expr)? else { return None };
        while let Value::Place(inner) = self.vars[var.0].value {
            var = inner;
        }
        Some(var)
    }

    fn literal(&mut self, lit: &ExprLit) -> Value {
        match &lit.lit {
            Lit::Int(int) if matches!(int.suffix(), "f32" | "f64") => {
                int.base10_digits().parse().map_or(Value::Poison, Value::Float)
            }
            Lit::Int(int) => match int.base10_parse::<i64>() {
                // Below the square root of the largest, so that products of two don't overflow.
                Ok(n) if n < 1 << 48 => Value::Int(Dim::from(n)),
                _ => self.fault(int, message::number_too_large()),
            },
            Lit::Float(float) => float.base10_parse::<f64>().map_or(Value::Poison, Value::Float),
            Lit::Bool(bool) => Value::Bool(bool.value),
            Lit::Str(text) => Value::Text(text.value()),
            other => self.fault(other, message::literal()),
        }
    }

    fn path(&mut self, path: &ExprPath) -> Value {
        let owner = self.owner();
        let name = plain(&path.path);
        if let Some(ident) = path.path.get_ident() {
            if let Some(var) = self.lookup(&name) {
                let value = self.read(Value::Place(var));
                // What is assigned to a part later is no part of what was read.
                return if self.is_spread(&value) { self.snapshot(&value) } else { value };
            }
            if let Some(at) = owner.syms.0.iter().position(|s| s.name == name)
                && matches!(owner.syms.0[at].kind, SymKind::Free { .. })
            {
                return owner.sizes[at].clone().map_or(Value::Poison, Value::Int);
            }
            if ident == "None" {
                return Value::Absent;
            }
        }
        let last = path.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
        if let Some(dtype) = DType::from_name(&name).or_else(|| dtype_variant(&name)) {
            return Value::Dtype(dtype);
        }
        if let Some(x) = super::number::known_constant(&name) {
            return Value::Float(x);
        }
        if let Some(Number::Float(x)) = self.library.values.get(&name) {
            return Value::Float(*x);
        }
        if let Some((key, entry)) = self.item(&owner, &path.path) {
            return match &entry.item {
                crate::library::Item::Model(_) => Value::Function(Function::Model(key.to_string())),
                crate::library::Item::Builtin(builtin) => match surface::function(builtin) {
                    Some(entry) => Value::Function(Function::Builtin(entry.name)),
                    None => self.fault(path, message::function_as_value(&name)),
                },
                crate::library::Item::Params(_) => self.fault(path, message::struct_called(&name)),
                crate::library::Item::Faulty => Value::Poison,
            };
        }
        let variant = self.variant(&path.path);
        if variant.is_none() && !last.chars().any(char::is_lowercase) && path.qself.is_none() {
            return Value::Int(self.constant(&name, &owner.key));
        }
        match variant {
            Some(bare) if bare.of.is_empty() => {
                return self.fault(path, message::bare_variant(&bare.name));
            }
            Some(choice) => return Value::Choice(choice),
            None => {}
        }
        let names = self.visible();
        let near = surface::nearest(&name, names.iter().map(String::as_str));
        self.fault(path, message::unknown_name(&name, near))
    }

    /// The names that can be used here.
    fn visible(&mut self) -> Vec<String> {
        let frees = self.owner().syms.0.clone();
        let frees = frees.into_iter().map(|s| s.name);
        self.frame().scopes.iter().map(|(n, _)| n.clone()).chain(frees).collect()
    }

    fn field(&mut self, base: Value, member: &Member) -> Value {
        match (&base, member) {
            (Value::Poison, _) => Value::Poison,
            (Value::Tree(tree), Member::Named(name)) => self.tree_field(&tree.clone(), name),
            (Value::Tuple(list), Member::Unnamed(i)) => match list.get(i.index as usize) {
                Some(value) => self.read(value.clone()),
                None => {
                    self.fault(member, message::tuple_field(&i.index.to_string(), &list.len().to_string()))
                }
            },
            _ => {
                let (what, name) = (self.describe(&base), member.to_token_stream().to_string());
                let known = surface::method(&name).is_some() || super::method::SHAPE.contains(&name.as_str());
                let method = matches!(base, Value::Tensor(_)) && known;
                self.fault(member, message::no_fields(&what, &name, method))
            }
        }
    }

    fn tree_field(&mut self, tree: &Tree, name: &syn::Ident) -> Value {
        let text = name.unraw().to_string();
        if let Some(at) = tree.form.fields.iter().position(|f| *f == text) {
            return self.read(tree.fields[at].clone());
        }
        let known: Vec<&str> = tree.form.fields.iter().map(String::as_str).collect();
        self.fault(name, message::unknown_field(&tree.form.name, &text, &known))
    }

    fn cast(&mut self, cast: &ExprCast) -> Value {
        let value = self.expr(&cast.expr);
        let Type::Path(ty) = &*cast.ty else { return self.fault(&cast.ty, message::cast_type()) };
        let name = plain(&ty.path);
        let float = match name.as_str() {
            "f32" => Some(DType::F32),
            "f64" => Some(DType::F64),
            "usize" | "isize" | "i64" | "i32" | "u64" | "u32" | "u8" | "i8" | "u16" | "i16" => None,
            _ => return self.fault(&cast.ty, message::cast_type()),
        };
        match (value, float) {
            (Value::Poison, _) => Value::Poison,
            (Value::Int(n), Some(dtype)) => match n.literal() {
                Some(n) => Value::Float(n as f64),
                None => {
                    self.locate(cast);
                    let size = self.size_number(&n, dtype);
                    self.built(cast, size).map_or(Value::Poison, |v| self.tensor(v))
                }
            },
            (Value::Int(n), None) => Value::Int(n),
            (Value::Float(x), Some(_)) => Value::Float(x),
            (Value::Float(x), None) => Value::Int(Dim::from((x as i64).clamp(-(1 << 48), 1 << 48))),
            (Value::Bool(x), None) => Value::Int(Dim::from(i64::from(x))),
            (Value::Tensor(_), _) => self.fault(&cast.ty, message::cast_tensor(&name)),
            (other, _) => {
                let got = self.describe(&other);
                self.fault(&cast.expr, message::cast_kind(&got))
            }
        }
    }

    fn condition(&mut self, i: &ExprIf) -> Value {
        if let Expr::Let(l) = &*i.cond {
            return self.fault(l.let_token, message::if_let());
        }
        match self.decision(&i.cond) {
            Value::Bool(true) => self.block_value(&i.then_branch),
            Value::Bool(false) => i.else_branch.as_ref().map_or(Value::Unit, |(_, e)| self.expr(e)),
            Value::Poison => Value::Poison,
            Value::Tensor(_) => self.fault(&i.cond, message::if_tensor()),
            other => {
                let got = self.describe(&other);
                self.fault(&i.cond, message::if_kind(&got))
            }
        }
    }

    /// A block with its own names.
    pub fn block_value(&mut self, block: &Block) -> Value {
        self.scoped(|tracer| tracer.statements(&block.stmts))
    }

    fn refused(&mut self, expr: &Expr) -> Value {
        let (at, what, why): (&dyn ToTokens, &str, &str) = match expr {
            Expr::While(e) => (&e.while_token, "`while`", message::WHILE),
            Expr::Loop(e) => (&e.loop_token, "`loop`", message::WHILE),
            Expr::Unsafe(e) => (&e.unsafe_token, "`unsafe`", message::UNSAFE),
            Expr::Async(e) => (&e.async_token, "`async`", message::ASYNC),
            Expr::Await(e) => (&e.await_token, "`.await`", message::ASYNC),
            Expr::Try(e) => (&e.question_token, "`?`", message::TRY),
            Expr::Struct(e) => (&e.path, "a struct literal", message::STRUCT),
            Expr::Let(e) => (&e.let_token, "`if let`", message::REFUTABLE),
            Expr::Block(e) => (&e.label, "a label", message::OTHER),
            Expr::Break(e) => (&e.break_token, "a `break` with label or value", message::OTHER),
            Expr::Continue(e) => (&e.continue_token, "a `continue` with a label", message::OTHER),
            other => (other, "this expression", message::OTHER),
        };
        let message = message::cant(what, why);
        self.fault(at, message)
    }

    /// `println!(…)`
    pub fn macro_call(&mut self, mac: &syn::Macro) -> Value {
        let name = plain(&mac.path);
        let message = match name.rsplit("::").next().unwrap_or(&name) {
            "println" | "print" | "eprintln" | "eprint" | "dbg" | "write" | "writeln" => {
                message::prints(&name, &self.owner().name)
            }
            "vec" => message::vec(),
            _ => message::macros(&name),
        };
        self.fault(&mac.path, message)
    }
}

/// Arrays are unrolled; more than that is no array of layers.
pub(crate) const MOST_ELEMENTS: i64 = 100_000;

fn dtype_variant(path: &str) -> Option<DType> {
    let variant = path.rsplit_once("DType::")?.1;
    DType::from_name(&variant.to_lowercase())
}
