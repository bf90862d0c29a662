//! `#[params]` structs: fields that are tensors, other params types, and arrays of those.

use super::ast::{FieldKind, Leaf, Params, ParamsField};
use super::dims::Scope;
use super::{generics, options, tensor};
use crate::{Errors, message};
use kiln_ir::{DType, Syms};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Field, Fields, Item, ItemStruct, Lit, LitStr, Meta, Token, Type};

/// The struct that the attribute stands on; `None` with the fault noted.
pub fn item_struct(errors: &Errors, item: &Item) -> Option<ItemStruct> {
    let (tokens, what) = match item {
        Item::Struct(item) => return Some(item.clone()),
        Item::Enum(item) => (item.enum_token.to_token_stream(), "an enum"),
        Item::Union(item) => (item.union_token.to_token_stream(), "a union"),
        Item::Fn(item) => (item.sig.fn_token.to_token_stream(), "a function; that is `#[model]`"),
        other => (other.to_token_stream(), "this"),
    };
    errors.at(tokens, message::params_wants_struct(what));
    None
}

/// Parses the struct with the options of its attribute. Faulty fields are left out.
pub fn params(errors: &Errors, attr: TokenStream, item: &ItemStruct) -> Params {
    let forward = options::params_options(errors, attr);
    let mut scope = Scope { errors, syms: Syms::default(), bare: false };
    let generics = generics::generics(&mut scope, &item.generics, "params");
    let fields = match &item.fields {
        Fields::Named(fields) => fields.named.iter().filter_map(|f| field(&mut scope, f)).collect(),
        Fields::Unnamed(fields) => {
            errors.at(fields, message::params_tuple_struct());
            Vec::new()
        }
        Fields::Unit => {
            errors.at(&item.ident, message::params_wants_struct("a unit struct"));
            Vec::new()
        }
    };
    Params {
        attrs: item.attrs.clone(),
        vis: item.vis.clone(),
        ident: item.ident.clone(),
        generics,
        syms: scope.syms,
        fields,
        forward,
    }
}

/// Whether an attribute of a field is ours and must not reach rustc.
pub fn is_own(attr: &Attribute) -> bool {
    ["init", "buffer", "name"].iter().any(|own| attr.path().is_ident(own))
}

fn field(scope: &mut Scope, field: &Field) -> Option<ParamsField> {
    let init = one_attribute(scope.errors, field, "init");
    let buffer = one_attribute(scope.errors, field, "buffer");
    if let Some(attr) = buffer.filter(|a| !matches!(a.meta, Meta::Path(_))) {
        scope.errors.at(attr, message::buffer_args());
    }
    let kind = if tensor::is_tensor(&field.ty) {
        let expr = init.and_then(|attr| initializer(scope.errors, attr));
        let ty = leaf(scope, &field.ty)?;
        let leaf = Leaf { ty, init: expr.map(Box::new) };
        if buffer.is_some() { FieldKind::Buffer(leaf) } else { FieldKind::Parameter(leaf) }
    } else {
        for attr in init.into_iter().chain(buffer) {
            let name = attr.path().to_token_stream().to_string();
            scope.errors.at(attr, message::leaf_only(&name));
        }
        nested(scope.errors, &field.ty)?;
        FieldKind::Nested(Box::new(field.ty.clone()))
    };
    let attrs = field.attrs.iter().filter(|a| !is_own(a)).cloned().collect();
    let ident = field.ident.clone()?;
    let names =
        one_attribute(scope.errors, field, "name").and_then(|a| leaf_names(scope.errors, a, &field.ty));
    let names = names.unwrap_or_else(|| vec![LitStr::new(&ident.unraw().to_string(), ident.span())]);
    Some(ParamsField { attrs, vis: field.vis.clone(), ident, names, kind })
}

/// `#[name("0")]`: what PyTorch calls it, where that is no name in Rust. Of an array of layers several, one each, or one that counts.
fn leaf_names(errors: &Errors, attr: &Attribute, ty: &Type) -> Option<Vec<LitStr>> {
    let names = attr.parse_args_with(Punctuated::<LitStr, Token![,]>::parse_terminated);
    let names: Vec<LitStr> = names.into_iter().flatten().collect();
    // What a struct holds may stand under the names of its owner.
    let unnamed =
        names.iter().any(|name| name.value().is_empty()) && (names.len() > 1 || tensor::is_tensor(ty));
    if names.is_empty() || unnamed {
        errors.at(attr, message::name_text());
        return None;
    }
    let is_array = matches!(tensor::strip(ty), Type::Array(_));
    for name in &names {
        let text = name.value();
        let counts = text.contains(['{', '}']);
        if counts && !(is_array && names.len() == 1 && super::ast::numbered(&text).is_some()) {
            errors.at(name, message::name_number());
            return None;
        }
        if text.contains('*') && (tensor::is_tensor(ty) || text.matches('*').count() > 1) {
            errors.at(name, message::name_star());
            return None;
        }
    }
    let layers = match tensor::strip(ty) {
        Type::Array(array) => count(&array.len).map(|n| (n, format!("{n} layers"))),
        _ => Some((1, "one field".into())),
    };
    if let Some((_, what)) = layers.filter(|(n, _)| names.len() > 1 && *n != names.len()) {
        errors.at(attr, message::name_count(&names.len().to_string(), &what));
        return None;
    }
    Some(names)
}

/// The number that stands there, if one does.
fn count(len: &Expr) -> Option<usize> {
    match len {
        Expr::Lit(ExprLit { lit: Lit::Int(n), .. }) => n.base10_parse().ok(),
        _ => None,
    }
}

fn one_attribute<'a>(errors: &Errors, field: &'a Field, name: &str) -> Option<&'a Attribute> {
    let mut found = field.attrs.iter().filter(|a| a.path().is_ident(name));
    let first = found.next();
    for again in found {
        errors.at(again, message::attribute_twice(name));
    }
    first
}

fn initializer(errors: &Errors, attr: &Attribute) -> Option<Expr> {
    match &attr.meta {
        Meta::List(list) if !list.tokens.is_empty() => errors.ok(attr.parse_args()),
        _ => {
            errors.at(attr, message::init_empty());
            None
        }
    }
}

fn leaf(scope: &mut Scope, ty: &Type) -> Option<super::ast::TensorTy> {
    let parsed = tensor::tensor(scope, ty)?;
    if !matches!(parsed.dtype, DType::F32 | DType::BF16 | DType::F16) {
        scope.errors.at(ty, message::leaf_dtype(parsed.dtype.name()));
        return None;
    }
    Some(parsed)
}

const NUMBERS: [&str; 18] = [
    "f16", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize", "bool", "char", "bf16",
];
const CONTAINERS: [&str; 6] = ["Vec", "VecDeque", "HashMap", "BTreeMap", "Option", "Box"];

/// Notes why a type can't be nested params, as far as its text tells; rustc checks the trait.
fn nested(errors: &Errors, ty: &Type) -> Option<()> {
    let text = || super::tidy(ty);
    let wrong = match tensor::strip(ty) {
        Type::Path(p) => {
            let name = p.path.segments.last()?.ident.to_string();
            match name.as_str() {
                n if NUMBERS.contains(&n) => message::leaf_number(n),
                "Vec" | "VecDeque" => message::leaf_vec(&text()),
                n if CONTAINERS.contains(&n) || n == "String" => message::leaf_type(&text()),
                _ => return Some(()),
            }
        }
        Type::Array(a) if tensor::is_tensor(&a.elem) => message::leaf_array(),
        Type::Array(a) => return nested(errors, &a.elem),
        _ => message::leaf_type(&text()),
    };
    errors.at(ty, wrong);
    None
}
