//! All of INPUT in memory, for the commands that look at it.

use std::fs::File;
use std::path::Path;

use itertools::Itertools;
use strata_dbformat::{
    BytewiseComparator, Comparator, InternalKeyComparator, ReverseBytewiseComparator,
    SequenceNumber,
};
use strata_memtable::{AddError, Entry, ImmutableMemTable, MemTable};
use strata_table::Table;
use strata_write_buffer::RecoveryOptions;

use crate::args::{InputArguments, Order, SourceArguments};
use crate::failure::Failure;
use crate::input::Input;
use crate::log_report::LogReports;
use crate::replay::replay;
use crate::show::tell;

/// The comparator that was asked for, chosen when the program runs.
pub(crate) type AnyComparator = std::sync::Arc<dyn Comparator>;

pub(crate) fn comparator(arguments: &InputArguments) -> AnyComparator {
    match arguments.comparator {
        Order::Bytewise => std::sync::Arc::new(BytewiseComparator),
        Order::ReverseBytewise => std::sync::Arc::new(ReverseBytewiseComparator),
    }
}

/// What INPUT holds.
pub(crate) struct Loaded {
    /// One memtable, unless an entry came twice: then more, the later the newer.
    memtables: Vec<ImmutableMemTable<AnyComparator>>,
    order: InternalKeyComparator<AnyComparator>,
    pub(crate) report: LogReports,
}

impl Loaded {
    pub(crate) fn new(arguments: &SourceArguments) -> Result<Self, Failure> {
        let comparator = comparator(&arguments.input);
        let input = Input::new(&arguments.input.path)?;
        let with_tables = arguments.tables || !input.is_directory;
        if input.logs.is_empty() && (input.tables.is_empty() || !with_tables) {
            let why = match input.tables.is_empty() {
                true => "there is neither a log nor a table in it",
                false => "there is no log in it, only tables: give --tables to read those",
            };
            return Err(Failure::at(
                "nothing to read in",
                &arguments.input.path,
                why,
            ));
        }
        let mut memtables = Vec::new();
        if with_tables {
            for table in &input.tables {
                load_table(table, &comparator, &mut memtables)?;
            }
        } else if !input.tables.is_empty() {
            let tables = input.tables.len();
            tell(format_args!(
                "only the logs are read: --tables reads the {tables} tables, too"
            ));
        }
        let flush = |memtable: &ImmutableMemTable<AnyComparator>| {
            memtables.push(memtable.clone());
            Ok(())
        };
        let options = RecoveryOptions {
            write_buffer_size: usize::MAX,
            salvage: arguments.input.salvage,
            ..RecoveryOptions::default()
        };
        let report = replay(&input, comparator.clone(), options, flush)?.report;
        Ok(Self {
            memtables,
            order: InternalKeyComparator::new(comparator),
            report,
        })
    }

    /// Every entry, in the order of internal keys; the newer of two with one internal key first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let newest_first = self.memtables.iter().rev().enumerate();
        newest_first
            .map(|(age, memtable)| memtable.iter().map(move |entry| (age, entry)))
            .kmerge_by(|(a_age, a), (b_age, b)| {
                let order = self.order.compare(a.internal_key(), b.internal_key());
                order.then(a_age.cmp(b_age)).is_lt()
            })
            .map(|(_, entry)| entry)
            // A log that was flushed holds the very entries of its table.
            .dedup()
    }

    /// The newest version of `user_key` that `snapshot` sees.
    pub(crate) fn get(&self, user_key: &[u8], snapshot: SequenceNumber) -> Option<Entry<'_>> {
        let versions = self
            .memtables
            .iter()
            .filter_map(|memtable| memtable.get_entry(user_key, snapshot));
        // Of equals, the last: that of the newest memtable.
        versions.max_by_key(|entry| entry.tag())
    }

    /// Whether two user keys are one.
    pub(crate) fn is_same_key(&self, a: &[u8], b: &[u8]) -> bool {
        self.order.user_comparator().compare(a, b).is_eq()
    }

    /// Bytes that the memtables use, and bytes they have reserved.
    pub(crate) fn memory(&self) -> (usize, usize) {
        let used = self
            .memtables
            .iter()
            .map(|memtable| memtable.used_bytes())
            .sum();
        let reserved = self
            .memtables
            .iter()
            .map(|memtable| memtable.approximate_memory_usage())
            .sum();
        (used, reserved)
    }
}

/// Adds a table's entries to memtables.
fn load_table(
    path: &Path,
    comparator: &AnyComparator,
    memtables: &mut Vec<ImmutableMemTable<AnyComparator>>,
) -> Result<(), Failure> {
    let unreadable =
        |error: &dyn std::fmt::Display| Failure::at("can't read the table", path, error);
    let file = File::open(path).map_err(|error| Failure::at("can't open", path, error))?;
    let table = Table::open(file, comparator.clone()).map_err(|e| unreadable(&e))?;
    let mut memtable = MemTable::new(comparator.clone());
    for entry in table.entries() {
        let entry = entry.map_err(|error| unreadable(&error))?;
        let Some(key) = entry.internal_key.parsed() else {
            continue;
        };
        let add = |memtable: &MemTable<AnyComparator>| {
            memtable.add(key.sequence, key.value_type, key.user_key, &entry.value)
        };
        let mut added = add(&memtable);
        if matches!(added, Err(AddError::Duplicate { .. })) {
            memtables.push(memtable.freeze());
            memtable = MemTable::new(comparator.clone());
            added = add(&memtable);
        }
        added.map_err(|error| unreadable(&error))?;
    }
    memtables.push(memtable.freeze());
    Ok(())
}
