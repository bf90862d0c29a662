//! Method calls: on tensors by the surface's table, on trees what all trees have.

use super::Tracer;
use super::arguments::Given;
use super::value::{Function, Tensor, Tree, Value, Var};
use crate::library::Item;
use crate::message::body as message;
use kiln_ir::composite::optim;
use kiln_ir::{DType, Dim, surface};
use std::rc::Rc;
use syn::{Expr, ExprMethodCall, GenericArgument, Type};

/// What a tensor tells about its shape while compiling.
pub(crate) const SHAPE: [&str; 5] = ["size", "shape", "rank", "dim", "numel"];

const TREE: [&str; 5] = ["forward", "clip_norm", "clip_value", "norm", "clone"];

impl<'a> Tracer<'a> {
    /// `x.f(y)`
    pub fn method(&mut self, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        if name == "push"
            && let Some(var) = self.list_place(&call.receiver)
        {
            return self.push(var, call);
        }
        match self.receiver(call) {
            Value::Poison => {
                // The arguments' faults are their own.
                call.args.iter().for_each(|arg| drop(self.expr(arg)));
                Value::Poison
            }
            Value::Tensor(t) => self.tensor_method(t, call),
            Value::Tree(tree) => self.tree_method(&tree, call),
            Value::Array(list) => self.array_method(list, call),
            Value::Layers(layers) => self.layers_method(&layers, call),
            Value::Range(range) => self.range_method(&range, call),
            Value::Series(t) => self.series_method(t, call),
            on @ (Value::Int(_) | Value::Float(_)) => self.number_method(on, call),
            other => {
                let what = self.describe(&other);
                self.fault(&call.method, message::unknown_method(&what, &name, None))
            }
        }
    }

    /// What a method is called on: a tree, and what `iter_mut` goes over, with its places.
    fn receiver(&mut self, call: &ExprMethodCall) -> Value {
        let peeked = self.peek(&call.receiver).map(|value| self.read(value));
        match peeked {
            Some(tree @ Value::Tree(_)) => tree,
            Some(list @ (Value::Array(_) | Value::Layers(_))) if call.method == "iter_mut" => list,
            _ => {
                let value = self.expr(&call.receiver);
                self.read(value)
            }
        }
    }

    fn tensor_method(&mut self, t: Tensor, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        if SHAPE.contains(&name.as_str()) {
            return self.shape_method(&t, call);
        }
        let Some(entry) = surface::method(&name) else {
            let message = match name.as_str() {
                "unwrap" | "expect" => message::cant(&format!("`.{name}()`"), message::TRY),
                "backward" | "grad" | "requires_grad" => message::eager_method(&name),
                "item" | "to_vec" | "as_slice" | "data" => message::no_numbers(&name),
                "forward" => message::forward_of_tensor(),
                _ if surface::function(&name).is_some() => message::is_function(&name),
                _ => message::unknown_method("a tensor", &name, surface::nearest_method(&name)),
            };
            return self.fault(&call.method, message);
        };
        let chain = t.chain.clone();
        let receiver: &Expr = &call.receiver;
        let result = match (&call.turbofish, entry.name) {
            (Some(generics), "to" | "cast") if call.args.is_empty() => match generics.args.first() {
                Some(GenericArgument::Type(Type::Path(p))) => {
                    let dtype = super::types::plain(&p.path);
                    match DType::from_name(&dtype) {
                        Some(dtype) => {
                            let values = [Value::Tensor(t), Value::Dtype(dtype)];
                            self.surface_call(entry, &values, &[receiver, receiver], &call.method)
                        }
                        None => self.fault(p, crate::message::unknown_dtype(&dtype)),
                    }
                }
                _ => self.fault(generics, message::turbofish()),
            },
            (Some(generics), _) => self.fault(generics, message::turbofish()),
            (None, "to" | "cast") if self.misspelt_dtype(call) => Value::Poison,
            _ => {
                let args: Vec<&Expr> = call.args.iter().collect();
                self.surface(entry, Some((Value::Tensor(t), receiver)), &args, &call.method)
            }
        };
        match (result, chain) {
            (Value::Tensor(t), Some(chain)) if chain.len() < 40 => {
                let name = format!("{chain}_{name}");
                self.b().name(t.at, &name);
                Value::Tensor(Tensor { chain: Some(name.into()), ..t })
            }
            (result, _) => result,
        }
    }

    /// Whether `.to(f23)` names no element type, with the fault noted.
    fn misspelt_dtype(&mut self, call: &ExprMethodCall) -> bool {
        let [Expr::Path(p)] = call.args.iter().collect::<Vec<_>>()[..] else { return false };
        let name = super::types::plain(&p.path);
        let known = p.path.get_ident().is_none() || DType::from_name(&name).is_some();
        if known || self.lookup(&name).is_some() || !name.starts_with(char::is_lowercase) {
            return false;
        }
        self.fault(p, crate::message::unknown_dtype(&name));
        true
    }

    fn shape_method(&mut self, t: &Tensor, call: &ExprMethodCall) -> Value {
        let ty = self.ty(t);
        let args: Vec<Value> = call.args.iter().map(|a| self.expr(a)).collect();
        match (call.method.to_string().as_str(), args.as_slice()) {
            ("shape", []) => Value::Array(ty.shape.into_iter().map(Value::Int).collect()),
            ("rank" | "dim", []) => Value::Int(Dim::from(ty.rank())),
            ("numel", []) => Value::Int(ty.numel()),
            ("size" | "dim", [Value::Int(n)]) => {
                let rank = ty.rank() as i64;
                let axis = n.literal().map(|n| if n < 0 { n + rank } else { n });
                match axis.filter(|a| (0..rank).contains(a)) {
                    Some(axis) => Value::Int(ty.shape[axis as usize].clone()),
                    None => {
                        let (n, shown) = (self.show_dim(n), self.show_ty(&ty));
                        self.fault(&call.args, message::size_of(&n, &shown))
                    }
                }
            }
            (_, args) if args.iter().any(Value::is_poison) => Value::Poison,
            (name, args) => {
                let wanted: &[&str] = if name == "size" { &["dim"] } else { &[] };
                self.fault(&call.method, message::surface_count(name, wanted, args.len(), true))
            }
        }
    }

    fn tree_method(&mut self, tree: &Rc<Tree>, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        let args: Vec<&Expr> = call.args.iter().collect();
        match (name.as_str(), args.as_slice()) {
            ("step", _) if tree.form.inner.is_some() => self.step(tree, call),
            ("forward", _) if tree.form.inner.is_none() => self.forward(tree, call),
            ("clone", []) => self.snapshot(&Value::Tree(tree.clone())),
            ("clip_norm" | "clip_value", [max]) => self.clip(tree, max, call),
            ("norm", []) => self.tree_norm(tree, call),
            ("clip_norm" | "clip_value" | "norm", args) => {
                let wanted: &[&str] = if name == "norm" { &[] } else { &["max"] };
                self.fault(&call.method, message::surface_count(&name, wanted, args.len(), true))
            }
            _ => {
                let what = format!("`{}`", tree.form.name);
                let known = if tree.form.inner.is_some() { &["step"][..] } else { &TREE[..] };
                let near = surface::nearest(&name, known.iter().copied());
                self.fault(&call.method, message::unknown_method(&what, &name, near))
            }
        }
    }

    /// `net.fc1.forward(x)`: the model that the struct names.
    fn forward(&mut self, tree: &Rc<Tree>, call: &ExprMethodCall) -> Value {
        let key = self.library.entries.get(&tree.form.key).and_then(|entry| match &entry.item {
            Item::Params(params) => entry.deps.get(&super::types::plain(params.forward.as_ref()?)),
            _ => None,
        });
        let Some(key) = key.cloned() else {
            return self.fault(&call.method, message::no_forward(&tree.form.name));
        };
        let receiver: &Expr = &call.receiver;
        let mut given = vec![Given { value: Value::Tree(tree.clone()), expr: receiver }];
        given.extend(call.args.iter().map(|expr| Given { value: self.passed(expr), expr }));
        let result = self.run(&Value::Function(Function::Model(key)), &given, &call.method);
        match (result, self.tree_name(tree)) {
            (Value::Tensor(t), Some(name)) => {
                self.b().name(t.at, &name);
                Value::Tensor(Tensor { chain: Some(name.into()), ..t })
            }
            (result, _) => result,
        }
    }

    /// Where a tree stands in its argument: `blocks_3_fc1`.
    pub fn tree_name(&self, tree: &Tree) -> Option<String> {
        let (var, depth) = first_place(&Value::Tree(Rc::new(tree.clone())))?;
        let path: Vec<&str> = self.vars[var.0].name.split('.').collect();
        let inner = path.get(1..path.len().checked_sub(depth)?)?;
        (!inner.is_empty()).then(|| inner.join("_"))
    }

    /// `grads.clip_norm(1.0)`, `grads.clip_value(0.5)`
    fn clip(&mut self, tree: &Rc<Tree>, max: &Expr, call: &ExprMethodCall) -> Value {
        let name = call.method.to_string();
        let limit = match self.expr(max) {
            Value::Float(x) => x,
            Value::Poison => return Value::Poison,
            other => {
                let got = self.describe(&other);
                let kind = surface::Kind::Float.describe();
                return self.fault(max, message::surface_argument(&name, "max", kind, &got, ""));
            }
        };
        let whole = Value::Tree(tree.clone());
        let mut tensors = Vec::new();
        self.tensors(&whole, &mut tensors);
        let values: Vec<kiln_ir::Value> = tensors.iter().map(|t| self.here(t)).collect();
        self.locate(&call.method);
        let clip = if name == "clip_norm" { optim::clip_norm } else { optim::clip_value };
        let clipped = clip(self.b(), &values, limit);
        let Some(clipped) = self.built(&call.method, clipped) else { return Value::Poison };
        let mut clipped: Vec<Value> = clipped.into_iter().map(|v| self.tensor(v)).collect();
        self.replaced(&whole, &mut clipped.drain(..))
    }

    fn tree_norm(&mut self, tree: &Rc<Tree>, call: &ExprMethodCall) -> Value {
        let mut tensors = Vec::new();
        self.tensors(&Value::Tree(tree.clone()), &mut tensors);
        let values: Vec<kiln_ir::Value> = tensors.iter().map(|t| self.here(t)).collect();
        self.locate(&call.method);
        let norm = optim::grad_norm(self.b(), &values);
        self.built(&call.method, norm).map_or(Value::Poison, |v| self.tensor(v))
    }
}

/// The first tensor of a tree that is a place, and how deep it stands.
fn first_place(value: &Value) -> Option<(Var, usize)> {
    match value {
        Value::Place(var) => Some((*var, 0)),
        Value::Tree(tree) => tree.fields.iter().find_map(first_place).map(|(v, d)| (v, d + 1)),
        Value::Array(list) => list.iter().find_map(first_place).map(|(v, d)| (v, d + 1)),
        Value::Layers(layers) => first_place(&layers.each).map(|(v, d)| (v, d + 1)),
        _ => None,
    }
}
