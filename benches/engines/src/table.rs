//! A record as tables of Markdown, with the targets that were met and those that were missed.

use std::fmt::Write as _;

use crate::record::Record;
use crate::targets::{Limit, OURS, TARGETS, Target};

/// How many entries the targets are for.
const ENTRIES: u64 = 1_000_000;

/// The tables: every row with everybody in a column, and the targets.
pub(crate) fn tables(record: &Record) -> String {
    let mut text = caution(record);
    text += &rows(record);
    let targets = targets(record);
    if !targets.is_empty() {
        text += "\n| | was | target |\n|---|---|--- |\n";
        text += &targets;
    }
    text
}

/// A sentence before the tables if the record is not what the targets are for.
fn caution(record: &Record) -> String {
    let entries = record.figures.iter().map(|figure| figure.entries).max();
    match entries {
        Some(entries) if entries != ENTRIES => format!(
            "The targets are for {ENTRIES} entries, and this is a record of {entries} at most.\n\n"
        ),
        _ => String::new(),
    }
}

fn rows(record: &Record) -> String {
    let (mut rows, mut contestants) = (Vec::new(), Vec::new());
    for figure in &record.figures {
        if !rows.contains(&&figure.row) {
            rows.push(&figure.row);
        }
        if !contestants.contains(&&figure.contestant) {
            contestants.push(&figure.contestant);
        }
    }
    let mut text = "| nanoseconds an entry or an operation".to_owned();
    for contestant in &contestants {
        // Writing to a string can't fail.
        let _ = write!(text, " | {contestant}");
    }
    let _ = writeln!(text, " |\n|---{} |", "|---".repeat(contestants.len()));
    for row in rows {
        let _ = write!(text, "| {row}");
        let ours = record.median(row, OURS);
        for contestant in &contestants {
            let median = record.median(row, contestant);
            let shown = match (median, ours) {
                (None, _) => String::new(),
                (Some(median), Some(ours)) if *contestant != OURS => {
                    format!("{}: {}x", number(median), number(median / ours))
                }
                (Some(median), _) => number(median),
            };
            let _ = write!(text, " | {shown}");
        }
        text += " |\n";
    }
    text
}

fn targets(record: &Record) -> String {
    let line = |target: &Target| {
        let value = target.value(record)?;
        let limit = match target.limit {
            Limit::AtLeast(limit) => format!("at least {limit}x"),
            Limit::AtMost(limit) => format!("at most {limit}x"),
            Limit::Below(limit) => format!("less than {limit}x"),
        };
        let word = if target.limit.is_met(value) {
            "met"
        } else {
            "**missed**"
        };
        let label = target.label;
        Some(format!("| {label} | {value:.2}x | {limit}, {word} |\n"))
    };
    TARGETS.iter().filter_map(line).collect()
}

/// A number with as many digits as say something.
fn number(number: f64) -> String {
    match number {
        _ if number >= 9.95 => format!("{number:.0}"),
        _ if number == number.trunc() => format!("{number:.0}"),
        _ if number >= 0.995 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Figure;

    fn record(figures: &[(&str, &str, f64)]) -> Record {
        let figure = |&(row, contestant, value): &(&str, &str, f64)| {
            Figure::of(row.to_owned(), contestant, "ns", 1000, vec![value])
        };
        Record {
            comment: Vec::new(),
            figures: figures.iter().filter_map(figure).collect(),
        }
    }

    #[test]
    fn a_row_shows_how_many_times_as_long_everybody_takes() {
        let record = record(&[
            ("log-on/1/fillseq", "strata", 400.0),
            ("log-on/1/fillseq", "fjall", 2200.0),
            ("log-off/1/fillseq", "memtable", 100.0),
        ]);
        assert_eq!(
            tables(&record),
            "The targets are for 1000000 entries, and this is a record of 1000 at most.\n\n\
             | nanoseconds an entry or an operation | strata | fjall | memtable |\n\
             |---|---|---|--- |\n\
             | log-on/1/fillseq | 400 | 2200: 5.5x |  |\n\
             | log-off/1/fillseq |  |  | 100 |\n",
        );
    }

    #[test]
    fn a_target_is_judged_if_both_its_figures_are_there() {
        let record = record(&[
            ("log-off/1/fillseq", "strata", 120.0),
            ("log-off/1/fillseq", "memtable", 100.0),
            ("log-off/1/fillrandom", "strata", 400.0),
            ("log-off/2/fillrandom", "strata", 250.0),
        ]);
        assert_eq!(
            targets(&record),
            "| the same, in order | 1.20x | at most 1.15x, **missed** |\n\
             | two writers at random, in times of one | 1.60x | at least 1.6x, met |\n",
        );
    }

    #[test]
    fn numbers_have_as_many_digits_as_say_something() {
        let shown = [2213.4, 99.6, 5.0, 5.04, 1.25, 0.954].map(number);
        assert_eq!(shown, ["2213", "100", "5", "5.0", "1.2", "0.95"]);
    }
}
