#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod batch;
mod error;
mod handler;
mod operation;
mod view;

pub use batch::WriteBatch;
pub use error::{BatchFault, InsertError, MalformedBatch, PutError};
pub use handler::Handler;
pub use operation::{Operation, Operations};
pub use view::WriteBatchView;
