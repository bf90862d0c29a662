//! `+ - * /` and unary `-`, by value and by reference, with tensors that broadcast as in NumPy and with numbers.

use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, DivAssign, Mul, MulAssign, Neg, Not, Sub, SubAssign};

use super::args::Operand;
use super::call::one;
use crate::{Element, Tensor};

macro_rules! tensors {
    ($($trait:ident $name:ident: $left:ty, $right:ty;)*) => {$(
        impl<T: Element> $trait<$right> for $left {
            type Output = Tensor<T>;

            #[track_caller]
            fn $name(self, other: $right) -> Tensor<T> {
                one(stringify!($name), vec![Operand::<T>::given(self), Operand::<T>::given(other)])
            }
        }
    )*};
}

macro_rules! operators {
    ($($trait:ident $name:ident;)*) => {$(
        tensors! {
            $trait $name: Tensor<T>, Tensor<T>;
            $trait $name: Tensor<T>, &Tensor<T>;
            $trait $name: &Tensor<T>, Tensor<T>;
            $trait $name: &Tensor<T>, &Tensor<T>;
            // One float and one integer type, so that the type of a literal is known at once.
            $trait $name: Tensor<T>, f64;
            $trait $name: Tensor<T>, i64;
            $trait $name: &Tensor<T>, f64;
            $trait $name: &Tensor<T>, i64;
        }
    )*};
}
operators!(Add add; Sub sub; Mul mul; Div div;);

/// A number on the left; a sum or product is the same the other way round.
macro_rules! left {
    ($($trait:ident $name:ident $number:ty: |$a:ident, $b:ident| $args:expr;)*) => {$(
        impl<T: Element> $trait<Tensor<T>> for $number {
            type Output = Tensor<T>;

            #[track_caller]
            fn $name(self, other: Tensor<T>) -> Tensor<T> {
                let ($a, $b) = (Operand::<T>::given(self), Operand::<T>::given(other));
                one(stringify!($name), $args)
            }
        }

        impl<T: Element> $trait<&Tensor<T>> for $number {
            type Output = Tensor<T>;

            #[track_caller]
            fn $name(self, other: &Tensor<T>) -> Tensor<T> {
                let ($a, $b) = (Operand::<T>::given(self), Operand::<T>::given(other));
                one(stringify!($name), $args)
            }
        }
    )*};
}
left! {
    Add add f64: |a, b| vec![b, a];
    Add add i64: |a, b| vec![b, a];
    Mul mul f64: |a, b| vec![b, a];
    Mul mul i64: |a, b| vec![b, a];
    Sub sub f64: |a, b| vec![a, b];
    Sub sub i64: |a, b| vec![a, b];
    Div div f64: |a, b| vec![a, b];
    Div div i64: |a, b| vec![a, b];
}

impl<T: Element> Neg for Tensor<T> {
    type Output = Tensor<T>;

    #[track_caller]
    fn neg(self) -> Tensor<T> {
        one("neg", vec![Operand::<T>::given(self)])
    }
}

impl<T: Element> Neg for &Tensor<T> {
    type Output = Tensor<T>;

    #[track_caller]
    fn neg(self) -> Tensor<T> {
        one("neg", vec![Operand::<T>::given(self)])
    }
}

macro_rules! assigning {
    ($($trait:ident $name:ident $operation:ident: $($right:ty),*;)*) => {$($(
        impl<T: Element> $trait<$right> for Tensor<T> {
            #[track_caller]
            fn $name(&mut self, other: $right) {
                *self = one(stringify!($operation), vec![Operand::<T>::given(&*self), Operand::<T>::given(other)]);
            }
        }
    )*)*};
}
assigning! {
    AddAssign add_assign add: Tensor<T>, &Tensor<T>, f64, i64;
    SubAssign sub_assign sub: Tensor<T>, &Tensor<T>, f64, i64;
    MulAssign mul_assign mul: Tensor<T>, &Tensor<T>, f64, i64;
    DivAssign div_assign div: Tensor<T>, &Tensor<T>, f64, i64;
}

/// `&` and `|` of masks.
macro_rules! logic {
    ($($trait:ident $name:ident $operation:literal: $left:ty, $right:ty;)*) => {$(
        impl $trait<$right> for $left {
            type Output = Tensor<bool>;

            #[track_caller]
            fn $name(self, other: $right) -> Tensor<bool> {
                one($operation, vec![Operand::<bool>::given(self), Operand::<bool>::given(other)])
            }
        }
    )*};
}
logic! {
    BitAnd bitand "logical_and": Tensor<bool>, Tensor<bool>;
    BitAnd bitand "logical_and": Tensor<bool>, &Tensor<bool>;
    BitAnd bitand "logical_and": &Tensor<bool>, Tensor<bool>;
    BitAnd bitand "logical_and": &Tensor<bool>, &Tensor<bool>;
    BitOr bitor "logical_or": Tensor<bool>, Tensor<bool>;
    BitOr bitor "logical_or": Tensor<bool>, &Tensor<bool>;
    BitOr bitor "logical_or": &Tensor<bool>, Tensor<bool>;
    BitOr bitor "logical_or": &Tensor<bool>, &Tensor<bool>;
}

impl Not for Tensor<bool> {
    type Output = Tensor<bool>;

    #[track_caller]
    fn not(self) -> Tensor<bool> {
        self.logical_not()
    }
}

impl Not for &Tensor<bool> {
    type Output = Tensor<bool>;

    #[track_caller]
    fn not(self) -> Tensor<bool> {
        self.logical_not()
    }
}
