//! The crate through its public interface, a module a kind.

mod content;
