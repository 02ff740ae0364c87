//! Logs in memory that remember what they are asked for, and fail, panic or wait when told to.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use strata_dbformat::{BytewiseComparator, Tag};
use strata_write_batch::WriteBatchView;
use strata_write_buffer::{Log, Logs, WriteBuffer, WriteBufferOptions};

use crate::cursors::{Owned, number};

/// Logs in memory that do what they are told to. A clone is the same logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryLogs(Arc<State>);

#[derive(Debug, Default)]
struct State {
    script: Mutex<Script>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Script {
    events: Vec<Event>,
    created: u64,
    /// What becomes of the next appends, syncs and creations: all is well if nothing is said.
    appends: VecDeque<Fate>,
    syncs: VecDeque<Fate>,
    creates: VecDeque<Fate>,
    /// How many records there were in the append that panicked.
    lost: u32,
    /// Nobody returns from an append.
    is_held: bool,
    held: usize,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Well,
    Fails,
    Panics,
}

/// What the logs were asked for, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Created(u64),
    /// To which log, and the record.
    Appended(u64, Vec<u8>),
    Synced(u64),
}

#[derive(Debug)]
struct MemoryLog {
    number: u64,
    logs: MemoryLogs,
}

fn meet(fate: Option<Fate>, what: &str) -> io::Result<()> {
    match fate.unwrap_or(Fate::Well) {
        Fate::Well => Ok(()),
        Fate::Fails => Err(io::Error::other(format!("{what} was told to fail"))),
        Fate::Panics => panic!("{what} was told to panic"),
    }
}

impl MemoryLogs {
    pub(crate) fn buffer(&self, options: WriteBufferOptions) -> WriteBuffer<BytewiseComparator> {
        self.buffer_after(0, options)
    }

    pub(crate) fn buffer_after(
        &self,
        last: u64,
        options: WriteBufferOptions,
    ) -> WriteBuffer<BytewiseComparator> {
        let logs = Box::new(self.clone());
        WriteBuffer::with_logs(BytewiseComparator, options, logs, number(last)).unwrap()
    }

    pub(crate) fn fail_append(&self) {
        self.next_append(Fate::Fails);
    }

    pub(crate) fn fail_create(&self) {
        self.0.script.lock().creates.push_back(Fate::Fails);
    }

    pub(crate) fn next_append(&self, fate: Fate) {
        self.0.script.lock().appends.push_back(fate);
    }

    pub(crate) fn next_sync(&self, fate: Fate) {
        self.0.script.lock().syncs.push_back(fate);
    }

    /// Whoever appends from now on does not return until `release`.
    pub(crate) fn hold(&self) {
        self.0.script.lock().is_held = true;
    }

    pub(crate) fn wait_until_held(&self) {
        let mut script = self.0.script.lock();
        while script.held == 0 {
            self.0.changed.wait(&mut script);
        }
    }

    pub(crate) fn release(&self) {
        self.0.script.lock().is_held = false;
        self.0.changed.notify_all();
    }

    /// How many records the append had that panicked.
    pub(crate) fn lost(&self) -> u32 {
        self.0.script.lock().lost
    }

    pub(crate) fn created(&self) -> u64 {
        self.0.script.lock().created
    }

    /// What has happened since this was last asked.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.script.lock().events)
    }

    /// How many records each append brought, in their order.
    pub(crate) fn record_counts(&self) -> Vec<u32> {
        self.with_records(|record| record.count())
    }

    fn with_records<T>(&self, mut of: impl FnMut(WriteBatchView<'_>) -> T) -> Vec<T> {
        let script = self.0.script.lock();
        let records = script.events.iter().filter_map(|event| match event {
            Event::Appended(_, record) => Some(of(WriteBatchView::new(record).unwrap())),
            Event::Created(_) | Event::Synced(_) => None,
        });
        records.collect()
    }

    /// What a recovery of all records finds, in the order of sequence numbers.
    pub(crate) fn replayed(&self) -> BTreeMap<u64, Owned> {
        let mut replayed = BTreeMap::new();
        self.with_records(|record| {
            let first = record.sequence().unwrap().get();
            for (sequence, operation) in (first..).zip(record.operations()) {
                let operation = operation.unwrap();
                let tag = Tag::new(number(sequence), operation.value_type());
                let (key, value) = (operation.user_key().to_vec(), operation.value().to_vec());
                let before = replayed.insert(sequence, (key, tag, value));
                assert_eq!(before, None, "{sequence} was logged twice");
            }
        });
        replayed
    }
}

impl Log for MemoryLog {
    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let state = &self.logs.0;
        let mut script = state.script.lock();
        script.held += 1;
        state.changed.notify_all();
        while script.is_held {
            state.changed.wait(&mut script);
        }
        script.held -= 1;
        let fate = script.appends.pop_front();
        if fate == Some(Fate::Panics) {
            script.lost = WriteBatchView::new(record).unwrap().count();
        }
        meet(fate, "the append")?;
        let appended = Event::Appended(self.number, record.to_vec());
        script.events.push(appended);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut script = self.logs.0.script.lock();
        let fate = script.syncs.pop_front();
        meet(fate, "the sync")?;
        script.events.push(Event::Synced(self.number));
        Ok(())
    }
}

impl Logs for MemoryLogs {
    fn create(&mut self) -> io::Result<(u64, Box<dyn Log>)> {
        let mut script = self.0.script.lock();
        let fate = script.creates.pop_front();
        meet(fate, "the creation")?;
        script.created += 1;
        // Numbers with gaps, as file numbers have.
        let number = script.created * 3;
        script.events.push(Event::Created(number));
        let logs = self.clone();
        Ok((number, Box::new(MemoryLog { number, logs })))
    }
}
