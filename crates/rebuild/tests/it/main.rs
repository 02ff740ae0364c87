//! Databases against a map of versions: listed, looked up, rebuilt, and interrupted anywhere.

mod model;
#[expect(dead_code, reason = "the tests of database use more of it")]
#[path = "../../../database/tests/it/random.rs"]
mod random;
mod rebuilding;
mod world;
