//! The tensors of a tree's leaves: of f32, or of a narrow float.

use safetensors::tensor::Dtype;

use crate::half::Narrow;
use crate::{Element, Tensor, bf16, f16};

/// A leaf's tensor, to read.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum LeafTensor<'a> {
    F32(&'a Tensor<f32>),
    BF16(&'a Tensor<bf16>),
    F16(&'a Tensor<f16>),
}

/// A leaf's tensor, to write.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum LeafTensorMut<'a> {
    F32(&'a mut Tensor<f32>),
    BF16(&'a mut Tensor<bf16>),
    F16(&'a mut Tensor<f16>),
}

macro_rules! each {
    ($enum:ident, $leaf:expr, |$t:ident| $body:expr) => {
        match $leaf {
            $enum::F32($t) => $body,
            $enum::BF16($t) => $body,
            $enum::F16($t) => $body,
        }
    };
}

macro_rules! from {
    ($($ty:ty: $variant:ident;)*) => {$(
        impl<'a> From<&'a Tensor<$ty>> for LeafTensor<'a> {
            fn from(tensor: &'a Tensor<$ty>) -> Self {
                LeafTensor::$variant(tensor)
            }
        }

        /// The tensor, if it is of that type; else what was given.
        impl<'a> TryFrom<LeafTensor<'a>> for &'a Tensor<$ty> {
            type Error = LeafTensor<'a>;

            fn try_from(leaf: LeafTensor<'a>) -> Result<Self, LeafTensor<'a>> {
                if let LeafTensor::$variant(tensor) = leaf { Ok(tensor) } else { Err(leaf) }
            }
        }

        /// The tensor, if it is of that type; else what was given.
        impl<'a> TryFrom<LeafTensorMut<'a>> for &'a mut Tensor<$ty> {
            type Error = LeafTensorMut<'a>;

            fn try_from(leaf: LeafTensorMut<'a>) -> Result<Self, LeafTensorMut<'a>> {
                if let LeafTensorMut::$variant(tensor) = leaf { Ok(tensor) } else { Err(leaf) }
            }
        }

        impl<'a> From<&'a mut Tensor<$ty>> for LeafTensorMut<'a> {
            fn from(tensor: &'a mut Tensor<$ty>) -> Self {
                LeafTensorMut::$variant(tensor)
            }
        }
    )*};
}
from!(f32: F32; bf16: BF16; f16: F16;);

impl<'a> LeafTensor<'a> {
    /// The extents.
    pub fn shape(self) -> &'a [usize] {
        each!(LeafTensor, self, |t| t.shape())
    }

    /// The number of elements.
    pub fn len(self) -> usize {
        each!(LeafTensor, self, |t| t.len())
    }

    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The tensor, if it is of f32.
    pub fn as_f32(self) -> Option<&'a Tensor> {
        if let LeafTensor::F32(tensor) = self { Some(tensor) } else { None }
    }

    /// The elements in f32, which holds all of them exactly.
    pub fn to_f32(self) -> Vec<f32> {
        match self {
            LeafTensor::F32(t) => t.as_slice().to_vec(),
            LeafTensor::BF16(t) => t.as_slice().iter().map(|x| x.to_f32()).collect(),
            LeafTensor::F16(t) => t.as_slice().iter().map(|x| x.to_f32()).collect(),
        }
    }

    /// What safetensors calls the element type.
    pub(crate) fn stored_as(self) -> Dtype {
        match self {
            LeafTensor::F32(_) => Dtype::F32,
            LeafTensor::BF16(_) => Dtype::BF16,
            LeafTensor::F16(_) => Dtype::F16,
        }
    }

    pub(crate) fn to_le_bytes(self) -> Vec<u8> {
        match self {
            LeafTensor::F32(t) => t.as_slice().iter().flat_map(|x| x.to_le_bytes()).collect(),
            LeafTensor::BF16(t) => t.as_slice().iter().flat_map(|x| x.bytes()).collect(),
            LeafTensor::F16(t) => t.as_slice().iter().flat_map(|x| x.bytes()).collect(),
        }
    }

    #[cfg(feature = "eager")]
    pub(crate) fn any(self) -> crate::eager::Any {
        each!(LeafTensor, self, |t| crate::eager::Any::new(t.clone()))
    }
}

impl<'a> LeafTensorMut<'a> {
    /// The tensor, if it is of f32.
    pub fn into_f32(self) -> Option<&'a mut Tensor> {
        if let LeafTensorMut::F32(tensor) = self { Some(tensor) } else { None }
    }

    /// The same tensor, to read.
    #[cfg(feature = "eager")]
    pub(crate) fn as_ref(&self) -> LeafTensor<'_> {
        match self {
            LeafTensorMut::F32(t) => LeafTensor::F32(t),
            LeafTensorMut::BF16(t) => LeafTensor::BF16(t),
            LeafTensorMut::F16(t) => LeafTensor::F16(t),
        }
    }

    /// Puts zeros of the same shape in its place: what it shared stays as it is.
    pub(crate) fn zero(self) {
        each!(LeafTensorMut, self, |t| *t = t.same_shape_zeros());
    }

    /// Puts elements in its place, as many as the shape holds, each rounded to the element type.
    pub(crate) fn set_f32(self, shape: &[usize], elements: Vec<f32>) -> crate::Result<()> {
        fn rounded<T: Narrow>(shape: &[usize], elements: &[f32]) -> crate::Result<Tensor<T>> {
            Tensor::from_vec(shape, elements.iter().map(|x| T::narrowed(*x)).collect())
        }
        match self {
            LeafTensorMut::F32(t) => *t = Tensor::from_vec(shape, elements)?,
            LeafTensorMut::BF16(t) => *t = rounded(shape, &elements)?,
            LeafTensorMut::F16(t) => *t = rounded(shape, &elements)?,
        }
        Ok(())
    }

    /// Puts a tensor of the same type in its place.
    #[cfg(feature = "eager")]
    pub(crate) fn set(self, tensor: crate::eager::Any) {
        fn put<T: Element>(place: &mut Tensor<T>, tensor: crate::eager::Any) {
            if let Some(tensor) = T::restored(tensor) {
                *place = tensor;
            }
        }
        each!(LeafTensorMut, self, |t| put(t, tensor));
    }
}

/// An f32 tensor in another float type, for a leaf's initial value.
pub fn stored<T: From<f32> + Element>(tensor: &Tensor) -> Tensor<T> {
    Tensor::from_vec(tensor.shape(), tensor.as_slice().iter().map(|x| T::from(*x)).collect())
        .expect("as many elements as the shape holds")
}

/// The elements that a file has, in f32; `None` of a type that is no float of at most 64 bits.
pub(crate) fn from_le_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16::of_bytes(*b).to_f32()).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::of_bytes(*b).to_f32()).collect(),
        _ => return None,
    })
}
