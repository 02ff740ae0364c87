//! What names, numbers and directories promise.

mod directory;
mod names;
mod numbers;
