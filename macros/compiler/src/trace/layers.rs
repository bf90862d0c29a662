//! Arrays of layers that only loops go over: the tensors of all layers are one value of the graph, `[layers, …]`, of which a turn
//! sees its own. Any other use (an index, a pattern) takes the array apart: tracing starts over with a value a layer.

use super::Tracer;
use super::grow::Growth;
use super::iterate::UNROLLED;
use super::types::Owner;
use super::value::{Layers, Range, Value};
use kiln_ir::Dim;
use quote::ToTokens;
use std::rc::Rc;
use syn::{ExprMethodCall, TypeArray};

/// The path of each layer, from that of the array.
pub(super) fn path(array: &str) -> String {
    format!("{array}.*")
}

impl Layers {
    /// The same with another value for each.
    pub fn with(&self, each: Value) -> Value {
        Value::Layers(Rc::new(Layers { each, ..self.clone() }))
    }
}

impl<'a> Tracer<'a> {
    /// Whether an array of params is one value of layers: a long one outside of others, which nothing has taken apart.
    pub(super) fn are_layers(&self, owner: &Owner<'a>, array: &TypeArray, n: i64, growth: &Growth) -> bool {
        n > UNROLLED && growth.layers.is_none() && !self.separate.contains(&array_name(owner, array))
    }

    /// The layers of an array, each tensor of all of them an input.
    pub(super) fn grow_layers(
        &mut self,
        owner: &Owner<'a>,
        array: &TypeArray,
        n: i64,
        at: &str,
        growth: &Growth,
    ) -> Option<Value> {
        let growth = Growth { layers: Some(n), ..*growth };
        let each = self.grow(owner, &array.elem, &path(at), &growth)?;
        let arrays = vec![array_name(owner, array)];
        Some(Value::Layers(Rc::new(Layers { count: n, each, reverse: false, arrays })))
    }

    /// Starts over with these arrays taken apart.
    pub(super) fn separate(&mut self, layers: &Layers) -> Value {
        self.separate.extend(layers.arrays.iter().cloned());
        self.again = true;
        Value::Poison
    }

    /// A method of an array of layers: what a loop over it can follow, or that of an array.
    pub(super) fn layers_method(&mut self, layers: &Rc<Layers>, call: &ExprMethodCall) -> Value {
        let args: Vec<Value> = call.args.iter().map(|a| self.expr(a)).collect();
        if args.iter().any(Value::is_poison) {
            return Value::Poison;
        }
        match (call.method.to_string().as_str(), args.as_slice()) {
            ("iter" | "iter_mut" | "into_iter", []) => Value::Layers(layers.clone()),
            ("len", []) => Value::Int(Dim::from(layers.count)),
            ("rev", []) => Value::Layers(Rc::new(Layers { reverse: !layers.reverse, ..(**layers).clone() })),
            ("enumerate", []) => {
                let numbers =
                    Range { start: 0.into(), trips: layers.count.into(), step: 1, reverse: layers.reverse };
                layers.with(Value::Tuple(vec![Value::Range(Rc::new(numbers)), layers.each.clone()]))
            }
            ("zip", [other]) => self.zipped(layers, other),
            _ => self.separate(layers),
        }
    }

    /// Pairs of a layer and what else there is one of for each.
    fn zipped(&mut self, layers: &Layers, other: &Value) -> Value {
        let (each, count, reverse, arrays) = match other {
            Value::Layers(other) => {
                (other.each.clone(), Some(other.count), other.reverse, other.arrays.clone())
            }
            Value::Series(t) => (Value::Tensor(t.clone()), self.ty(t).shape[0].literal(), false, vec![]),
            Value::Range(range) => {
                // Counted from the first turn, wherever that stands in the array.
                let numbers = Range { reverse: range.reverse != layers.reverse, ..(**range).clone() };
                (Value::Range(Rc::new(numbers)), range.trips.literal(), layers.reverse, vec![])
            }
            _ => (Value::Unit, None, false, vec![]),
        };
        let arrays = [layers.arrays.clone(), arrays].concat();
        let both = Layers { each: Value::Tuple(vec![layers.each.clone(), each]), arrays, ..layers.clone() };
        match count == Some(layers.count) && reverse == layers.reverse {
            true => Value::Layers(Rc::new(both)),
            false => self.separate(&both),
        }
    }

    /// The layer of a turn, whose tensors are places of their own.
    pub(super) fn layer(&mut self, each: &Value, turn: &Dim, at: &dyn ToTokens) -> Value {
        match each {
            Value::Tensor(t) => self.nth_of(t, turn, at).unwrap_or(Value::Poison),
            Value::Place(var) => match self.read(each.clone()) {
                Value::Tensor(t) => {
                    let Some(own) = self.nth_of(&t, turn, at) else { return Value::Poison };
                    let (name, known) = (self.vars[var.0].name.replace(".*", ""), &self.vars[var.0]);
                    let (mutable, role) = (known.mutable, known.role);
                    let inner = self.variable(&name, own, mutable, role);
                    self.sees_layer(*var, inner);
                    Value::Place(inner)
                }
                other => self.layer(&other, turn, at),
            },
            Value::Tree(tree) => {
                let fields = tree.fields.iter().map(|v| self.layer(v, turn, at)).collect();
                Value::Tree(Rc::new(super::value::Tree { form: tree.form.clone(), fields }))
            }
            Value::Array(list) => Value::Array(list.iter().map(|v| self.layer(v, turn, at)).collect()),
            Value::Tuple(list) => Value::Tuple(list.iter().map(|v| self.layer(v, turn, at)).collect()),
            Value::Range(range) => {
                let last = range.trips.clone() - Dim::from(1);
                let n = if range.reverse { last - turn.clone() } else { turn.clone() };
                Value::Int(range.start.clone() + n * Dim::from(range.step))
            }
            other => other.clone(),
        }
    }
}

/// An array by its type, as the item that owns it writes it: a net's, its moments' and its gradients' are one.
fn array_name(owner: &Owner, array: &TypeArray) -> String {
    format!("{} {}", owner.key, array.to_token_stream())
}
