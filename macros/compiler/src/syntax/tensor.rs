//! Tensor types: `Tensor<[dtype,] dims…>`, which is Rust's type syntax with any number of arguments.

use super::ast::{TensorTy, Tensors};
use super::dims::{self, Scope};
use crate::message;
use kiln_ir::DType;
use syn::{Expr, GenericArgument, Path, PathArguments, Type};

/// Whether a type is written as a tensor: a path that ends in `Tensor`.
pub fn is_tensor(ty: &Type) -> bool {
    tensor_path(ty).is_some()
}

/// Whether a type is a tensor, or a tuple or array with one in it.
pub fn holds_tensor(ty: &Type) -> bool {
    match strip(ty) {
        Type::Tuple(tuple) => tuple.elems.iter().any(holds_tensor),
        Type::Array(array) => holds_tensor(&array.elem),
        ty => is_tensor(ty),
    }
}

/// A type without parentheses and invisible groups.
pub fn strip(ty: &Type) -> &Type {
    match ty {
        Type::Paren(p) => strip(&p.elem),
        Type::Group(g) => strip(&g.elem),
        _ => ty,
    }
}

fn tensor_path(ty: &Type) -> Option<&Path> {
    match strip(ty) {
        Type::Path(p) if p.qself.is_none() && p.path.segments.last()?.ident == "Tensor" => Some(&p.path),
        _ => None,
    }
}

/// Parses what a model returns: tensors as [`tensors`] has them, params among them.
pub fn returned(scope: &mut Scope, ty: &Type) -> Option<Tensors> {
    match strip(ty) {
        Type::Tuple(tuple) => {
            let parts: Vec<Option<Tensors>> = tuple.elems.iter().map(|part| returned(scope, part)).collect();
            parts.into_iter().collect::<Option<Vec<_>>>().map(Tensors::Tuple)
        }
        ty @ (Type::Path(_) | Type::Array(_)) if !holds_tensor(ty) && may_be_params(ty) => {
            Some(Tensors::Params(Box::new(ty.clone())))
        }
        ty => tensors(scope, ty, message::result_type),
    }
}

/// Whether a type is none of Rust's own or of std's.
fn may_be_params(ty: &Type) -> bool {
    const OTHERS: [&str; 9] = ["bool", "usize", "isize", "u64", "u32", "String", "Vec", "Option", "Result"];
    match strip(ty) {
        Type::Array(array) => may_be_params(&array.elem),
        Type::Path(p) => {
            p.qself.is_none()
                && p.path.segments.last().is_some_and(|last| {
                    let name = last.ident.to_string();
                    DType::from_name(&name).is_none() && !OTHERS.contains(&name.as_str())
                })
        }
        _ => false,
    }
}

/// Parses a tensor type, or a tuple or array of them; `None` with the faults noted. `wrong` says what else a part may not be.
pub fn tensors(scope: &mut Scope, ty: &Type, wrong: fn(&str) -> String) -> Option<Tensors> {
    match strip(ty) {
        ty if is_tensor(ty) => tensor(scope, ty).map(Tensors::One),
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            // All of them first: their faults are independent.
            let parts: Vec<Option<Tensors>> =
                tuple.elems.iter().map(|part| tensors(scope, part, wrong)).collect();
            parts.into_iter().collect::<Option<Vec<_>>>().map(Tensors::Tuple)
        }
        Type::Array(array) => {
            let (each, length) = (tensors(scope, &array.elem, wrong), dims::length(scope, &array.len));
            Some(Tensors::Array(Box::new(each?), length?))
        }
        other => {
            scope.errors.at(other, wrong(&super::tidy(other)));
            None
        }
    }
}

/// Parses a tensor type; `None` with the faults noted.
pub fn tensor(scope: &mut Scope, ty: &Type) -> Option<TensorTy> {
    let Some(segment) = tensor_path(ty).and_then(|p| p.segments.last()) else {
        scope.errors.at(ty, message::not_a_tensor());
        return None;
    };
    let args = match &segment.arguments {
        PathArguments::AngleBracketed(args) => &args.args,
        // What rustfmt makes of `Tensor<>`. In a building block it stands for any shape.
        PathArguments::None => {
            return Some(TensorTy { dtype: DType::F32, dims: Vec::new(), any: scope.bare });
        }
        PathArguments::Parenthesized(_) => {
            scope.errors.at(ty, message::not_a_tensor());
            return None;
        }
    };
    let first = args.first().and_then(|arg| dtype(scope, arg));
    let given = first.is_some();
    if let (Some(Some(dtype)), true, Some(shape)) = (first, args.len() == 2, args.last())
        && matches!(shape, GenericArgument::Type(Type::Infer(_)))
    {
        if !scope.bare {
            scope.errors.at(shape, message::any_shape());
            return None;
        }
        return Some(TensorTy { dtype, dims: Vec::new(), any: true });
    }
    let mut sound = first != Some(None);
    let mut dims = Vec::new();
    for arg in args.iter().skip(usize::from(given)) {
        match (given, name(arg).and_then(|n| DType::from_name(&n))) {
            (true, Some(again)) => {
                scope.errors.at(arg, message::tensor_dtype_again(again.name()));
                sound = false;
            }
            _ => match argument(scope, arg) {
                Some(dim) => dims.push(dim),
                None => sound = false,
            },
        }
    }
    let dtype = first.flatten().unwrap_or(DType::F32);
    sound.then_some(TensorTy { dtype, dims, any: false })
}

/// The name, if an argument is only one.
fn name(arg: &GenericArgument) -> Option<String> {
    match arg {
        GenericArgument::Type(Type::Path(p)) if p.qself.is_none() => Some(p.path.get_ident()?.to_string()),
        _ => None,
    }
}

/// The element type, if the first argument is meant as one: `Some(None)` with the fault noted.
fn dtype(scope: &Scope, arg: &GenericArgument) -> Option<Option<DType>> {
    let name = name(arg)?;
    if let Some(dtype) = DType::from_name(&name) {
        return Some(Some(dtype));
    }
    // Element types begin in lower case; so does a mistyped dim, if it is near one.
    let meant =
        name.starts_with(char::is_lowercase) && message::nearest(&name, &scope.free_names()).is_none();
    if !meant {
        return None;
    }
    scope.errors.once(arg, message::unknown_dtype(&name));
    Some(None)
}

fn argument(scope: &mut Scope, arg: &GenericArgument) -> Option<super::ast::DimExpr> {
    match arg {
        GenericArgument::Const(expr @ (Expr::Lit(_) | Expr::Block(_) | Expr::Unary(_))) => {
            dims::dim(scope, expr)
        }
        GenericArgument::Type(ty) => match strip(ty) {
            Type::Path(p) if p.qself.is_none() => dims::path_dim(scope, &p.path),
            _ => {
                scope.errors.at(arg, message::dim_syntax());
                None
            }
        },
        _ => {
            scope.errors.at(arg, message::dim_syntax());
            None
        }
    }
}
