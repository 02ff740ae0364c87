//! A run: every scenario, its contestants in turn, round by round.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cores;
use crate::prepared::Prepared;
use crate::record::{Figure, Record};
use crate::runner::Runner;
use crate::scenario::{Phase, SCENARIOS, Scenario};

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) entries: u64,
    pub(crate) rounds: usize,
    /// Names of rows or of scenarios; all if empty.
    pub(crate) rows: Vec<String>,
    /// Names of contestants; all if empty.
    pub(crate) contestants: Vec<String>,
    /// Whether scenarios that are opt-in run if none is named.
    pub(crate) is_large: bool,
}

/// A scenario with what of it was selected.
struct Part {
    scenario: &'static Scenario,
    phases: Vec<Phase>,
    runners: Vec<Runner>,
    rounds: usize,
}

/// Runs what is selected.
///
/// # Errors
///
/// A sentence if a name is unknown.
///
/// # Panics
///
/// If a contestant gives a wrong answer.
pub(crate) fn run(selection: &Selection) -> Result<Record, String> {
    let parts = parts(selection)?;
    let mut record = Record::default();
    if !cores::pin_first() {
        record
            .comment
            .push("not pinned: the system keeps no thread on a core".to_owned());
    }
    let rounds = parts.iter().map(|part| part.rounds * part.runners.len());
    let progress = progress(rounds.sum());
    for part in &parts {
        record
            .figures
            .extend(part.run(selection.entries, &progress));
    }
    progress.finish_and_clear();
    Ok(record)
}

fn progress(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed_precise} [{wide_bar}] {pos}/{len} {msg}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn parts(selection: &Selection) -> Result<Vec<Part>, String> {
    let names = &selection.rows;
    let all_rows = SCENARIOS.iter().flat_map(|scenario| {
        let rows = scenario.phases.iter().map(|&phase| scenario.row(phase));
        rows.chain([scenario.name.to_owned()])
    });
    known("row", names, &all_rows.collect::<Vec<_>>())?;
    let everybody = SCENARIOS.iter().flat_map(|scenario| scenario.runners);
    let everybody: Vec<String> = everybody.map(|runner| runner.name.to_owned()).collect();
    known("contestant", &selection.contestants, &everybody)?;

    let parts = SCENARIOS.iter().map(|scenario| Part {
        scenario,
        phases: scenario.selected(names, selection.is_large),
        runners: scenario
            .runners
            .iter()
            .filter(|runner| {
                let wanted = &selection.contestants;
                wanted.is_empty() || wanted.iter().any(|name| name == runner.name)
            })
            .copied()
            .collect(),
        rounds: selection.rounds * scenario.size.times_rounds(),
    });
    let can_run = |part: &Part| !part.scenario.needs_two_cores() || cores::count() > 1;
    let parts = parts.filter(|part| !part.phases.is_empty() && !part.runners.is_empty());
    Ok(parts.filter(can_run).collect())
}

fn known(what: &str, names: &[String], all: &[String]) -> Result<(), String> {
    match names.iter().find(|name| !all.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
            all.retain(|name| !name.is_empty());
            all.sort_unstable();
            all.dedup();
            Err(format!(
                "there is no {what} {name}; there are {}",
                all.join(", ")
            ))
        }
    }
}

impl Scenario {
    /// The phases selected by the name of their row or of the scenario.
    fn selected(&self, names: &[String], is_large: bool) -> Vec<Phase> {
        let is_selected = |phase: &Phase| {
            let row = self.row(*phase);
            names
                .iter()
                .any(|name| *name == row || (name == self.name && !name.is_empty()))
        };
        if names.is_empty() {
            let is_wanted = is_large || !self.is_opt_in;
            return if is_wanted {
                self.phases.to_vec()
            } else {
                Vec::new()
            };
        }
        self.phases.iter().copied().filter(is_selected).collect()
    }

    fn needs_two_cores(&self) -> bool {
        let of_two = [Phase::WriteBeside, Phase::TwoWriters];
        self.phases.iter().any(|phase| of_two.contains(phase))
    }
}

impl Part {
    /// Every round of every contestant: each round begins with another one, and every second one
    /// goes the other way, so that nobody always follows the same.
    fn run(&self, usual: u64, progress: &ProgressBar) -> Vec<Figure> {
        let prepared = Prepared::new(self.scenario.workload(usual), self.scenario.order);
        let contestants = self.runners.len();
        let mut rounds: Vec<Vec<(Phase, Vec<f64>)>> = vec![Vec::new(); contestants];
        let timed: Vec<Phase> = self
            .phases
            .iter()
            .copied()
            .filter(|&p| p != Phase::Memory)
            .collect();
        for round in 0..self.rounds {
            for turn in 0..contestants {
                let turn = if round % 2 == 0 {
                    turn
                } else {
                    contestants - 1 - turn
                };
                let position = (round + turn) % contestants;
                let runner = &self.runners[position];
                progress.set_message(format!("{} {}", self.scenario.name, runner.name));
                if !timed.is_empty() {
                    add(&mut rounds[position], runner.round(&prepared, &timed));
                }
                progress.inc(1);
            }
        }
        if self.phases.contains(&Phase::Memory) {
            for (runner, figures) in self.runners.iter().zip(&mut rounds) {
                progress.set_message(format!("{} {} memory", self.scenario.name, runner.name));
                add(figures, runner.round(&prepared, &[Phase::Memory]));
            }
        }
        self.figures(prepared.entries() as u64, rounds)
    }

    fn figures(&self, entries: u64, mut rounds: Vec<Vec<(Phase, Vec<f64>)>>) -> Vec<Figure> {
        let mut figures = Vec::new();
        for &phase in &self.phases {
            for (runner, rounds) in self.runners.iter().zip(&mut rounds) {
                let values = rounds.iter_mut().find(|(of, _)| *of == phase);
                let values = values.map(|(_, values)| std::mem::take(values));
                let row = self.scenario.row(phase);
                let values = values.unwrap_or_default();
                figures.extend(Figure::of(row, runner.name, phase.unit(), entries, values));
            }
        }
        figures
    }
}

/// Adds the figures of a round to those of the rounds before.
fn add(rounds: &mut Vec<(Phase, Vec<f64>)>, figures: Vec<(Phase, f64)>) {
    for (phase, figure) in figures {
        match rounds.iter_mut().find(|(of, _)| *of == phase) {
            Some((_, values)) => values.push(figure),
            None => rounds.push((phase, vec![figure])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(rows: &[&str], contestants: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Selection {
            entries: 1000,
            rounds: 2,
            rows: owned(rows),
            contestants: owned(contestants),
            is_large: true,
        }
    }

    #[test]
    fn everybody_answers_right_in_every_row() {
        let record = run(&selection(&[], &[])).unwrap();
        for scenario in SCENARIOS {
            for &phase in scenario.phases {
                let row = scenario.row(phase);
                for runner in scenario.runners {
                    let figure = record.figure(&row, runner.name);
                    if scenario.name == "writers" {
                        // Those whose memory can't be touched beforehand sit out.
                        continue;
                    }
                    let figure = figure.unwrap_or_else(|| panic!("{row} {}", runner.name));
                    let rounds = if phase == Phase::Memory {
                        1
                    } else {
                        2 * scenario.size.times_rounds()
                    };
                    assert_eq!(figure.rounds, rounds, "{row} {}", runner.name);
                }
            }
        }
    }

    #[test]
    fn what_is_named_is_all_that_runs() {
        let record = run(&selection(&["readseq", "versions"], &["fjall", "strata"])).unwrap();
        let ran: Vec<_> = record
            .figures
            .iter()
            .map(|figure| (figure.row.as_str(), figure.contestant.as_str()))
            .collect();
        let expected = ["readseq", "versions/fillrandom", "versions/readrandom"];
        let expected = expected.map(|row| [(row, "strata"), (row, "fjall")]);
        assert_eq!(ran, expected.concat());
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_there_are() {
        let sentence = run(&selection(&["readrandm"], &[])).unwrap_err();
        assert!(
            sentence.starts_with("there is no row readrandm; there are beside, "),
            "{sentence}"
        );
        let sentence = run(&selection(&[], &["nobody"])).unwrap_err();
        assert!(
            sentence.starts_with("there is no contestant nobody"),
            "{sentence}"
        );
    }
}
