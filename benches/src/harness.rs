//! Criterion as all the benchmarks use it.

use std::time::Duration;

use criterion::Criterion;

/// Criterion, told how long to measure and what the command line says.
///
/// Short enough that all benchmarks take some minutes, and without plots.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args()
}

/// The last byte of what a lookup found: reading it is what every lookup and every step that is
/// measured does, so that no contestant gets by without touching the value.
#[must_use]
pub fn last_byte(bytes: &[u8]) -> u64 {
    bytes.last().copied().map_or(0, u64::from)
}
