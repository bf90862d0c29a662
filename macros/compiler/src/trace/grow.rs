//! The tree of a params type or an optimizer: each tensor is an input.

use super::Tracer;
use super::types::{Owner, arguments, plain};
use super::value::{Form, Tree, Value};
use crate::library::{Entry, Item};
use crate::link::RNG;
use crate::message::body as message;
use crate::syntax::ast::{FieldKind, Params, TensorTy};
use crate::syntax::tensor;
use kiln_ir::{Dim, Input, Role, Ty};
use quote::ToTokens;
use std::rc::Rc;
use syn::{GenericArgument, Path, Type};

/// What becomes of the tensors of a tree.
pub(crate) struct Growth {
    /// Whether they may be assigned to.
    pub mutable: bool,
    /// Moments: of trained leaves only, and not trained themselves.
    pub moments: bool,
    /// Of how many layers it is one, if its tensors are those of all.
    pub layers: Option<i64>,
}

impl Growth {
    /// Of an argument's own tree.
    pub fn of(mutable: bool) -> Growth {
        Growth { mutable, moments: false, layers: None }
    }
}

impl<'a> Tracer<'a> {
    /// The tree of a params type, each tensor an input.
    pub fn grow(&mut self, owner: &Owner<'a>, ty: &Type, path: &str, growth: &Growth) -> Option<Value> {
        match tensor::strip(ty) {
            Type::Array(array) => {
                let n = self.length(owner, &array.len)?;
                if self.are_layers(owner, array, n, growth) {
                    return self.grow_layers(owner, array, n, path, growth);
                }
                let grow = |i| self.grow(owner, &array.elem, &format!("{path}.{i}"), growth);
                (0..n).map(grow).collect::<Option<Vec<Value>>>().map(Value::Array)
            }
            Type::Path(p) => match self.item(owner, &p.path) {
                Some((key, entry)) => match &entry.item {
                    Item::Params(params) => {
                        self.grow_params(owner, &p.path, key, entry, params, path, growth)
                    }
                    Item::Builtin(name) if name == RNG => Some(self.grow_rng(path, growth)),
                    Item::Builtin(name) => self.grow_optimizer(owner, &p.path, name, path, growth),
                    Item::Model(_) => {
                        self.fault(ty, message::not_params(&plain(&p.path)));
                        None
                    }
                    Item::Faulty => None,
                },
                None => {
                    // The types in a callee's signature are the caller's to bring.
                    if !self.checking {
                        self.fault(ty, message::not_params(&plain(&p.path)));
                    }
                    None
                }
            },
            other => {
                self.fault(other, message::not_params(&other.to_token_stream().to_string()));
                None
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // The parts of one type.
    fn grow_params(
        &mut self,
        owner: &Owner<'a>,
        path: &Path,
        key: &str,
        entry: &'a Entry,
        params: &'a Params,
        name: &str,
        growth: &Growth,
    ) -> Option<Value> {
        let mut generics = self.generics(owner, path)?;
        generics.extend(params.defaults(generics.len()));
        if generics.len() != params.generics.len() {
            let wanted = params.generics.len();
            self.fault(path, message::generic_count(&params.ident.to_string(), wanted, generics.len()));
            return None;
        }
        let mut inner = self.names(key, &params.ident.to_string(), entry, &params.syms);
        for (generic, size) in params.generics.iter().zip(&generics) {
            inner.sizes[generic.sym.0 as usize] = Some(size.clone());
        }
        let mut fields = Vec::new();
        for field in &params.fields {
            let name = format!("{name}.{}", syn::ext::IdentExt::unraw(&field.ident));
            fields.push(match &field.kind {
                FieldKind::Nested(ty) => self.grow(&inner, ty, &name, growth)?,
                FieldKind::Buffer(_) if growth.moments => Value::Absent,
                FieldKind::Buffer(leaf) => self.grow_leaf(&inner, &leaf.ty, &name, Role::Buffer, growth)?,
                FieldKind::Parameter(leaf) => {
                    let role = if growth.moments { Role::Buffer } else { Role::Parameter };
                    self.grow_leaf(&inner, &leaf.ty, &name, role, growth)?
                }
            });
        }
        let form = Form {
            name: params.ident.to_string(),
            key: key.to_string(),
            generics,
            inner: None,
            fields: params.fields.iter().map(|f| syn::ext::IdentExt::unraw(&f.ident).to_string()).collect(),
        };
        Some(Value::Tree(Rc::new(Tree { form: Rc::new(form), fields })))
    }

    fn grow_optimizer(
        &mut self,
        owner: &Owner<'a>,
        path: &Path,
        name: &str,
        at: &str,
        growth: &Growth,
    ) -> Option<Value> {
        let Some(fields) = super::optimizer::fields(name) else {
            self.fault(path, message::not_params(name));
            return None;
        };
        let args = arguments(path);
        let [GenericArgument::Type(inner)] = args.as_slice() else {
            self.fault(path, message::optimizer_of(name));
            return None;
        };
        let mut form = None;
        let mut values = Vec::new();
        for (field, kind) in &fields {
            let at = format!("{at}.{field}");
            values.push(match kind {
                super::optimizer::Field::Number(dtype) => {
                    self.grow_tensor(Ty::scalar(*dtype), &at, Role::Buffer, growth)
                }
                super::optimizer::Field::Moments => {
                    let moments = Growth { moments: true, ..*growth };
                    let tree = self.grow(owner, inner, &at, &moments)?;
                    if let Value::Tree(tree) = &tree {
                        form = Some(tree.form.clone());
                    }
                    tree
                }
            });
        }
        let form = Form {
            name: name.to_string(),
            key: name.to_string(),
            generics: Vec::new(),
            inner: form,
            fields: fields.iter().map(|(f, _)| f.to_string()).collect(),
        };
        Some(Value::Tree(Rc::new(Tree { form: Rc::new(form), fields: values })))
    }

    fn grow_leaf(
        &mut self,
        owner: &Owner<'a>,
        ty: &TensorTy,
        name: &str,
        role: Role,
        growth: &Growth,
    ) -> Option<Value> {
        let ty = self.tensor_ty(owner, ty)?;
        Some(self.grow_tensor(ty, name, role, growth))
    }

    pub(super) fn grow_tensor(&mut self, ty: Ty, name: &str, role: Role, growth: &Growth) -> Value {
        let shape = growth.layers.iter().map(|n| Dim::from(*n)).chain(ty.shape);
        let ty = Ty::new(ty.dtype, shape.collect::<Vec<_>>());
        let apart = growth.layers.is_some();
        let at = self.b().declare(&Input { name: name.into(), ty, role, apart });
        let value = self.tensor(at);
        Value::Place(self.variable(name, value, growth.mutable, Some(role)))
    }
}
