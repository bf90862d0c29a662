//! The elements of tensors: shared until written to, and recycled where a model asks for the same again and again.
//!
//! What [`Storage::recycled`] made goes to a pool of the thread that drops its last owner, the reference count with
//! it, so that the next request of that length allocates nothing at all. Other storage is freed as usual.
//!
//! Alignment is that of the element type, as of any `Vec`: taking over and giving away `Vec`s and `ndarray` arrays
//! without a copy is worth more than aligned loads, which modern processors hardly tell from unaligned ones.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::LocalKey;

use crate::Element;

/// Buffers that a thread keeps of one element type. The oldest goes first.
const KEPT: usize = 16;

/// Elements with a count of their owners.
#[derive(Clone)]
pub(crate) struct Storage<T: Element>(Arc<Buffer<T>>);

struct Buffer<T> {
    data: Vec<T>,
    recycled: bool,
}

impl<T: Element> Clone for Buffer<T> {
    /// A copy that is freed as usual: it was made because somebody wrote to a shared tensor.
    fn clone(&self) -> Self {
        Self { data: self.data.clone(), recycled: false }
    }
}

/// What a thread keeps for later.
pub struct Pool<T>(RefCell<Vec<Arc<Buffer<T>>>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    fn take(&self, len: usize) -> Option<Arc<Buffer<T>>> {
        let mut kept = self.0.try_borrow_mut().ok()?;
        let at = kept.iter().rposition(|buffer| buffer.data.len() == len)?;
        Some(kept.remove(at))
    }

    fn keep(&self, buffer: Arc<Buffer<T>>) {
        let Ok(mut kept) = self.0.try_borrow_mut() else { return };
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(buffer);
    }
}

/// The pool of the thread, which an element type brings along.
pub type LocalPool<T> = &'static LocalKey<Pool<T>>;

impl<T: Element> Storage<T> {
    pub(crate) fn new(data: Vec<T>) -> Self {
        Self(Arc::new(Buffer { data, recycled: false }))
    }

    /// So many elements of any value: zeros, or what an earlier owner left.
    pub(crate) fn recycled(len: usize) -> Self {
        let old = T::pool().try_with(|pool| pool.take(len)).ok().flatten();
        Self(old.unwrap_or_else(|| Arc::new(Buffer { data: vec![T::ZERO; len], recycled: true })))
    }

    /// The elements, to write to; copies them first if another owner shares them.
    pub(crate) fn make_mut(&mut self) -> &mut [T] {
        &mut Arc::make_mut(&mut self.0).data
    }

    /// The elements, copied only if another owner shares them.
    pub(crate) fn into_vec(self) -> Vec<T> {
        self.into_unshared().unwrap_or_else(|shared| shared.to_vec())
    }

    /// The elements, unless another owner shares them.
    pub(crate) fn into_unshared(mut self) -> Result<Vec<T>, Self> {
        match Arc::get_mut(&mut self.0) {
            Some(buffer) => Ok(std::mem::take(&mut buffer.data)),
            None => Err(self),
        }
    }
}

impl<T: Element> Deref for Storage<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0.data
    }
}

impl<T: Element> PartialEq for Storage<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.data == other.0.data
    }
}

impl<T: Element> Drop for Storage<T> {
    fn drop(&mut self) {
        // The pool holds a second count for a moment, which the drop of the field gives back. Two owners that drop
        // at once may both see the other one: then the buffer is freed as usual.
        if self.0.recycled && Arc::strong_count(&self.0) == 1 && !self.0.data.is_empty() {
            let buffer = Arc::clone(&self.0);
            // While a thread ends, its pool may be gone.
            let _ = T::pool().try_with(|pool| pool.keep(buffer));
        }
    }
}
