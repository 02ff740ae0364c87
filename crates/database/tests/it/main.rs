//! Random damage to random files.

mod faults;
mod logs;
mod made;
mod manifests;
mod random;
mod tables;
