//! The rows of the contest: what is written, what is measured then, and who takes part.

use benches::{KeyShape, Workload};

use crate::contestants::{
    ArenaSkiplist, BareEntries, Congee, Crossbeam, Ferntree, Fjall, Inline, LockedBTree, Masstree,
    MasstreeInline, MasstreeVersions, Offsets, Opaque, ScTreeIndex, Skl, Strata, Value,
};
use crate::runner::Runner;

/// The order in which keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Random,
    Sequential,
}

/// What is measured; a row is a phase of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    FillRandom,
    FillSeq,
    ReadRandom,
    /// The same, of the newest version.
    ReadNewest,
    ReadMissing,
    /// Few keys often, most seldom.
    ReadZipf,
    /// 16 lookups at once.
    Get16,
    ReadSeq,
    /// The same by an iterator that keeps the entries alive.
    OwnedIter,
    ReadReverse,
    SeekRandom,
    /// Scans from a key on that stop after so many entries.
    Scan1,
    Scan10,
    Scan100,
    Drop,
    /// Bytes beyond key and value.
    Memory,
    /// An insertion and a lookup in turn.
    ReadWrite,
    /// One writer, alone and then beside a reader.
    WriteAlone,
    WriteBeside,
    /// One reader, the same.
    ReadAlone,
    ReadBeside,
    /// One writer of those that there may be several of, and two.
    OneWriter,
    TwoWriters,
    /// More writers than cores.
    FourWriters,
    EightWriters,
    /// One writer beside three readers, and what a lookup takes those.
    WriteBesideThree,
    ReadInThree,
    /// The time of a single operation that so many in a thousand do not exceed.
    Single(Single, Company, Quantile),
}

/// An operation that is timed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Single {
    Insert,
    Get,
    /// None: what the clock adds to the others.
    Nothing,
}

/// The threads that run meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Alone,
    /// A second thread that writes.
    Writer,
}

/// How many of a thousand operations take no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantile {
    P50,
    P99,
    P999,
}

impl Quantile {
    const ALL: [Self; 3] = [Self::P50, Self::P99, Self::P999];

    pub(crate) const fn in_a_thousand(self) -> usize {
        match self {
            Self::P50 => 500,
            Self::P99 => 990,
            Self::P999 => 999,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
        }
    }
}

impl Phase {
    /// Its name in records.
    pub(crate) fn name(self) -> String {
        let name = match self {
            Self::FillRandom => "fillrandom",
            Self::FillSeq => "fillseq",
            Self::ReadRandom => "readrandom",
            Self::ReadNewest => "readnewest",
            Self::ReadMissing => "readmissing",
            Self::ReadZipf => "readzipf",
            Self::Get16 => "get16",
            Self::ReadSeq => "readseq",
            Self::OwnedIter => "owned-iter",
            Self::ReadReverse => "readreverse",
            Self::SeekRandom => "seekrandom",
            Self::Scan1 => "scan1",
            Self::Scan10 => "scan10",
            Self::Scan100 => "scan100",
            Self::Drop => "drop",
            Self::Memory => "memory",
            Self::ReadWrite => "readwrite",
            Self::WriteAlone => "write-alone",
            Self::WriteBeside => "write-beside",
            Self::ReadAlone => "read-alone",
            Self::ReadBeside => "read-beside",
            Self::OneWriter => "one-writer",
            Self::TwoWriters => "two-writers",
            Self::FourWriters => "four-writers",
            Self::EightWriters => "eight-writers",
            Self::WriteBesideThree => "write-beside-three",
            Self::ReadInThree => "read-in-three",
            Self::Single(single, company, quantile) => {
                let single = match single {
                    Single::Insert => "insert",
                    Single::Get => "get",
                    Single::Nothing => return format!("clock-{}", quantile.name()),
                };
                let company = match company {
                    Company::Alone => "alone",
                    Company::Writer => "beside",
                };
                return format!("{single}-{company}-{}", quantile.name());
            }
        };
        name.to_owned()
    }

    /// All quantiles of an operation.
    pub(crate) fn quantiles(single: Single, company: Company) -> [Self; 3] {
        Quantile::ALL.map(|quantile| Self::Single(single, company, quantile))
    }

    /// What it is measured in, an entry or an operation.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Memory => "bytes",
            _ => "ns",
        }
    }
}

/// How many entries a scenario has, beside those the contest is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// So many, or as many as the usual ones if those are fewer.
    Most(u64),
    Usual,
    /// Four times as many.
    Large,
}

/// A round of a scenario of fewer entries is short, so there are more of them: as many as have this
/// many entries together, at most [`MOST_TIMES`] times as many.
const ENTRIES_OF_ROUNDS: u64 = 200_000;
const MOST_TIMES: u64 = 20;

impl Size {
    /// The number of entries.
    pub(crate) fn of(self, usual: u64) -> u64 {
        match self {
            Self::Most(entries) => entries.min(usual),
            Self::Usual => usual,
            Self::Large => usual * 4,
        }
    }

    /// How many times as many rounds a scenario gets.
    pub(crate) fn times_rounds(self) -> usize {
        let times = match self {
            Self::Most(entries) => (ENTRIES_OF_ROUNDS / entries).clamp(1, MOST_TIMES),
            Self::Usual | Self::Large => 1,
        };
        usize::try_from(times).unwrap_or(1)
    }
}

/// How many versions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// So many of each key.
    Each(u64),
    /// All entries are versions of one key.
    OfOneKey,
}

/// A workload, what is measured on it, and who takes part.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What stands before the `/` in the names of its rows; nothing for the usual one.
    pub(crate) name: &'static str,
    pub(crate) size: Size,
    pub(crate) shape: KeyShape,
    pub(crate) value_bytes: usize,
    pub(crate) versions: Versions,
    pub(crate) order: Order,
    /// In the order in which they are measured.
    pub(crate) phases: &'static [Phase],
    pub(crate) runners: &'static [Runner],
    /// Whether it is left out unless it is asked for.
    pub(crate) is_opt_in: bool,
}

impl Scenario {
    /// A scenario of `db_bench`'s keys and values in random order.
    pub(crate) const USUAL: Self = Self {
        name: "",
        size: Size::Usual,
        shape: KeyShape::Decimal,
        value_bytes: 100,
        versions: Versions::Each(1),
        order: Order::Random,
        phases: &[],
        runners: RIVALS,
        is_opt_in: false,
    };

    /// The workload, when a usual one has so many entries.
    pub(crate) fn workload(&self, usual: u64) -> Workload {
        let entries = self.size.of(usual);
        let (keys, versions) = match self.versions {
            Versions::Each(versions) => ((entries / versions).max(1), versions),
            Versions::OfOneKey => (1, entries),
        };
        Workload::new(self.shape, keys, self.value_bytes).versions(versions)
    }

    /// The name of a row.
    pub(crate) fn row(&self, phase: Phase) -> String {
        match self.name {
            "" => phase.name(),
            name => format!("{name}/{}", phase.name()),
        }
    }
}

/// All contestants that can finish a million entries, for values of 100 bytes and one version of each key.
const RIVALS: &[Runner] = &[
    Runner::of::<Strata>(),
    Runner::of::<Inline>(),
    Runner::of::<LockedBTree>(),
    Runner::of::<Crossbeam>(),
    Runner::of::<Fjall>(),
    Runner::of::<ArenaSkiplist>(),
    Runner::of::<Masstree<100>>(),
    Runner::of::<ScTreeIndex<false>>(),
    Runner::of::<Ferntree<Value<100>>>(),
];

/// The same, where values have other lengths.
macro_rules! rivals_with_values_of {
    ($bytes:literal, $masstree:ty) => {
        &[
            Runner::of::<Strata>(),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            Runner::of::<$masstree>(),
            Runner::of::<ScTreeIndex<false>>(),
            Runner::of::<Ferntree<Value<$bytes>>>(),
        ]
    };
}

/// Those with versions.
const WITH_VERSIONS: &[Runner] = &[
    Runner::of::<Strata>(),
    Runner::of::<Inline>(),
    Runner::of::<LockedBTree>(),
    Runner::of::<Crossbeam>(),
    Runner::of::<Fjall>(),
    Runner::of::<ArenaSkiplist>(),
    Runner::of::<MasstreeVersions<100>>(),
    Runner::of::<ScTreeIndex<true>>(),
    Runner::of::<Ferntree<Value<100>>>(),
];

const GET: &[Phase] = &[Phase::FillRandom, Phase::ReadRandom];

/// The scenario of entries that a cache holds.
const SMALL: Scenario = Scenario {
    phases: &[
        Phase::FillRandom,
        Phase::ReadRandom,
        Phase::ReadMissing,
        Phase::ReadSeq,
    ],
    ..Scenario::USUAL
};

/// All of them, in the order of the table in `docs/benchmarks.md`.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        phases: &[
            Phase::FillRandom,
            Phase::ReadRandom,
            Phase::ReadMissing,
            Phase::ReadZipf,
            Phase::Get16,
            Phase::ReadSeq,
            Phase::OwnedIter,
            Phase::ReadReverse,
            Phase::SeekRandom,
            Phase::Scan1,
            Phase::Scan10,
            Phase::Scan100,
            Phase::Drop,
            Phase::Memory,
        ],
        runners: &[
            Runner::of::<Strata>(),
            Runner::offsets(Offsets::NAME),
            Runner::of::<Inline>().without(ONLY_OURS),
            Runner::of::<LockedBTree>().without(ONLY_OURS),
            Runner::of::<Crossbeam>().without(ONLY_OURS),
            Runner::of::<Fjall>().without(ONLY_OURS),
            Runner::of::<ArenaSkiplist>().without(ONLY_OURS),
            Runner::of::<Masstree<100>>().without(NOT_OF_MASSTREE),
            Runner::of::<ScTreeIndex<false>>().without(ONLY_OURS),
            Runner::of::<Ferntree<Value<100>>>().without(ONLY_OURS),
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "sequential",
        order: Order::Sequential,
        phases: &[Phase::FillSeq, Phase::Memory],
        runners: &[
            Runner::of::<Strata>(),
            Runner::floor(BareEntries::NAME),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            Runner::of::<ArenaSkiplist>(),
            Runner::of::<Masstree<100>>(),
            Runner::of::<ScTreeIndex<false>>(),
            Runner::of::<Ferntree<Value<100>>>(),
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "user-order",
        shape: KeyShape::UserOrder,
        phases: GET,
        ..Scenario::USUAL
    },
    Scenario {
        name: "versions",
        versions: Versions::Each(10),
        phases: GET,
        runners: WITH_VERSIONS,
        ..Scenario::USUAL
    },
    Scenario {
        name: "hot",
        versions: Versions::OfOneKey,
        phases: &[Phase::FillRandom, Phase::ReadNewest, Phase::ReadRandom],
        runners: &[
            Runner::of::<Strata>(),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            // These two would walk half of the versions to the one that a snapshot sees.
            Runner::of::<ArenaSkiplist>().without(&[Phase::ReadRandom]),
            Runner::of::<MasstreeVersions<100>>().without(&[Phase::ReadRandom]),
            Runner::of::<ScTreeIndex<true>>(),
            Runner::of::<Ferntree<Value<100>>>(),
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "short",
        shape: KeyShape::BigEndian,
        value_bytes: 8,
        phases: &[Phase::FillRandom, Phase::ReadRandom, Phase::Memory],
        runners: &[
            Runner::of::<Strata>(),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            Runner::of::<ArenaSkiplist>(),
            Runner::of::<MasstreeInline>(),
            Runner::of::<ScTreeIndex<false>>(),
            Runner::of::<Ferntree<Value<8>>>(),
            Runner::of::<Congee>(),
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "custom",
        phases: &[Phase::FillRandom, Phase::ReadRandom, Phase::ReadSeq],
        runners: &[
            Runner::of::<Strata<Opaque>>(),
            Runner::of::<Inline<Opaque>>(),
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "mixed",
        size: Size::Most(400_000),
        phases: &[Phase::ReadWrite],
        ..Scenario::USUAL
    },
    Scenario {
        name: "100k",
        size: Size::Most(100_000),
        ..SMALL
    },
    Scenario {
        name: "35k",
        size: Size::Most(35_000),
        ..SMALL
    },
    Scenario {
        name: "10k",
        size: Size::Most(10_000),
        ..SMALL
    },
    Scenario {
        name: "1k",
        size: Size::Most(1000),
        runners: &[
            Runner::of::<Strata>(),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            Runner::of::<ArenaSkiplist>(),
            Runner::of::<Masstree<100>>(),
            Runner::of::<ScTreeIndex<false>>(),
            Runner::of::<Ferntree<Value<100>>>(),
            Runner::of::<Skl>(),
        ],
        ..SMALL
    },
    Scenario {
        name: "value8",
        size: Size::Most(100_000),
        value_bytes: 8,
        phases: GET,
        runners: rivals_with_values_of!(8, MasstreeInline),
        ..Scenario::USUAL
    },
    Scenario {
        name: "value1000",
        size: Size::Most(100_000),
        value_bytes: 1000,
        phases: GET,
        runners: rivals_with_values_of!(1000, Masstree<1000>),
        ..Scenario::USUAL
    },
    Scenario {
        name: "large",
        size: Size::Large,
        phases: GET,
        is_opt_in: true,
        ..Scenario::USUAL
    },
    Scenario {
        name: "beside",
        size: Size::Most(400_000),
        phases: &[
            Phase::WriteAlone,
            Phase::WriteBeside,
            Phase::ReadAlone,
            Phase::ReadBeside,
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "writers",
        phases: &[Phase::OneWriter, Phase::TwoWriters],
        runners: &[Runner::of::<Strata>(), Runner::of::<Inline>()],
        ..Scenario::USUAL
    },
    Scenario {
        name: "crowd",
        size: Size::Most(400_000),
        phases: &[
            Phase::FourWriters,
            Phase::EightWriters,
            Phase::WriteBesideThree,
            Phase::ReadInThree,
        ],
        ..Scenario::USUAL
    },
    Scenario {
        name: "single",
        size: Size::Most(400_000),
        phases: SINGLES,
        runners: &[
            Runner::of::<Strata>(),
            Runner::clock("clock"),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            Runner::of::<ArenaSkiplist>(),
            Runner::of::<Masstree<100>>(),
            Runner::of::<ScTreeIndex<false>>(),
            Runner::of::<Ferntree<Value<100>>>(),
        ],
        ..Scenario::USUAL
    },
];

/// The phases that only the memtable has. (The others' 16 lookups at once would be single ones.)
const ONLY_OURS: &[Phase] = &[Phase::Get16, Phase::OwnedIter];

/// Those, and the phases that begin at a key, where masstree goes wrong: see [`Masstree`].
const NOT_OF_MASSTREE: &[Phase] = &[
    Phase::Get16,
    Phase::OwnedIter,
    Phase::SeekRandom,
    Phase::Scan1,
    Phase::Scan10,
    Phase::Scan100,
];

const SINGLES: &[Phase] = {
    use Company::{Alone, Writer};
    use Phase::Single as Of;
    use Quantile::{P50, P99, P999};
    use Single::{Get, Insert, Nothing};
    &[
        Of(Insert, Alone, P50),
        Of(Insert, Alone, P99),
        Of(Insert, Alone, P999),
        Of(Insert, Writer, P50),
        Of(Insert, Writer, P99),
        Of(Insert, Writer, P999),
        Of(Get, Alone, P50),
        Of(Get, Alone, P99),
        Of(Get, Alone, P999),
        Of(Get, Writer, P50),
        Of(Get, Writer, P99),
        Of(Get, Writer, P999),
        Of(Nothing, Alone, P50),
        Of(Nothing, Alone, P99),
        Of(Nothing, Alone, P999),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_of_their_own() {
        let rows =
            |scenario: &'static Scenario| scenario.phases.iter().map(|&phase| scenario.row(phase));
        let mut rows: Vec<String> = SCENARIOS.iter().flat_map(rows).collect();
        let all = rows.len();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), all);
        assert!(rows.contains(&"single/get-beside-p99.9".to_owned()));
    }

    #[test]
    fn fewer_entries_have_more_rounds() {
        let sizes = [1000, 10_000, 35_000, 100_000, 400_000].map(Size::Most);
        assert_eq!(sizes.map(Size::times_rounds), [20, 20, 5, 2, 1]);
        assert_eq!(sizes[3].of(2000), 2000);
        assert_eq!((Size::Usual.of(7), Size::Large.of(7)), (7, 28));
    }
}
