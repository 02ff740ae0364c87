//! Several threads, each kept on a core, and what they share.
//!
//! Nothing runs on the first thread but what opens and checks, for it is kept on no core: threads that
//! a contestant starts would be kept there with it.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cores;

/// A counter. It is relaxed: nothing is published by it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds to it, and returns what it was.
    #[inline]
    pub(crate) fn add(&self, count: u64) -> u64 {
        self.0.fetch_add(count, Ordering::Relaxed)
    }
}

/// Whether what others work beside is over.
#[derive(Debug, Default)]
pub(crate) struct Over(AtomicBool);

impl Over {
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends what others work beside when it is dropped, even by a panic, so that they don't go on forever.
struct End<'a>(&'a Over);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Does `work` on so many threads, each on a core of its own, from the same moment on.
///
/// Returns the time from the first one's beginning to the last one's end, and what each returned.
///
/// # Panics
///
/// If one of them does.
pub(crate) fn together<T: Send>(
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
) -> (Duration, Vec<T>) {
    let start = Barrier::new(threads);
    let outcomes: Vec<(Instant, Instant, T)> = thread::scope(|scope| {
        let run = |thread| {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                pin(thread);
                start.wait();
                let started = Instant::now();
                let outcome = work(thread);
                (started, Instant::now(), outcome)
            })
        };
        let threads: Vec<_> = (0..threads).map(run).collect();
        threads.into_iter().map(cores::join).collect()
    });
    let started = outcomes.iter().map(|&(started, ..)| started).min();
    let ended = outcomes.iter().map(|&(_, ended, _)| ended).max();
    let time = started.zip(ended).map(|(started, ended)| ended - started);
    let outcomes = outcomes.into_iter().map(|(.., outcome)| outcome);
    (time.unwrap_or_default(), outcomes.collect())
}

/// Does `work` on the first core, and `other` on the second until that is over; returns what both did.
///
/// # Panics
///
/// If one of them does.
pub(crate) fn beside<T: Send, U: Send>(
    work: impl FnOnce() -> T + Send,
    other: impl FnOnce(&Over) -> U + Send,
) -> (T, U) {
    let (over, start) = (Over::default(), Barrier::new(2));
    thread::scope(|scope| {
        let work = scope.spawn(|| {
            let _end = End(&over);
            pin(0);
            start.wait();
            work()
        });
        let other = scope.spawn(|| {
            pin(1);
            start.wait();
            other(&over)
        });
        (cores::join(work), cores::join(other))
    })
}

/// Keeps this thread on a core of its own, where the system lets it.
fn pin(thread: usize) {
    let _ = match thread {
        0 => cores::pin_first(),
        _ => cores::pin_second(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_works_once_and_the_longest_counts() {
        let millisecond = Duration::from_millis(1);
        let (time, outcomes) = together(2, |thread| {
            thread::sleep(millisecond * if thread == 1 { 5 } else { 1 });
            thread
        });
        assert_eq!(outcomes, [0, 1]);
        assert!(time >= 5 * millisecond, "{time:?}");
    }

    #[test]
    fn the_other_goes_on_until_the_work_is_over() {
        let count = |over: &Over| {
            let mut steps = 0;
            while !over.is_over() {
                steps += 1;
                thread::yield_now();
            }
            steps
        };
        let ((), steps) = beside(|| thread::sleep(Duration::from_millis(5)), count);
        assert!(steps > 1, "{steps}");
    }

    #[test]
    fn work_that_panics_ends_the_other_and_is_heard_of() {
        let wait = |over: &Over| {
            while !over.is_over() {
                thread::yield_now();
            }
        };
        let work = || assert!(wait_a_little() < Duration::ZERO, "a wrong answer");
        let outcome = std::panic::catch_unwind(|| beside(work, wait));
        let panic = outcome.map(|_| ()).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a wrong answer"));
    }

    fn wait_a_little() -> Duration {
        let started = Instant::now();
        thread::sleep(Duration::from_millis(1));
        started.elapsed()
    }
}
