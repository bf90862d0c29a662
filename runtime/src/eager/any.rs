//! A tensor of any element type: what an operation takes and yields, and what the tape keeps.

use kiln_ir::{DType, Ty};

use super::tape::Track;
use crate::{Element, Tensor, bf16, f16};

/// A tensor of any element type.
#[derive(Clone)]
#[allow(missing_docs)]
pub enum Any {
    F32(Tensor<f32>),
    F64(Tensor<f64>),
    BF16(Tensor<bf16>),
    F16(Tensor<f16>),
    I64(Tensor<i64>),
    I32(Tensor<i32>),
    U8(Tensor<u8>),
    Bool(Tensor<bool>),
}

/// An expression for the tensor, whatever its type.
macro_rules! each_tensor {
    ($any:expr, |$t:ident| $body:expr) => {
        match $any {
            Any::F32($t) => $body,
            Any::F64($t) => $body,
            Any::BF16($t) => $body,
            Any::F16($t) => $body,
            Any::I64($t) => $body,
            Any::I32($t) => $body,
            Any::U8($t) => $body,
            Any::Bool($t) => $body,
        }
    };
}

impl Any {
    /// The tensor among others.
    pub(crate) fn new<T: Element>(tensor: Tensor<T>) -> Any {
        T::erased(tensor)
    }

    pub(crate) fn ty(&self) -> Ty {
        fn ty<T: Element>(t: &Tensor<T>) -> Ty {
            Ty::new(T::DTYPE, t.shape().iter().map(|n| kiln_ir::Dim::from(*n)).collect::<Vec<_>>())
        }
        each_tensor!(self, |t| ty(t))
    }

    pub(crate) fn dtype(&self) -> DType {
        fn dtype<T: Element>(_: &Tensor<T>) -> DType {
            T::DTYPE
        }
        each_tensor!(self, |t| dtype(t))
    }

    pub(crate) fn shape(&self) -> &[usize] {
        each_tensor!(self, |t| t.shape())
    }

    pub(crate) fn track(&self) -> &Track {
        each_tensor!(self, |t| t.track())
    }

    pub(crate) fn tracked(self, track: Track) -> Any {
        each_tensor!(self, |t| Any::new(t.tracked(track)))
    }

    /// A float tensor of this shape with one value everywhere; of no float, zeros of f32.
    pub(crate) fn full(dtype: DType, shape: &[usize], value: f64) -> crate::Result<Any> {
        let shape = crate::Shape::new(shape)?;
        Ok(match dtype {
            DType::F64 => Any::F64(Tensor::full(shape, value)),
            DType::BF16 => Any::BF16(Tensor::full(shape, (value as f32).into())),
            DType::F16 => Any::F16(Tensor::full(shape, (value as f32).into())),
            _ => Any::F32(Tensor::full(shape, value as f32)),
        })
    }
}

impl Any {
    /// Only how it was computed.
    pub(crate) fn into_track(self) -> Track {
        each_tensor!(self, |t| t.into_track())
    }

    /// The same elements, not part of any computation.
    pub(crate) fn detach(&self) -> Any {
        each_tensor!(self, |t| Any::new(t.detach()))
    }

    /// A tensor of the same type that stands for a fault.
    pub(crate) fn failed(&self, fault: Track) -> Any {
        fn failed<T: Element>(_: &Tensor<T>, fault: Track) -> Tensor<T> {
            super::call::failed(fault)
        }
        each_tensor!(self, |t| Any::new(failed(t, fault)))
    }

    /// An error if it stands for an operation that failed.
    pub(crate) fn sound(&self) -> crate::Result<()> {
        self.track().sound()
    }
}

pub(crate) use each_tensor;
