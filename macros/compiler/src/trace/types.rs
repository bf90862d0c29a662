//! Types in signatures: from a params type to its tree of inputs, and what the sizes in a callee's types are at a
//! call.

use super::Tracer;
use super::value::{Form, Value};
use crate::library::{Entry, Item};
use crate::message::body as message;
use crate::syntax::ast::TensorTy;
use crate::syntax::dims::{self, Scope};
use crate::syntax::tensor;
use crate::{Errors, traced};
use kiln_ir::{DType, Dim, SymKind, Syms, Ty};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::{Expr, GenericArgument, Path, PathArguments, Type};

/// An item whose names are used: where its paths lead, and what its generics are.
#[derive(Clone)]
pub(crate) struct Owner<'a> {
    /// The library's key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Where its paths lead.
    pub deps: &'a BTreeMap<String, String>,
    /// Its symbols.
    pub syms: Syms,
    /// Sizes of the free ones among them.
    pub sizes: Vec<Option<Dim>>,
}

impl<'a> Tracer<'a> {
    /// The names of an item, no size known yet.
    pub fn names(&self, key: &str, name: &str, entry: &'a Entry, syms: &Syms) -> Owner<'a> {
        let sizes = vec![None; syms.0.len()];
        Owner { key: key.into(), name: name.into(), deps: &entry.deps, syms: syms.clone(), sizes }
    }

    /// Runs a parser of the front end and keeps its faults.
    pub fn parse<T>(&mut self, parse: impl FnOnce(&Errors) -> T) -> T {
        let errors = Errors::new();
        let result = parse(&errors);
        self.errors.extend(errors.finish());
        result
    }

    /// The entry that a path leads to.
    pub fn item(&self, owner: &Owner<'a>, path: &Path) -> Option<(&'a str, &'a Entry)> {
        let key = owner.deps.get(&plain(path))?;
        let (key, entry) = self.library.entries.get_key_value(key)?;
        Some((key, entry))
    }

    /// A size in an item's symbols as one of the entry's; `None` where a free one isn't known.
    pub fn size(&mut self, owner: &Owner<'a>, syms: &Syms, dim: &Dim) -> Option<Dim> {
        let mut known = BTreeMap::new();
        for sym in syms.roots(dim) {
            let info = syms.info(sym).clone();
            let size = match (info.kind, owner.sizes.get(sym.0 as usize)) {
                (SymKind::Const, _) => self.constant(&info.name, &owner.key),
                (SymKind::Free { .. }, Some(Some(size))) => size.clone(),
                (SymKind::Free { .. } | SymKind::Turn | SymKind::Floor { .. }, _) => return None,
            };
            known.insert(sym, size);
        }
        Some(syms.replace(dim, &mut self.syms, &|s, _| known[&s].clone()))
    }

    /// A tensor type of an item, its free sizes being known.
    pub fn tensor_ty(&mut self, owner: &Owner<'a>, ty: &TensorTy) -> Option<Ty> {
        let dims = ty.dims.iter().map(|d| self.size(owner, &owner.syms, &d.dim));
        Some(Ty::new(ty.dtype, dims.collect::<Option<Vec<Dim>>>()?))
    }

    /// A tensor type that is written in a body.
    pub fn written_ty(&mut self, ty: &Type) -> Option<(DType, Vec<Dim>, bool)> {
        let owner = self.owner();
        let mut syms = owner.syms.clone();
        let parsed = self.parse(|errors| {
            let mut scope = Scope { errors, syms: syms.clone(), bare: true };
            let parsed = tensor::tensor(&mut scope, ty);
            syms = scope.syms;
            parsed
        })?;
        let dims = parsed.dims.iter().map(|d| self.size(&owner, &syms, &d.dim)).collect::<Option<_>>()?;
        Some((parsed.dtype, dims, parsed.any))
    }

    /// A size that is written in an item's types.
    fn written_size(&mut self, owner: &Owner<'a>, arg: &GenericArgument) -> Option<Dim> {
        let (syms, dim) = self.written_dim(owner, arg)?;
        self.size(owner, &syms, &dim)
    }

    /// The same in the item's own symbols, and those.
    fn written_dim(&mut self, owner: &Owner<'a>, arg: &GenericArgument) -> Option<(Syms, Dim)> {
        let mut syms = owner.syms.clone();
        let parsed = self.parse(|errors| {
            let mut scope = Scope { errors, syms: syms.clone(), bare: false };
            let parsed = match arg {
                GenericArgument::Const(expr) => dims::dim(&mut scope, expr),
                GenericArgument::Type(Type::Path(p)) => dims::path_dim(&mut scope, &p.path),
                other => {
                    errors.at(other, crate::message::dim_syntax());
                    None
                }
            };
            syms = scope.syms;
            parsed
        })?;
        Some((syms, parsed.dim))
    }

    pub(super) fn length(&mut self, owner: &Owner<'a>, len: &Expr) -> Option<i64> {
        let mut syms = owner.syms.clone();
        let parsed = self.parse(|errors| {
            let mut scope = Scope { errors, syms: syms.clone(), bare: false };
            let parsed = dims::length(&mut scope, len);
            syms = scope.syms;
            parsed
        })?;
        let size = self.size(owner, &syms, &parsed.dim)?;
        self.known_length(&size, len)
    }

    /// The number that the length of an array is.
    pub(super) fn known_length(&mut self, size: &Dim, at: &dyn ToTokens) -> Option<i64> {
        match self.number(size) {
            Some(n) if n <= 100_000 => Some(n),
            _ => {
                self.unsettled(at.to_token_stream(), std::slice::from_ref(size), message::array_length());
                None
            }
        }
    }

    /// The sizes that a params type is given.
    pub(super) fn generics(&mut self, owner: &Owner<'a>, path: &Path) -> Option<Vec<Dim>> {
        let args = arguments(path);
        // All of them first: their faults are independent.
        let sizes: Vec<Option<Dim>> = args.iter().map(|a| self.written_size(owner, a)).collect();
        sizes.into_iter().collect()
    }

    /// Whether a tree has the type that a callee declares; its free sizes become known.
    pub fn fits(&mut self, owner: &mut Owner<'a>, ty: &Type, value: &Value) -> bool {
        match (tensor::strip(ty), value) {
            (Type::Array(array), Value::Array(list)) => {
                let n = self.length(owner, &array.len);
                n == Some(list.len() as i64) && list.iter().all(|v| self.fits(owner, &array.elem, v))
            }
            (Type::Array(array), Value::Layers(layers)) => {
                self.length(owner, &array.len) == Some(layers.count)
                    && self.fits(owner, &array.elem, &layers.each)
            }
            (Type::Path(p), Value::Tree(tree)) => self.fits_form(owner, &p.path, &tree.form),
            _ => false,
        }
    }

    fn fits_form(&mut self, owner: &mut Owner<'a>, path: &Path, form: &Form) -> bool {
        let args = arguments(path);
        let Some((key, entry)) = self.item(owner, path) else {
            return self.fits_unknown(owner, path, &args, form);
        };
        match &entry.item {
            Item::Params(_) if key == form.key => self.fits_sizes(owner, &args, form),
            Item::Builtin(name) if *name == form.key => match (args.as_slice(), &form.inner) {
                ([GenericArgument::Type(Type::Path(p))], Some(inner)) => {
                    self.fits_form(owner, &p.path, inner)
                }
                // Moments of an array of params.
                ([GenericArgument::Type(_)], None) => true,
                // A generator.
                ([], None) => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// A callee's sources come without the types in its signature, which are the caller's to bring: what isn't known
    /// may be the given type under another name, so only its sizes are compared.
    fn fits_unknown(
        &mut self,
        owner: &mut Owner<'a>,
        path: &Path,
        args: &[GenericArgument],
        form: &Form,
    ) -> bool {
        if owner.deps.contains_key(&plain(path)) {
            return false;
        }
        match (args, &form.inner) {
            ([GenericArgument::Type(Type::Path(p))], Some(inner)) => self.fits_form(owner, &p.path, inner),
            (args, None) => self.fits_sizes(owner, args, form),
            _ => false,
        }
    }

    /// Whether a type's sizes are those of a tree; what a type leaves out is what the struct says.
    fn fits_sizes(&mut self, owner: &mut Owner<'a>, args: &[GenericArgument], form: &Form) -> bool {
        let Some((given, rest)) = form.generics.split_at_checked(args.len()) else { return false };
        let left_out = match self.library.entries.get(&form.key).map(|entry| &entry.item) {
            Some(Item::Params(params)) => params.defaults(args.len()),
            _ => Vec::new(),
        };
        rest == left_out && args.iter().zip(given).all(|(arg, size)| self.fits_size(owner, arg, size))
    }

    fn fits_size(&mut self, owner: &mut Owner<'a>, arg: &GenericArgument, size: &Dim) -> bool {
        let Some((syms, dim)) = self.written_dim(owner, arg) else { return false };
        match self.size(owner, &syms, &dim) {
            Some(want) => self.same_size(&want, size),
            None => self.solve_free(owner, &dim, size),
        }
    }

    /// How the tensors of an argument fall into inputs: each leaf is the next index.
    pub fn leaves(&self, value: &Value, next: &mut usize) -> traced::Tree {
        match value {
            Value::Tree(tree) => {
                let fields = tree.form.fields.iter().zip(&tree.fields);
                traced::Tree::Struct(fields.map(|(n, v)| (n.clone(), self.leaves(v, next))).collect())
            }
            Value::Array(list) => traced::Tree::Array(list.iter().map(|v| self.leaves(v, next)).collect()),
            Value::Tuple(list) => traced::Tree::Tuple(list.iter().map(|v| self.leaves(v, next)).collect()),
            Value::Layers(layers) => {
                traced::Tree::Layers(layers.count, Box::new(self.leaves(&layers.each, next)))
            }
            Value::Place(_) | Value::Tensor(_) => {
                *next += 1;
                traced::Tree::Leaf(Some(*next - 1))
            }
            _ => traced::Tree::Leaf(None),
        }
    }
}

/// The generic arguments of a path's last segment.
pub(super) fn arguments(path: &Path) -> Vec<GenericArgument> {
    match path.segments.last().map(|s| &s.arguments) {
        Some(PathArguments::AngleBracketed(args)) => args.args.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

/// A path without spaces and generic arguments, as the library names it.
pub(crate) fn plain(path: &Path) -> String {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    let lead = if path.leading_colon.is_some() { "::" } else { "" };
    format!("{lead}{}", names.join("::"))
}
