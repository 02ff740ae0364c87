//! The hint that huge pages are welcome, for blocks that are where such pages can be.

use std::ptr::NonNull;

/// The huge page of x86-64, and of 64-bit Arm with base pages of 4 KiB, in bytes.
pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Whether there is a kernel to tell: Linux, and not Miri's.
pub(crate) const HAS_HINT: bool = cfg!(all(feature = "huge-pages", target_os = "linux", not(miri)));

/// Tells the kernel that huge pages are welcome for these bytes, which begin where one can. It may
/// refuse: then nothing is lost but time.
#[cfg(all(feature = "huge-pages", target_os = "linux", not(miri)))]
pub(crate) fn welcome(start: NonNull<u8>, bytes: usize) {
    // SAFETY: this keeps A1 and A2: the hint changes which pages back the bytes, and neither what
    // they hold nor where they are. For a range that is not mapped it is an error.
    let _refused = unsafe { libc::madvise(start.cast().as_ptr(), bytes, libc::MADV_HUGEPAGE) };
}

/// Nobody to tell.
#[cfg(not(all(feature = "huge-pages", target_os = "linux", not(miri))))]
pub(crate) fn welcome(_: NonNull<u8>, _: usize) {}
