//! A contestant's part in a round, without its type: what a scenario lists.

use std::fmt;

use crate::alone::{self, floor};
use crate::contestant::Contestant;
use crate::heap;
use crate::prepared::Prepared;
use crate::scenario::Phase;
use crate::together;

/// A figure for each phase that was measured.
pub(crate) type Figures = Vec<(Phase, f64)>;

/// A contestant that can be measured.
#[derive(Clone, Copy)]
pub(crate) struct Runner {
    /// What records call it.
    pub(crate) name: &'static str,
    round: fn(&Prepared, &[Phase]) -> Figures,
}

impl Runner {
    /// The runner of a contestant.
    pub(crate) const fn of<C: Contestant>() -> Self {
        Self {
            name: C::NAME,
            round: round::<C>,
        }
    }

    /// The runner of what only writes.
    pub(crate) const fn floor(name: &'static str) -> Self {
        Self { name, round: floor }
    }

    /// Measures a contestant that is made for this, in these phases.
    ///
    /// # Panics
    ///
    /// If an answer is wrong.
    pub(crate) fn round(&self, prepared: &Prepared, phases: &[Phase]) -> Figures {
        heap::begin_afresh();
        (self.round)(prepared, phases)
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.name).finish()
    }
}

fn round<C: Contestant>(prepared: &Prepared, phases: &[Phase]) -> Figures {
    match phases.first() {
        Some(Phase::WriteAlone | Phase::WriteBeside | Phase::ReadAlone | Phase::ReadBeside) => {
            together::beside::<C>(prepared)
        }
        Some(Phase::OneWriter | Phase::TwoWriters) => together::writers::<C>(prepared),
        _ => alone::round::<C>(prepared, phases),
    }
}
