//! A bar for what takes more than a second, on a terminal.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long one waits without being told anything.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far reading the input has come. Shown on standard error, if that is a terminal, once it
/// takes long.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        let template = "{msg} {wide_bar} {bytes} of {total_bytes}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            began: Instant::now(),
            is_shown: false,
        }
    }

    /// Says which file is being read.
    pub(crate) fn begin(&self, file: String) {
        self.bar.set_message(file);
    }

    fn advance(&mut self, bytes: usize) {
        self.bar.inc(bytes as u64);
        if !self.is_shown && self.began.elapsed() > PATIENCE {
            self.is_shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// A source that advances the bar as it is read.
    pub(crate) fn reading<R>(&mut self, source: R) -> Reading<'_, R> {
        Reading {
            source,
            progress: self,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

pub(crate) struct Reading<'a, R> {
    source: R,
    progress: &'a mut Progress,
}

impl<R: Read> Read for Reading<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.source.read(buffer)?;
        self.progress.advance(bytes);
        Ok(bytes)
    }
}
