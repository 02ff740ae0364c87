//! Records of measurements: what they say of where they were taken, and where they are kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::run::{Failure, Result, output};

/// A record says which commit it is of, so there must not be more than that.
pub(crate) fn refuse_changes(root: &Path) -> Result<()> {
    let status = output(
        Command::new("git")
            .args(["status", "--porcelain"])
            .current_dir(root),
    )?;
    match status.lines().next() {
        None => Ok(()),
        Some(first) => Err(Failure::new(format!(
            "a record is of a commit, and the tree differs from it: {first}"
        ))),
    }
}

/// What a record is taken on.
pub(crate) struct Machine {
    commit: String,
    triple: String,
    compiler: String,
    cpu: String,
}

impl Machine {
    /// This machine, and the commit that is checked out.
    pub(crate) fn of(root: &Path) -> Result<Self> {
        let git = ["rev-parse", "--short", "HEAD"];
        let commit = output(Command::new("git").args(git).current_dir(root))?;
        let rustc = output(Command::new("rustc").arg("-vV").current_dir(root))?;
        let field = |name: &str| rustc.lines().find_map(|line| line.strip_prefix(name));
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Ok(Self {
            commit: commit.trim().to_owned(),
            triple: field("host: ").unwrap_or("unknown").to_owned(),
            compiler: rustc.lines().next().unwrap_or("unknown").to_owned(),
            cpu: model(&cpu),
        })
    }

    /// What the head of a record says.
    pub(crate) fn lines(&self) -> Vec<String> {
        vec![
            format!("commit: {}", self.commit),
            format!("CPU: {}", self.cpu),
            format!(
                "compiler: {}, profile release with lto = \"fat\"",
                self.compiler
            ),
        ]
    }
}

/// What Linux says about the processors.
fn model(cpuinfo: &str) -> String {
    let fields = |name: &str| {
        let lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let of_name = lines.filter(|(key, _)| key.trim() == name);
        of_name
            .map(|(_, value)| value.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let (names, models) = (fields("model name"), fields("model"));
    let (Some(name), Some(model)) = (names.first(), models.first()) else {
        return "unknown".to_owned();
    };
    format!("{name} (model {model}), {} cores", names.len())
}

/// The load average of the last minute.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

/// Today's date, in UTC.
fn today() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    date(since.as_secs() / (24 * 60 * 60))
}

/// The date so many days after 1970-01-01.
fn date(days: u64) -> String {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let (mut year, mut rest) = (1970, days);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if rest < length {
            break;
        }
        rest -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", rest + 1)
}

/// Where a record of today is kept, from the root.
pub(crate) fn path_today(machine: &Machine, what: &str) -> PathBuf {
    PathBuf::from("benches/record")
        .join(&machine.triple)
        .join(format!("{}-{what}.tsv", today()))
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Failure::while_doing(path.display(), error))
}

/// Write a file, in a folder that is made if it is not there.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let fault = |error| Failure::while_doing(path.display(), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fault)?;
    }
    fs::write(path, text).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(59), "1970-03-01");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(11_017), "2000-03-01");
        assert_eq!(date(20_777), "2026-11-20");
        assert_eq!(date(47_540), "2100-02-28");
        assert_eq!(date(47_541), "2100-03-01");
    }

    #[test]
    fn the_processor_is_named() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 167\nmodel name\t: Some CPU\n\n\
                       processor\t: 1\nmodel\t\t: 167\nmodel name\t: Some CPU\n";
        assert_eq!(model(cpuinfo), "Some CPU (model 167), 2 cores");
        assert_eq!(model(""), "unknown");
    }
}
