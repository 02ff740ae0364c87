//! The rows: how is written, by how many threads, what is measured then, and who takes part.

use std::fmt;
use std::path::Path;

use crate::contestant::{Contestant, Logging};
#[cfg(feature = "rocksdb")]
use crate::contestants::RocksDb;
use crate::contestants::{BareMemTable, Fjall, Strata};
use crate::latency;
use crate::prepared::Prepared;
use crate::turn;

/// What is measured; a row is a phase of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Batches of 1000 in order of keys, as `db_bench` has it, and at random.
    FillBatch,
    FillBatchRandom,
    FillSeq,
    FillRandom,
    ReadRandom,
    SeekRandom,
    Overwrite,
    /// A reader beside a writer, and the writer beside it.
    ReadWhileWriting,
    WriteWhileReading,
    /// Percentiles of lookups beside a writer.
    P50,
    P99,
    P999,
    Max,
    /// How many memtables were flushed meanwhile.
    Flushes,
}

impl Phase {
    /// What records call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FillBatch => "fillbatch",
            Self::FillBatchRandom => "fillbatchrandom",
            Self::FillSeq => "fillseq",
            Self::FillRandom => "fillrandom",
            Self::ReadRandom => "readrandom",
            Self::SeekRandom => "seekrandom",
            Self::Overwrite => "overwrite",
            Self::ReadWhileWriting => "readwhilewriting",
            Self::WriteWhileReading => "writewhilereading",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Max => "max",
            Self::Flushes => "flushes",
        }
    }

    /// What it is measured in, an entry or an operation.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Flushes => "flushes",
            _ => "ns",
        }
    }
}

/// A figure for each phase that was measured.
pub(crate) type Figures = Vec<(Phase, f64)>;

/// What a scenario is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// How long operations take together, by so many threads.
    Speed { logging: Logging, threads: usize },
    /// How long each lookup takes beside a writer, while memtables are flushed or none is.
    Latency { is_flushing: bool },
}

/// What is done, what is measured then, and who takes part.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What stands before the last `/` in the names of its rows.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// There is one entry for so many of those the run is about.
    pub(crate) divisor: u64,
    /// In the order in which they are measured.
    pub(crate) phases: &'static [Phase],
}

impl Scenario {
    /// The name of a row.
    pub(crate) fn row(&self, phase: Phase) -> String {
        format!("{}/{}", self.name, phase.name())
    }

    /// How many entries it has.
    pub(crate) const fn entries(&self, usual: u64) -> u64 {
        let entries = usual / self.divisor;
        if entries == 0 { 1 } else { entries }
    }

    /// Who takes part.
    pub(crate) fn runners(&self) -> Vec<&'static Runner> {
        let takes_part = |runner: &&Runner| match self.kind {
            Kind::Speed { logging, .. } => runner.logging.contains(&logging),
            Kind::Latency { .. } => runner.name == Strata::NAME,
        };
        RUNNERS.iter().filter(takes_part).collect()
    }

    /// The phases that are selected by the name of their row, or by some of its parts, from the first
    /// on or the last one alone.
    pub(crate) fn selected(&self, names: &[String]) -> Vec<Phase> {
        let is_selected = |phase: &Phase| {
            let row = self.row(*phase);
            let is_named = |name: &String| {
                let rest = row.strip_prefix(name.as_str());
                let is_first = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                is_first || name == phase.name()
            };
            names.is_empty() || names.iter().any(is_named)
        };
        self.phases.iter().copied().filter(is_selected).collect()
    }
}

const ALONE: &[Phase] = &[
    Phase::FillBatch,
    Phase::FillBatchRandom,
    Phase::FillSeq,
    Phase::FillRandom,
    Phase::ReadRandom,
    Phase::SeekRandom,
    Phase::Overwrite,
];

/// A reader and a writer are two threads.
const TWO: &[Phase] = &[
    Phase::FillBatch,
    Phase::FillBatchRandom,
    Phase::FillSeq,
    Phase::FillRandom,
    Phase::ReadRandom,
    Phase::SeekRandom,
    Phase::Overwrite,
    Phase::ReadWhileWriting,
    Phase::WriteWhileReading,
];

/// Reading is not slower after writes that were synced.
const SYNCED: &[Phase] = &[Phase::FillSeq, Phase::FillRandom, Phase::Overwrite];

/// A sync takes milliseconds: there are 2000 of them where there are a million entries else.
const SYNCED_DIVISOR: u64 = 500;

/// And 100 of them where a batch is synced at once.
const SYNCED_BATCH_DIVISOR: u64 = 10;

const LATENCY: &[Phase] = &[
    Phase::P50,
    Phase::P99,
    Phase::P999,
    Phase::Max,
    Phase::Flushes,
];

const fn speed(
    name: &'static str,
    logging: Logging,
    threads: usize,
    phases: &'static [Phase],
) -> Scenario {
    let is_batch = matches!(phases, [Phase::FillBatch]);
    Scenario {
        name,
        kind: Kind::Speed { logging, threads },
        divisor: match logging {
            Logging::Synced if is_batch => SYNCED_BATCH_DIVISOR,
            Logging::Synced => SYNCED_DIVISOR,
            Logging::On | Logging::Off => 1,
        },
        phases,
    }
}

const fn latency(name: &'static str, is_flushing: bool) -> Scenario {
    Scenario {
        name,
        kind: Kind::Latency { is_flushing },
        divisor: 10,
        phases: LATENCY,
    }
}

/// All of them.
pub(crate) const SCENARIOS: &[Scenario] = &[
    speed("log-off/1", Logging::Off, 1, ALONE),
    speed("log-off/2", Logging::Off, 2, TWO),
    speed("log-on/1", Logging::On, 1, ALONE),
    speed("log-on/2", Logging::On, 2, TWO),
    speed("synced/1", Logging::Synced, 1, SYNCED),
    speed("synced/2", Logging::Synced, 2, SYNCED),
    speed("synced/1", Logging::Synced, 1, &[Phase::FillBatch]),
    speed("synced/2", Logging::Synced, 2, &[Phase::FillBatch]),
    latency("latency/quiet", false),
    latency("latency/flushing", true),
];

/// Somebody who can be measured.
#[derive(Clone, Copy)]
pub(crate) struct Runner {
    /// What records call it.
    pub(crate) name: &'static str,
    logging: &'static [Logging],
    turn: fn(&Prepared, Logging, usize, &[Phase], &Path) -> Figures,
}

impl Runner {
    const fn of<C: Contestant>() -> Self {
        Self {
            name: C::NAME,
            logging: C::LOGGING,
            turn: turn::turn::<C>,
        }
    }

    /// Measures in a scenario, with files in this folder.
    ///
    /// # Panics
    ///
    /// If an answer is wrong.
    pub(crate) fn turn(
        &self,
        kind: Kind,
        prepared: &Prepared,
        phases: &[Phase],
        folder: &Path,
    ) -> Figures {
        match kind {
            Kind::Speed { logging, threads } => {
                (self.turn)(prepared, logging, threads, phases, folder)
            }
            Kind::Latency { is_flushing } => {
                let mut figures = latency::measure(prepared, is_flushing, folder);
                figures.retain(|(phase, _)| phases.contains(phase));
                figures
            }
        }
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.name).finish()
    }
}

/// Everybody.
pub(crate) const RUNNERS: &[Runner] = &[
    Runner::of::<Strata>(),
    Runner::of::<BareMemTable>(),
    Runner::of::<Fjall>(),
    #[cfg(feature = "rocksdb")]
    Runner::of::<RocksDb>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_have_one_name() {
        let rows = SCENARIOS.iter().flat_map(|scenario| {
            let rows = scenario.phases.iter().map(|&phase| scenario.row(phase));
            rows.collect::<Vec<_>>()
        });
        let mut rows: Vec<String> = rows.collect();
        let count = rows.len();
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), count);
    }

    #[test]
    fn a_row_is_selected_by_its_name_its_scenario_or_its_phase() {
        let selected = |name: &str| {
            let phases = SCENARIOS[0].selected(&[name.to_owned()]);
            phases.into_iter().map(Phase::name).collect::<Vec<_>>()
        };
        assert_eq!(selected("log-off/1/fillseq"), ["fillseq"]);
        assert_eq!(selected("fillseq"), ["fillseq"]);
        assert_eq!(selected("log-off"), selected("log-off/1"));
        assert_eq!(selected("log-off").len(), ALONE.len());
        assert!(selected("log").is_empty() && selected("log-off/2").is_empty());
    }
}
