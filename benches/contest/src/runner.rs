//! A contestant's part in a round, without its type: what a scenario lists.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::alone::{self, floor, offsets};
use crate::contestant::Contestant;
use crate::heap;
use crate::prepared::Prepared;
use crate::scenario::Phase;
use crate::{single, together};

/// A figure for each phase that was measured, or what was wrong with the answers.
pub(crate) type Figures = Vec<(Phase, Result<f64, String>)>;

/// A contestant that can be measured.
#[derive(Clone, Copy)]
pub(crate) struct Runner {
    /// Its name in records.
    pub(crate) name: &'static str,
    /// The phases that it does not take part in.
    without: &'static [Phase],
    round: fn(&Prepared, &[Phase]) -> Figures,
    /// The phases that it alone takes part in; none if it takes part in what others do.
    is_of_its_own: fn(Phase) -> bool,
}

impl Runner {
    /// The runner of a contestant.
    pub(crate) const fn of<C: Contestant>() -> Self {
        Self {
            name: C::NAME,
            without: &[],
            round: round::<C>,
            is_of_its_own: |phase| !is_of_the_clock(phase),
        }
    }

    /// The runner of what only writes.
    pub(crate) const fn floor(name: &'static str) -> Self {
        Self {
            name,
            without: &[],
            round: floor,
            is_of_its_own: |_| true,
        }
    }

    /// The runner of what only finds entries whose places are known.
    pub(crate) const fn offsets(name: &'static str) -> Self {
        Self {
            name,
            without: &[],
            round: offsets,
            is_of_its_own: |phase| phase == Phase::ReadRandom,
        }
    }

    /// The runner of the clock that single operations are timed with.
    pub(crate) const fn clock(name: &'static str) -> Self {
        Self {
            name,
            without: &[],
            round: |_, _| single::clock(),
            is_of_its_own: is_of_the_clock,
        }
    }

    /// The same but for these phases.
    pub(crate) const fn without(self, without: &'static [Phase]) -> Self {
        Self { without, ..self }
    }

    /// Whether it takes part in a phase.
    pub(crate) fn takes_part_in(&self, phase: Phase) -> bool {
        (self.is_of_its_own)(phase) && !self.without.contains(&phase)
    }

    /// Measures a contestant that is made for this, in these phases.
    pub(crate) fn round(&self, prepared: &Prepared, phases: &[Phase]) -> Figures {
        heap::begin_afresh();
        attempt(|| (self.round)(prepared, phases)).unwrap_or_else(|sentence| {
            let all_wrong = |&phase: &Phase| (phase, Err(sentence.clone()));
            phases.iter().map(all_wrong).collect()
        })
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.name).finish()
    }
}

const fn is_of_the_clock(phase: Phase) -> bool {
    matches!(phase, Phase::Single(crate::scenario::Single::Nothing, ..))
}

fn round<C: Contestant>(prepared: &Prepared, phases: &[Phase]) -> Figures {
    let figures = match phases.first() {
        Some(Phase::WriteAlone | Phase::WriteBeside | Phase::ReadAlone | Phase::ReadBeside) => {
            together::beside::<C>(prepared)
        }
        Some(Phase::OneWriter | Phase::TwoWriters) => together::writers::<C>(prepared),
        Some(
            Phase::FourWriters | Phase::EightWriters | Phase::WriteBesideThree | Phase::ReadInThree,
        ) => together::crowd::<C>(prepared),
        Some(Phase::Single(..)) => single::singles::<C>(prepared),
        _ => return alone::round::<C>(prepared, phases),
    };
    let right = |(phase, figure)| (phase, Ok(figure));
    figures.into_iter().map(right).collect()
}

/// The figure that `measure` gives, or the sentence of its panic: that an answer is wrong.
pub(crate) fn attempt<T>(measure: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(measure)).map_err(|panic| sentence(&*panic))
}

fn sentence(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let lines = text.unwrap_or("it panics").lines().map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_panics_says_why() {
        assert_eq!(attempt(|| 1), Ok(1));
        let wrong = attempt(|| assert_eq!(1, 2, "nobody: lookups"));
        let sentence = wrong.unwrap_err();
        assert!(
            sentence.contains("nobody: lookups left: 1 right: 2"),
            "{sentence}"
        );
    }
}
