//! Tables one after the other, as one sorted source.

use crate::merge::Source;
use crate::order::Order;
use crate::read::ReadOptions;
use crate::report::Sink;
use crate::table_source::TableSource;
use crate::{Database, DatabaseError, Entry, StoredFile};

/// Tables whose keys follow each other, of which one is open at a time.
pub(crate) struct Run {
    waiting: std::vec::IntoIter<(u32, StoredFile)>,
    current: Option<TableSource>,
    read: ReadOptions,
    order: Order,
}

impl Run {
    pub(crate) fn new(
        database: &Database,
        tables: Vec<u32>,
        read: &ReadOptions,
        order: Order,
    ) -> Self {
        let stored = |file: u32| (file, database.files()[file as usize].clone());
        let waiting: Vec<_> = tables.into_iter().map(stored).collect();
        Self {
            waiting: waiting.into_iter(),
            current: None,
            read: read.clone(),
            order,
        }
    }
}

impl Source for Run {
    fn entry(&self) -> Option<Entry<'_>> {
        self.current.as_ref()?.entry()
    }

    fn advance(&mut self, report: &mut Sink<'_>) -> Result<(), DatabaseError> {
        loop {
            if let Some(table) = &mut self.current {
                table.advance(report)?;
                if table.entry().is_some() {
                    return Ok(());
                }
            }
            self.current = self
                .waiting
                .next()
                .map(|(file, stored)| TableSource::sorted(file, &stored, &self.read, self.order));
            if self.current.is_none() {
                return Ok(());
            }
        }
    }
}
