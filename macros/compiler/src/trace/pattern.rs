//! Patterns: what `let`, `for` and closures bind.

use super::Tracer;
use super::value::{Tensor, Value};
use crate::message::body as message;
use crate::syntax::tensor;
use syn::{Pat, Type};

impl Tracer<'_> {
    /// Binds the names of a pattern to the parts of a value.
    pub fn pattern(&mut self, pat: &Pat, value: Value) {
        match pat {
            Pat::Ident(p) if p.subpat.is_none() => {
                let name = p.ident.to_string();
                let mut value = self.named(&name, value);
                if p.mutability.is_some() {
                    value = self.spread(&name, value);
                }
                let var = self.variable(&name, value, p.mutability.is_some(), None);
                self.bind(&name, var);
            }
            Pat::Wild(_) => {}
            Pat::Paren(p) => self.pattern(&p.pat, value),
            Pat::Reference(p) => self.pattern(&p.pat, value),
            Pat::Type(p) => {
                let value = self.annotated(&p.ty, value);
                self.pattern(&p.pat, value);
            }
            Pat::Tuple(p) => {
                let parts = match self.read(value) {
                    Value::Tuple(list) => Ok(list),
                    other => Err(other),
                };
                self.parts(p, p.elems.iter().collect(), parts, "tuple");
            }
            Pat::Slice(p) => {
                let parts = match self.read(value) {
                    Value::Array(list) => Ok(list),
                    Value::Layers(layers) => Err(self.separate(&layers)),
                    other => Err(other),
                };
                self.parts(p, p.elems.iter().collect(), parts, "array");
            }
            other => {
                self.fault(other, message::pattern());
                self.poison_names(other);
            }
        }
    }

    fn parts(
        &mut self,
        at: &dyn quote::ToTokens,
        patterns: Vec<&Pat>,
        parts: Result<Vec<Value>, Value>,
        what: &str,
    ) {
        let list = match parts {
            Ok(list) if list.len() == patterns.len() => list,
            Ok(list) => {
                self.fault(at, message::pattern_count(what, patterns.len(), list.len()));
                vec![Value::Poison; patterns.len()]
            }
            Err(Value::Poison) => vec![Value::Poison; patterns.len()],
            Err(other) => {
                let got = self.describe(&other);
                self.fault(at, message::pattern_kind(what, &got));
                vec![Value::Poison; patterns.len()]
            }
        };
        for (pattern, value) in patterns.into_iter().zip(list) {
            self.pattern(pattern, value);
        }
    }

    /// The names in a pattern that can't be compiled are declared, so that their uses are no faults of their own.
    pub fn poison_names(&mut self, pat: &Pat) {
        match pat {
            Pat::Ident(p) => {
                let var = self.variable(&p.ident.to_string(), Value::Poison, true, None);
                self.bind(&p.ident.to_string(), var);
            }
            Pat::TupleStruct(p) => p.elems.iter().for_each(|p| self.poison_names(p)),
            Pat::Struct(p) => p.fields.iter().for_each(|f| self.poison_names(&f.pat)),
            _ => {}
        }
    }

    /// A tensor gets the user's name, unless it has one.
    fn named(&mut self, name: &str, value: Value) -> Value {
        match value {
            Value::Tensor(t) => {
                if t.level == self.level() {
                    self.b().name(t.at, name);
                }
                Value::Tensor(Tensor { chain: None, ..t })
            }
            other => other,
        }
    }

    /// A value with the type that is written beside its name.
    fn annotated(&mut self, ty: &Type, value: Value) -> Value {
        if !tensor::is_tensor(ty) || value.is_poison() {
            return value;
        }
        let Some((dtype, dims, any)) = self.written_ty(ty) else { return value };
        let read = self.read(value.clone());
        let Value::Tensor(t) = &read else {
            let got = self.describe(&read);
            return self.fault(ty, message::let_kind(&got));
        };
        let got = self.ty(t);
        if !any && (got.dtype != dtype || !self.same_shape(&dims, &got.shape)) {
            let (want, got) = (self.show_ty(&kiln_ir::Ty::new(dtype, dims)), self.show_ty(&got));
            return self.fault(ty, message::let_type(&want, &got));
        }
        value
    }
}
