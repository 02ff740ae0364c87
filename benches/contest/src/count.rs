//! Instructions an operation, counted by valgrind: they do not depend on the neighbours.
//!
//! This program is run under callgrind, which counts while [`counted`] runs and at no other time, and
//! writes a file each time that returns. (To subtract a run from one that does twice as much would not
//! do: some contestants throw dice anew in every run, and what that changes in a fill is more than a scan
//! costs.) One run does all operations of a contestant, most of them on the same entries.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::ValueEnum;

use crate::contestant::Contestant;
use crate::contestants::{
    ArenaSkiplist, Crossbeam, Ferntree, Fjall, Inline, LockedBTree, Masstree, MasstreeVersions,
    ScTreeIndex, Strata, Value,
};
use crate::prepared::Prepared;
use crate::record::Figure;
use crate::scenario::{Order, Scenario, Versions};
use benches::{Checksum, NEXTS};

/// How many entries a batch has.
const BATCH: usize = 100;

/// An operation whose instructions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    /// In random order, as all but the next two
    Insert,
    /// In the order of the keys
    InsertInOrder,
    /// A hundred at once
    InsertBatch,
    Get,
    GetMissing,
    Next,
    Prev,
    /// A seek and ten steps
    Seek10,
    /// The newest version of a key that all entries are versions of
    HotNewest,
    /// The same at any snapshot
    HotGet,
}

impl Operation {
    const ALL: [Self; 10] = [
        Self::Insert,
        Self::InsertInOrder,
        Self::InsertBatch,
        Self::Get,
        Self::GetMissing,
        Self::Next,
        Self::Prev,
        Self::Seek10,
        Self::HotNewest,
        Self::HotGet,
    ];

    /// What records and the command line call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::InsertInOrder => "insert-in-order",
            Self::InsertBatch => "insert-batch",
            Self::Get => "get",
            Self::GetMissing => "get-missing",
            Self::Next => "next",
            Self::Prev => "prev",
            Self::Seek10 => "seek10",
            Self::HotNewest => "hot-newest",
            Self::HotGet => "hot-get",
        }
    }
}

/// A contestant that does operations on all entries.
#[derive(Clone, Copy)]
struct Probe {
    name: &'static str,
    /// The operations that it lacks.
    without: &'static [Operation],
    on_usual: fn(u64, &[Operation]) -> Counts,
    on_hot: fn(u64, &[Operation]) -> Counts,
}

/// How often each operation was done, in the order in which they were.
type Counts = Vec<(Operation, usize)>;

impl Probe {
    const fn of<C: Contestant>(without: &'static [Operation]) -> Self {
        Self::with_versions_of::<C, C>(without)
    }

    /// One that is used in another way where there are versions.
    const fn with_versions_of<C: Contestant, V: Contestant>(without: &'static [Operation]) -> Self {
        Self {
            name: C::NAME,
            without,
            on_usual: on_usual::<C>,
            on_hot: on_hot::<V>,
        }
    }

    /// Those of these operations that it can do.
    fn can(&self, operations: &[Operation]) -> Vec<Operation> {
        let operations = operations.iter().copied();
        let can = |operation: &Operation| !self.without.contains(operation);
        operations.filter(can).collect()
    }
}

const PROBES: [Probe; 9] = [
    Probe::of::<Strata>(&[]),
    Probe::of::<Inline>(ONLY_OURS),
    Probe::of::<LockedBTree>(ONLY_OURS),
    Probe::of::<Crossbeam>(ONLY_OURS),
    Probe::of::<Fjall>(ONLY_OURS),
    Probe::of::<ArenaSkiplist>(&[Operation::InsertBatch, Operation::HotGet]),
    Probe::with_versions_of::<Masstree<100>, MasstreeVersions<100>>(&[
        Operation::InsertBatch,
        Operation::Seek10,
        Operation::HotGet,
    ]),
    Probe::with_versions_of::<ScTreeIndex<false>, ScTreeIndex<true>>(ONLY_OURS),
    Probe::of::<Ferntree<Value<100>>>(ONLY_OURS),
];

const ONLY_OURS: &[Operation] = &[Operation::InsertBatch];

/// The only work whose instructions are counted: callgrind knows it by its name.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    // So that this is still running while the work is.
    std::hint::black_box(());
}

fn on_usual<C: Contestant>(entries: u64, operations: &[Operation]) -> Counts {
    use Operation::{Get, GetMissing, Insert, InsertBatch, InsertInOrder, Next, Prev, Seek10};
    let wants = |operation| operations.contains(&operation);
    let mut counts = Counts::new();
    let workload = || Scenario::USUAL.workload(entries);
    if wants(InsertInOrder) {
        let prepared = Prepared::new(workload(), Order::Sequential);
        let contestant = C::new(prepared.room());
        counted(&mut || prepared.write_all(&mut contestant.writer()));
        assert_eq!(
            scanned(&contestant),
            prepared.scanned,
            "{}: in order",
            C::NAME
        );
        counts.push((InsertInOrder, prepared.entries()));
    }
    let prepared = Prepared::new(workload(), Order::Random);
    if wants(InsertBatch) {
        let contestant = C::new(prepared.room());
        counted(&mut || prepared.write_batches(&contestant, BATCH));
        assert_eq!(
            scanned(&contestant),
            prepared.scanned,
            "{}: batches",
            C::NAME
        );
        counts.push((InsertBatch, prepared.entries()));
    }
    let contestant = C::new(prepared.room());
    let mut fill = || prepared.write_all(&mut contestant.writer());
    if wants(Insert) {
        counted(&mut fill);
        counts.push((Insert, prepared.entries()));
    } else {
        fill();
    }
    for operation in [Get, GetMissing, Next, Prev, Seek10] {
        if wants(operation) {
            let mut sum = Checksum::default();
            counted(&mut || read(&contestant, &prepared, operation, &mut sum));
            let (expected, times) = match operation {
                Get => (Some(prepared.found), prepared.reads.len()),
                GetMissing => (Some(Checksum::default()), prepared.absent.len()),
                Next => (Some(prepared.scanned), prepared.entries()),
                Prev => (Some(prepared.scanned_back), prepared.entries()),
                _ => (prepared.sought(1 + NEXTS), prepared.seeks(1 + NEXTS).len()),
            };
            assert_eq!(Some(sum), expected, "{}: {}", C::NAME, operation.name());
            counts.push((operation, times));
        }
    }
    counts
}

fn read<C: Contestant>(
    contestant: &C,
    prepared: &Prepared,
    operation: Operation,
    sum: &mut Checksum,
) {
    match operation {
        Operation::Get | Operation::HotGet => {
            for (key, &snapshot) in prepared.reads.iter().zip(&prepared.snapshots) {
                contestant.get(key, snapshot, |value| sum.add(value));
            }
        }
        Operation::GetMissing | Operation::HotNewest => {
            let keys = if operation == Operation::GetMissing {
                &prepared.absent
            } else {
                &prepared.reads
            };
            for key in keys.iter() {
                contestant.get(key, prepared.newest(), |value| sum.add(value));
            }
        }
        Operation::Next => contestant.scan(|key, value| sum.add_entry(key, value)),
        Operation::Prev => contestant.scan_back(|key, value| sum.add_entry(key, value)),
        _ => {
            for key in prepared.seeks(1 + NEXTS) {
                contestant.seek(key, NEXTS, |key, value| sum.add_entry(key, value));
            }
        }
    }
}

fn on_hot<C: Contestant>(entries: u64, operations: &[Operation]) -> Counts {
    let scenario = Scenario {
        versions: Versions::OfOneKey,
        ..Scenario::USUAL
    };
    let hot = [Operation::HotNewest, Operation::HotGet];
    let wanted: Vec<Operation> = operations
        .iter()
        .copied()
        .filter(|operation| hot.contains(operation))
        .collect();
    if wanted.is_empty() {
        return Counts::new();
    }
    let prepared = Prepared::new(scenario.workload(entries), Order::Random);
    let contestant = C::new(prepared.room());
    prepared.write_all(&mut contestant.writer());
    let mut counts = Counts::new();
    for operation in wanted {
        let mut sum = Checksum::default();
        counted(&mut || read(&contestant, &prepared, operation, &mut sum));
        let expected = match operation {
            Operation::HotNewest => prepared.found_newest,
            _ => prepared.found,
        };
        assert_eq!(sum, expected, "{}: {}", C::NAME, operation.name());
        counts.push((operation, prepared.reads.len()));
    }
    counts
}

fn scanned<C: Contestant>(contestant: &C) -> Checksum {
    let mut scanned = Checksum::default();
    contestant.scan(|key, value| scanned.add_entry(key, value));
    scanned
}

/// Does operations on all entries, to be watched from outside, and says which and how often.
///
/// # Errors
///
/// A sentence if there is no such contestant.
pub(crate) fn probe(
    contestant: &str,
    operations: &[Operation],
    entries: u64,
) -> Result<String, String> {
    let probe = PROBES.iter().find(|probe| probe.name == contestant);
    let probe = probe.ok_or_else(|| format!("there is no contestant {contestant} to count"))?;
    let operations = probe.can(operations);
    let mut counts = (probe.on_usual)(entries, &operations);
    counts.extend((probe.on_hot)(entries, &operations));
    let lines = counts.iter();
    let lines = lines.map(|(operation, times)| format!("{}\t{times}\n", operation.name()));
    Ok(lines.collect())
}

/// Counts the instructions of every operation of every contestant, or of those named.
///
/// # Errors
///
/// A sentence if valgrind is missing or fails.
pub(crate) fn count(
    contestants: &[String],
    operations: &[Operation],
    entries: u64,
) -> Result<Vec<Figure>, String> {
    let operations = if operations.is_empty() {
        &Operation::ALL
    } else {
        operations
    };
    let folder = std::env::temp_dir().join(format!("contest-count-{}", std::process::id()));
    let mut figures = Vec::new();
    for probe in PROBES {
        let operations = probe.can(operations);
        let is_named = contestants.iter().any(|name| name == probe.name);
        if (contestants.is_empty() || is_named) && !operations.is_empty() {
            fs::create_dir_all(&folder).map_err(|error| at(&folder, error))?;
            let counted = instructions(probe.name, &operations, entries, &folder);
            fs::remove_dir_all(&folder).map_err(|error| at(&folder, error))?;
            for (operation, figure) in counted? {
                let row = format!("instructions/{operation}");
                eprintln!("{row} {} {figure:.0}", probe.name);
                let (unit, rounds) = ("instructions", vec![figure]);
                figures.extend(Figure::of(row, probe.name, unit, entries, rounds));
            }
        }
    }
    figures.sort_by_key(|figure| {
        let name = figure.row.trim_start_matches("instructions/");
        Operation::ALL.iter().position(|of| of.name() == name)
    });
    Ok(figures)
}

fn at(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// The instructions of a contestant's operations, each by its name.
fn instructions(
    contestant: &str,
    operations: &[Operation],
    entries: u64,
    folder: &Path,
) -> Result<Vec<(String, f64)>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let file = folder.join("part");
    let names = operations.iter().map(|operation| operation.name());
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .args(["toggle-collect", "dump-after"].map(|of| format!("--{of}={COUNTED}")))
        .arg(program)
        .args(["probe", contestant])
        .args(names)
        .args(["--entries", &entries.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("valgrind failed: {}\n{said}", output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let mut figures = Vec::new();
    for (number, (operation, times)) in (1..).zip(said.lines().filter_map(|l| l.split_once('\t'))) {
        let part = file.with_extension(number.to_string());
        let text = fs::read_to_string(&part).map_err(|error| at(&part, error))?;
        let figure = figure(&text, times);
        let figure = figure.ok_or_else(|| format!("{operation}: {times} times, {text:?}"))?;
        figures.push((operation.to_owned(), figure));
    }
    Ok(figures)
}

/// The name of [`counted`] for callgrind.
const COUNTED: &str = "contest::count::counted";

/// The instructions of one of so many operations, which callgrind's file has the sum of; `None` if that
/// is 0, for then it never came by [`counted`].
fn figure(file: &str, times: &str) -> Option<f64> {
    let line = file
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    let (sum, times): (f64, f64) = (line.trim().parse().ok()?, times.parse().ok()?);
    (sum > 0.0 && times > 0.0).then_some(sum / times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_instructions_is_read() {
        let file = "version: 1\nevents: Ir\nfn=(1)\n3 500\n\ntotals: 500\n";
        assert_eq!(figure(file, "100"), Some(5.0));
        assert_eq!(figure("totals: 0\n", "100"), None);
        assert_eq!(figure(file, "none"), None);
        assert_eq!(figure("", "100"), None);
    }

    #[test]
    fn every_operation_is_done_by_everybody_who_can() {
        for probe in PROBES {
            let said = super::probe(probe.name, &Operation::ALL, 200).unwrap();
            let done: Vec<&str> = said.lines().filter_map(|l| l.split('\t').next()).collect();
            assert_eq!(
                done.len(),
                probe.can(&Operation::ALL).len(),
                "{}",
                probe.name
            );
            assert!(done.contains(&"hot-newest"));
        }
        assert!(super::probe("nobody", &[Operation::Get], 1).is_err());
    }
}
