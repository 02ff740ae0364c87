//! A record as tables of Markdown, with the targets that were met and those that were missed.

use std::fmt::Write as _;

use crate::record::Record;
use crate::targets::{CLAIMS, Claim, Limit, OURS, RACES, RIVALS, Race};

/// How many entries the targets are for.
const ENTRIES: u64 = 1_000_000;

/// How many lines a table has before its first row.
const HEAD_LINES: usize = 2;

/// The tables: races, claims, and instructions if the record has any.
pub(crate) fn tables(record: &Record) -> String {
    let mut text = caution(record);
    text += &races(record);
    let claims = claims(record);
    if claims.lines().count() > HEAD_LINES {
        text.push('\n');
        text += &claims;
    }
    for (row, title) in [("tiny/", "entries, skl among them"), ("instructions/", "")] {
        let others = others(record, row, title);
        if !others.is_empty() {
            text.push('\n');
            text += &others;
        }
    }
    text
}

/// How often the memtable met a target, and how often it missed one.
#[derive(Debug, Default)]
struct Tally {
    met: usize,
    missed: usize,
}

impl Tally {
    /// Counts, and says in the table's words.
    fn judge(&mut self, is_met: bool) -> &'static str {
        if is_met {
            self.met += 1;
            "met"
        } else {
            self.missed += 1;
            "**missed**"
        }
    }
}

/// A sentence before the tables if the record is not what the targets are for.
fn caution(record: &Record) -> String {
    // The rows without a scenario's name have as many entries as the contest is about.
    let mut usual = record
        .figures
        .iter()
        .filter(|figure| !figure.row.contains('/'));
    match usual.next() {
        Some(figure) if figure.entries != ENTRIES => format!(
            "The targets are for {ENTRIES} entries, and this is a record of {}.\n\n",
            figure.entries
        ),
        _ => String::new(),
    }
}

fn races(record: &Record) -> String {
    let mut text = "| nanoseconds an entry or an operation | strata".to_owned();
    for (_, title) in RIVALS {
        // Writing to a string can't fail.
        let _ = write!(text, " | {title}");
    }
    let _ = writeln!(text, " |\n|---|---{} |", "|---".repeat(RIVALS.len()));
    let mut tally = Tally::default();
    for race in RACES {
        if let Some(ours) = record.median(race.row, OURS) {
            let _ = write!(text, "| {} | {}", race.label, number(ours));
            for (rival, _) in RIVALS {
                let _ = write!(text, " | {}", cell(record, race, rival, ours, &mut tally));
            }
            text += " |\n";
        }
    }
    let Tally { met, missed } = tally;
    let _ = writeln!(
        text,
        "\nOf these targets {met} were met and {missed} missed."
    );
    text
}

/// A rival's time, how many times as fast the memtable is, and the target.
fn cell(record: &Record, race: &Race, rival: &str, ours: f64, tally: &mut Tally) -> String {
    let Some(theirs) = record.median(race.row, rival) else {
        return String::new();
    };
    let ratio = theirs / ours;
    let shown = format!("{}: {}x", number(theirs), number(ratio));
    match race.target(rival) {
        None => shown,
        Some(target) => {
            let word = tally.judge(Limit::AtLeast(target).is_met(ratio));
            format!("{shown} of {}x, {word}", number(target))
        }
    }
}

fn claims(record: &Record) -> String {
    let mut text = "| | strata | target | ".to_owned();
    text += &RIVALS
        .iter()
        .map(|(_, title)| *title)
        .collect::<Vec<_>>()
        .join(" | ");
    let _ = writeln!(text, " |\n|---|---|---{} |", "|---".repeat(RIVALS.len()));
    for claim in CLAIMS {
        let shown = |who| {
            let value = (claim.value)(record, who);
            value.map_or(String::new(), |value| {
                format!("{}{}", number(value), claim.unit)
            })
        };
        let rivals: Vec<String> = RIVALS.iter().map(|(rival, _)| shown(rival)).collect();
        let (ours, all) = (shown(OURS), rivals.concat());
        if !(ours.is_empty() && all.is_empty()) {
            let target = target(record, claim);
            let rivals = rivals.join(" | ");
            let _ = writeln!(text, "| {} | {ours} | {target} | {rivals} |", claim.label);
        }
    }
    text
}

fn target(record: &Record, claim: &Claim) -> String {
    let (word, limit) = match claim.limit {
        Limit::AtLeast(limit) => ("at least", limit),
        Limit::AtMost(limit) if limit.is_infinite() => return String::new(),
        Limit::AtMost(limit) => ("at most", limit),
    };
    let limit = format!("{word} {}{}", number(limit), claim.unit);
    match (claim.value)(record, OURS) {
        None => limit,
        Some(value) => {
            let word = Tally::default().judge(claim.limit.is_met(value));
            format!("{limit}, {word}")
        }
    }
}

/// The rows whose names begin so, everybody who has a figure in a column.
fn others(record: &Record, prefix: &str, title: &str) -> String {
    let figures = record.figures.iter();
    let figures: Vec<_> = figures
        .filter(|figure| figure.row.starts_with(prefix))
        .collect();
    let (mut rows, mut contestants) = (Vec::new(), Vec::new());
    for figure in &figures {
        if !rows.contains(&&figure.row) {
            rows.push(&figure.row);
        }
        if !contestants.contains(&&figure.contestant) {
            contestants.push(&figure.contestant);
        }
    }
    let Some(first) = figures.first() else {
        return String::new();
    };
    let unit = if first.unit == "ns" {
        "nanoseconds"
    } else {
        &first.unit
    };
    let mut text = format!(
        "| {unit}, {} entries{}",
        first.entries,
        title.replace("entries", "")
    );
    for contestant in &contestants {
        let _ = write!(text, " | {contestant}");
    }
    let _ = writeln!(text, " |\n|---{} |", "|---".repeat(contestants.len()));
    for row in rows {
        let _ = write!(text, "| {}", row.trim_start_matches(prefix));
        for contestant in &contestants {
            let median = record.median(row, contestant);
            let _ = write!(text, " | {}", median.map_or(String::new(), number));
        }
        text += " |\n";
    }
    text
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
    fn a_race_shows_the_ratio_beside_its_target() {
        let record = record(&[
            ("readrandom", "strata", 400.0),
            ("readrandom", "inline-list", 2200.0),
            ("readrandom", "fjall", 2800.0),
        ]);
        let text = races(&record);
        let line = text.lines().find(|line| line.contains("hit")).unwrap();
        assert_eq!(
            line,
            "| random get, hit | 400 | 2200: 5.5x of 5x, met |  |  | 2800: 7x of 8x, **missed** |  |",
        );
        assert!(text.ends_with("1 were met and 1 missed.\n"), "{text}");
        let head = text.lines().next().unwrap().matches('|').count();
        assert_eq!(head, line.matches('|').count());
    }

    #[test]
    fn a_claim_is_judged_by_our_own_value() {
        let record = record(&[
            ("readrandom", "strata", 400.0),
            ("get16", "strata", 250.0),
            ("memory", "strata", 22.8),
            ("memory", "fjall", 80.0),
        ]);
        let text = claims(&record);
        assert!(
            text.contains("| 1.6x | at least 2x, **missed** |"),
            "{text}"
        );
        assert!(
            text.contains("| 23 B | at most 23 B, met |  |  |  | 80 B |"),
            "{text}"
        );
        assert!(!text.contains("two writers"), "{text}");
    }

    #[test]
    fn a_record_of_fewer_entries_says_that_the_targets_are_for_more() {
        let text = tables(&record(&[("readrandom", "strata", 400.0)]));
        assert!(
            text.starts_with("The targets are for 1000000 entries, and this is a record of 1000.")
        );
        let text = tables(&record(&[("small/readrandom", "strata", 400.0)]));
        assert!(text.starts_with('|'), "{text}");
    }

    #[test]
    fn numbers_have_as_many_digits_as_say_something() {
        let shown = [2213.4, 99.6, 5.0, 5.04, 1.25, 0.954].map(number);
        assert_eq!(shown, ["2213", "100", "5", "5.0", "1.2", "0.95"]);
    }
}
