//! What was wrong with the logs.

use serde::{Serialize, Serializer};
use strata_write_buffer::{LogDrop, LogMention, LogReport};

use crate::show::tell;

/// All that was wrong with the logs, in the order it was met.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogReports {
    pub(crate) dropped: Vec<LogDrop>,
    pub(crate) mentions: Vec<LogMention>,
}

impl LogReports {
    /// Takes down a report.
    pub(crate) fn take(&mut self, report: LogReport) {
        match report {
            LogReport::Dropped(dropped) => self.dropped.push(dropped),
            LogReport::Mentioned(mention) => self.mentions.push(mention),
            // There are no others; if there were, they would be told at once.
            other => tell(other),
        }
    }

    /// Tells on standard error, for commands whose answer is something else.
    pub(crate) fn warn(&self) {
        self.dropped.iter().for_each(tell);
        self.mentions.iter().for_each(tell);
    }
}

/// A drop, for machines.
#[derive(Serialize)]
struct DropLine<'a> {
    file: &'a str,
    offset: u64,
    bytes: u64,
    reason: String,
}

/// Serializes drops as the README says.
pub(crate) fn drops<S: Serializer>(dropped: &[LogDrop], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dropped.iter().map(|dropped| DropLine {
        file: &dropped.file,
        offset: dropped.offset,
        bytes: dropped.bytes,
        reason: dropped.reason.to_string(),
    }))
}

/// A mention, for machines.
#[derive(Serialize)]
struct MentionLine<'a> {
    file: &'a str,
    offset: u64,
    what: String,
}

/// Serializes mentions as the README says.
pub(crate) fn mentions<S: Serializer>(
    mentioned: &[LogMention],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(mentioned.iter().map(|mention| MentionLine {
        file: &mention.file,
        offset: mention.offset(),
        what: mention.what(),
    }))
}
