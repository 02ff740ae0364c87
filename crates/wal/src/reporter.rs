//! Which reports are made, and in which order.

use std::ops::Range;

use crate::{Cause, Dropped, PassedOver, Report};

/// Where the reports of one call go.
pub(crate) type Sink<'a> = dyn FnMut(Report) + 'a;

/// Keeps back what lies before the initial offset, and joins the zeros of neighbouring blocks.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    initial_offset: u64,
    /// Zeros that may go on in the next block.
    zeros: Option<Range<u64>>,
}

impl Reporter {
    pub(crate) fn set_initial_offset(&mut self, offset: u64) {
        self.initial_offset = offset;
    }

    pub(crate) fn initial_offset(&self) -> u64 {
        self.initial_offset
    }

    pub(crate) fn dropped(&mut self, dropped: Dropped, sink: &mut Sink<'_>) {
        self.report(dropped.offset, Report::Dropped(dropped), sink);
    }

    pub(crate) fn passed_over(&mut self, range: Range<u64>, cause: Cause, sink: &mut Sink<'_>) {
        let passed_over = PassedOver {
            offset: range.start,
            bytes: range.end - range.start,
            cause,
        };
        self.report(range.start, Report::PassedOver(passed_over), sink);
    }

    /// Reports what begins at `offset`, and before it the zeros that lie before it.
    pub(crate) fn report(&mut self, offset: u64, report: Report, sink: &mut Sink<'_>) {
        if self
            .zeros
            .as_ref()
            .is_some_and(|zeros| zeros.start < offset)
        {
            self.settle(sink);
        }
        if offset >= self.initial_offset {
            sink(report);
        }
    }

    /// Takes note of zeros; they are reported once it is known where they end.
    pub(crate) fn zeros(&mut self, range: Range<u64>, sink: &mut Sink<'_>) {
        match &mut self.zeros {
            Some(zeros) if zeros.end == range.start => zeros.end = range.end,
            _ => {
                self.settle(sink);
                self.zeros = Some(range);
            }
        }
    }

    /// Reports the zeros noted so far: they end here.
    pub(crate) fn settle(&mut self, sink: &mut Sink<'_>) {
        if let Some(zeros) = self.zeros.take()
            && zeros.end > self.initial_offset
        {
            let from = zeros.start.max(self.initial_offset);
            self.passed_over(from..zeros.end, Cause::Zeros, sink);
        }
    }
}
