//! What the write buffer promises.

mod advice;
mod async_writes;
mod batches;
mod budget;
mod concurrent;
mod crash;
mod crash_logs;
mod cursors;
mod cursors_concurrent;
mod directory_logs;
mod dying;
#[path = "../../examples/store/store.rs"]
mod example;
mod freezing;
mod logged;
mod memory;
mod memory_logs;
mod merging;
mod model;
mod outcome;
mod program;
mod recovering;
mod recovering_all;
mod scripted;
mod shelf;
mod stalls;
mod store;
mod table_flush;
mod visible;
mod walks;
