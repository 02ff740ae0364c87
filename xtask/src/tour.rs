//! A tour of the `strata` program on the sample log: each command, why, and what it answers.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::interop::build_strata;
use crate::run::{Failure, Result, shown};
use crate::workspace::Workspace;

/// A LevelDB directory whose log holds a week in the books of a fruit stall.
const SAMPLE: &str = "crates/cli/tests/data/sample";

/// The last sequence number of the stall's first delivery, before anything was sold.
const OPENING: &str = "24";

/// How many lines of a long answer are shown.
const MOST_LINES: usize = 12;

/// A command of the tour, and what it is there to show.
struct Stop {
    why: &'static str,
    arguments: Vec<String>,
    /// Whether the answer is a value or a report; otherwise it is that there is none, told by the status.
    finds: bool,
}

impl Stop {
    fn new(why: &'static str, arguments: &[&str]) -> Self {
        Self {
            why,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            finds: true,
        }
    }

    fn that_finds_nothing(mut self) -> Self {
        self.finds = false;
        self
    }
}

/// `cargo xtask tour`: build the program and show what it does.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    show(&workspace, &build_strata(&workspace)?)
}

fn show(workspace: &Workspace, program: &Path) -> Result<()> {
    let full = workspace.target.join("tour");
    match fs::remove_dir_all(&full) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::while_doing(full.display(), error));
        }
        _ => {}
    }
    let out = full
        .strip_prefix(&workspace.root)
        .unwrap_or(&full)
        .display()
        .to_string();
    println!(
        "\nA fruit stall kept its books in LevelDB: the key is a fruit, the value what is left of it."
    );
    println!("Nothing was flushed, so all of it is in one log, in {SAMPLE}.");
    for stop in stops(&out) {
        visit(workspace, program, &stop)?;
    }
    println!("\nThe new database is {out}: any LevelDB opens it as it is.");
    Ok(())
}

fn stops(out: &str) -> Vec<Stop> {
    vec![
        Stop::new(
            "Recover it: make a new database of every entry that is intact. The old one stays.",
            &["recover", SAMPLE, "--out", out],
        ),
        Stop::new(
            "Is that sound? Every checksum, every key, every file that it should have.",
            &["verify", out],
        ),
        Stop::new(
            "What is in it: the newest version of each key, sorted.",
            &["dump", out],
        ),
        Stop::new(
            "What was in the old one: every version, the newest first, for other programs.",
            &["dump", SAMPLE, "--prefix", "fig", "--json"],
        ),
        Stop::new("How many apples are left?", &["get", SAMPLE, "apple"]),
        Stop::new(
            "And when the stall opened? Older versions are still there.",
            &["get", SAMPLE, "apple", "--at", OPENING],
        ),
        Stop::new(
            "Durians were given up: a tombstone hides them.",
            &["get", SAMPLE, "durian"],
        )
        .that_finds_nothing(),
        Stop::new(
            "Before that there were some.",
            &["get", SAMPLE, "durian", "--at", OPENING],
        ),
        Stop::new(
            "There never was a papaya, which is told apart.",
            &["get", SAMPLE, "papaya"],
        )
        .that_finds_nothing(),
        Stop::new("What is in the old one altogether?", &["stats", SAMPLE]),
    ]
}

/// Say why, show the command, run it and show the answer.
fn visit(workspace: &Workspace, program: &Path, stop: &Stop) -> Result<()> {
    println!("\n# {}", stop.why);
    let typed = shown(Command::new("strata").args(&stop.arguments));
    println!("$ {typed}");
    let mut command = Command::new(program);
    command
        .args(&stop.arguments)
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command
        .output()
        .map_err(|error| Failure::while_doing(program.display(), error))?;
    print!("{}", beginning(&String::from_utf8_lossy(&output.stdout)));
    let status = output.status;
    match status.code() {
        Some(0) if stop.finds => Ok(()),
        // 1 and 2 are failures and wrong usage, as of every program.
        Some(code @ 3..) if !stop.finds => {
            println!("(exit status {code})");
            Ok(())
        }
        _ => Err(Failure::new(format!("`{typed}` ended with {status}"))),
    }
}

/// The first lines of an answer, and how many more there are.
fn beginning(answer: &str) -> String {
    let mut lines: Vec<&str> = answer.lines().collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    // One line left out would take the place of the remark.
    if more < 2 {
        return answer.to_owned();
    }
    lines.truncate(MOST_LINES);
    format!("{}\n… and {more} lines more\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_and_says_so() {
        let lines = |count: usize| "x\n".repeat(count);
        assert_eq!(beginning(&lines(MOST_LINES)), lines(MOST_LINES));
        assert_eq!(beginning(&lines(MOST_LINES + 1)), lines(MOST_LINES + 1));
        assert_eq!(
            beginning(&lines(MOST_LINES + 2)),
            format!("{}… and 2 lines more\n", lines(MOST_LINES))
        );
    }

    #[test]
    fn the_sample_says_what_the_tour_says() {
        let path = crate::workspace::root().join(SAMPLE).join("writes.tsv");
        let writes = fs::read_to_string(path).unwrap();
        let fruit = |name: &str| {
            name.bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let of = |name: &str| {
            let key = fruit(name);
            writes
                .lines()
                .filter(|line| line.split('\t').nth(2) == Some(key.as_str()))
                .collect::<Vec<_>>()
        };
        assert!(of("apple").len() > 5);
        assert!(of("durian").last().unwrap().contains("\tdel\t"));
        assert!(of("papaya").is_empty());
        for name in ["apple", "durian"] {
            let sequence: u64 = of(name)[0].split('\t').next().unwrap().parse().unwrap();
            assert!(sequence <= OPENING.parse().unwrap());
        }
    }
}
