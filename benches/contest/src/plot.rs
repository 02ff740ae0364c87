//! Which charts are drawn of a record.

use std::fs;
use std::path::Path;

use crate::chart::{Bar, Chart, Group};
use crate::record::Record;
use crate::targets::{OURS, RACES, RIVALS};

/// The rivals of the first chart of speed, and those of the second.
const LISTS: [&str; 4] = [
    "inline-list",
    "rwlock-btreemap",
    "crossbeam-skiplist",
    "fjall",
];
const TREES: [&str; 3] = ["masstree", "tree-index", "ferntree"];

/// Draws every chart that the record has figures for into a folder.
///
/// # Errors
///
/// A sentence that names the file that could not be written.
pub(crate) fn plot(record: &Record, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let charts = [
        ("contest-speed.svg", speed(record, &LISTS)),
        ("contest-speed-trees.svg", speed(record, &TREES)),
        ("contest-memory.svg", memory(record)),
        ("contest-growth.svg", growth(record)),
    ];
    for (name, chart) in charts {
        if !chart.groups.is_empty() {
            chart.draw(&folder.join(name))?;
        }
    }
    Ok(())
}

/// How many times as fast as each of these rivals the memtable is, where there is a target beside
/// any.
fn speed(record: &Record, names: &[&str]) -> Chart {
    let rivals = RIVALS.iter().filter(|(name, _)| names.contains(name));
    let rivals: Vec<_> = rivals.collect();
    let group = |race: &crate::targets::Race| {
        let ours = record.median(race.row, OURS)?;
        let bars = rivals.iter().enumerate();
        let bars = bars.filter_map(|(series, (rival, _))| {
            Some(Bar {
                series,
                value: record.median(race.row, rival)? / ours,
                target: race.target(rival),
            })
        });
        let bars: Vec<Bar> = bars.collect();
        let label = race.label.to_owned();
        (!bars.is_empty()).then_some(Group { label, bars })
    };
    let races = RACES.iter().filter(|race| race.has_target());
    Chart {
        title: "How many times as fast as each rival the memtable is; a line marks the target"
            .to_owned(),
        series: rivals.iter().map(|(_, title)| plain(title)).collect(),
        groups: races.filter_map(group).collect(),
        unit: "x",
    }
}

/// Everybody's bytes an entry.
fn memory(record: &Record) -> Chart {
    let everybody = everybody();
    let rows = [
        ("memory", "16 and 100 bytes, random order"),
        ("sequential/memory", "16 and 100 bytes, in order"),
        ("short/memory", "8 and 8 bytes, random order"),
    ];
    Chart {
        title: "Bytes an entry beyond its key and value".to_owned(),
        series: everybody.iter().map(|(_, title)| plain(title)).collect(),
        groups: groups(&rows, &everybody, record),
        unit: "",
    }
}

fn groups(rows: &[(&str, &str)], everybody: &[(&str, &str)], record: &Record) -> Vec<Group> {
    let group = |&(row, label): &(&str, &str)| {
        let bars = everybody.iter().enumerate();
        let bars = bars.filter_map(|(series, (contestant, _))| {
            let value = record.median(row, contestant)?;
            Some(Bar {
                series,
                value,
                target: None,
            })
        });
        Group {
            label: label.to_owned(),
            bars: bars.collect(),
        }
    };
    let groups = rows.iter().map(group);
    groups.filter(|group| !group.bars.is_empty()).collect()
}

/// Everybody's lookups as entries become more.
fn growth(record: &Record) -> Chart {
    let rows = ["100k/readrandom", "readrandom", "large/readrandom"];
    let entries = |row: &&str| {
        let of_row = record.figures.iter().find(|figure| figure.row == *row)?;
        Some(format!("{} entries", benches::Count(of_row.entries)))
    };
    let series: Option<Vec<String>> = rows.iter().map(entries).collect();
    let group = |(contestant, title): &(&str, &str)| {
        let bars = rows.iter().enumerate().filter_map(|(series, row)| {
            let value = record.median(row, contestant)?;
            Some(Bar {
                series,
                value,
                target: None,
            })
        });
        let bars: Vec<Bar> = bars.collect();
        (bars.len() == rows.len()).then(|| Group {
            label: plain(title),
            bars,
        })
    };
    Chart {
        title: "A lookup of a key that is there, as entries become more".to_owned(),
        groups: match series {
            Some(_) => everybody().iter().filter_map(group).collect(),
            None => Vec::new(),
        },
        series: series.unwrap_or_default(),
        unit: " ns",
    }
}

/// The memtable and its rivals.
fn everybody() -> Vec<(&'static str, &'static str)> {
    [(OURS, OURS)]
        .into_iter()
        .chain(RIVALS.iter().copied())
        .collect()
}

/// A title without what makes it code in Markdown.
fn plain(title: &str) -> String {
    title.replace('`', "")
}
