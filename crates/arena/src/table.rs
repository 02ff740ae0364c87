//! The table: which address a window has. It is read without a lock while it grows.
//!
//! ```text
//! pointer ----------------> | base | base | base | null |   the table in use
//!                           | base | base |                 the one before, kept
//! ```
//!
//! It grows by copying into one twice as large. A reader may still hold the old one, which says
//! the same of every window it knows, so that all are kept until the arena is dropped.

use std::ptr::NonNull;

use crate::atomic::{Base, TablePointer};
use crate::location::{INDICES, WINDOW_BYTES};

/// How many windows the first table has room for.
const MIN_LENGTH: usize = 8;

/// How many tables there can be, each twice as long as the one before.
const GENERATIONS: usize = ((INDICES + 1) / MIN_LENGTH).ilog2() as usize + 1;

/// Whether a window is looked up with its index checked.
const CHECKED: bool = cfg!(any(debug_assertions, loom));

/// What any thread may read.
pub(crate) struct Table(TablePointer);

/// What the thread that holds the arena's lock writes.
#[derive(Default)]
pub(crate) struct TableMemory {
    /// The tables by length, those that were not made empty.
    generations: [Vec<Base>; GENERATIONS],
    /// How many windows have an address.
    windows: usize,
}

impl Table {
    pub(crate) fn empty() -> Self {
        Self(TablePointer::none())
    }

    /// The address at which a window begins.
    ///
    /// # Safety
    ///
    /// A location in the window has been handed out, and came to the calling thread in a way that
    /// makes visible what the thread that it was handed out to had done before.
    #[inline]
    pub(crate) unsafe fn base(&self, index: usize) -> NonNull<u8> {
        let first = self.0.get();
        if CHECKED {
            assert!(!first.is_null(), "an arena without blocks has no locations");
        }
        // SAFETY: A3: the table that has room for the window was published before a location in it
        // was handed out, and later tables are longer.
        let entry = unsafe { first.add(index) };
        // SAFETY: A3: no table is freed or moved before the arena is dropped, which is borrowed.
        let base = unsafe { &*entry }.get();
        if CHECKED {
            assert!(!base.is_null(), "no block has the window {index}");
        }
        // SAFETY: A3: the entry was written before a location in the window was handed out.
        unsafe { NonNull::new_unchecked(base) }
    }
}

impl TableMemory {
    /// How many windows have an address; the index of the next.
    pub(crate) fn windows(&self) -> usize {
        self.windows
    }

    /// How many bytes the tables take.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |table: &Vec<Base>| table.capacity() * size_of::<Base>();
        self.generations.iter().map(bytes).sum()
    }

    /// Which table is in use, if one is: the longest.
    fn current(&self) -> usize {
        let made = self.generations.iter().rposition(|table| !table.is_empty());
        made.unwrap_or(0)
    }

    /// How many bytes [`reserve`](TableMemory::reserve) would take.
    pub(crate) fn growth_bytes(&self, count: usize) -> usize {
        let generation = self.generation_for(count);
        match self.generations[generation].is_empty() {
            true => length(generation) * size_of::<Base>(),
            false => 0,
        }
    }

    /// The most bytes that `count` windows more can take, if they come a few at a time.
    pub(crate) fn growth_bound(&self, count: usize) -> usize {
        if count == 0 {
            return 0;
        }
        let last = self.generation_for(count);
        let is_new = |&generation: &usize| self.generations[generation].is_empty();
        let new = (self.current()..=last).filter(is_new);
        new.map(length).sum::<usize>() * size_of::<Base>()
    }

    /// Makes room for `count` windows more, all of which have an index. `None` if the allocator
    /// refuses.
    pub(crate) fn reserve(&mut self, table: &Table, count: usize) -> Option<()> {
        let generation = self.generation_for(count);
        if !self.generations[generation].is_empty() {
            return Some(());
        }
        let length = length(generation);
        let mut larger = Vec::new();
        larger.try_reserve_exact(length).ok()?;
        larger.resize_with(length, Base::none);
        let known = &self.generations[self.current()][..self.windows];
        for (to, from) in larger.iter().zip(known) {
            to.set(from.get());
        }
        table.0.publish(larger.as_ptr());
        self.generations[generation] = larger;
        Some(())
    }

    /// Gives the next windows to the block of `capacity` bytes that begins at `start`; there is
    /// room for them. Returns the index of the first.
    pub(crate) fn push(&mut self, start: NonNull<u8>, capacity: usize) -> usize {
        let first = self.windows;
        let current = self.current();
        for offset in (0..capacity).step_by(WINDOW_BYTES) {
            let base = start.as_ptr().wrapping_add(offset);
            self.generations[current][self.windows].set(base);
            self.windows += 1;
        }
        first
    }

    /// The shortest table that has room for `count` windows more, of those in use and longer.
    fn generation_for(&self, count: usize) -> usize {
        let fits = |&generation: &usize| length(generation) >= self.windows.saturating_add(count);
        (self.current()..GENERATIONS - 1)
            .find(fits)
            .unwrap_or(GENERATIONS - 1)
    }
}

/// How many windows a table has room for.
fn length(generation: usize) -> usize {
    MIN_LENGTH << generation
}
