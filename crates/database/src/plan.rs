//! Which tables can be read one after the other, as one sorted source, and which must be sorted.

use std::fs::File;

use strata_dbformat::{InternalKey, InternalKeyComparator};
use strata_table::Table;

use crate::order::Order;
use crate::read::ReadOptions;
use crate::{Database, DatabaseError, Standing, StoredFile, StoredKind};

/// So many sorted sources of tables are merged at most. A healthy database has as many as it has
/// levels and tables in level 0.
const MOST_RUNS: usize = 64;

/// How a directory's files are read to give sorted entries.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Logs, and tables that may not be sorted; the oldest first.
    pub(crate) to_sort: Vec<u32>,
    /// Tables that follow each other in the order of their keys. A run with live tables, or newer
    /// ones, comes first.
    pub(crate) runs: Vec<Vec<u32>>,
}

/// A table, and its first and last internal key.
struct Placed {
    file: u32,
    /// Of equal entries those of live tables are given, of those the ones of the newest.
    rank: (bool, u64),
    smallest: InternalKey,
    largest: InternalKey,
}

impl Database {
    /// Plans how to read what is selected.
    pub(crate) fn plan(&self, read: &ReadOptions, order: Order) -> Result<Plan, DatabaseError> {
        let mut plan = Plan::default();
        let mut tables = Vec::new();
        for file in self.selected(read)? {
            let stored = &self.files()[file as usize];
            let bounds = match stored.kind {
                StoredKind::Table if !read.unsorted.contains(&file) => {
                    match self.may_be_sorted(stored, order) {
                        true => bounds(stored, order),
                        false => None,
                    }
                }
                _ => None,
            };
            let Some((smallest, largest)) = bounds else {
                plan.to_sort.push(file);
                continue;
            };
            if read.keys.may_be_within(&smallest, &largest, order) {
                tables.push(Placed {
                    file,
                    rank: (
                        stored.standing == Standing::Live,
                        stored.number.unwrap_or(0),
                    ),
                    smallest,
                    largest,
                });
            }
        }
        let order = InternalKeyComparator::new(order);
        tables.sort_by(|a, b| order.compare_keys(&a.smallest, &b.smallest));
        for run in runs(tables, &order, &mut plan.to_sort) {
            plan.runs.push(run.iter().map(|table| table.file).collect());
        }
        plan.to_sort.sort_unstable();
        Ok(plan)
    }
}

/// Puts each table, in the order of their first keys, behind the first run that ends before it.
/// Tables for which there is no run are left over.
fn runs(
    tables: Vec<Placed>,
    order: &InternalKeyComparator<Order>,
    left_over: &mut Vec<u32>,
) -> Vec<Vec<Placed>> {
    let mut runs: Vec<Vec<Placed>> = Vec::new();
    for table in tables {
        let ends_before = |run: &Vec<Placed>| {
            run.last()
                .is_none_or(|last| order.compare_keys(&last.largest, &table.smallest).is_lt())
        };
        match runs.iter().position(ends_before) {
            Some(run) => runs[run].push(table),
            None if runs.len() < MOST_RUNS => runs.push(vec![table]),
            None => left_over.push(table.file),
        }
    }
    runs.sort_by_key(|run| {
        let best = run.iter().map(|table| table.rank).max();
        std::cmp::Reverse(best)
    });
    runs
}

/// The first and the last internal key of a table, as the manifest says or the table's first and
/// last block do. `None` if the table is damaged there: then nothing is known of it.
fn bounds(stored: &StoredFile, order: Order) -> Option<(InternalKey, InternalKey)> {
    if let Some((_, smallest, largest)) = &stored.placed {
        return Some((smallest.clone(), largest.clone()));
    }
    let file = File::open(&stored.path).ok()?;
    let table = Table::open(file, order).ok()?;
    let mut cursor = table.cursor();
    let key =
        |entry: Option<strata_table::EntryRef<'_>>| InternalKey::decode(entry?.internal_key).ok();
    cursor.seek_to_first().ok()?;
    let smallest = key(cursor.entry())?;
    cursor.seek_to_last().ok()?;
    let largest = key(cursor.entry())?;
    let is_sorted = order
        .compare(smallest.user_key()?, largest.user_key()?)
        .is_le();
    is_sorted.then_some((smallest, largest))
}

#[cfg(test)]
mod tests {
    use strata_dbformat::{BytewiseComparator, SequenceNumber, ValueType};

    use super::*;

    fn placed(file: u32, smallest: &str, largest: &str) -> Placed {
        let key = |key: &str| {
            let sequence = SequenceNumber::new(7).unwrap();
            InternalKey::new(key.as_bytes(), sequence, ValueType::Value)
        };
        Placed {
            file,
            rank: (true, file.into()),
            smallest: key(smallest),
            largest: key(largest),
        }
    }

    fn planned(tables: Vec<Placed>) -> (Vec<Vec<u32>>, Vec<u32>) {
        let order: Order = &BytewiseComparator;
        let mut left_over = Vec::new();
        let runs = runs(tables, &InternalKeyComparator::new(order), &mut left_over);
        let files = |run: Vec<Placed>| run.iter().map(|table| table.file).collect();
        (runs.into_iter().map(files).collect(), left_over)
    }

    #[test]
    fn tables_that_do_not_overlap_are_one_run() {
        let tables = vec![
            placed(4, "a", "c"),
            placed(9, "b", "f"),
            placed(5, "d", "e"),
            placed(6, "f", "g"),
        ];
        assert_eq!(planned(tables), (vec![vec![9], vec![4, 5, 6]], vec![]));
    }

    #[test]
    fn what_would_be_one_run_too_many_is_left_to_be_sorted() {
        let tables = (0..70).map(|file| placed(file, "a", "b")).collect();
        let (runs, left_over) = planned(tables);
        assert_eq!(runs.len(), MOST_RUNS);
        assert_eq!(left_over, (64..70).collect::<Vec<u32>>());
    }
}
