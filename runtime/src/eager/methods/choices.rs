//! Comparisons, choices, and other element types.

use super::methods;
use crate::Element;
use crate::Tensor;
use crate::eager::args::{ElementType, Operand};
use crate::eager::call::one;

methods! {
    /// Where both are equal: `torch.eq`. (`==` compares whole tensors.)
    eq(other: Operand) -> Mask, "[1.0, 2.0]": "x.eq(2)" => "[false, true]";
    /// Where they differ: `torch.ne`.
    ne(other: Operand) -> Mask, "[1.0, 2.0]": "x.ne(2)" => "[true, false]";
    /// Where `x` is smaller: `torch.lt`.
    lt(other: Operand) -> Mask, "[1.0, 2.0]": "x.lt(2)" => "[true, false]";
    /// Where `x` is smaller or equal: `torch.le`.
    le(other: Operand) -> Mask, "[1.0, 2.0]": "x.le(2)" => "[true, true]";
    /// Where `x` is larger: `torch.gt`.
    gt(other: Operand) -> Mask, "[1.0, 2.0]": "x.gt(1)" => "[false, true]";
    /// Where `x` is larger or equal: `torch.ge`.
    ge(other: Operand) -> Mask, "[1.0, 2.0]": "x.ge(1)" => "[true, true]";
    /// Where both are true: `torch.logical_and`, of bools.
    logical_and(other: Tensor) -> One, "[1.0, 2.0]": "x.gt(0).logical_and(x.lt(2))" => "[true, false]";
    /// Where one of both is true: `torch.logical_or`, of bools.
    logical_or(other: Tensor) -> One, "[1.0, 2.0]": "x.gt(1).logical_or(x.lt(1))" => "[false, true]";
    /// Where it is false: `torch.logical_not`, of bools.
    logical_not() -> One, "[1.0, 2.0]": "x.gt(1).logical_not()" => "[true, false]";
    /// `value` where the mask is true, `x` elsewhere: `torch.masked_fill`.
    masked_fill(mask: Mask, value: Operand) -> One, "[1.0, 2.0]": "x.masked_fill(x.gt(1), -1)" => "[1, -1]";
    /// Zeros of the same shape and element type: `torch.zeros_like`.
    zeros_like() -> One, "[1.0, 2.0]": "x.zeros_like()" => "[0, 0]";
    /// Ones of the same shape and element type: `torch.ones_like`.
    ones_like() -> One, "[1.0, 2.0]": "x.ones_like()" => "[1, 1]";
    /// `value` in the same shape and element type: `torch.full_like`.
    full_like(value: Float) -> One, "[1.0, 2.0]": "x.full_like(3)" => "[3, 3]";
    /// 1 at the label and 0 elsewhere along a new last dim of so many classes: `F.one_hot`, of integers.
    one_hot(classes: Size) -> Index, "[1.0, 2.0]": "x.to(kiln::prelude::i64).one_hot(3)" => "[[0, 1, 0],\n [0, 0, 1]]";
}

impl Tensor<bool> {
    /// `yes` where this mask is true, `no` elsewhere, all broadcast: `torch.where`.
    ///
    /// ```
    /// let x = kiln::Tensor::<f64>::from([1.0, -2.0]);
    /// assert_eq!(x.gt(0).where_cond(&x, 0.5).to_string(), "[1, 0.5]");
    /// ```
    #[track_caller]
    pub fn where_cond<T: Element>(&self, yes: impl Operand<T>, no: impl Operand<T>) -> Tensor<T> {
        one("where_cond", vec![given!(Mask self), given!(Operand yes), given!(Operand no)])
    }
}

impl<T: Element> Tensor<T> {
    /// The elements in another type: `Tensor.to`. Floats become integers by truncation, within the type's range; a
    /// bool is `x != 0`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let x = Tensor::<f64>::from([1.5, -1.5, 0.0]);
    /// assert_eq!(x.to(i64).to_string(), "[1, -1, 0]");
    /// assert_eq!(x.to(bool).to_string(), "[true, true, false]");
    /// ```
    #[track_caller]
    pub fn to<U: Element>(&self, _: ElementType<U>) -> Tensor<U> {
        one("to", vec![given!(Tensor self), Given::Dtype(U::DTYPE)])
    }

    /// The same as [`Tensor::to`].
    #[track_caller]
    pub fn cast<U: Element>(&self, to: ElementType<U>) -> Tensor<U> {
        self.to(to)
    }
}
