//! The rows of the contest: what is written, what is measured then, and who takes part.

use benches::{KeyShape, Workload};

use crate::contestants::{
    ArenaSkiplist, BareEntries, Crossbeam, Fjall, Inline, LockedBTree, Opaque, Skl, Strata,
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
    ReadMissing,
    /// 16 lookups at once.
    Get16,
    ReadSeq,
    ReadReverse,
    SeekRandom,
    Drop,
    /// Bytes beyond key and value.
    Memory,
    /// One writer, alone and then beside a reader.
    WriteAlone,
    WriteBeside,
    /// One reader, the same.
    ReadAlone,
    ReadBeside,
    /// One writer of those that there may be several of, and two.
    OneWriter,
    TwoWriters,
}

impl Phase {
    /// What records call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FillRandom => "fillrandom",
            Self::FillSeq => "fillseq",
            Self::ReadRandom => "readrandom",
            Self::ReadMissing => "readmissing",
            Self::Get16 => "get16",
            Self::ReadSeq => "readseq",
            Self::ReadReverse => "readreverse",
            Self::SeekRandom => "seekrandom",
            Self::Drop => "drop",
            Self::Memory => "memory",
            Self::WriteAlone => "write-alone",
            Self::WriteBeside => "write-beside",
            Self::ReadAlone => "read-alone",
            Self::ReadBeside => "read-beside",
            Self::OneWriter => "one-writer",
            Self::TwoWriters => "two-writers",
        }
    }

    /// What it is measured in, an entry or an operation.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Memory => "bytes",
            _ => "ns",
        }
    }
}

/// How many entries a scenario has, as a part of those the contest is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// One in a hundred.
    Tiny,
    /// One in ten.
    Small,
    Usual,
    /// Four times as many.
    Large,
}

impl Size {
    /// The number of entries.
    pub(crate) const fn of(self, usual: u64) -> u64 {
        match self {
            Self::Tiny => usual / 100,
            Self::Small => usual / 10,
            Self::Usual => usual,
            Self::Large => usual * 4,
        }
    }

    /// How many times as many rounds a scenario gets: short ones need more to be told apart.
    pub(crate) const fn times_rounds(self) -> usize {
        match self {
            Self::Tiny | Self::Small => 3,
            Self::Usual | Self::Large => 1,
        }
    }
}

/// A workload, what is measured on it, and who takes part.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What stands before the `/` in the names of its rows; nothing for the usual one.
    pub(crate) name: &'static str,
    pub(crate) size: Size,
    pub(crate) shape: KeyShape,
    pub(crate) value_bytes: usize,
    pub(crate) versions: u64,
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
        versions: 1,
        order: Order::Random,
        phases: &[],
        runners: RIVALS,
        is_opt_in: false,
    };

    /// The workload, when a usual one has so many entries.
    pub(crate) fn workload(&self, usual: u64) -> Workload {
        let keys = (self.size.of(usual) / self.versions).max(1);
        Workload::new(self.shape, keys, self.value_bytes).versions(self.versions)
    }

    /// The name of a row.
    pub(crate) fn row(&self, phase: Phase) -> String {
        match self.name {
            "" => phase.name().to_owned(),
            name => format!("{name}/{}", phase.name()),
        }
    }
}

/// Everybody who can finish a million entries.
const RIVALS: &[Runner] = &[
    Runner::of::<Strata>(),
    Runner::of::<Inline>(),
    Runner::of::<LockedBTree>(),
    Runner::of::<Crossbeam>(),
    Runner::of::<Fjall>(),
    Runner::of::<ArenaSkiplist>(),
];

const GET: &[Phase] = &[Phase::FillRandom, Phase::ReadRandom];

/// All of them, in the order of the table in `docs/benchmarks.md`.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        phases: &[
            Phase::FillRandom,
            Phase::ReadRandom,
            Phase::ReadMissing,
            Phase::Get16,
            Phase::ReadSeq,
            Phase::ReadReverse,
            Phase::SeekRandom,
            Phase::Drop,
            Phase::Memory,
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
        versions: 10,
        phases: GET,
        ..Scenario::USUAL
    },
    Scenario {
        name: "short",
        shape: KeyShape::BigEndian,
        value_bytes: 8,
        phases: &[Phase::FillRandom, Phase::ReadRandom, Phase::Memory],
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
        name: "small",
        size: Size::Small,
        phases: GET,
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
        ..Scenario::USUAL
    },
    Scenario {
        name: "tiny",
        size: Size::Tiny,
        phases: GET,
        runners: &[
            Runner::of::<Strata>(),
            Runner::of::<Inline>(),
            Runner::of::<LockedBTree>(),
            Runner::of::<Crossbeam>(),
            Runner::of::<Fjall>(),
            Runner::of::<ArenaSkiplist>(),
            Runner::of::<Skl>(),
        ],
        ..Scenario::USUAL
    },
];
