//! A run: every scenario, its contestants in turn, round by round.

use std::path::Path;
use std::process::{Command, Stdio};

use indicatif::{ProgressBar, ProgressStyle};

use crate::options::TurnOptions;
use crate::prepared::Prepared;
use crate::record::{Figure, Record};
use crate::scenario::{Figures, Phase, RUNNERS, Runner, SCENARIOS, Scenario};

/// What to run.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) entries: u64,
    pub(crate) rounds: usize,
    /// Names of rows, scenarios or phases; all if empty.
    pub(crate) rows: Vec<String>,
    /// Names of contestants; all if empty.
    pub(crate) contestants: Vec<String>,
}

/// A scenario with what of it was selected.
pub(crate) struct Part {
    scenario: &'static Scenario,
    phases: Vec<Phase>,
    runners: Vec<&'static Runner>,
    entries: u64,
}

/// Runs what is selected; `turn` measures one contestant once.
///
/// # Errors
///
/// A sentence if a name is unknown, or a turn failed.
pub(crate) fn run(
    selection: &Selection,
    turn: impl Fn(&Part, &Runner) -> Result<Figures, String>,
) -> Result<Record, String> {
    let parts = parts(selection)?;
    let mut record = Record::default();
    let turns: usize = parts.iter().map(|part| part.runners.len()).sum();
    let progress = progress(turns * selection.rounds);
    for part in &parts {
        let turn = |runner: &Runner| {
            progress.set_message(format!("{} {}", part.scenario.name, runner.name));
            let figures = turn(part, runner);
            progress.inc(1);
            figures
        };
        record.figures.extend(part.run(selection.rounds, turn)?);
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
    for name in &selection.rows {
        let is_known =
            |scenario: &Scenario| !scenario.selected(std::slice::from_ref(name)).is_empty();
        if !SCENARIOS.iter().any(is_known) {
            let scenarios = SCENARIOS.iter().map(|scenario| scenario.name);
            return Err(unknown("row", name, scenarios));
        }
    }
    for name in &selection.contestants {
        if !RUNNERS.iter().any(|runner| runner.name == name) {
            let names = RUNNERS.iter().map(|runner| runner.name);
            return Err(unknown("contestant", name, names));
        }
    }
    let is_wanted = |runner: &&Runner| {
        let wanted = &selection.contestants;
        wanted.is_empty() || wanted.iter().any(|name| name == runner.name)
    };
    let parts = SCENARIOS.iter().map(|scenario| Part {
        scenario,
        phases: scenario.selected(&selection.rows),
        runners: scenario.runners().into_iter().filter(is_wanted).collect(),
        entries: scenario.entries(selection.entries),
    });
    let parts = parts.filter(|part| !part.phases.is_empty() && !part.runners.is_empty());
    Ok(parts.collect())
}

fn unknown<'a>(what: &str, name: &str, all: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = all.collect();
    all.dedup();
    format!("there is no {what} {name}; there are {}", all.join(", "))
}

impl Part {
    /// Every round of every contestant: each round begins with another one, and every second one goes
    /// the other way, so that nobody always follows the same.
    fn run(
        &self,
        rounds: usize,
        turn: impl Fn(&Runner) -> Result<Figures, String>,
    ) -> Result<Vec<Figure>, String> {
        let contestants = self.runners.len();
        let mut all = vec![Figures::new(); contestants];
        for round in 0..rounds {
            for turns in 0..contestants {
                let turns = if round % 2 == 0 {
                    turns
                } else {
                    contestants - 1 - turns
                };
                let position = (round + turns) % contestants;
                all[position].extend(turn(self.runners[position])?);
            }
        }
        let mut figures = Vec::new();
        for &phase in &self.phases {
            for (runner, all) in self.runners.iter().zip(&all) {
                let of_phase = all.iter().filter(|(of, _)| *of == phase);
                let values = of_phase.map(|&(_, value)| value).collect();
                let row = self.scenario.row(phase);
                let figure = Figure::of(row, runner.name, phase.unit(), self.entries, values);
                figures.extend(figure);
            }
        }
        Ok(figures)
    }

    fn rows(&self) -> impl Iterator<Item = String> {
        self.phases.iter().map(|&phase| self.scenario.row(phase))
    }
}

/// Measures a contestant once, in a process of its own: so everybody begins with memory nobody has
/// touched, and beside nobody's threads.
///
/// # Errors
///
/// A sentence if it could not be started or ended in a panic.
pub(crate) fn turn_apart(part: &Part, runner: &Runner, folder: &Path) -> Result<Figures, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("turn").arg(runner.name).args(part.rows());
    command.args(["--entries", &part.entries.to_string()]);
    command.arg("--folder").arg(folder);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    parsed(&text, part).ok_or_else(|| format!("{command:?} said {text:?}"))
}

/// What a process says of its turn: a row and a figure in each line.
pub(crate) fn turn_text(options: &TurnOptions) -> Result<String, String> {
    let runner = RUNNERS
        .iter()
        .find(|runner| runner.name == options.contestant);
    let runner = runner.ok_or_else(|| format!("there is no contestant {}", options.contestant))?;
    let selected = |scenario: &&Scenario| !scenario.selected(&options.rows).is_empty();
    let scenario = SCENARIOS.iter().find(selected);
    let scenario = scenario.ok_or_else(|| format!("there is none of {:?}", options.rows))?;
    let prepared = Prepared::new(options.entries);
    let phases = scenario.selected(&options.rows);
    let figures = runner.turn(scenario.kind, &prepared, &phases, &options.folder);
    let line = |(phase, figure): (Phase, f64)| format!("{}\t{figure}\n", scenario.row(phase));
    Ok(figures.into_iter().map(line).collect())
}

fn parsed(text: &str, part: &Part) -> Option<Figures> {
    let figure = |line: &str| {
        let (row, figure) = line.split_once('\t')?;
        let is_row = |phase: &&Phase| part.scenario.row(**phase) == row;
        let phase = part.phases.iter().find(is_row)?;
        Some((*phase, figure.parse().ok()?))
    };
    let figures: Figures = text.lines().map(figure).collect::<Option<_>>()?;
    (figures.len() == part.phases.len()).then_some(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(rows: &[&str], contestants: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Selection {
            entries: 5000,
            rounds: 1,
            rows: owned(rows),
            contestants: owned(contestants),
        }
    }

    /// As a process of its own would, but in this one.
    fn run_here(selection: &Selection) -> Result<Record, String> {
        let folder = tempfile::tempdir().unwrap();
        run(selection, |part, runner| {
            let options = TurnOptions {
                contestant: runner.name.to_owned(),
                rows: part.rows().collect(),
                entries: part.entries,
                folder: folder.path().to_owned(),
            };
            let text = turn_text(&options)?;
            assert_eq!(
                folder.path().read_dir().unwrap().count(),
                0,
                "files are left"
            );
            parsed(&text, part).ok_or(text)
        })
    }

    #[test]
    fn everybody_answers_right_in_every_row() {
        let record = run_here(&selection(&[], &[])).unwrap();
        for scenario in SCENARIOS {
            for &phase in scenario.phases {
                let row = scenario.row(phase);
                for runner in scenario.runners() {
                    let figure = record.figure(&row, runner.name);
                    let figure = figure.unwrap_or_else(|| panic!("{row} {}", runner.name));
                    assert_eq!(figure.rounds, 1, "{row} {}", runner.name);
                    assert_eq!(figure.entries, scenario.entries(5000), "{row}");
                }
            }
        }
        let flushes = record.median("latency/flushing/flushes", "strata");
        assert!(flushes >= Some(3.0), "{flushes:?}");
        assert_eq!(record.median("latency/quiet/flushes", "strata"), Some(0.0));
    }

    #[test]
    fn what_is_named_is_all_that_runs() {
        let selection = selection(&["log-on/1/fillseq", "readrandom"], &["fjall"]);
        let record = run_here(&selection).unwrap();
        let ran = record.figures.iter().map(|figure| figure.row.as_str());
        let expected = [
            "log-on/1/fillseq",
            "log-on/1/readrandom",
            "log-on/2/readrandom",
        ];
        assert!(ran.eq(expected), "{record:?}");
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_there_are() {
        let sentence = run_here(&selection(&["readrandm"], &[])).unwrap_err();
        assert!(
            sentence.starts_with("there is no row readrandm; there are log-off/1, "),
            "{sentence}"
        );
        let sentence = run_here(&selection(&[], &["nobody"])).unwrap_err();
        assert!(
            sentence.starts_with("there is no contestant nobody; there are strata, "),
            "{sentence}"
        );
    }

    #[test]
    fn a_process_that_says_something_else_is_not_believed() {
        let selection = selection(&["log-on/1/fillseq"], &["fjall"]);
        let part = &parts(&selection).unwrap()[0];
        let right = parsed("log-on/1/fillseq\t12.5\n", part);
        assert_eq!(right, Some(vec![(Phase::FillSeq, 12.5)]));
        for wrong in [
            "",
            "log-on/1/fillseq\n",
            "fillseq\t1\n",
            "log-on/1/fillseq\tfast\n",
        ] {
            assert_eq!(parsed(wrong, part), None, "{wrong:?}");
        }
    }
}
