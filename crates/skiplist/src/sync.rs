//! The atomics and the locks, from loom when the list is model-checked, and waiting.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

#[cfg(not(loom))]
pub(crate) use parking_lot::Mutex;

/// The lock of what no reader looks at: in models the usual one if the arena is plain, too, as then
/// no step that loom watches is made under it.
#[cfg(all(loom, strata_plain_arena))]
pub(crate) use parking_lot::Mutex as PoolMutex;

#[cfg(not(all(loom, strata_plain_arena)))]
pub(crate) use Mutex as PoolMutex;

/// How often a thread looks again before it lets others run.
#[cfg(not(loom))]
const LOOKS: u32 = 6;

/// Waits for another thread to give back a lock that it holds for some stores: at first twice as
/// long each time, then by giving the processor to another thread, which may be the one that holds
/// the lock.
#[cold]
#[cfg(not(loom))]
pub(crate) fn wait_a_moment(waited: &mut u32) {
    if *waited < LOOKS {
        (0..1 << *waited).for_each(|_| std::hint::spin_loop());
        *waited += 1;
    } else {
        std::thread::yield_now();
    }
}

/// In a model no thread comes here: it has waited for its [`Turn`].
#[cfg(loom)]
pub(crate) fn wait_a_moment(_: &mut u32) {
    unreachable!("a thread that has its turn finds the lock free");
}

/// A thread's turn to take a lock. In models, where threads that spin go on for ever, a lock is
/// waited for here. Nothing at all outside loom.
#[cfg(not(loom))]
pub(crate) struct Turn;

/// A thread's turn, for as long as it holds the lock.
#[cfg(not(loom))]
pub(crate) type Held<'a> = std::marker::PhantomData<&'a Turn>;

#[cfg(not(loom))]
impl Turn {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn wait(&self) -> Held<'_> {
        std::marker::PhantomData
    }
}

#[cfg(loom)]
pub(crate) struct Turn(Mutex<()>);

#[cfg(loom)]
pub(crate) type Held<'a> = loom::sync::MutexGuard<'a, ()>;

#[cfg(loom)]
impl Turn {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(()))
    }

    pub(crate) fn wait(&self) -> Held<'_> {
        self.0.lock()
    }
}

/// Loom's lock with parking_lot's interface.
#[cfg(loom)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(loom)]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(|_| unreachable!("no thread panics while it holds the lock"))
    }
}

/// Stands for plain memory, which loom does not watch by itself: it is written with what it
/// precedes and read with it, so that loom reports a thread that may not see all of it yet.
/// Nothing at all outside loom.
#[cfg(not(loom))]
pub(crate) struct Witness;

#[cfg(not(loom))]
impl Witness {
    pub(crate) fn written() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn read(&self) {}
}

#[cfg(loom)]
pub(crate) struct Witness(loom::cell::UnsafeCell<()>);

#[cfg(loom)]
impl Witness {
    pub(crate) fn written() -> Self {
        let witness = Self(loom::cell::UnsafeCell::new(()));
        witness.0.with_mut(|_| ());
        witness
    }

    pub(crate) fn read(&self) {
        self.0.with(|_| ());
    }
}
