//! Memory that is kept from call to call. A large area begins where the system's large pages begin and asks for these: a kernel that
//! streams through many small ones waits for their addresses.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::{NonNull, write_bytes};

/// A cache line, which is also the longest vector.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line(pub [u8; 64]);

/// Bytes of a large page.
const PAGE: usize = 1 << 21;
/// Bytes of an area from which on large pages are worth what they are rounded up by.
const LARGE: usize = 2 * PAGE;

/// Lines of initialized memory.
#[derive(Debug)]
pub(super) struct Area {
    start: NonNull<Line>,
    len: usize,
}

impl Area {
    /// No memory.
    pub const fn new() -> Area {
        Area { start: NonNull::dangling(), len: 0 }
    }

    /// At least so many lines. What they hold is lost if there were fewer.
    pub fn reserve(&mut self, lines: usize) {
        if self.len >= lines {
            return;
        }
        *self = Area::new();
        let layout = layout(lines);
        // SAFETY: the layout's size isn't 0, as `lines` isn't.
        let start = unsafe { alloc(layout) }.cast::<Line>();
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        if layout.align() == PAGE {
            ask_for_large_pages(start, layout.size());
        }
        // SAFETY: so many lines were allocated; their bytes are numbers.
        unsafe { write_bytes(start.as_ptr(), 0, lines) };
        *self = Area { start, len: lines };
    }
}

/// How so many lines are allocated.
fn layout(lines: usize) -> Layout {
    let bytes = lines * size_of::<Line>();
    let align = if bytes >= LARGE { PAGE } else { align_of::<Line>() };
    Layout::from_size_align(bytes, align).expect("an area's size")
}

#[cfg(target_os = "linux")]
fn ask_for_large_pages(start: NonNull<Line>, bytes: usize) {
    use std::ffi::{c_int, c_void};
    unsafe extern "C" {
        // Of the C library, to which std is linked as well.
        fn madvise(start: *mut c_void, bytes: usize, advice: c_int) -> c_int;
    }
    /// `MADV_HUGEPAGE`
    const LARGE_PAGES: c_int = 14;
    // SAFETY: the memory is the area's own, from the beginning of a page on, and what is asked for changes no content. Where it is refused,
    // pages stay as small as they are.
    unsafe { madvise(start.as_ptr().cast(), bytes, LARGE_PAGES) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for_large_pages(_: NonNull<Line>, _: usize) {}

impl Drop for Area {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: it was allocated so.
            unsafe { dealloc(self.start.as_ptr().cast(), layout(self.len)) };
        }
    }
}

impl Deref for Area {
    type Target = [Line];
    fn deref(&self) -> &[Line] {
        // SAFETY: so many lines are there and initialized.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl DerefMut for Area {
    fn deref_mut(&mut self) -> &mut [Line] {
        // SAFETY: likewise, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_grow_and_are_whole() {
        let mut area = Area::new();
        for lines in [0, 1, 100, 7, LARGE / 64, LARGE / 64 + 5] {
            area.reserve(lines);
            assert!(area.len() >= lines);
            area.iter_mut().for_each(|line| line.0 = [9; 64]);
            assert!(area.iter().all(|line| line.0 == [9; 64]));
        }
        assert_eq!(area.as_ptr() as usize % PAGE, 0);
    }
}
