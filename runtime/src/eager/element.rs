//! What a loop takes from an array: a tensor of its own, as the tracer has it, whether the array is walked by reference or not.

use crate::{Element, Tensor};

/// What a loop takes.
pub struct Taken<T>(pub T);

impl<T: Element> Taken<&Tensor<T>> {
    /// The tensor, which shares its elements.
    pub fn own(self) -> Tensor<T> {
        self.0.clone()
    }
}

/// What is no reference to a tensor is left as it is: the method above comes first.
pub trait AsIs {
    /// It.
    type Is;

    /// It.
    fn own(self) -> Self::Is;
}

impl<T> AsIs for Taken<T> {
    type Is = T;

    fn own(self) -> T {
        self.0
    }
}
