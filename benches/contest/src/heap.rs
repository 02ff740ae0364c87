//! An allocator, made to count the bytes that live, and to begin every round afresh: the system's, or
//! mimalloc if the program is built with it.

#[cfg(not(feature = "mimalloc"))]
use std::alloc::System as Beneath;
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

#[cfg(feature = "mimalloc")]
use mimalloc::MiMalloc as Beneath;

/// The allocator's name in records.
pub(crate) const NAME: &str = if cfg!(feature = "mimalloc") {
    "mimalloc"
} else {
    "the system's"
};

/// The allocator that does the work.
static BENEATH: Beneath = Beneath;

/// The allocator beneath, which counts while it is told to and costs a load otherwise.
///
/// It counts what is asked for, not what the allocator beneath adds to each allocation; that favours those who
/// allocate often.
#[derive(Debug)]
pub(crate) struct Counting;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

/// How many more bytes live after `make` than before, and what it made.
///
/// One thread at a time may ask.
pub(crate) fn count<T>(make: impl FnOnce() -> T) -> (isize, T) {
    LIVE_BYTES.store(0, Ordering::Relaxed);
    IS_COUNTING.store(true, Ordering::Relaxed);
    let made = make();
    IS_COUNTING.store(false, Ordering::Relaxed);
    (LIVE_BYTES.load(Ordering::Relaxed), made)
}

/// Lets every contestant begin with memory that nobody has touched.
///
/// glibc and mimalloc keep much of what is freed, so that whoever comes next writes to pages that are there
/// already, scattered as the one before left them: that is neither what a process sees that fills its
/// first memtable, nor the same for everybody. Elsewhere nothing is done.
pub(crate) fn begin_afresh() {
    #[cfg(feature = "mimalloc")]
    {
        // SAFETY: mimalloc's function may be called at any time.
        unsafe { libmimalloc_sys::mi_collect(true) };
    }
    #[cfg(all(target_os = "linux", target_env = "gnu", not(feature = "mimalloc")))]
    {
        /// glibc's default, which it raises as it goes unless it is set.
        const MMAP_THRESHOLD_BYTES: libc::c_int = 128 << 10;
        // SAFETY: glibc's function may be called at any time.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES) };
        // SAFETY: the same.
        unsafe { libc::malloc_trim(0) };
    }
}

fn add(bytes: usize) {
    if IS_COUNTING.load(Ordering::Relaxed) {
        LIVE_BYTES.fetch_add(bytes.cast_signed(), Ordering::Relaxed);
    }
}

fn subtract(bytes: usize) {
    if IS_COUNTING.load(Ordering::Relaxed) {
        LIVE_BYTES.fetch_sub(bytes.cast_signed(), Ordering::Relaxed);
    }
}

// SAFETY: the allocator beneath does everything; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { BENEATH.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { BENEATH.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        subtract(layout.size());
        // SAFETY: the caller's promise.
        unsafe { BENEATH.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        subtract(layout.size());
        add(bytes);
        // SAFETY: the caller's promise.
        unsafe { BENEATH.realloc(memory, layout, bytes) }
    }
}
