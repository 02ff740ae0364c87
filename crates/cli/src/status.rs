//! The meaning of the program's exit status.

/// How a command ended. 2 is clap's, for usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Everything is as it should be.
    Done = 0,
    /// The command failed; why is on standard error.
    Failed = 1,
    /// Done, but something in the input was damaged and is missing.
    Dropped = 3,
    /// The key was deleted.
    Deleted = 4,
    /// There is no such key.
    Absent = 5,
}

impl Status {
    /// Done, or done with something missing.
    pub(crate) fn of_drops(any_dropped: bool) -> Self {
        if any_dropped {
            Self::Dropped
        } else {
            Self::Done
        }
    }
}
