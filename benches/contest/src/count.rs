//! Instructions an operation, counted by valgrind: they do not depend on the neighbours.
//!
//! This program is run under callgrind, which counts while [`counted`] runs and at no other time. (To
//! subtract a run from one that does twice as much would not do: some contestants throw dice anew in
//! every run, and what that changes in a fill is more than a scan costs.)

use std::process::{Command, Stdio};

use clap::ValueEnum;

use crate::contestant::Contestant;
use crate::contestants::{ArenaSkiplist, Crossbeam, Fjall, Inline, LockedBTree, Strata};
use crate::prepared::Prepared;
use crate::record::Figure;
use crate::scenario::{Order, Scenario};
use benches::Checksum;

/// An operation whose instructions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operation {
    Insert,
    Get,
    Next,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Insert, Self::Get, Self::Next];

    /// What records and the command line call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Get => "get",
            Self::Next => "next",
        }
    }
}

/// A contestant that does an operation on all entries.
#[derive(Clone, Copy)]
struct Probe {
    name: &'static str,
    run: fn(&Prepared, Operation),
}

impl Probe {
    const fn of<C: Contestant>() -> Self {
        Self {
            name: C::NAME,
            run: on_all::<C>,
        }
    }
}

const PROBES: [Probe; 6] = [
    Probe::of::<Strata>(),
    Probe::of::<Inline>(),
    Probe::of::<LockedBTree>(),
    Probe::of::<Crossbeam>(),
    Probe::of::<Fjall>(),
    Probe::of::<ArenaSkiplist>(),
];

/// The only work whose instructions are counted: callgrind knows it by its name.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    // So that this is still running while the work is.
    std::hint::black_box(());
}

fn on_all<C: Contestant>(prepared: &Prepared, operation: Operation) {
    let contestant = C::new(prepared.room());
    let mut fill = || prepared.write_all(&mut contestant.writer());
    if operation == Operation::Insert {
        counted(&mut fill);
    } else {
        fill();
    }
    let mut sum = Checksum::default();
    match operation {
        Operation::Insert => {}
        Operation::Get => counted(&mut || {
            for (key, &snapshot) in prepared.reads.iter().zip(&prepared.snapshots) {
                contestant.get(key, snapshot, |value| sum.add(value));
            }
        }),
        Operation::Next => counted(&mut || {
            contestant.scan(|key, value| sum.add_entry(key, value));
        }),
    }
    let expected = match operation {
        Operation::Insert => Checksum::default(),
        Operation::Get => prepared.found,
        Operation::Next => prepared.scanned,
    };
    assert_eq!(sum, expected, "{}: {}", C::NAME, operation.name());
}

/// Does an operation on all entries, to be watched from outside.
///
/// # Errors
///
/// A sentence if there is no such contestant.
pub(crate) fn probe(contestant: &str, operation: Operation, entries: u64) -> Result<(), String> {
    let probe = PROBES.iter().find(|probe| probe.name == contestant);
    let probe = probe.ok_or_else(|| format!("there is no contestant {contestant} to count"))?;
    let prepared = Prepared::new(Scenario::USUAL.workload(entries), Order::Random);
    (probe.run)(&prepared, operation);
    Ok(())
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
    let mut figures = Vec::new();
    for &operation in operations {
        for probe in PROBES {
            if contestants.is_empty() || contestants.iter().any(|name| name == probe.name) {
                let instructions = instructions(probe.name, operation, entries)?;
                #[expect(clippy::cast_precision_loss, reason = "fewer than 2 to the 52nd")]
                let figure = instructions as f64 / entries as f64;
                let row = format!("instructions/{}", operation.name());
                eprintln!("{row} {} {figure:.0}", probe.name);
                figures.extend(Figure::of(
                    row,
                    probe.name,
                    "instructions",
                    entries,
                    vec![figure],
                ));
            }
        }
    }
    Ok(figures)
}

fn instructions(contestant: &str, operation: Operation, entries: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*count*counted*"])
        .arg(program)
        .args(["probe", contestant, operation.name()])
        .args(["--entries", &entries.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("valgrind failed: {}\n{said}", output.status));
    }
    collected(&said).ok_or_else(|| format!("valgrind does not say how many instructions:\n{said}"))
}

/// The number in callgrind's line of what it counted: `==7== Collected : 1234`; `None` if it is 0,
/// for then it never came by [`counted`].
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    let number = line.rsplit(':').next()?.trim().parse().ok()?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_instructions_is_read() {
        let said = "==7== Events    : Ir\n==7== Collected : 1234567\n==7== \n";
        assert_eq!(collected(said), Some(1_234_567));
        assert_eq!(collected("==7== Collected : 0\n"), None);
        assert_eq!(collected("==7== \n"), None);
    }

    #[test]
    fn every_operation_is_done_by_everybody() {
        for probe in PROBES {
            for operation in Operation::ALL {
                assert_eq!(super::probe(probe.name, operation, 100), Ok(()));
            }
        }
        assert!(super::probe("nobody", Operation::Get, 1).is_err());
    }
}
