//! Dims: `literal`, path to a `const`, const generic, `{ expr }` over those with `+`, `-`, `*`, and `/` by a literal.
//!
//! A name that isn't a const generic becomes `SymKind::Const` with its text: rustc knows its value, we don't.

use super::ast::DimExpr;
use crate::{Errors, message};
use kiln_ir::{DType, Dim, SymKind, Syms};
use quote::{ToTokens, quote};
use syn::{BinOp, Block, Expr, ExprBinary, Lit, Path, Stmt, UnOp};

/// The names that dims may use, and where faults go.
pub struct Scope<'a> {
    /// Where faults go.
    pub errors: &'a Errors,
    /// Symbols so far; const generics are among them as `SymKind::Free`.
    pub syms: Syms,
    /// Whether `Tensor` may stand without dims.
    pub bare: bool,
}

impl Scope<'_> {
    /// Names of the const generics.
    pub fn free_names(&self) -> Vec<&str> {
        let free = self.syms.0.iter().filter(|s| matches!(s.kind, SymKind::Free { .. }));
        free.map(|s| s.name.as_str()).collect()
    }
}

/// Parses a dim; `None` with the fault noted.
pub fn dim(scope: &mut Scope, expr: &Expr) -> Option<DimExpr> {
    let dim = polynomial(scope, expr)?;
    if let Some(n) = dim.literal().filter(|n| *n < 0) {
        scope.errors.at(expr, message::dim_negative(&n.to_string()));
        return None;
    }
    let inner = strip(expr);
    let tokens = match inner {
        Expr::Binary(_) => quote!((#inner)),
        _ => inner.to_token_stream(),
    };
    Some(DimExpr { dim, tokens })
}

/// Parses a dim that is a path.
pub fn path_dim(scope: &mut Scope, path: &Path) -> Option<DimExpr> {
    Some(DimExpr { dim: path_polynomial(scope, path)?, tokens: path.to_token_stream() })
}

/// Parses the length of an array.
pub fn length(scope: &mut Scope, len: &Expr) -> Option<DimExpr> {
    match len {
        Expr::Path(p) => path_dim(scope, &p.path),
        other => dim(scope, other),
    }
}

/// The expression inside braces, parentheses and invisible groups.
fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Block(b) if b.label.is_none() => only_expr(&b.block).map_or(expr, strip),
        Expr::Paren(p) => strip(&p.expr),
        Expr::Group(g) => strip(&g.expr),
        _ => expr,
    }
}

fn only_expr(block: &Block) -> Option<&Expr> {
    match block.stmts.as_slice() {
        [Stmt::Expr(e, None)] => Some(e),
        _ => None,
    }
}

fn polynomial(scope: &mut Scope, expr: &Expr) -> Option<Dim> {
    match strip(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) if !matches!(int.suffix(), "" | "usize") => {
                scope.errors.at(int, message::dim_suffix(int.suffix()));
                None
            }
            Lit::Int(int) => match int.base10_parse::<i64>() {
                Ok(n) if n <= LARGEST => Some(Dim::from(n)),
                _ => {
                    scope.errors.at(int, message::dim_too_large());
                    None
                }
            },
            other => {
                scope.errors.at(other, message::dim_syntax());
                None
            }
        },
        Expr::Path(path) if path.qself.is_none() => path_polynomial(scope, &path.path),
        Expr::Unary(u) if matches!(u.op, UnOp::Neg(_)) => Some(Dim::from(0) - polynomial(scope, &u.expr)?),
        Expr::Binary(b) => binary(scope, b),
        other => {
            scope.errors.at(other, message::dim_syntax());
            None
        }
    }
}

/// Coefficients stay below this, so that arithmetic on dims can't overflow.
const LARGEST: i64 = 1 << 48;

fn weight(dim: &Dim) -> i128 {
    dim.terms().iter().map(|(_, c)| i128::from(c.abs())).sum()
}

fn binary(scope: &mut Scope, b: &ExprBinary) -> Option<Dim> {
    // Both sides first: their faults are independent.
    let (left, right) = (polynomial(scope, &b.left), polynomial(scope, &b.right));
    if matches!(b.op, BinOp::Div(_)) {
        return quotient(scope, b, &left?, &right?);
    }
    if !matches!(b.op, BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_)) {
        scope.errors.at(b.op, message::dim_operator(&b.op.to_token_stream().to_string()));
        return None;
    }
    let (left, right) = (left?, right?);
    let (x, y) = (weight(&left), weight(&right));
    let degree = left.terms().iter().chain(right.terms()).map(|(m, _)| m.len()).max().unwrap_or(0);
    let size = if matches!(b.op, BinOp::Mul(_)) { x.saturating_mul(y) } else { x + y };
    if size > i128::from(LARGEST) || degree > 16 {
        scope.errors.at(b, message::dim_too_large());
        return None;
    }
    Some(match b.op {
        BinOp::Add(_) => left + right,
        BinOp::Sub(_) => left - right,
        _ => left * right,
    })
}

/// Rust's division of sizes, which rounds down.
fn quotient(scope: &mut Scope, b: &ExprBinary, left: &Dim, right: &Dim) -> Option<Dim> {
    match right.literal() {
        Some(by) if by > 0 => Some(scope.syms.floor_divide(left, by)),
        _ => {
            scope.errors.at(&b.right, message::dim_divisor());
            None
        }
    }
}

fn path_polynomial(scope: &mut Scope, path: &Path) -> Option<Dim> {
    let text: String = path.to_token_stream().to_string().split_whitespace().collect();
    if let Some(at) = scope.syms.0.iter().position(|s| s.name == text) {
        return Some(Dim::from(kiln_ir::Sym(at as u32)));
    }
    let last = path.segments.last()?;
    if !last.arguments.is_none() {
        scope.errors.at(path, message::dim_syntax());
        return None;
    }
    if path.get_ident().is_some() && DType::from_name(&text).is_some() {
        scope.errors.at(path, message::dim_is_dtype(&text));
        return None;
    }
    // Rust's constants are in capitals: anything else is a slip, which rustc would explain badly.
    if last.ident.to_string().chars().any(char::is_lowercase) {
        scope.errors.once(path, message::undeclared_dim(&text, &scope.free_names()));
        return None;
    }
    Some(Dim::from(scope.syms.intern(&text, SymKind::Const)))
}
