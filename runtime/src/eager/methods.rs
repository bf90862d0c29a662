//! The methods of a tensor and the free functions: one for each entry of `kiln_ir::surface`, under its name.
//!
//! Where PyTorch has keywords a second name ends in `_dim`, `_keepdim` or `_with`. Numbers take the tensor's element
//! type; dims count from the back where they are negative. Every method's example is a test.

mod activations;
mod arithmetic;
mod choices;
pub(crate) mod convolutions;
pub(crate) mod functions;
mod layout;
pub(crate) mod losses;
pub(crate) mod margins;
pub(crate) mod quantization;
pub(crate) mod random;
pub(crate) mod recurrent;
mod reductions;
#[cfg(test)]
mod tests;

/// The Rust type of an argument of a kind.
macro_rules! kind {
    (Operand) => { impl $crate::eager::args::Operand<T> };
    (Offset) => { impl $crate::eager::args::Operand<i64> };
    (Tensor) => { impl $crate::eager::args::TensorArg<T> };
    (Mask) => { impl $crate::eager::args::TensorArg<bool> };
    (Labels) => { impl $crate::eager::args::TensorArg<U> };
    (Tensors) => { impl AsRef<[Tensor<T>]> };
    (Maybe) => { Option<Tensor<T>> };
    (Axis) => { i64 };
    (Axes) => { impl $crate::eager::args::Dims };
    (Size) => { impl $crate::eager::args::Size };
    (Sizes) => { impl $crate::eager::args::Sizes };
    (Float) => { impl Into<f64> };
    (Bool) => { bool };
    (Index) => { impl $crate::eager::args::TensorArg<i64> };
    (Reduction) => { &str };
    (Text) => { &str };
}

/// An argument as the surface takes it.
macro_rules! given {
    (Operand $x:expr) => {
        $crate::eager::args::Operand::<T>::given($x)
    };
    (Offset $x:expr) => {
        $crate::eager::args::Operand::<i64>::given($x)
    };
    (Tensor $x:expr) => {
        Given::Tensor($crate::eager::args::TensorArg::<T>::any($x))
    };
    (Mask $x:expr) => {
        Given::Tensor($crate::eager::args::TensorArg::<bool>::any($x))
    };
    (Labels $x:expr) => {
        Given::Tensor($crate::eager::args::TensorArg::<U>::any($x))
    };
    (Tensors $x:expr) => {
        Given::Tensors($x.as_ref().iter().map(|x| Any::new(x.clone())).collect())
    };
    (Maybe $x:expr) => {
        $x.map_or(Given::Absent, |x| Given::Tensor(Any::new(x)))
    };
    (Axis $x:expr) => {
        Given::Int($x)
    };
    (Axes $x:expr) => {
        $crate::eager::args::Dims::given($x)
    };
    (Size $x:expr) => {
        $crate::eager::args::Size::given($x)
    };
    (Sizes $x:expr) => {
        $crate::eager::args::Sizes::given($x)
    };
    (Float $x:expr) => {
        Given::Float($x.into())
    };
    (Bool $x:expr) => {
        Given::Bool($x)
    };
    (Text $x:expr) => {
        Given::Text($x.to_owned())
    };
    (Index $x:expr) => {
        Given::Tensor($crate::eager::args::TensorArg::<i64>::any($x))
    };
    (Reduction $x:expr) => {
        Given::Text($x.to_owned())
    };
}

/// What an entry yields.
macro_rules! yields {
    (One) => { Tensor<T> };
    (Sum) => { Tensor<T::Sum> };
    (Mask) => { Tensor<bool> };
    (Index) => { Tensor<i64> };
    (Share) => { Tensor<f32> };
    (Pair) => { (Tensor<T>, Tensor<i64>) };
    (Both) => { (Tensor<T>, Tensor<T>) };
    (Triple) => { (Tensor<T>, Tensor<T>, Tensor<T>) };
    (List) => { Vec<Tensor<T>> };
}

macro_rules! results {
    (Pair $name:expr, $given:expr) => {
        $crate::eager::call::pair($name, $given)
    };
    (Both $name:expr, $given:expr) => {
        $crate::eager::call::pair($name, $given)
    };
    (Triple $name:expr, $given:expr) => {
        $crate::eager::call::triple($name, $given)
    };
    (List $name:expr, $given:expr) => {
        $crate::eager::call::list($name, $given)
    };
    ($one:ident $name:expr, $given:expr) => {
        $crate::eager::call::one($name, $given)
    };
}

/// Rows of methods: doc, name, arguments, what it yields, and an example: `x`, an expression, how it prints.
macro_rules! methods {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($($arg:ident: $kind:ident),*) -> $yields:ident, $x:literal: $call:literal => $want:literal;
    )*) => {
        #[allow(unused_imports, reason = "not every table has lists of tensors")]
        use $crate::eager::{Any, call::Given, methods::{given, kind, results, yields}};

        impl<T: $crate::Element> $crate::Tensor<T> {
            $(
                $(#[doc = $doc])+
                #[doc = concat!(
                    "\n```\nlet x = kiln::Tensor::<f64>::from(", $x, ");\n",
                    "assert_eq!(", $call, ".to_string(), ", stringify!($want), ");\n```"
                )]
                #[track_caller]
                pub fn $name(&self, $($arg: kind!($kind)),*) -> yields!($yields) {
                    results!($yields stringify!($name), vec![given!(Tensor self), $(given!($kind $arg)),*])
                }
            )*
        }

        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

/// Rows of functions: doc, an example as lines of code, name, generics, arguments, what it yields.
macro_rules! free_functions {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident[$($generic:ident),*]($($arg:ident: $kind:ident),*) -> $yields:ident, $example:literal;
    )*) => {
        #[allow(unused_imports, reason = "not every table has lists of tensors")]
        use $crate::{Element, eager::{Any, call::Given, methods::{given, kind, results, yields}}};

        $(
            $(#[doc = $doc])+
            #[doc = concat!("\n```\nuse kiln::prelude::*;\n\n", $example, "\n```")]
            #[allow(clippy::too_many_arguments, reason = "as many as PyTorch's function has")]
            #[track_caller]
            pub fn $name<$($generic: Element),*>($($arg: kind!($kind)),*) -> yields!($yields) {
                results!($yields stringify!($name), vec![$(given!($kind $arg)),*])
            }
        )*

        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

use {free_functions, given, kind, methods, results, yields};
