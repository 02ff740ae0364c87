//! Sources that behave as badly as a source may.

use std::io::{self, ErrorKind, Read};

use strata_wal::{BLOCK_SIZE, Cause, PassedOver, Reason, Report};

use crate::support::{Options, Outcome, log_of, noise, read, read_from, reader_with};

/// What a source does when it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Gives at most so many bytes.
    Give(usize),
    /// Is interrupted.
    Interrupt,
    /// Fails.
    Fail,
}

/// A source that takes these steps over and over, and must not be asked after it has ended or
/// failed.
pub(crate) struct Failing<'a> {
    log: &'a [u8],
    steps: Vec<Step>,
    step: usize,
    over: bool,
}

impl<'a> Failing<'a> {
    pub(crate) fn new(log: &'a [u8], steps: &[Step]) -> Self {
        Self {
            log,
            steps: steps.to_vec(),
            step: 0,
            over: false,
        }
    }
}

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!self.over, "asked after the end");
        let step = self.steps[self.step % self.steps.len()];
        self.step += 1;
        match step {
            Step::Give(most) => {
                let room = buffer.len();
                let read = self.log.read(&mut buffer[..most.clamp(1, room)])?;
                self.over = read == 0;
                Ok(read)
            }
            Step::Interrupt => Err(io::Error::from(ErrorKind::Interrupted)),
            Step::Fail => {
                self.over = true;
                Err(io::Error::new(ErrorKind::TimedOut, "the disk is slow"))
            }
        }
    }
}

fn three_blocks() -> Vec<u8> {
    log_of(&[
        noise(1, 20_000),
        noise(2, 50_000),
        noise(3, 9),
        noise(4, 15_000),
    ])
}

/// google/leveldb issue 1285: a short read is not the end of the file.
#[test]
fn short_and_interrupted_reads_change_nothing() {
    let log = three_blocks();
    for steps in [
        &[Step::Give(1)][..],
        &[Step::Give(7), Step::Interrupt],
        &[Step::Interrupt, Step::Interrupt, Step::Give(BLOCK_SIZE - 1)],
        &[Step::Give(BLOCK_SIZE), Step::Give(1)],
        &[Step::Give(5000), Step::Give(3), Step::Interrupt],
    ] {
        for initial_offset in [0, 20_007, BLOCK_SIZE as u64, 70_000, 1 << 20] {
            let options = Options {
                initial_offset,
                ..Options::default()
            };
            assert_eq!(
                read_from(Failing::new(&log, steps), options),
                read_from(&log[..], options),
                "{steps:?} from {initial_offset}"
            );
        }
    }
    assert_eq!(read(&log).records.len(), 4);
}

#[test]
fn a_read_error_costs_its_block_and_the_record_that_reaches_into_it() {
    let log = three_blocks();
    let steps = [Step::Give(BLOCK_SIZE), Step::Give(100), Step::Fail];
    let mut reader = reader_with(Failing::new(&log, &steps), Options::default());
    let mut outcome = Outcome::default();
    let first = reader
        .read_record(&mut |report| outcome.note(report))
        .unwrap();
    assert_eq!(
        first.map(|record| record.data.to_vec()),
        Some(noise(1, 20_000))
    );
    let error = reader
        .read_record(&mut |report| outcome.note(report))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the disk is slow",
        "the source's own error"
    );
    let [dropped] = outcome.dropped[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!((dropped.offset, dropped.bytes), (32_768, 32_768));
    assert_eq!(dropped.reason, Reason::ReadError(ErrorKind::TimedOut));
    assert_eq!(
        outcome.passed_over,
        [PassedOver {
            offset: 20_007,
            bytes: 32_768 - 20_007,
            cause: Cause::TornTail
        }]
    );
    let mut silent = |report: Report| panic!("{report}");
    assert_eq!(reader.read_record(&mut silent).unwrap(), None);
}

#[test]
fn a_read_error_while_skipping_is_returned() {
    let log = three_blocks();
    let options = Options {
        initial_offset: 70_000,
        ..Options::default()
    };
    let steps = [Step::Give(BLOCK_SIZE), Step::Fail];
    let mut reader = reader_with(Failing::new(&log, &steps), options);
    let mut silent = |report: Report| panic!("{report}");
    assert_eq!(
        reader.read_record(&mut silent).unwrap_err().kind(),
        ErrorKind::TimedOut
    );
    assert_eq!(reader.read_record(&mut silent).unwrap(), None);
}

#[test]
fn a_reader_shows_where_it_is_and_gives_its_source_back() {
    let log = log_of(&["foo", "bar"]);
    let mut reader = reader_with(&log[..], Options::default());
    reader.read_record(&mut |_| {}).unwrap();
    assert_eq!(
        format!("{reader:?}"),
        "Reader { offset: 10, finished: false, .. }"
    );
    assert_eq!(reader.into_inner(), b"");
}
