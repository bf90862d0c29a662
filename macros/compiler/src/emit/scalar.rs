//! Scalar functions, constants and conversions as Rust expressions.

use kiln_ir::{DType, Literal, Scalar};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// A constant.
pub fn constant(literal: Literal, dtype: DType) -> TokenStream {
    let x = literal.value();
    match dtype {
        DType::Bool => {
            let truth = x != 0.0;
            quote!(#truth)
        }
        DType::F32 | DType::F64 => float(x, dtype),
        _ => {
            let n = whole_number(literal, dtype);
            let digits = number(format!("{}{}", n.unsigned_abs(), dtype.name()));
            match (n == i64::MIN, n < 0) {
                (true, _) => quote!(i64::MIN),
                (_, true) => quote!((-#digits)),
                _ => digits,
            }
        }
    }
}

/// As a float would be converted: whole numbers beyond the type become its ends.
fn whole_number(literal: Literal, dtype: DType) -> i64 {
    match (literal, dtype) {
        (Literal::Int(n), DType::I64) => n,
        (other, DType::I32) => i64::from(other.value() as i32),
        (other, DType::U8) => i64::from(other.value() as u8),
        (other, _) => other.value() as i64,
    }
}

fn float(x: f64, dtype: DType) -> TokenStream {
    let ty = format_ident!("{}", dtype.name());
    if x.is_nan() {
        return quote!(#ty::NAN);
    }
    let magnitude = match (x.is_infinite(), dtype) {
        (true, _) => quote!(#ty::INFINITY),
        (_, DType::F32) => number(format!("{:?}_f32", (x as f32).abs())),
        _ => number(format!("{:?}_f64", x.abs())),
    };
    if x.is_sign_negative() { quote!((-#magnitude)) } else { magnitude }
}

fn number(text: String) -> TokenStream {
    text.parse().expect("a literal")
}

/// What a reduction starts from.
pub fn lowest(dtype: DType) -> TokenStream {
    let ty = format_ident!("{}", dtype.name());
    match dtype {
        DType::F32 | DType::F64 => quote!(#ty::NEG_INFINITY),
        DType::Bool => quote!(false),
        _ => quote!(#ty::MIN),
    }
}

/// 0.
pub fn zero(dtype: DType) -> TokenStream {
    constant(Literal::new(0.0, dtype), dtype)
}

/// `x + y`
pub fn add(dtype: DType, x: &TokenStream, y: &TokenStream) -> TokenStream {
    if dtype.is_float() { quote!(#x + #y) } else { quote!(#x.wrapping_add(#y)) }
}

/// The greater one.
pub fn max(dtype: DType, x: &TokenStream, y: &TokenStream) -> TokenStream {
    if dtype.is_float() { quote!(::kiln::rt::max(#x, #y)) } else { quote!(::core::cmp::Ord::max(#x, #y)) }
}

/// A scalar function of arguments whose type is `dtype`. What comes out binds as a call or stands in parentheses.
pub fn scalar(s: Scalar, dtype: DType, x: &[TokenStream]) -> TokenStream {
    use Scalar::*;
    match s {
        Eq | Lt | Le => {
            let op = match s {
                Eq => quote!(==),
                Lt => quote!(<),
                _ => quote!(<=),
            };
            let (x, y) = (&x[0], &x[1]);
            quote!((#x #op #y))
        }
        And | Or => {
            let (x, y) = (&x[0], &x[1]);
            if s == And { quote!((#x & #y)) } else { quote!((#x | #y)) }
        }
        Not => {
            let x = &x[0];
            quote!((!#x))
        }
        Select => {
            let (c, x, y) = (&x[0], &x[1], &x[2]);
            quote!((if #c { #x } else { #y }))
        }
        _ if dtype.is_float() => real(s, x),
        _ => whole(s, dtype, x),
    }
}

fn real(s: Scalar, x: &[TokenStream]) -> TokenStream {
    use Scalar::*;
    let infix = |op: TokenStream| {
        let (x, y) = (&x[0], &x[1]);
        quote!((#x #op #y))
    };
    match s {
        Add => infix(quote!(+)),
        Sub => infix(quote!(-)),
        Mul => infix(quote!(*)),
        Div => infix(quote!(/)),
        Neg => {
            let x = &x[0];
            quote!((-#x))
        }
        _ => {
            let name = format_ident!("{}", s.name());
            quote!(::kiln::rt::#name(#(#x),*))
        }
    }
}

fn whole(s: Scalar, dtype: DType, args: &[TokenStream]) -> TokenStream {
    use Scalar::*;
    let ty = format_ident!("{}", dtype.name());
    let x = &args[0];
    let signed = dtype != DType::U8;
    match s {
        Add | Sub | Mul => {
            let (y, name) = (&args[1], format_ident!("wrapping_{}", s.name()));
            quote!(#ty::#name(#x, #y))
        }
        Div => {
            let (y, name) = (&args[1], format_ident!("div_{}", dtype.name()));
            quote!(::kiln::rt::#name(#x, #y))
        }
        Max | Min => {
            let (y, name) = (&args[1], format_ident!("{}", s.name()));
            quote!(::core::cmp::Ord::#name(#x, #y))
        }
        Neg => quote!(#ty::wrapping_neg(#x)),
        Abs if signed => quote!(#ty::wrapping_abs(#x)),
        Sign if signed => quote!(#ty::signum(#x)),
        Sign => quote!(::core::cmp::Ord::min(#x, 1)),
        Abs => x.clone(),
        _ => unreachable!("{} takes floats only", s.name()),
    }
}

/// A conversion. Float to integer truncates and saturates, NaN to 0; to bool: `x != 0`.
pub fn cast(x: &TokenStream, from: DType, to: DType) -> TokenStream {
    let ty = format_ident!("{}", to.name());
    match (from, to) {
        (a, b) if a == b => x.clone(),
        (_, DType::Bool) => {
            let zero = zero(from);
            quote!((#x != #zero))
        }
        (DType::Bool, DType::U8) => quote!((#x as u8)),
        (DType::Bool, _) => quote!((#x as u8 as #ty)),
        _ => quote!((#x as #ty)),
    }
}
