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
    ("masstree", "masstree"),
    ("tree-index", "TreeIndex"),
    ("ferntree", "ferntree"),
    ("arenaskiplist", "arenaskiplist"),
];

/// A workload, and how many times as fast as whom the memtable is to be on it.
#[derive(Debug)]
pub(crate) struct Race {
    /// What the table calls it.
    pub(crate) label: &'static str,
    /// Its name in records.
    pub(crate) row: &'static str,
    /// Of the list, the B-tree, crossbeam and fjall, and the three trees; nothing if none was set.
    targets: [Option<f64>; 4],
}

impl Race {
    const fn new(label: &'static str, row: &'static str, targets: [f64; 4]) -> Self {
        let [list, btree, crossbeam, trees] = targets;
        Self {
            label,
            row,
            targets: [Some(list), Some(btree), Some(crossbeam), Some(trees)],
        }
    }

    /// Without a target beside the trees, which have no versions or pay for them with a range.
    const fn of_versions(label: &'static str, row: &'static str, targets: [f64; 3]) -> Self {
        let [list, btree, crossbeam] = targets;
        Self {
            label,
            row,
            targets: [Some(list), Some(btree), Some(crossbeam), None],
        }
    }

    const fn beside_list(label: &'static str, row: &'static str, list: f64) -> Self {
        Self {
            label,
            row,
            targets: [Some(list), None, None, None],
        }
    }

    /// Without any target.
    const fn shown(label: &'static str, row: &'static str) -> Self {
        Self {
            label,
            row,
            targets: [None; 4],
        }
    }

    /// How many times as fast as a rival the memtable is to be.
    pub(crate) fn target(&self, rival: &str) -> Option<f64> {
        let column = match rival {
            "inline-list" => 0,
            "rwlock-btreemap" => 1,
            "crossbeam-skiplist" | "fjall" => 2,
            "masstree" | "tree-index" | "ferntree" => 3,
            _ => return None,
        };
        self.targets[column]
    }

    /// Whether there is a target beside anybody.
    pub(crate) fn has_target(&self) -> bool {
        self.targets.iter().any(Option::is_some)
    }
}

/// The targets of the table's rows of versions.
const OF_VERSIONS: [f64; 3] = [5.0, 2.5, 5.0];

/// The races, in the table's order.
pub(crate) const RACES: &[Race] = &[
    Race::new("random insert", "fillrandom", [6.0, 4.0, 8.0, 2.0]),
    Race::new("random get, hit", "readrandom", [6.0, 3.5, 8.0, 1.5]),
    Race::new("random get, miss", "readmissing", [14.0, 7.0, 14.0, 3.0]),
    Race::shown("Zipf-like get", "readzipf"),
    Race::shown("insert and get in turn, 400 000", "mixed/readwrite"),
    Race::shown("100 000 entries: insert", "100k/fillrandom"),
    Race::new(
        "100 000 entries: get, hit",
        "100k/readrandom",
        [3.0, 2.5, 5.0, 1.2],
    ),
    Race::new(
        "100 000 entries: get, miss",
        "100k/readmissing",
        [4.0, 3.0, 6.0, 1.2],
    ),
    Race::shown("100 000 entries: scan", "100k/readseq"),
    Race::shown("35 000 entries: insert", "35k/fillrandom"),
    Race::new(
        "35 000 entries: get, hit",
        "35k/readrandom",
        [3.0, 2.5, 5.0, 1.2],
    ),
    Race::new(
        "35 000 entries: get, miss",
        "35k/readmissing",
        [4.0, 3.0, 6.0, 1.2],
    ),
    Race::shown("35 000 entries: scan", "35k/readseq"),
    Race::shown("10 000 entries: insert", "10k/fillrandom"),
    Race::shown("10 000 entries: get, hit", "10k/readrandom"),
    Race::shown("10 000 entries: get, miss", "10k/readmissing"),
    Race::shown("10 000 entries: scan", "10k/readseq"),
    Race::shown("1000 entries: insert", "1k/fillrandom"),
    Race::shown("1000 entries: get, hit", "1k/readrandom"),
    Race::shown("1000 entries: get, miss", "1k/readmissing"),
    Race::shown("1000 entries: scan", "1k/readseq"),
    Race::new("forward scan", "readseq", [5.0, 1.1, 5.0, 1.2]),
    Race::new("backward scan", "readreverse", [5.0, 1.1, 8.0, 1.2]),
    Race::new("seek and next 10", "seekrandom", [4.0, 2.0, 5.0, 1.5]),
    Race::shown("scan of 1", "scan1"),
    Race::shown("scan of 10", "scan10"),
    Race::shown("scan of 100", "scan100"),
    Race::new(
        "in-order insert",
        "sequential/fillseq",
        [1.0, 4.0, 4.0, 2.0],
    ),
    Race::new(
        "long shared prefixes: insert",
        "user-order/fillrandom",
        [4.0, 2.0, 4.0, 1.0],
    ),
    Race::new(
        "long shared prefixes: get",
        "user-order/readrandom",
        [4.0, 2.0, 4.0, 1.0],
    ),
    Race::of_versions(
        "ten versions a key: insert",
        "versions/fillrandom",
        OF_VERSIONS,
    ),
    Race::of_versions(
        "ten versions a key: get",
        "versions/readrandom",
        OF_VERSIONS,
    ),
    Race::of_versions(
        "a million versions of a key: insert",
        "hot/fillrandom",
        OF_VERSIONS,
    ),
    Race::of_versions(
        "a million versions of a key: get the newest",
        "hot/readnewest",
        OF_VERSIONS,
    ),
    Race::of_versions(
        "a million versions of a key: get at a snapshot",
        "hot/readrandom",
        OF_VERSIONS,
    ),
    Race::shown("8-byte keys and values: insert", "short/fillrandom"),
    Race::shown("8-byte keys and values: get", "short/readrandom"),
    Race::shown("8-byte values, 100 000: insert", "value8/fillrandom"),
    Race::shown("8-byte values, 100 000: get", "value8/readrandom"),
    Race::shown("1000-byte values, 100 000: insert", "value1000/fillrandom"),
    Race::shown("1000-byte values, 100 000: get", "value1000/readrandom"),
    Race::beside_list("no prefix known: insert", "custom/fillrandom", 1.5),
    Race::beside_list("no prefix known: get", "custom/readrandom", 2.0),
    Race::beside_list("no prefix known: scan", "custom/readseq", 4.0),
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

/// Something else that is to be reached, or is only shown.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) label: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) limit: Option<Limit>,
    /// The value that a record has for a contestant.
    pub(crate) value: fn(&Record, &str) -> Option<f64>,
}

/// The median of a row divided by that of another, of the same contestant.
fn quotient(record: &Record, contestant: &str, row: &str, by: &str) -> Option<f64> {
    Some(record.median(row, contestant)? / record.median(by, contestant)?)
}

/// The median of a row divided by that of what can't be beaten there.
fn beside_floor(record: &Record, contestant: &str, row: &str, floor: &str) -> Option<f64> {
    Some(record.median(row, contestant)? / record.median(row, floor)?)
}

/// What is no race, in the table's order.
pub(crate) const CLAIMS: &[Claim] = &[
    Claim {
        label: "16 gets at once, each",
        unit: " ns",
        limit: Some(Limit::AtMost(100.0)),
        value: |record, who| record.median("get16", who),
    },
    Claim {
        label: "get, in times of two misses",
        unit: "x",
        limit: Some(Limit::AtMost(1.5)),
        value: |record, who| beside_floor(record, who, "readrandom", "two-miss-floor"),
    },
    Claim {
        label: "in-order insert, in times of writing the bare entries",
        unit: "x",
        limit: Some(Limit::AtMost(1.2)),
        value: |record, who| beside_floor(record, who, "sequential/fillseq", "bare-entries"),
    },
    Claim {
        label: "two writers, in times of one",
        unit: "x",
        limit: Some(Limit::AtLeast(1.8)),
        value: |record, who| quotient(record, who, "writers/one-writer", "writers/two-writers"),
    },
    Claim {
        label: "bytes an entry beyond key and value, random",
        unit: " B",
        limit: Some(Limit::AtMost(23.0)),
        value: |record, who| record.median("memory", who),
    },
    Claim {
        label: "the same, in order",
        unit: " B",
        limit: Some(Limit::AtMost(20.0)),
        value: |record, who| record.median("sequential/memory", who),
    },
    Claim {
        label: "the same, 8-byte keys and values",
        unit: " B",
        limit: None,
        value: |record, who| record.median("short/memory", who),
    },
    Claim {
        label: "a step of an owned iterator, in times of a borrowing one's",
        unit: "x",
        limit: None,
        value: |record, who| quotient(record, who, "owned-iter", "readseq"),
    },
    Claim {
        label: "a get among 40 times as many entries takes longer by",
        unit: "x",
        limit: None,
        value: |record, who| quotient(record, who, "large/readrandom", "100k/readrandom"),
    },
    Claim {
        label: "writer beside a reader keeps of its speed",
        unit: "x",
        limit: None,
        value: |record, who| quotient(record, who, "beside/write-alone", "beside/write-beside"),
    },
    Claim {
        label: "reader beside a writer keeps of its speed",
        unit: "x",
        limit: None,
        value: |record, who| quotient(record, who, "beside/read-alone", "beside/read-beside"),
    },
    Claim {
        label: "drop, an entry's part of it",
        unit: " ns",
        limit: None,
        value: |record, who| record.median("drop", who),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Figure;
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
    fn who_is_alike_shares_a_target_and_arenaskiplist_has_none() {
        let insert = &RACES[0];
        let targets = RIVALS.iter().filter_map(|(name, _)| insert.target(name));
        assert!(targets.eq([6.0, 4.0, 8.0, 8.0, 2.0, 2.0, 2.0]));
        assert_eq!(insert.target("arenaskiplist"), None);
        assert_eq!(insert.target("nobody"), None);
    }

    #[test]
    fn every_claim_can_be_made_of_the_rows_there_are() {
        let figures = SCENARIOS.iter().flat_map(|scenario| {
            scenario.phases.iter().flat_map(move |&phase| {
                let runners = scenario.runners.iter();
                runners.filter_map(move |runner| {
                    let row = scenario.row(phase);
                    Figure::of(row, runner.name, "ns", 1, vec![2.0])
                })
            })
        });
        let record = Record {
            comment: Vec::new(),
            figures: figures.collect(),
        };
        for claim in CLAIMS {
            assert!((claim.value)(&record, OURS).is_some(), "{}", claim.label);
        }
    }

    #[test]
    fn a_limit_is_met_from_its_own_side() {
        assert!(Limit::AtLeast(2.0).is_met(2.0) && !Limit::AtLeast(2.0).is_met(1.9));
        assert!(Limit::AtMost(2.2).is_met(2.2) && !Limit::AtMost(2.2).is_met(2.3));
    }
}
