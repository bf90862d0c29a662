//! Values of constants, where a file has them as numbers.

use super::Source;
use super::outline::ItemKind;
use super::scope::{Found, Place, Space};
use syn::{BinOp, Expr, Lit};

/// How many constants may lead to one another.
const DEEPEST: usize = 16;

/// The value of the constant that a path leads to.
pub fn value(source: &Source, place: &Place, path: &[String]) -> Option<i64> {
    of_path(source, place, path, DEEPEST)
}

fn of_path(source: &Source, place: &Place, path: &[String], deep: usize) -> Option<i64> {
    let deep = deep.checked_sub(1)?;
    let Found::Item(place, index) = place.resolve(source, path, Space::Values) else { return None };
    let item = place.item(index);
    if item.kind != ItemKind::Const || item.changed {
        return None;
    }
    let (_, value) = place.outline().source(&item.tokens).split_once('=')?;
    let expr = syn::parse_str::<Expr>(value.trim_end().trim_end_matches(';')).ok()?;
    of_expr(source, &place, &expr, deep)
}

fn of_expr(source: &Source, place: &Place, expr: &Expr, deep: usize) -> Option<i64> {
    let value = |expr: &Expr| of_expr(source, place, expr, deep);
    let number = match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_parse::<i64>().ok(),
            _ => None,
        },
        Expr::Paren(p) => value(&p.expr),
        Expr::Group(g) => value(&g.expr),
        Expr::Cast(c) => value(&c.expr),
        Expr::Path(p) if p.qself.is_none() && p.path.leading_colon.is_none() => {
            let path: Vec<String> = p.path.segments.iter().map(|s| s.ident.to_string()).collect();
            of_path(source, place, &path, deep)
        }
        Expr::Binary(b) => {
            let (x, y) = (value(&b.left)?, value(&b.right)?);
            match b.op {
                BinOp::Add(_) => x.checked_add(y),
                BinOp::Sub(_) => x.checked_sub(y),
                BinOp::Mul(_) => x.checked_mul(y),
                BinOp::Div(_) => x.checked_div(y),
                BinOp::Rem(_) => x.checked_rem(y),
                _ => None,
            }
        }
        _ => None,
    };
    number.filter(|n| (0..1 << 48).contains(n))
}
