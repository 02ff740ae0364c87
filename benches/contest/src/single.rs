//! Single operations, each timed by itself: how long the slow ones take.
//!
//! The clock is the processor's counter of cycles, where it has one that runs evenly. Reading it twice
//! takes some nanoseconds, which are part of each figure; [`clock`] says how many.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use quanta::Clock;

use crate::contestant::{Contestant, Writer};
use crate::cores;
use crate::heap;
use crate::prepared::Prepared;
use crate::runner::Figures;
use crate::scenario::{Company, Phase, Quantile, Single};
use crate::together::{Reads, check, write};

/// How often the clock is read.
const CLOCK_READS: usize = 100_000;

/// The times of operations, in ticks of the clock.
struct Times<'a> {
    clock: &'a Clock,
    ticks: Vec<u64>,
}

impl<'a> Times<'a> {
    /// With memory for so many, which is touched beforehand.
    fn new(clock: &'a Clock, most: usize) -> Self {
        let mut ticks = vec![1; most];
        ticks.clear();
        Self { clock, ticks }
    }

    #[inline]
    fn add(&mut self, operation: impl FnOnce()) {
        let before = self.clock.raw();
        operation();
        self.ticks.push(self.clock.raw().saturating_sub(before));
    }

    /// The figures of all quantiles, in nanoseconds.
    fn figures(mut self, single: Single, company: Company) -> Vec<(Phase, f64)> {
        self.ticks.sort_unstable();
        let figure = |phase| {
            let Phase::Single(_, _, quantile) = phase else {
                return (phase, f64::NAN);
            };
            let nanoseconds = self.clock.delta_as_nanos(0, self.quantile(quantile));
            #[expect(clippy::cast_precision_loss, reason = "less than 2 to the 52nd")]
            let nanoseconds = nanoseconds as f64;
            (phase, nanoseconds)
        };
        Phase::quantiles(single, company).map(figure).to_vec()
    }

    /// The ticks of the sorted times that so many do not exceed.
    fn quantile(&self, quantile: Quantile) -> u64 {
        let rank = (self.ticks.len() * quantile.in_a_thousand()).div_ceil(1000);
        self.ticks.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// The times of the clock itself: nothing is between two readings.
pub(crate) fn clock() -> Figures {
    let clock = Clock::new();
    let mut times = Times::new(&clock, CLOCK_READS);
    for _ in 0..CLOCK_READS {
        times.add(|| {});
    }
    let figures = times.figures(Single::Nothing, Company::Alone);
    let right = |(phase, figure)| (phase, Ok(figure));
    figures.into_iter().map(right).collect()
}

/// Insertions and lookups, alone and beside a second thread that writes.
///
/// The first half of the entries is there beforehand, and is what is looked up. Beside: the threads
/// write every second entry each of the other half, and for the lookups the second thread writes all of
/// that half.
///
/// # Panics
///
/// If an answer is wrong.
pub(crate) fn singles<C: Contestant>(prepared: &Prepared) -> Vec<(Phase, f64)> {
    let (clock, all) = (Clock::new(), prepared.writes.len());
    let half = all / 2;
    let reads = Reads::new(prepared, half);
    let begun = || {
        heap::begin_afresh();
        let contestant = C::new(prepared.room());
        write(&contestant, prepared, 0..half);
        contestant
    };

    let contestant = begun();
    let mut gets = Times::new(&clock, reads.len());
    reads.each(|read| gets.add(|| read.check(&contestant)));
    let mut inserts = Times::new(&clock, all);
    insert_some(&contestant, prepared, half, 1, &mut inserts);
    check(&contestant, prepared);
    let mut figures = inserts.figures(Single::Insert, Company::Alone);
    figures.extend(gets.figures(Single::Get, Company::Alone));
    drop(contestant);

    let contestant = begun();
    let mut inserts = Times::new(&clock, all);
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let _ = cores::pin_second();
            let mut times = Times::new(&clock, all);
            start.wait();
            insert_some(&contestant, prepared, half + 1, 2, &mut times);
        });
        start.wait();
        insert_some(&contestant, prepared, half, 2, &mut inserts);
        cores::join(other);
    });
    check(&contestant, prepared);
    figures.extend(inserts.figures(Single::Insert, Company::Writer));
    drop(contestant);

    let contestant = begun();
    let mut gets = Times::new(&clock, reads.len());
    let (is_done, start) = (AtomicBool::new(false), Barrier::new(2));
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let _ = cores::pin_second();
            start.wait();
            write(&contestant, prepared, half..all);
            is_done.store(true, Ordering::Relaxed);
        });
        start.wait();
        reads.each(|read| {
            if !is_done.load(Ordering::Relaxed) {
                gets.add(|| read.check(&contestant));
            }
        });
        cores::join(other);
    });
    check(&contestant, prepared);
    figures.extend(gets.figures(Single::Get, Company::Writer));
    figures
}

/// Writes every `step`th entry from the one at `first` on, each timed.
fn insert_some<C: Contestant>(
    contestant: &C,
    prepared: &Prepared,
    first: usize,
    step: usize,
    times: &mut Times<'_>,
) {
    let mut writer = contestant.shared_writer();
    let writes = (0..).zip(prepared.writes.numbered());
    for (position, (key, number)) in writes.skip(first).step_by(step) {
        let sequence = prepared.workload.sequence(0, position);
        let value = prepared.workload.value(number, 0);
        times.add(|| writer.insert(key, sequence, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_what_so_many_do_not_exceed() {
        let clock = Clock::new();
        let ticks = (1..=1000).collect();
        let times = Times {
            clock: &clock,
            ticks,
        };
        let quantiles = [Quantile::P50, Quantile::P99, Quantile::P999];
        assert_eq!(quantiles.map(|of| times.quantile(of)), [500, 990, 999]);
        let none = Times::new(&clock, 7);
        assert_eq!(none.quantile(Quantile::P50), 0);
    }

    #[test]
    fn the_clock_takes_less_than_what_it_times() {
        let figures = clock();
        assert_eq!(figures.len(), 3);
        let median = figures[0].1.clone().unwrap();
        assert!(median < 1000.0, "{median} ns");
    }
}
