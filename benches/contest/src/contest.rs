//! A run: every scenario, its contestants in turn, round by round.

use indicatif::{ProgressBar, ProgressStyle};

use crate::cores;
use crate::heap;
use crate::prepared::Prepared;
use crate::record::{Figure, Record};
use crate::runner::{Figures, Runner};
use crate::scenario::{Company, Phase, Quantile, SCENARIOS, Scenario, Single};
use crate::targets::OURS;

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

/// The beginning of the line in a record's comment that names a contestant with a wrong answer.
pub(crate) const LEFT_OUT: &str = "left out: ";

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
/// A sentence if a name is unknown, or if the memtable gives a wrong answer. A rival that does is left
/// out of the row, and the record's comment says so.
pub(crate) fn run(selection: &Selection) -> Result<Record, String> {
    let parts = parts(selection)?;
    let mut record = Record::default();
    record.comment.push(format!("allocator: {}", heap::NAME));
    if !cores::pin_first() {
        record
            .comment
            .push("not pinned: the system keeps no thread on a core".to_owned());
    }
    let rounds = parts.iter().map(|part| part.rounds * part.runners.len());
    let progress = progress(rounds.sum());
    for part in &parts {
        let (figures, left_out) = part.run(selection.entries, &progress);
        record.figures.extend(figures);
        for (row, contestant, sentence) in left_out {
            if contestant == OURS {
                return Err(format!("{row}: {sentence}"));
            }
            let line = format!("{LEFT_OUT}{contestant} from {row}: {sentence}");
            record.comment.push(line);
        }
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
        let of_two = [
            Phase::WriteBeside,
            Phase::TwoWriters,
            Phase::FourWriters,
            Phase::Single(Single::Get, Company::Writer, Quantile::P50),
        ];
        self.phases.iter().any(|phase| of_two.contains(phase))
    }
}

impl Part {
    /// Every round of every contestant: each round begins with another one, and every second one
    /// goes the other way, so that nobody always follows the same.
    fn run(&self, usual: u64, progress: &ProgressBar) -> (Vec<Figure>, Vec<LeftOut>) {
        let prepared = Prepared::new(self.scenario.workload(usual), self.scenario.order);
        let contestants = self.runners.len();
        let mut rounds: Vec<Vec<OfPhase>> = vec![Vec::new(); contestants];
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
                let phases = self.phases(runner, &rounds[position], |p| p != Phase::Memory);
                if !phases.is_empty() {
                    add(&mut rounds[position], runner.round(&prepared, &phases));
                }
                progress.inc(1);
            }
        }
        for (runner, rounds) in self.runners.iter().zip(&mut rounds) {
            let phases = self.phases(runner, rounds, |p| p == Phase::Memory);
            if !phases.is_empty() {
                progress.set_message(format!("{} {} memory", self.scenario.name, runner.name));
                add(rounds, runner.round(&prepared, &phases));
            }
        }
        self.outcome(prepared.entries() as u64, &rounds)
    }

    /// The phases that a contestant takes part in and has given no wrong answer in.
    fn phases(
        &self,
        runner: &Runner,
        rounds: &[OfPhase],
        is_wanted: impl Fn(Phase) -> bool,
    ) -> Vec<Phase> {
        let is_wrong = |phase: Phase| {
            let of_phase = rounds.iter().find(|of_phase| of_phase.phase == phase);
            of_phase.is_some_and(|of_phase| of_phase.figures.is_err())
        };
        let phases = self.phases.iter().copied();
        let phases = phases.filter(|&phase| is_wanted(phase) && runner.takes_part_in(phase));
        phases.filter(|&phase| !is_wrong(phase)).collect()
    }

    fn outcome(&self, entries: u64, rounds: &[Vec<OfPhase>]) -> (Vec<Figure>, Vec<LeftOut>) {
        let (mut figures, mut left_out) = (Vec::new(), Vec::new());
        for &phase in &self.phases {
            for (runner, rounds) in self.runners.iter().zip(rounds) {
                let row = self.scenario.row(phase);
                let Some(of_phase) = rounds.iter().find(|of_phase| of_phase.phase == phase) else {
                    continue;
                };
                match &of_phase.figures {
                    Ok(values) => {
                        let (unit, values) = (phase.unit(), values.clone());
                        figures.extend(Figure::of(row, runner.name, unit, entries, values));
                    }
                    Err(sentence) => left_out.push((row, runner.name, sentence.clone())),
                }
            }
        }
        (figures, left_out)
    }
}

/// The row, the contestant, and what was wrong.
type LeftOut = (String, &'static str, String);

/// A contestant's figures of a phase, of all rounds; or what was wrong in one.
#[derive(Clone, Debug)]
struct OfPhase {
    phase: Phase,
    figures: Result<Vec<f64>, String>,
}

/// Adds the figures of a round to those of the rounds before.
fn add(rounds: &mut Vec<OfPhase>, figures: Figures) {
    for (phase, figure) in figures {
        let at = rounds.iter().position(|of_phase| of_phase.phase == phase);
        let at = at.unwrap_or_else(|| {
            let figures = Ok(Vec::new());
            rounds.push(OfPhase { phase, figures });
            rounds.len() - 1
        });
        match (&mut rounds[at].figures, figure) {
            (Ok(values), Ok(figure)) => values.push(figure),
            (figures @ Ok(_), Err(sentence)) => *figures = Err(sentence),
            (Err(_), _) => {}
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
                    if !runner.takes_part_in(phase) {
                        assert_eq!(figure, None, "{row} {}", runner.name);
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
        let left_out = record.comment.iter().find(|line| line.contains(LEFT_OUT));
        assert_eq!(left_out, None);
    }

    /// It does not end the contest, nor do its other phases suffer.
    #[test]
    fn a_wrong_answer_keeps_a_contestant_out_of_a_row_for_good() {
        let mut rounds = Vec::new();
        let right = |phase, figure| (phase, Ok(figure));
        add(
            &mut rounds,
            vec![right(Phase::ReadSeq, 1.0), right(Phase::Get16, 2.0)],
        );
        add(
            &mut rounds,
            vec![
                (Phase::ReadSeq, Err("wrong".to_owned())),
                right(Phase::Get16, 3.0),
            ],
        );
        let part = Part {
            scenario: &SCENARIOS[0],
            phases: vec![Phase::ReadSeq, Phase::Get16],
            runners: SCENARIOS[0].runners[..1].to_vec(),
            rounds: 2,
        };
        assert_eq!(
            part.phases(&part.runners[0], &rounds, |_| true),
            [Phase::Get16]
        );
        let (figures, left_out) = part.outcome(7, &[rounds]);
        assert_eq!(figures.len(), 1);
        assert_eq!((figures[0].row.as_str(), figures[0].median), ("get16", 2.5));
        assert_eq!(
            left_out,
            [("readseq".to_owned(), "strata", "wrong".to_owned())]
        );
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
            sentence.starts_with("there is no row readrandm; there are 100k, "),
            "{sentence}"
        );
        let sentence = run(&selection(&[], &["nobody"])).unwrap_err();
        assert!(
            sentence.starts_with("there is no contestant nobody"),
            "{sentence}"
        );
    }
}
