//! What the write buffer is to reach.

use crate::record::Record;

/// What the write buffer is called in records, and the memtable that it is built on.
pub(crate) const OURS: &str = "strata";
const BARE: &str = "memtable";

/// How a value is to lie beside its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Limit {
    /// Whether a value does.
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
            Self::Below(limit) => value < limit,
        }
    }
}

/// A figure of a record: its row, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell(pub(crate) &'static str, pub(crate) &'static str);

/// One figure, in times of another, is to lie within a limit.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) label: &'static str,
    pub(crate) figure: Cell,
    pub(crate) of: Cell,
    pub(crate) limit: Limit,
}

impl Target {
    /// The one in times of the other, if the record has both.
    pub(crate) fn value(&self, record: &Record) -> Option<f64> {
        let median = |Cell(row, contestant)| record.median(row, contestant);
        Some(median(self.figure)? / median(self.of)?)
    }

    /// What a write takes, in times of what it takes the memtable.
    const fn cost(label: &'static str, row: &'static str, limit: Limit) -> Self {
        Self {
            label,
            figure: Cell(row, OURS),
            of: Cell(row, BARE),
            limit,
        }
    }
}

/// All of them. Batches are to cost less than a single write may.
pub(crate) const TARGETS: &[Target] = &[
    Target::cost(
        "put at random, in times of the memtable's add",
        "log-off/1/fillrandom",
        Limit::AtMost(1.15),
    ),
    Target::cost(
        "the same, in order",
        "log-off/1/fillseq",
        Limit::AtMost(1.15),
    ),
    Target::cost(
        "batches of 1000 at random, in times of the same inserted into a memtable",
        "log-off/1/fillbatchrandom",
        Limit::Below(1.15),
    ),
    Target::cost(
        "the same, in order",
        "log-off/1/fillbatch",
        Limit::Below(1.15),
    ),
    Target {
        label: "two writers at random, in times of one",
        figure: Cell("log-off/1/fillrandom", OURS),
        of: Cell("log-off/2/fillrandom", OURS),
        limit: Limit::AtLeast(1.6),
    },
    Target {
        label: "p99.9 of gets while memtables are flushed, in times of that while none is",
        figure: Cell("latency/flushing/p99.9", OURS),
        of: Cell("latency/quiet/p99.9", OURS),
        limit: Limit::AtMost(3.0),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn every_target_is_of_rows_there_are_and_of_who_takes_part() {
        for target in TARGETS {
            for Cell(row, contestant) in [target.figure, target.of] {
                let is_there = SCENARIOS.iter().any(|scenario| {
                    let mut rows = scenario.phases.iter().map(|&phase| scenario.row(phase));
                    let runners = scenario.runners();
                    let mut runners = runners.iter();
                    rows.any(|of| of == row) && runners.any(|runner| runner.name == contestant)
                });
                assert!(is_there, "{row} {contestant}");
            }
        }
    }

    #[test]
    fn a_limit_is_met_from_its_own_side() {
        assert!(Limit::AtLeast(1.6).is_met(1.6) && !Limit::AtLeast(1.6).is_met(1.5));
        assert!(Limit::Below(3.0).is_met(2.9) && !Limit::Below(3.0).is_met(3.0));
        assert!(Limit::AtMost(3.0).is_met(3.0) && !Limit::AtMost(3.0).is_met(3.1));
    }
}
