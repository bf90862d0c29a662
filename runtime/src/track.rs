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
