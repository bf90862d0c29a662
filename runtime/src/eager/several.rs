//! Tuples and arrays of what models take and return: each part by itself.

use std::panic::Location;

use super::Any;
use super::forward::Rows;
use super::tape::Track;
use super::transform::{Outcome, Returned, Scope, Wrt};
use crate::{Element, Result, Tensor};

macro_rules! tuples {
    ($(($($name:ident $i:tt)*))*) => {$(
        impl<$($name: Outcome),*> Outcome for ($($name,)*) {
            fn tensors(&self, out: &mut Vec<Any>) {
                $(self.$i.tensors(out);)*
            }

            fn detached(self) -> Self {
                ($(self.$i.detached(),)*)
            }

            fn rebuilt(&self, with: &mut dyn Iterator<Item = Any>) -> Self {
                ($(self.$i.rebuilt(with),)*)
            }
        }

        impl<$($name: Returned),*> Returned for ($($name,)*) {
            fn failed(fault: Track) -> Self {
                ($($name::failed(fault.clone()),)*)
            }
        }

        impl<$($name: Wrt),*> Wrt for ($($name,)*) {
            fn __kiln_leaf(&self, scope: &mut Scope) -> Self {
                ($(self.$i.__kiln_leaf(scope),)*)
            }

            fn __kiln_keep(&self, scope: &Scope, original: &mut Self) {
                $(self.$i.__kiln_keep(scope, &mut original.$i);)*
            }

            fn __kiln_leaves(&self) -> Vec<Any> {
                [$(self.$i.__kiln_leaves()),*].concat()
            }

            fn __kiln_gradient(&self, of: &Result<Any, Track>, again: bool, at: At) -> Self {
                ($(self.$i.__kiln_gradient(of, again, at),)*)
            }
        }

        impl<$($name: Rows),*> Rows for ($($name,)*) {
            fn __kiln_count(&self) -> Option<usize> {
                None$(.or_else(|| self.$i.__kiln_count()))*
            }

            #[track_caller]
            fn __kiln_row(&self, at: usize, count: Option<usize>) -> Self {
                ($(self.$i.__kiln_row(at, count),)*)
            }
        }
    )*};
}
tuples!((A 0)(A 0 B 1)(A 0 B 1 C 2)(A 0 B 1 C 2 D 3)(A 0 B 1 C 2 D 3 E 4)(A 0 B 1 C 2 D 3 E 4 F 5));

/// Where a gradient is taken.
type At = &'static Location<'static>;

/// What an array may hold.
pub trait Part: Returned + Wrt + Rows {}
impl<P: Returned + Wrt + Rows> Part for P {}

/// Each kind of part by name: an array of params is a tree, and has these traits for its own reasons.
macro_rules! arrays {
    ($([$($generic:tt)*] $part:ty;)*) => {$(
        impl<$($generic)*, const N: usize> Outcome for [$part; N] {
            fn tensors(&self, out: &mut Vec<Any>) {
                self.iter().for_each(|part| part.tensors(out));
            }

            fn detached(self) -> Self {
                self.map(Outcome::detached)
            }

            fn rebuilt(&self, with: &mut dyn Iterator<Item = Any>) -> Self {
                self.each_ref().map(|part| part.rebuilt(with))
            }
        }

        impl<$($generic)*, const N: usize> Returned for [$part; N] {
            fn failed(fault: Track) -> Self {
                std::array::from_fn(|_| <$part>::failed(fault.clone()))
            }
        }

        impl<$($generic)*, const N: usize> Wrt for [$part; N] {
            fn __kiln_leaf(&self, scope: &mut Scope) -> Self {
                self.each_ref().map(|part| part.__kiln_leaf(scope))
            }

            fn __kiln_keep(&self, scope: &Scope, original: &mut Self) {
                self.iter().zip(original).for_each(|(part, original)| part.__kiln_keep(scope, original));
            }

            fn __kiln_leaves(&self) -> Vec<Any> {
                self.iter().flat_map(|part| part.__kiln_leaves()).collect()
            }

            fn __kiln_gradient(&self, of: &Result<Any, Track>, again: bool, at: At) -> Self {
                self.each_ref().map(|part| part.__kiln_gradient(of, again, at))
            }
        }

        impl<$($generic)*, const N: usize> Rows for [$part; N] {
            fn __kiln_count(&self) -> Option<usize> {
                self.iter().find_map(Rows::__kiln_count)
            }

            #[track_caller]
            fn __kiln_row(&self, at: usize, count: Option<usize>) -> Self {
                std::array::from_fn(|i| self[i].__kiln_row(at, count))
            }
        }
    )*};
}
arrays! {
    [T: Element] Tensor<T>;
    [T: Element, const M: usize] [Tensor<T>; M];
    [A: Part, B: Part] (A, B);
    [A: Part, B: Part, C: Part] (A, B, C);
}
