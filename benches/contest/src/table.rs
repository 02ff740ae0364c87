//! A record as tables of Markdown, with the targets: those that were missed in bold.

use std::fmt::Write as _;

use crate::contest::LEFT_OUT;
use crate::record::Record;
use crate::targets::{CLAIMS, Claim, Limit, OURS, RACES, RIVALS, Race};

/// How many entries the targets are for.
const ENTRIES: u64 = 1_000_000;

/// How many lines a table has before its first row.
const HEAD_LINES: usize = 2;

/// The beginnings of the names of rows that have a table of their own, with its title.
const OTHERS: [(&str, &str); 5] = [
    ("short/", "8-byte keys and values, congee among them"),
    ("1k/", "skl among them"),
    (
        "crowd/",
        "more threads than two cores, the time until all are done",
    ),
    ("single/", "single operations"),
    ("instructions/", ""),
];

/// The tables: races, claims, and what else the record has; then the contestants that were left out.
pub(crate) fn tables(record: &Record) -> String {
    let mut text = caution(record);
    text += &races(record);
    let claims = claims(record);
    if claims.lines().count() > HEAD_LINES {
        text.push('\n');
        text += &claims;
    }
    for (row, title) in OTHERS {
        let others = others(record, row, title);
        if !others.is_empty() {
            text.push('\n');
            text += &others;
        }
    }
    for line in &record.comment {
        if let Some(left_out) = line.strip_prefix(LEFT_OUT) {
            let _ = write!(text, "\nA wrong answer left out {left_out}\n");
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
    /// Counts, and shows what was missed in bold.
    fn judge(&mut self, is_met: bool, shown: &str) -> String {
        if is_met {
            self.met += 1;
            shown.to_owned()
        } else {
            self.missed += 1;
            format!("**{shown}**")
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
    let shown = match race.target(rival) {
        None => format!("{}x", number(ratio)),
        Some(target) => {
            let shown = format!("{}x of {}x", number(ratio), number(target));
            tally.judge(Limit::AtLeast(target).is_met(ratio), &shown)
        }
    };
    format!("{}: {shown}", number(theirs))
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
    let Some(limit) = claim.limit else {
        return String::new();
    };
    let (word, most) = match limit {
        Limit::AtLeast(limit) => ("at least", limit),
        Limit::AtMost(limit) => ("at most", limit),
    };
    let shown = format!("{word} {}{}", number(most), claim.unit);
    match (claim.value)(record, OURS) {
        None => shown,
        Some(value) if limit.is_met(value) => format!("{shown}, met"),
        Some(_) => format!("{shown}, **missed**"),
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
    let mut text = format!("| {unit}, {} entries", first.entries);
    if !title.is_empty() {
        let _ = write!(text, ", {title}");
    }
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
            ("readrandom", "inline-list", 2600.0),
            ("readrandom", "fjall", 2800.0),
        ]);
        let text = races(&record);
        let line = text.lines().find(|line| line.contains("hit")).unwrap();
        assert_eq!(
            line,
            "| random get, hit | 400 | 2600: 6.5x of 6x |  |  | 2800: **7x of 8x** |  |  |  |  |",
        );
        assert!(text.ends_with("1 were met and 1 missed.\n"), "{text}");
        let head = text.lines().next().unwrap().matches('|').count();
        assert_eq!(head, line.matches('|').count());
    }

    #[test]
    fn a_claim_is_judged_by_our_own_value() {
        let record = record(&[
            ("readrandom", "strata", 400.0),
            ("readrandom", "two-miss-floor", 250.0),
            ("memory", "strata", 22.8),
            ("memory", "fjall", 80.0),
        ]);
        let text = claims(&record);
        assert!(
            text.contains("| 1.6x | at most 1.5x, **missed** |"),
            "{text}"
        );
        assert!(
            text.contains("| 23 B | at most 23 B, met |  |  |  | 80 B |  |  |  |  |"),
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
        let text = tables(&record(&[("100k/readrandom", "strata", 400.0)]));
        assert!(text.starts_with('|'), "{text}");
    }

    #[test]
    fn who_was_left_out_is_named() {
        let mut record = record(&[("readrandom", "strata", 400.0)]);
        let left_out = format!("{LEFT_OUT}masstree from readseq: a scan");
        record.comment.push(left_out);
        let text = tables(&record);
        let last = text.lines().last();
        assert_eq!(
            last,
            Some("A wrong answer left out masstree from readseq: a scan")
        );
    }

    #[test]
    fn the_other_tables_have_a_column_for_everybody_who_has_a_figure() {
        let record = record(&[
            ("short/readrandom", "strata", 400.0),
            ("short/readrandom", "congee", 100.0),
        ]);
        let text = others(&record, OTHERS[0].0, OTHERS[0].1);
        let head = "| nanoseconds, 1000 entries, 8-byte keys and values, congee among them";
        assert_eq!(
            text,
            format!("{head} | strata | congee |\n|---|---|--- |\n| readrandom | 400 | 100 |\n")
        );
    }

    #[test]
    fn numbers_have_as_many_digits_as_say_something() {
        let shown = [2213.4, 99.6, 5.0, 5.04, 1.25, 0.954].map(number);
        assert_eq!(shown, ["2213", "100", "5", "5.0", "1.2", "0.95"]);
    }
}
