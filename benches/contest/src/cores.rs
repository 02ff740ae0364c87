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

/// Keeps this thread on the first core if the number is even, on the second if it is odd.
pub(crate) fn pin_one_of_two(number: usize) -> bool {
    pin(number % 2)
}

fn pin(position: usize) -> bool {
    let core = all().get(position);
    core.is_some_and(|&core| core_affinity::set_for_current(core))
}

/// What a thread returns; panics as it did.
pub(crate) fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// The cores that a thread may run on after `pin` kept it on one.
    fn after(pin: fn() -> bool) -> Option<Vec<usize>> {
        let ids = move || {
            let ids = |cores: Vec<CoreId>| cores.iter().map(|core| core.id).collect();
            pin().then(|| core_affinity::get_core_ids().map_or_else(Vec::new, ids))
        };
        thread::scope(|scope| join(scope.spawn(ids)))
    }

    /// Two threads on one core take turns, and what is measured is the scheduler.
    #[test]
    fn two_threads_are_kept_on_two_cores() {
        assert_eq!(after(pin_second).is_some(), count() > 1);
        let (first, second) = (after(pin_first), after(pin_second));
        if let (Some(first), Some(second)) = (first, second) {
            assert_eq!((first.len(), second.len()), (1, 1));
            assert_ne!(first, second);
        }
    }
}
