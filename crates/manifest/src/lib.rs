#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod current;
mod decode;
mod edit;
mod encode;
mod error;
mod fold;
mod level;
mod reader;
mod show;
mod version;
mod writer;

pub use current::{Current, CurrentError, parse_current, read_current, set_current};
pub use edit::{FileMetadata, VersionEdit};
pub use encode::EncodeError;
pub use error::{EditFault, Expected, MalformedEdit};
pub use fold::{FoldedManifest, Unusable};
pub use level::Level;
pub use reader::{EditRecord, ManifestReader, ManifestReport};
pub use version::Version;
pub use writer::{ManifestWriter, create_manifest};
