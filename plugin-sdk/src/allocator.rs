//! The connector's memory. A store lives for one call and is thrown away whole, so that what counts is how quickly a block is had.
//!
//! Small blocks are cut from larger pieces, with a list of those that were given back for each size: having one and giving it back are
//! a few instructions each, and no block has a head. Large ones are the system's, which joins neighbours that were given back. So a
//! long page takes no more memory than its data, and the pages of memory that were touched stay few.
//!
//! A connector that wants another allocator switches the feature `allocator` off and names its own.
#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;

/// Every small block begins and ends at a multiple of this. Bytes.
const STEP: usize = 8;
/// Larger blocks are the system's. Bytes.
const SMALL_MAX: usize = 1024;
/// What small blocks are cut from. Bytes.
const PIECE: usize = 32 << 10;

/// For one thread: a connector has no other.
pub(crate) struct Allocator(UnsafeCell<Pieces>);

struct Pieces {
    /// For each size, the first block that was given back; its first bytes hold the place of the next one.
    free: [*mut u8; SMALL_MAX / STEP],
    /// What is left of the newest piece.
    rest: *mut u8,
    rest_bytes: usize,
}

// SAFETY: the sandbox has one thread; natively it is used by the thread of a test alone.
unsafe impl Sync for Allocator {}

impl Allocator {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(Pieces {
            free: [ptr::null_mut(); SMALL_MAX / STEP],
            rest: ptr::null_mut(),
            rest_bytes: 0,
        }))
    }
}

/// Which list a block belongs to; none for those of the system.
#[inline(always)]
fn list_of(size: usize, align: usize) -> Option<usize> {
    // A size of nothing wraps round to a large one.
    (size.wrapping_sub(1) < SMALL_MAX && align <= STEP).then(|| (size - 1) / STEP)
}

impl Pieces {
    #[inline(always)]
    fn take(&mut self, list: usize) -> *mut u8 {
        let block = self.free[list];
        if !block.is_null() {
            // SAFETY: the block was given back, is at least a pointer long and aligned for one, and holds the next one's place.
            self.free[list] = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        self.cut((list + 1) * STEP)
    }

    #[inline(always)]
    fn give_back(&mut self, block: *mut u8, list: usize) {
        // SAFETY: the block is the caller's no longer, at least a pointer long and aligned for one.
        unsafe { block.cast::<*mut u8>().write(self.free[list]) };
        self.free[list] = block;
    }

    fn cut(&mut self, bytes: usize) -> *mut u8 {
        if self.rest_bytes < bytes {
            // SAFETY: the layout is not empty.
            let piece = unsafe { System.alloc(Layout::from_size_align_unchecked(PIECE, STEP)) };
            if piece.is_null() {
                return piece;
            }
            if self.rest_bytes > 0 {
                // Multiples of a step all of them, and less than the largest small block.
                self.give_back(self.rest, self.rest_bytes / STEP - 1);
            }
            (self.rest, self.rest_bytes) = (piece, PIECE);
        }
        let block = self.rest;
        // SAFETY: so many bytes are left of the piece.
        self.rest = unsafe { block.add(bytes) };
        self.rest_bytes -= bytes;
        block
    }
}

// SAFETY: a block that is handed out is a part of a piece, or of the system's memory, that no other block overlaps until it is given
// back; its list is known from its layout alone, which the caller states again.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match list_of(layout.size(), layout.align()) {
            // SAFETY: one thread, and nothing below calls back.
            Some(list) => unsafe { (*self.0.get()).take(list) },
            // SAFETY: as the caller promises.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match list_of(layout.size(), layout.align()) {
            // SAFETY: as in `alloc`.
            Some(list) => unsafe { (*self.0.get()).give_back(block, list) },
            // SAFETY: as the caller promises.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if list_of(layout.size(), layout.align()).is_none() {
            // SAFETY: as the caller promises. The system knows which of its memory is zero already.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as the caller promises.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block has that many bytes.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let (old, new) = (list_of(layout.size(), layout.align()), list_of(new_size, layout.align()));
        match (old, new) {
            (Some(old), Some(new)) if old == new => return block,
            // SAFETY: as the caller promises.
            (None, None) => return unsafe { System.realloc(block, layout, new_size) },
            _ => {}
        }
        // SAFETY: the caller promises a size that is not nothing and fits the alignment.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(new_size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both are at least that long, and different blocks.
            unsafe {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A block with the byte that fills it.
    struct Block {
        place: *mut u8,
        layout: Layout,
        fill: u8,
    }

    impl Block {
        fn filled(place: *mut u8, layout: Layout, fill: u8) -> Self {
            assert!(!place.is_null() && (place as usize).is_multiple_of(layout.align()), "{layout:?}");
            // SAFETY: the block was just handed out.
            unsafe { place.write_bytes(fill, layout.size()) };
            Self { place, layout, fill }
        }

        fn is_whole(&self, bytes: usize) -> bool {
            // SAFETY: the block is at least that long.
            (0..bytes).all(|at| unsafe { self.place.add(at).read() } == self.fill)
        }
    }

    /// Numbers in no order, the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((self.0 >> 33) % end).unwrap()
        }
    }

    #[test]
    fn no_block_is_touched_by_another_whatever_is_asked_for_grown_and_given_back() {
        let (allocator, mut random, mut blocks) = (Allocator::new(), Random(7), Vec::<Block>::new());
        for turn in 0..200_000_u32 {
            let size = match random.below(10) {
                0 => 1 + random.below(200_000),
                1 | 2 => 1_000 + random.below(50),
                _ => 1 + random.below(120),
            };
            let (fill, what) = (turn.to_le_bytes()[0], random.below(10));
            if blocks.len() < 8 || (what < 4 && blocks.len() < 500) {
                let layout = Layout::from_size_align(size, 1 << random.below(5)).unwrap();
                // SAFETY: the layout is not empty.
                blocks.push(Block::filled(unsafe { allocator.alloc(layout) }, layout, fill));
                continue;
            }
            let at = random.below(blocks.len() as u64);
            let block = blocks.swap_remove(at);
            assert!(block.is_whole(block.layout.size()), "{:?}", block.layout);
            if what < 7 {
                // SAFETY: it was handed out with this layout.
                unsafe { allocator.dealloc(block.place, block.layout) };
                continue;
            }
            let layout = Layout::from_size_align(size, block.layout.align()).unwrap();
            // SAFETY: as above.
            let place = unsafe { allocator.realloc(block.place, block.layout, size) };
            let moved = Block { place, layout, fill: block.fill };
            assert!(moved.is_whole(size.min(block.layout.size())), "{:?} to {layout:?}", block.layout);
            blocks.push(Block::filled(place, layout, fill));
        }
        for block in blocks {
            assert!(block.is_whole(block.layout.size()));
            // SAFETY: as above.
            unsafe { allocator.dealloc(block.place, block.layout) };
        }
    }

    #[test]
    fn what_is_given_back_is_used_again_and_zeroed_where_that_is_asked_for() {
        let allocator = Allocator::new();
        let layout = Layout::from_size_align(24, 8).unwrap();
        // SAFETY: the layout is not empty, and each block is given back once with its own layout.
        unsafe {
            let first = allocator.alloc(layout);
            first.write_bytes(0xa5, 24);
            allocator.dealloc(first, layout);
            let again = allocator.alloc_zeroed(Layout::from_size_align(17, 1).unwrap());
            assert_eq!(first, again, "17 and 24 bytes are blocks of one size");
            assert!((0..17).all(|at| again.add(at).read() == 0));
            let other = allocator.alloc(layout);
            assert_ne!(other, again);
        }
    }
}
