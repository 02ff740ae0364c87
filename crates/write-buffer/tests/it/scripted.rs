//! Logs that do what they are told, sinks made of closures, and write buffers that are full.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use strata_dbformat::{BytewiseComparator, SequenceNumber};
use strata_memtable::ImmutableMemTable;
use strata_write_batch::WriteBatch;
use strata_write_buffer::{
    Flush, FlushError, Log, LogAction, Logs, StallCause, Wait, WriteBuffer, WriteBufferOptions,
    WriteError, WriteOptions,
};

pub(crate) type Buffer = WriteBuffer<BytewiseComparator>;

/// The smallest write buffer there is, in bytes.
pub(crate) const SMALL: usize = 64 << 10;

/// What was asked of a log, and done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Created(u64),
    Appended(u64),
    Synced(u64),
}

/// Logs in memory. A clone is the same logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    events: Vec<Event>,
    /// How many of the next creations, appends and syncs fail.
    failing: [u32; 3],
    creations: u64,
    /// After so many appends, one panics.
    panics_after: Option<u32>,
    /// Appends wait until this is lowered.
    is_held: bool,
    /// How many wait so.
    held: u32,
}

impl Script {
    /// Has the next `times` of these fail.
    pub(crate) fn fail(&self, action: LogAction, times: u32) {
        self.0.state.lock().failing[index(action)] = times;
    }

    /// Lets `count` appends succeed, and has the next one panic.
    pub(crate) fn panic_after(&self, count: u32) {
        self.0.state.lock().panics_after = Some(count);
    }

    /// Has appends wait.
    pub(crate) fn hold(&self) {
        self.0.state.lock().is_held = true;
    }

    /// Returns when an append waits.
    pub(crate) fn wait_until_held(&self) {
        let mut state = self.0.state.lock();
        while state.held == 0 {
            self.0.changed.wait(&mut state);
        }
    }

    /// Lets appends go on.
    pub(crate) fn release(&self) {
        self.0.state.lock().is_held = false;
        self.0.changed.notify_all();
    }

    /// What has been done since this was last asked.
    pub(crate) fn events(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.state.lock().events)
    }

    /// How often a log was to be created.
    pub(crate) fn creations(&self) -> u64 {
        self.0.state.lock().creations
    }

    /// Fails if it is to; otherwise the event has happened.
    fn happen(state: &mut State, action: LogAction, event: Event) -> io::Result<()> {
        let failing = &mut state.failing[index(action)];
        if *failing > 0 {
            *failing -= 1;
            return Err(io::Error::other("scripted"));
        }
        state.events.push(event);
        Ok(())
    }
}

fn index(action: LogAction) -> usize {
    match action {
        LogAction::Create => 0,
        LogAction::Append => 1,
        LogAction::Sync => 2,
    }
}

#[derive(Debug)]
struct ScriptedLog {
    number: u64,
    script: Script,
}

impl Logs for Script {
    fn create(&mut self) -> io::Result<(u64, Box<dyn Log>)> {
        let mut state = self.0.state.lock();
        state.creations += 1;
        let number = state.last + 1;
        Script::happen(&mut state, LogAction::Create, Event::Created(number))?;
        state.last = number;
        let script = self.clone();
        Ok((number, Box::new(ScriptedLog { number, script })))
    }
}

impl Log for ScriptedLog {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        let mut state = self.script.0.state.lock();
        state.held += 1;
        self.script.0.changed.notify_all();
        while state.is_held {
            self.script.0.changed.wait(&mut state);
        }
        state.held -= 1;
        state.panics_after = match state.panics_after {
            Some(0) => panic!("scripted"),
            Some(left) => Some(left - 1),
            None => None,
        };
        Script::happen(&mut state, LogAction::Append, Event::Appended(self.number))
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.script.0.state.lock();
        Script::happen(&mut state, LogAction::Sync, Event::Synced(self.number))
    }
}

/// A sink made of a closure.
pub(crate) struct Sink<F>(pub(crate) F);

impl<F> Flush<BytewiseComparator> for Sink<F>
where
    F: FnMut(&ImmutableMemTable<BytewiseComparator>, u64) -> Result<(), FlushError>,
{
    fn flush(
        &mut self,
        memtable: &ImmutableMemTable<BytewiseComparator>,
        log_number: u64,
    ) -> Result<(), FlushError> {
        (self.0)(memtable, log_number)
    }
}

/// Flushes the oldest memtable to nowhere; says whether there was one.
pub(crate) fn flush(buffer: &Buffer) -> bool {
    let job = buffer.begin_flush();
    job.map(|job| job.finish()).is_some()
}

/// Options for memtables of the smallest size.
pub(crate) fn small() -> WriteBufferOptions {
    WriteBufferOptions {
        write_buffer_size: SMALL,
        ..WriteBufferOptions::default()
    }
}

/// A write buffer without logs, and one with logs that always succeed.
pub(crate) fn both(options: &WriteBufferOptions) -> [Buffer; 2] {
    [
        WriteBuffer::new(BytewiseComparator, options.clone()),
        logged(options.clone(), &Script::default()),
    ]
}

pub(crate) fn logged(options: WriteBufferOptions, script: &Script) -> Buffer {
    let logs = Box::new(script.clone());
    WriteBuffer::with_logs(BytewiseComparator, options, logs, SequenceNumber::ZERO).unwrap()
}

/// A batch of one entry with a value so long.
pub(crate) fn batch(key: &[u8], bytes: usize) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(key, &vec![7; bytes]).unwrap();
    batch
}

pub(crate) fn wait(wait: Wait) -> WriteOptions {
    WriteOptions { sync: false, wait }
}

pub(crate) const NEVER: WriteOptions = WriteOptions {
    sync: false,
    wait: Wait::Never,
};

pub(crate) const SYNC: WriteOptions = WriteOptions {
    sync: true,
    wait: Wait::Forever,
};

pub(crate) fn soon(milliseconds: u64) -> Wait {
    Wait::Until(Instant::now() + Duration::from_millis(milliseconds))
}

/// Writes until a write would have to wait; says why, and how many writes there were.
pub(crate) fn fill_up(buffer: &Buffer) -> (StallCause, u64) {
    for i in 0_u64.. {
        match buffer.write_with(&batch(&i.to_be_bytes(), 1000), NEVER) {
            Ok(_) => {}
            Err(WriteError::WouldBlock(cause)) => return (cause, i),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("there is an end to it")
}

/// The numbers of the memtables, the active one first.
pub(crate) fn numbers(buffer: &Buffer) -> Vec<u64> {
    let memtables = buffer.memtables();
    memtables
        .iter()
        .map(|memtable| memtable.log_number)
        .collect()
}

/// Returns when it is so.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > Duration::from_secs(20) {
            // A panic would wait for the threads of its scope, and they for what does not come.
            eprintln!("not so after 20 seconds: {what}");
            std::process::abort();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
