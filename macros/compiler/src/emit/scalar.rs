//! Scalar functions, constants and conversions as Rust expressions, with no more parentheses than they need.

use kiln_ir::{DType, Literal, Scalar};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// An expression, and whether it can be an operand as it is.
#[derive(Clone, Debug)]
pub struct Code {
    tokens: TokenStream,
    atom: bool,
}

impl Code {
    /// A name, a call, an index: an operand of any operator.
    pub fn atom(tokens: TokenStream) -> Code {
        Code { tokens, atom: true }
    }

    /// What needs parentheses as an operand.
    pub fn loose(tokens: TokenStream) -> Code {
        Code { tokens, atom: false }
    }

    /// As it is: for a statement, an argument, an index.
    pub fn bare(&self) -> &TokenStream {
        &self.tokens
    }

    /// As an operand.
    pub fn operand(&self) -> TokenStream {
        let tokens = &self.tokens;
        if self.atom { quote!(#tokens) } else { quote!((#tokens)) }
    }
}

/// Rust's type of that name for an element: what is narrow is the library's.
pub fn element(name: &str) -> TokenStream {
    let ty = format_ident!("{name}");
    if matches!(name, "bf16" | "f16") { quote!(::kiln::#ty) } else { quote!(#ty) }
}

/// A constant: an operand.
pub fn constant(literal: Literal, dtype: DType) -> TokenStream {
    let x = literal.value();
    match dtype {
        DType::Bool => {
            let truth = x != 0.0;
            quote!(#truth)
        }
        DType::F32 | DType::F64 => float(x, dtype),
        DType::BF16 | DType::F16 => {
            let (ty, x) = (element(dtype.name()), float(x, DType::F32));
            quote!(#ty::from_f32(#x))
        }
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
pub fn add(dtype: DType, x: &TokenStream, y: &Code) -> TokenStream {
    if dtype.is_float() {
        let y = y.operand();
        return quote!(#x + #y);
    }
    let (ty, y) = (format_ident!("{}", dtype.name()), y.bare());
    quote!(#ty::wrapping_add(#x, #y))
}

/// The greater one.
pub fn max(dtype: DType, x: &TokenStream, y: &Code) -> TokenStream {
    let y = y.bare();
    if dtype.is_float() { quote!(::kiln::rt::max(#x, #y)) } else { quote!(::core::cmp::Ord::max(#x, #y)) }
}

fn infix(op: TokenStream, x: &[Code]) -> Code {
    let (x, y) = (x[0].operand(), x[1].operand());
    Code::loose(quote!(#x #op #y))
}

/// A scalar function of arguments whose type is `dtype`.
pub fn scalar(s: Scalar, dtype: DType, x: &[Code]) -> Code {
    use Scalar::*;
    match s {
        Eq => infix(quote!(==), x),
        Lt => infix(quote!(<), x),
        Le => infix(quote!(<=), x),
        And => infix(quote!(&), x),
        Or => infix(quote!(|), x),
        Not => {
            let x = x[0].operand();
            Code::loose(quote!(!#x))
        }
        Select => {
            let (c, x, y) = (x[0].bare(), x[1].bare(), x[2].bare());
            Code::loose(quote!(if #c { #x } else { #y }))
        }
        _ if dtype.is_float() => real(s, x),
        _ => whole(s, dtype, x),
    }
}

fn real(s: Scalar, x: &[Code]) -> Code {
    use Scalar::*;
    match s {
        Add => infix(quote!(+), x),
        Sub => infix(quote!(-), x),
        Mul => infix(quote!(*), x),
        Div => infix(quote!(/), x),
        Neg => {
            let x = x[0].operand();
            Code::loose(quote!(-#x))
        }
        _ => {
            let (name, x) = (format_ident!("{}", s.name()), x.iter().map(Code::bare));
            let home = match s {
                // What the kernel's own parameter computes, by polynomials.
                Exp | Expm1 | Log | Log1p | Tanh | Sigmoid | Erf => quote!(Math),
                _ => quote!(::kiln::rt),
            };
            Code::atom(quote!(#home::#name(#(#x),*)))
        }
    }
}

fn whole(s: Scalar, dtype: DType, args: &[Code]) -> Code {
    use Scalar::*;
    let ty = format_ident!("{}", dtype.name());
    let args: Vec<&TokenStream> = args.iter().map(Code::bare).collect();
    let signed = dtype != DType::U8;
    Code::atom(match s {
        Add | Sub | Mul | Neg => {
            let name = format_ident!("wrapping_{}", s.name());
            quote!(#ty::#name(#(#args),*))
        }
        Div => {
            let name = format_ident!("div_{}", dtype.name());
            quote!(::kiln::rt::#name(#(#args),*))
        }
        Max | Min => {
            let name = format_ident!("{}", s.name());
            quote!(::core::cmp::Ord::#name(#(#args),*))
        }
        Abs if signed => quote!(#ty::wrapping_abs(#(#args),*)),
        Sign if signed => quote!(#ty::signum(#(#args),*)),
        Sign => quote!(::core::cmp::Ord::min(#(#args),*, 1)),
        Abs => quote!((#(#args),*)),
        _ => unreachable!("{} takes floats only", s.name()),
    })
}

/// A conversion. Float to integer truncates and saturates, NaN to 0; to bool: `x != 0`. What is narrow is made of f32, and f32
/// of it.
pub fn cast(x: &Code, from: DType, to: DType) -> Code {
    let (ty, value) = (format_ident!("{}", to.name()), x.operand());
    let narrow = element(if from.is_narrow() { from.name() } else { to.name() });
    match (from, to) {
        (a, b) if a == b => x.clone(),
        (DType::F32, b) if b.is_narrow() => Code::atom(quote!(#narrow::from_f32(#value))),
        (a, DType::F32) if a.is_narrow() => Code::atom(quote!(#narrow::to_f32(#value))),
        (_, DType::Bool) => {
            let zero = zero(from);
            Code::loose(quote!(#value != #zero))
        }
        (DType::Bool, DType::U8) => Code::loose(quote!(#value as u8)),
        (DType::Bool, _) => Code::loose(quote!(#value as u8 as #ty)),
        _ => Code::loose(quote!(#value as #ty)),
    }
}
