//! Sources that fail once the table is open.

use std::cell::Cell;
use std::io::{self, ErrorKind};

use strata_dbformat::BytewiseComparator;
use strata_table::{ReadAt, Table, TableError};

use crate::craft::{block, ikey, table};

/// A file that another process cuts short, or that fails, once it is open.
#[derive(Debug)]
struct Failing {
    bytes: Vec<u8>,
    reads_left: Cell<usize>,
    error: Option<ErrorKind>,
}

impl ReadAt for Failing {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let Some(left) = self.reads_left.get().checked_sub(1) else {
            return self.error.map_or(Ok(0), |kind| Err(kind.into()));
        };
        self.reads_left.set(left);
        self.bytes.read_at(buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.bytes.length()
    }
}

#[test]
fn a_source_that_fails_is_reported_and_ends_the_entries() {
    let first = block(&[(&ikey("a", 1), b"")]);
    let second = block(&[(&ikey("b", 1), b"")]);
    let bytes = table(&[(&first, &ikey("a", 1)), (&second, &ikey("b", 1))]);
    for error in [None, Some(ErrorKind::PermissionDenied)] {
        let mut outcomes = Vec::new();
        for reads_left in 0..30 {
            let source = Failing {
                bytes: bytes.clone(),
                reads_left: Cell::new(reads_left),
                error,
            };
            let kind = |failure| match failure {
                TableError::Io { source, .. } => source.kind(),
                failure => panic!("{failure}"),
            };
            let expected = error.unwrap_or(ErrorKind::UnexpectedEof);
            match Table::open(source, BytewiseComparator) {
                Err(failure) => {
                    assert_eq!(kind(failure), expected);
                    outcomes.push(0);
                }
                Ok(table) => {
                    let mut results: Vec<_> = table.entries().collect();
                    if let Some(failure) = results.pop_if(|result| result.is_err()) {
                        assert_eq!(kind(failure.unwrap_err()), expected);
                    }
                    outcomes.push(1 + results.len());
                    assert!(results.into_iter().all(|result| result.is_ok()));
                }
            }
        }
        outcomes.dedup();
        assert_eq!(
            outcomes,
            [0, 1, 2, 3],
            "fails on opening, then after 0, 1, 2 entries"
        );
    }
}
