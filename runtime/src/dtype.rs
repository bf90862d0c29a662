//! The element types a tensor may hold. The set is closed: kernels exist for these and no others.

use std::fmt::{Debug, Display};

use crate::half::{bf16, f16};
use crate::storage::{LocalPool, Pool};

mod sealed {
    use crate::storage::LocalPool;

    pub trait Sealed: Sized {
        /// The buffers that this thread keeps for [`crate::storage::Storage`].
        #[doc(hidden)]
        fn pool() -> LocalPool<Self>;
        /// The graph's name of the type.
        #[cfg(feature = "eager")]
        #[doc(hidden)]
        const DTYPE: kiln_ir::DType;
        /// A tensor of this type among others.
        #[cfg(feature = "eager")]
        #[doc(hidden)]
        fn erased(tensor: crate::Tensor<Self>) -> crate::eager::Any
        where
            Self: super::Element;
        /// The tensor, if it is of this type.
        #[cfg(feature = "eager")]
        #[doc(hidden)]
        fn restored(tensor: crate::eager::Any) -> Option<crate::Tensor<Self>>
        where
            Self: super::Element;
    }
}

/// A type that tensors are made of: `f32`, `f64`, `bf16`, `f16`, `i64`, `i32`, `u8` or `bool`.
///
/// ```
/// use kiln::Element;
/// assert_eq!(<f32 as Element>::NAME, "f32");
/// assert_eq!(<bool as Element>::ONE, true);
/// ```
pub trait Element:
    sealed::Sealed + Copy + PartialEq + Debug + Display + Default + Send + Sync + 'static
{
    /// The name, as in Rust source.
    const NAME: &'static str;
    /// The neutral element of addition; `false`.
    const ZERO: Self;
    /// The neutral element of multiplication; `true`.
    const ONE: Self;
    /// What sums are of: floats stay what they are, integers and bools make an `i64`.
    type Sum: Element;
}

macro_rules! elements {
    ($($ty:ident $variant:ident: $zero:expr, $one:expr, $sum:ident;)*) => {$(
        impl sealed::Sealed for $ty {
            fn pool() -> LocalPool<Self> {
                thread_local!(static POOL: Pool<$ty> = const { Pool::new() });
                &POOL
            }
            #[cfg(feature = "eager")]
            const DTYPE: kiln_ir::DType = kiln_ir::DType::$variant;
            #[cfg(feature = "eager")]
            fn erased(tensor: crate::Tensor<Self>) -> crate::eager::Any {
                crate::eager::Any::$variant(tensor)
            }
            #[cfg(feature = "eager")]
            fn restored(tensor: crate::eager::Any) -> Option<crate::Tensor<Self>> {
                match tensor {
                    crate::eager::Any::$variant(tensor) => Some(tensor),
                    _ => None,
                }
            }
        }
        impl Element for $ty {
            const NAME: &'static str = stringify!($ty);
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            type Sum = $sum;
        }
    )*};
}

elements! {
    f32 F32: 0.0, 1.0, f32;
    f64 F64: 0.0, 1.0, f64;
    bf16 BF16: bf16::ZERO, bf16::ONE, bf16;
    f16 F16: f16::ZERO, f16::ONE, f16;
    i64 I64: 0, 1, i64;
    i32 I32: 0, 1, i64;
    u8 U8: 0, 1, i64;
    bool Bool: false, true, i64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rust_names() {
        let names =
            [f32::NAME, f64::NAME, <i64 as Element>::NAME, <i32 as Element>::NAME, u8::NAME, bool::NAME];
        assert_eq!(names, ["f32", "f64", "i64", "i32", "u8", "bool"]);
    }

    #[test]
    fn default_is_zero() {
        fn check<T: Element>() {
            assert_eq!(T::default(), T::ZERO);
        }
        check::<f32>();
        check::<i64>();
        check::<bool>();
    }
}
