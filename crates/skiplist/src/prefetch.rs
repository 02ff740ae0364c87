//! Telling the processor what will be read.

use std::ptr::NonNull;

/// Whether anything is fetched: if not, what leads there need not be read either.
pub(crate) const PREFETCHES: bool = cfg!(all(target_arch = "x86_64", not(miri), not(loom)));

/// Fetches `lines` cache lines from the one that `first` is in on. A hint: nothing is read, so any
/// address will do.
#[inline]
pub(crate) fn prefetch(first: NonNull<u8>, lines: usize) {
    #[cfg(all(target_arch = "x86_64", not(miri), not(loom)))]
    for line in 0..lines {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let address = first.as_ptr().wrapping_add(64 * line).cast_const();
        // SAFETY: the instruction is a hint and does not fault, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri), not(loom))))]
    let _ = (first, lines);
}
