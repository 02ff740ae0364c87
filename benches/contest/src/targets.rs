//! What the memtable is to reach, and whether a record shows it.

use crate::record::Record;

/// What the memtable is called in records.
pub(crate) const OURS: &str = "strata";

/// The rivals of the table, by the names in records and in the table's head.
pub(crate) const RIVALS: &[(&str, &str)] = &[
    ("inline-list", "inline list"),
    ("rwlock-btreemap", "`RwLock<BTreeMap>`"),
    ("crossbeam-skiplist", "crossbeam"),
    ("fjall", "fjall"),
    ("arenaskiplist", "arenaskiplist"),
];

/// A workload, and how many times as fast as whom the memtable is to be on it.
#[derive(Debug)]
pub(crate) struct Race {
    /// What the table calls it.
    pub(crate) label: &'static str,
    /// What records call it.
    pub(crate) row: &'static str,
    /// Of the inline list, the B-tree, crossbeam and fjall; nothing if none was set.
    targets: [Option<f64>; 4],
}

impl Race {
    const fn new(label: &'static str, row: &'static str, targets: [f64; 3]) -> Self {
        let [list, btree, crossbeam] = targets;
        Self {
            label,
            row,
            targets: [Some(list), Some(btree), Some(crossbeam), Some(crossbeam)],
        }
    }

    const fn beside_list(label: &'static str, row: &'static str, list: f64) -> Self {
        Self {
            label,
            row,
            targets: [Some(list), None, None, None],
        }
    }

    /// How many times as fast as a rival the memtable is to be.
    pub(crate) fn target(&self, rival: &str) -> Option<f64> {
        let position = RIVALS.iter().position(|(name, _)| *name == rival)?;
        self.targets.get(position).copied().flatten()
    }
}

/// The races, in the table's order.
pub(crate) const RACES: &[Race] = &[
    Race::new("random insert", "fillrandom", [5.0, 4.0, 8.0]),
    Race::new("random get, hit", "readrandom", [5.0, 3.5, 8.0]),
    Race::new("random get, miss", "readmissing", [8.0, 6.0, 12.0]),
    Race::new("forward scan", "readseq", [3.0, 1.5, 4.0]),
    Race::new("backward scan", "readreverse", [9.0, 1.5, 12.0]),
    Race::new("seek and next 10", "seekrandom", [3.0, 2.0, 4.0]),
    Race::new("sequential insert", "sequential/fillseq", [0.95, 4.0, 4.0]),
    Race::new(
        "long shared prefixes: insert",
        "user-order/fillrandom",
        [2.5, 2.0, 4.0],
    ),
    Race::new(
        "long shared prefixes: get",
        "user-order/readrandom",
        [2.5, 2.0, 4.0],
    ),
    Race::new(
        "ten versions a key: insert",
        "versions/fillrandom",
        [2.5, 2.0, 4.0],
    ),
    Race::new(
        "ten versions a key: get",
        "versions/readrandom",
        [2.5, 2.0, 4.0],
    ),
    Race::new(
        "8-byte keys and values: insert",
        "short/fillrandom",
        [5.0, 4.0, 6.0],
    ),
    Race::new(
        "8-byte keys and values: get",
        "short/readrandom",
        [5.0, 4.0, 6.0],
    ),
    Race::beside_list(
        "comparator without a head: insert",
        "custom/fillrandom",
        1.0,
    ),
    Race::beside_list("comparator without a head: get", "custom/readrandom", 1.0),
    Race::beside_list("comparator without a head: scan", "custom/readseq", 3.0),
    Race::new(
        "a tenth of the entries: insert",
        "small/fillrandom",
        [3.8, 3.0, 6.0],
    ),
    Race::new(
        "a tenth of the entries: get",
        "small/readrandom",
        [4.5, 3.0, 6.0],
    ),
];

/// How a value is to lie beside its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    /// Whether a value does.
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
        }
    }
}

/// Something else that is to be reached.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) label: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) limit: Limit,
    /// The value that a record has for a contestant.
    pub(crate) value: fn(&Record, &str) -> Option<f64>,
}

/// The median of a row divided by that of another, of the same contestant.
fn quotient(record: &Record, contestant: &str, row: &str, by: &str) -> Option<f64> {
    Some(record.median(row, contestant)? / record.median(by, contestant)?)
}

/// What is no race, in the table's order.
pub(crate) const CLAIMS: &[Claim] = &[
    Claim {
        label: "16 gets at once, beside single ones",
        unit: "x",
        limit: Limit::AtLeast(2.0),
        value: |record, who| quotient(record, who, "readrandom", "get16"),
    },
    Claim {
        label: "sequential insert, in times of writing the bare entries",
        unit: "x",
        limit: Limit::AtMost(1.2),
        value: |record, who| {
            let bare = record.median("sequential/fillseq", "bare-entries")?;
            Some(record.median("sequential/fillseq", who)? / bare)
        },
    },
    Claim {
        label: "a get among 40 times as many entries takes longer by",
        unit: "x",
        limit: Limit::AtMost(2.2),
        value: |record, who| quotient(record, who, "large/readrandom", "small/readrandom"),
    },
    Claim {
        label: "writer beside a reader keeps of its speed",
        unit: "x",
        limit: Limit::AtLeast(0.8),
        value: |record, who| quotient(record, who, "beside/write-alone", "beside/write-beside"),
    },
    Claim {
        label: "reader beside a writer keeps of its speed",
        unit: "x",
        limit: Limit::AtLeast(0.8),
        value: |record, who| quotient(record, who, "beside/read-alone", "beside/read-beside"),
    },
    Claim {
        label: "two writers, in times of one",
        unit: "x",
        limit: Limit::AtLeast(1.5),
        value: |record, who| quotient(record, who, "writers/one-writer", "writers/two-writers"),
    },
    Claim {
        label: "bytes an entry beyond key and value, random",
        unit: " B",
        limit: Limit::AtMost(23.0),
        value: |record, who| record.median("memory", who),
    },
    Claim {
        label: "the same, sequential",
        unit: " B",
        limit: Limit::AtMost(20.0),
        value: |record, who| record.median("sequential/memory", who),
    },
    Claim {
        label: "the same, 8-byte keys and values",
        unit: " B",
        limit: Limit::AtMost(f64::INFINITY),
        value: |record, who| record.median("short/memory", who),
    },
    Claim {
        label: "drop, an entry's part of it",
        unit: " ns",
        // Giving pages back costs some nanoseconds an entry; freeing each entry costs a hundred.
        limit: Limit::AtMost(20.0),
        value: |record, who| record.median("drop", who),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn every_race_is_a_row_of_a_scenario() {
        for race in RACES {
            let mut rows = SCENARIOS
                .iter()
                .flat_map(|scenario| scenario.phases.iter().map(|&phase| scenario.row(phase)));
            assert!(rows.any(|row| row == race.row), "{}", race.row);
        }
    }

    #[test]
    fn crossbeam_and_fjall_share_a_target_and_arenaskiplist_has_none() {
        let insert = &RACES[0];
        let targets = RIVALS.iter().map(|(name, _)| insert.target(name));
        assert!(targets.eq([Some(5.0), Some(4.0), Some(8.0), Some(8.0), None]));
        assert_eq!(insert.target("nobody"), None);
    }

    #[test]
    fn a_limit_is_met_from_its_own_side() {
        assert!(Limit::AtLeast(2.0).is_met(2.0) && !Limit::AtLeast(2.0).is_met(1.9));
        assert!(Limit::AtMost(2.2).is_met(2.2) && !Limit::AtMost(2.2).is_met(2.3));
    }
}
