//! Values of constants, where a file has them as numbers, and which names in capitals are variants.

use super::Source;
use super::outline::ItemKind;
use super::scope::{Found, Place, Space};
use crate::trace::known_constant;
use syn::{BinOp, Expr, Lit, UnOp};

/// The value of a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i64),
    /// A float.
    Float(f64),
    /// No constant: a variant of an enum, in capitals.
    Variant,
}

/// How many constants may lead to one another.
const DEEPEST: usize = 16;

/// The value of the constant that a path leads to.
pub fn value(source: &Source, place: &Place, path: &[String]) -> Option<Number> {
    of_path(source, place, path, DEEPEST)
}

fn of_path(source: &Source, place: &Place, path: &[String], deep: usize) -> Option<Number> {
    let deep = deep.checked_sub(1)?;
    let Found::Item(place, index) = place.resolve(source, path, Space::Values) else { return None };
    let item = place.item(index);
    if item.kind != ItemKind::Const || item.changed {
        return None;
    }
    let (declared, value) = place.outline().source(&item.tokens).split_once('=')?;
    let single = declared.trim_end().ends_with("f32");
    let expr = syn::parse_str::<Expr>(value.trim_end().trim_end_matches(';')).ok()?;
    Reader { source, place: &place, deep, single }.value(&expr)
}

/// Whether a path in capitals leads to a variant without fields.
pub fn is_variant(source: &Source, place: &Place, path: &[String]) -> bool {
    let Some((name, of)) = path.split_last() else { return false };
    let Found::Item(place, index) = place.resolve(source, of, Space::Types) else { return false };
    let item = place.item(index);
    if item.kind != ItemKind::Type("an enum") || item.changed {
        return false;
    }
    let named = |v: &syn::Variant| v.ident == name.as_str() && v.fields.is_empty();
    let declared = syn::parse_str::<syn::ItemEnum>(place.outline().source(&item.tokens));
    declared.is_ok_and(|item| item.variants.iter().any(named))
}

struct Reader<'a> {
    source: &'a Source<'a>,
    place: &'a Place,
    deep: usize,
    /// Whether floats are of single precision, after each operation.
    single: bool,
}

impl Reader<'_> {
    fn value(&self, expr: &Expr) -> Option<Number> {
        let number = match expr {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) if !int.suffix().starts_with('f') => Number::Whole(int.base10_parse().ok()?),
                Lit::Int(int) => Number::Float(int.base10_digits().parse().ok()?),
                Lit::Float(float) => Number::Float(float.base10_parse().ok()?),
                _ => return None,
            },
            Expr::Paren(p) => self.value(&p.expr)?,
            Expr::Group(g) => self.value(&g.expr)?,
            Expr::Cast(c) => match (self.value(&c.expr)?, &*c.ty) {
                (Number::Whole(n), syn::Type::Path(ty)) if is_float(&ty.path) => Number::Float(n as f64),
                (Number::Float(_), syn::Type::Path(ty)) if !is_float(&ty.path) => return None,
                (number, _) => number,
            },
            Expr::Unary(u) if matches!(u.op, UnOp::Neg(_)) => match self.value(&u.expr)? {
                Number::Whole(n) => Number::Whole(n.checked_neg()?),
                Number::Float(x) => Number::Float(-x),
                Number::Variant => return None,
            },
            Expr::Path(p) if p.qself.is_none() && p.path.leading_colon.is_none() => {
                let path: Vec<String> = p.path.segments.iter().map(|s| s.ident.to_string()).collect();
                match known_constant(&path.join("::")) {
                    Some(known) => Number::Float(known),
                    None => of_path(self.source, self.place, &path, self.deep)?,
                }
            }
            Expr::Binary(b) => operation(&b.op, self.value(&b.left)?, self.value(&b.right)?)?,
            _ => return None,
        };
        Some(match number {
            Number::Float(x) if self.single => Number::Float(f64::from(x as f32)),
            Number::Whole(n) if n.abs() >= 1 << 48 => return None,
            other => other,
        })
    }
}

fn is_float(path: &syn::Path) -> bool {
    path.is_ident("f32") || path.is_ident("f64")
}

fn operation(op: &BinOp, left: Number, right: Number) -> Option<Number> {
    match (left, right) {
        (Number::Whole(x), Number::Whole(y)) => match op {
            BinOp::Add(_) => x.checked_add(y),
            BinOp::Sub(_) => x.checked_sub(y),
            BinOp::Mul(_) => x.checked_mul(y),
            BinOp::Div(_) => x.checked_div(y),
            BinOp::Rem(_) => x.checked_rem(y),
            _ => None,
        }
        .map(Number::Whole),
        (Number::Float(x), Number::Float(y)) => match op {
            BinOp::Add(_) => Some(x + y),
            BinOp::Sub(_) => Some(x - y),
            BinOp::Mul(_) => Some(x * y),
            BinOp::Div(_) => Some(x / y),
            _ => None,
        }
        .map(Number::Float),
        _ => None,
    }
}

const VARIANT: &str = "variant";

/// Reads what `Display` writes.
pub fn parse(text: &str) -> Option<Number> {
    match text.strip_suffix('f') {
        None if text == VARIANT => Some(Number::Variant),
        Some(float) => float.parse().ok().map(Number::Float),
        None => text.parse().ok().map(Number::Whole),
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Whole(n) => write!(f, "{n}"),
            Number::Float(x) => write!(f, "{x:e}f"),
            Number::Variant => f.write_str(VARIANT),
        }
    }
}
