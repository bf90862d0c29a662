//! What a tensor remembers of how it was computed, where nothing is ever computed eagerly: nothing.

use crate::Result;

/// Nothing, so that inference pays nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Track(());

impl Track {
    /// The tensor is written to.
    pub(crate) fn written(&mut self) {}

    /// An error if the tensor stands for a failed operation: never.
    pub(crate) fn sound(&self) -> Result<()> {
        Ok(())
    }
}

/// What stands within is for tensors that compute outside of models: without the feature `eager` it is left out.
#[doc(hidden)]
#[macro_export]
macro_rules! __eager {
    ($($items:tt)*) => {};
}
