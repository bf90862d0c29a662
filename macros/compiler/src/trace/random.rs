//! `rng: &mut Rng`: a generator as a tree of its key and its counter, which advances with each draw.

use super::Tracer;
use super::grow::Growth;
use super::value::{Form, Tree, Value, Var};
use crate::link::RNG;
use crate::message::body as message;
use kiln_ir::Role;
use kiln_ir::composite::random::Generator;
use kiln_ir::ops::random::{counter_type, key_type};
use std::rc::Rc;
use syn::Expr;

impl Tracer<'_> {
    /// The generator of an argument: its fields are in the order of the runtime's.
    pub fn grow_rng(&mut self, path: &str, growth: &Growth) -> Value {
        let fields = vec![
            self.grow_tensor(key_type(), &format!("{path}.key"), Role::Buffer, growth),
            self.grow_tensor(counter_type(), &format!("{path}.counter"), Role::Buffer, growth),
        ];
        let form = Form {
            name: RNG.into(),
            key: RNG.into(),
            generics: Vec::new(),
            inner: None,
            fields: vec!["key".into(), "counter".into()],
        };
        Value::Tree(Rc::new(Tree { form: Rc::new(form), fields }))
    }

    /// The generator behind an argument of a call.
    pub fn generator(&mut self, value: &Value) -> Option<Generator> {
        let (key, counter) = self.rng_fields(value)?;
        let (key, counter) = (self.read(key), self.read(counter));
        match (key, counter) {
            (Value::Tensor(key), Value::Tensor(counter)) => {
                Some(Generator { key: self.here(&key), counter: self.here(&counter) })
            }
            _ => None,
        }
    }

    fn rng_fields(&self, value: &Value) -> Option<(Value, Value)> {
        match self.read(value.clone()) {
            Value::Tree(tree) if tree.form.key == RNG => {
                Some((tree.fields.first()?.clone(), tree.fields.get(1)?.clone()))
            }
            _ => None,
        }
    }

    /// Whether a variable is the counter of a generator.
    pub fn is_counter(&self, var: Var) -> bool {
        let counts = |value: &Value| match value {
            Value::Tree(tree) if tree.form.key == RNG => {
                matches!(tree.fields.get(1), Some(Value::Place(counter)) if *counter == var)
            }
            _ => false,
        };
        self.vars.iter().any(|v| counts(&v.value))
    }

    /// The place of the counter, or why it can't be changed here.
    pub fn rng_counter(&mut self, value: &Value, name: &str, expr: &Expr) -> Result<Var, String> {
        let text = self.text(expr);
        match self.rng_fields(value) {
            Some((_, Value::Place(var))) if self.vars[var.0].mutable => match self.reaches(var) {
                true => Ok(var),
                false => Err(message::tree_outside_of_closure(&text)),
            },
            _ => Err(message::argument_immutable(name, "rng", &text)),
        }
    }

    /// Lets a generator go on after a draw.
    pub fn advance(&mut self, counter: Option<Var>, to: kiln_ir::Value) {
        if let Some(var) = counter {
            let value = self.tensor(to);
            self.write(var, value);
        }
    }
}
