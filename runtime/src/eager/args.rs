//! What operations take beside the tensor they are called on: by value or by reference, tensors or numbers.

use super::Any;
use super::call::Given;
use crate::{Element, Tensor};

/// A tensor of element type `T`, by value or by reference.
pub trait TensorArg<T: Element> {
    #[doc(hidden)]
    fn any(self) -> Any;
}

impl<T: Element> TensorArg<T> for Tensor<T> {
    fn any(self) -> Any {
        Any::new(self)
    }
}

impl<T: Element> TensorArg<T> for &Tensor<T> {
    fn any(self) -> Any {
        Any::new(self.clone())
    }
}

/// A tensor of element type `T`, by value or by reference, or a number, which takes that type.
pub trait Operand<T: Element> {
    #[doc(hidden)]
    fn given(self) -> Given;
}

impl<T: Element> Operand<T> for Tensor<T> {
    fn given(self) -> Given {
        Given::Tensor(Any::new(self))
    }
}

impl<T: Element> Operand<T> for &Tensor<T> {
    fn given(self) -> Given {
        Given::Tensor(Any::new(self.clone()))
    }
}

/// The index of a dim, negative from the back; or several.
pub trait Dims {
    #[doc(hidden)]
    fn given(self) -> Given;
}

/// A size.
pub trait Size {
    #[doc(hidden)]
    fn given(self) -> Given;
}

/// Sizes of a shape, or one; −1 is what is left over.
pub trait Sizes {
    #[doc(hidden)]
    fn given(self) -> Given;
}

macro_rules! numbers {
    ($($ty:ty => $variant:ident as $as:ty;)*) => {$(
        impl<T: Element> Operand<T> for $ty {
            fn given(self) -> Given {
                Given::$variant(self as $as)
            }
        }
    )*};
}
numbers!(f32 => Float as f64; f64 => Float as f64; i32 => Int as i64; i64 => Int as i64;);

/// A whole number as `i64`; what is beyond is as good as the largest, which fits no tensor.
fn int<N: TryInto<i64>>(n: N) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

macro_rules! integers {
    ($name:ident: $($ty:ty)*) => {$(
        impl $name for $ty {
            fn given(self) -> Given {
                Given::Int(int(self))
            }
        }
    )*};
}

macro_rules! lists {
    ($name:ident: $($ty:ty)*) => {$(
        impl $name for &[$ty] {
            fn given(self) -> Given {
                Given::Ints(self.iter().map(|n| int(*n)).collect())
            }
        }

        impl $name for Vec<$ty> {
            fn given(self) -> Given {
                $name::given(self.as_slice())
            }
        }

        impl<const N: usize> $name for [$ty; N] {
            fn given(self) -> Given {
                $name::given(self.as_slice())
            }
        }

        impl<const N: usize> $name for &[$ty; N] {
            fn given(self) -> Given {
                $name::given(self.as_slice())
            }
        }
    )*};
}

integers!(Dims: i32 i64 usize);
lists!(Dims: i32 i64 usize);
integers!(Size: i32 i64 usize);
integers!(Sizes: i32 i64 usize);
lists!(Sizes: i32 i64 usize);

/// An element type as a value, under the name of the type: `x.to(f64)`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x: Tensor<i64> = Tensor::<f64>::from([1.5, -1.5]).to(i64);
/// assert_eq!(x.as_slice(), [1, -1]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ElementType<T>(std::marker::PhantomData<T>);

macro_rules! element_types {
    ($($name:ident: $ty:path,)*) => {$(
        #[doc = concat!("`", stringify!($name), "` as a value: see [`ElementType`].")]
        #[allow(non_upper_case_globals)]
        pub const $name: ElementType<$ty> = ElementType(std::marker::PhantomData);
    )*};
}
element_types! {
    f32: ::core::primitive::f32,
    f64: ::core::primitive::f64,
    bf16: crate::half::bf16,
    f16: crate::half::f16,
    i64: ::core::primitive::i64,
    i32: ::core::primitive::i32,
    u8: ::core::primitive::u8,
    bool: ::core::primitive::bool,
}
