//! What manifests, versions and `CURRENT` promise.

mod current;
mod damage;
mod edits;
mod fold;
mod golden;
mod naive;
mod properties;
mod support;
mod writing;
