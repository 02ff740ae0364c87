//! Which core a thread runs on.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread::ScopedJoinHandle;

use core_affinity::CoreId;

/// The cores this process may use, before any thread was kept on one.
fn all() -> &'static [CoreId] {
    static ALL: OnceLock<Vec<CoreId>> = OnceLock::new();
    ALL.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default())
}

/// How many there are; 0 if the system does not say.
pub(crate) fn count() -> usize {
    all().len()
}

/// Keeps this thread on the first core, and returns whether the system lets it.
pub(crate) fn pin_first() -> bool {
    pin(0)
}

/// Keeps this thread on the second core.
pub(crate) fn pin_second() -> bool {
    pin(1)
}

fn pin(position: usize) -> bool {
    let core = all().get(position);
    core.is_some_and(|&core| core_affinity::set_for_current(core))
}

/// What a thread returns; panics as it did.
pub(crate) fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}
