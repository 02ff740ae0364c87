//! A cursor beside a list and a place in it: what several modules hold one against the other with.

use std::cmp::Ordering;
use std::sync::Arc;

use strata_dbformat::{Comparator, SequenceNumber};
use strata_table::{Entry, Table, TableCursor, TableError};

use crate::support::{Bytes, open, sequence};

pub(crate) type BytesCursor<C> = TableCursor<Arc<Table<Bytes, C>>>;

/// A move of a cursor.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    First,
    Last,
    Next,
    Prev,
    Seek(Vec<u8>, u64),
}

impl Step {
    pub(crate) fn take<C: Comparator>(
        &self,
        cursor: &mut BytesCursor<C>,
    ) -> Result<(), TableError> {
        match self {
            Self::First => cursor.seek_to_first(),
            Self::Last => cursor.seek_to_last(),
            Self::Next => cursor.next(),
            Self::Prev => cursor.prev(),
            Self::Seek(user_key, snapshot) => cursor.seek(user_key, sequence(*snapshot)),
        }
    }
}

/// What a cursor must do: a list of entries in order, and a place in it.
pub(crate) struct Model<'e, C> {
    entries: &'e [Entry],
    comparator: C,
    at: Option<usize>,
}

impl<'e, C: Comparator> Model<'e, C> {
    pub(crate) fn new(entries: &'e [Entry], comparator: C) -> Self {
        Self {
            entries,
            comparator,
            at: None,
        }
    }

    pub(crate) fn entry(&self) -> Option<&'e Entry> {
        self.at.map(|at| &self.entries[at])
    }

    pub(crate) fn leave(&mut self) {
        self.at = None;
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let last = self.entries.len().checked_sub(1);
        self.at = match step {
            Step::First => last.map(|_| 0),
            Step::Last => last,
            Step::Next => self.at.filter(|at| Some(*at) != last).map(|at| at + 1),
            Step::Prev => self.at.and_then(|at| at.checked_sub(1)),
            Step::Seek(user_key, snapshot) => self
                .entries
                .iter()
                .position(|entry| self.is_not_before(entry, user_key, *snapshot)),
        };
    }

    fn is_not_before(&self, entry: &Entry, user_key: &[u8], snapshot: u64) -> bool {
        let parsed = entry.internal_key.parsed().unwrap();
        match self.comparator.compare(parsed.user_key, user_key) {
            Ordering::Less => false,
            Ordering::Equal => parsed.sequence.get() <= snapshot,
            Ordering::Greater => true,
        }
    }
}

pub(crate) fn here<C: Comparator>(cursor: &BytesCursor<C>) -> Option<(Vec<u8>, Vec<u8>)> {
    let entry = cursor.entry()?;
    Some((entry.internal_key.to_vec(), entry.value.to_vec()))
}

fn pair(entry: Option<&Entry>) -> Option<(Vec<u8>, Vec<u8>)> {
    entry.map(|entry| (entry.internal_key.encode().to_vec(), entry.value.clone()))
}

pub(crate) fn cursor<C: Comparator>(bytes: &[u8], comparator: C) -> BytesCursor<C> {
    TableCursor::new(Arc::new(open(bytes, comparator).unwrap()))
}

/// Takes the steps, each of which must succeed and end where the model's does.
pub(crate) fn walk<C: Comparator + Clone>(
    bytes: &[u8],
    comparator: &C,
    entries: &[Entry],
    steps: impl IntoIterator<Item = Step>,
) {
    let mut cursor = cursor(bytes, comparator.clone());
    let mut model = Model::new(entries, comparator);
    assert_eq!(here(&cursor), None);
    for step in steps {
        step.take(&mut cursor).unwrap();
        model.take(&step);
        assert_eq!(here(&cursor), pair(model.entry()), "{step:?}");
    }
}

/// Takes the steps in bytes that may be damaged: what succeeds must end where the model's does,
/// and what does not, at none. Says whether all succeeded.
pub(crate) fn walk_damaged<C: Comparator + Clone>(
    bytes: &[u8],
    comparator: &C,
    entries: &[Entry],
    steps: impl IntoIterator<Item = Step>,
) -> bool {
    let Ok(table) = Table::open(bytes.to_vec(), comparator.clone()) else {
        return false;
    };
    let mut cursor = TableCursor::new(Arc::new(table));
    let mut model = Model::new(entries, comparator);
    let mut sound = true;
    for step in steps {
        match step.take(&mut cursor) {
            Ok(()) => model.take(&step),
            Err(TableError::Corrupt { .. }) => {
                sound = false;
                model.leave();
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(here(&cursor), pair(model.entry()), "{step:?}");
    }
    sound
}

/// From one end to beyond the other and back, then to every entry by name, and one step each way
/// from there.
pub(crate) fn everywhere(entries: &[Entry]) -> Vec<Step> {
    let mut steps = vec![Step::First];
    steps.extend(entries.iter().map(|_| Step::Next));
    steps.extend([Step::Next, Step::Prev, Step::Last]);
    steps.extend(entries.iter().map(|_| Step::Prev));
    steps.extend([Step::Prev, Step::Next]);
    for entry in entries {
        let parsed = entry.internal_key.parsed().unwrap();
        let seek = Step::Seek(parsed.user_key.to_vec(), parsed.sequence.get());
        steps.extend([seek.clone(), Step::Next, seek, Step::Prev]);
    }
    let beyond = vec![0xff; 20];
    steps.push(Step::Seek(Vec::new(), SequenceNumber::MAX.get()));
    steps.push(Step::Seek(beyond, 0));
    steps
}
