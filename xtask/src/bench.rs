//! The contest: the memtable beside its rivals, in their own workspace, and the record of it.
//!
//! `benches/contest` does the measuring. This builds it, and when a record is asked for says what it was
//! taken on, and keeps the record, the charts and the tables in `docs/benchmarks.md` in step.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::record::{Machine, load, path_today, read, refuse_changes, write};
use crate::run::{Failure, Result, cargo, output, run as run_command, shown};
use crate::workspace::Workspace;

/// Where the contest is, from the root.
const FOLDER: &str = "benches/contest";

/// The page that shows the last record.
const PAGE: &str = "docs/benchmarks.md";

/// Where the charts are.
const CHARTS: &str = "docs/images";

/// What the tables on the page stand between.
const BEGIN: &str = "<!-- contest: begin -->\n";
const END: &str = "<!-- contest: end -->\n";

/// Options of `cargo xtask bench`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Fewer entries and rounds: for orientation, within two minutes of the build
    #[arg(long)]
    quick: bool,
    /// Measure everything, count instructions, and write the record, the charts and the tables
    #[arg(long, conflicts_with_all = ["quick", "rows", "contestants"])]
    record: bool,
    /// With --record: four million entries, too, which takes half an hour more
    #[arg(long, requires = "record")]
    large: bool,
    /// Rows, or what stands in their names before the `/`, separated by commas
    #[arg(long, value_name = "ROWS")]
    rows: Option<String>,
    /// Contestants, separated by commas
    #[arg(long, value_name = "NAMES")]
    contestants: Option<String>,
    /// With mimalloc beneath everybody instead of the system's allocator; a record of that is written
    /// without counts of instructions, and the page and the charts stay as they are
    #[arg(long, conflicts_with = "large")]
    mimalloc: bool,
}

/// `cargo xtask bench`: build the contest, run it, and show its tables.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    if options.record {
        refuse_changes(&workspace.root)?;
        require(&workspace.root)?;
    }
    let contest = Contest::build(&workspace, options.mimalloc)?;
    if options.record {
        return contest.record(&workspace.root, options);
    }
    let record = contest.target.join("contest.tsv");
    let mut command = contest.command("run");
    if options.quick {
        command.arg("--quick");
    }
    for (name, value) in [
        ("--rows", &options.rows),
        ("--contestants", &options.contestants),
    ] {
        if let Some(value) = value {
            command.args([name, value]);
        }
    }
    run_command(command.arg("--out").arg(&record))?;
    run_command(contest.command("table").arg(&record))
}

/// A stage of CI: that the contest is formatted, builds, and that everybody in it answers right.
///
/// How fast anybody is depends on the machine and is measured by hand; building as for that takes
/// minutes.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join(FOLDER);
    run_command(cargo().args(["fmt", "--check"]).current_dir(&folder))?;
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--locked", "--target-dir"])
        .arg(workspace.target.join("contest"))
        .current_dir(&folder);
    run_command(&mut command)
}

/// What a record needs at its end is looked for before the hour that it takes.
fn require(root: &Path) -> Result<()> {
    output(Command::new("valgrind").arg("--version"))?;
    match replaced(&read(&root.join(PAGE))?, "") {
        Some(_) => Ok(()),
        None => Err(lacks_markers()),
    }
}

fn lacks_markers() -> Failure {
    Failure::new(format!("{PAGE} lacks {BEGIN:?} or {END:?}"))
}

/// The program, built.
struct Contest {
    program: PathBuf,
    /// Where it was built, and where what is not kept goes.
    target: PathBuf,
}

impl Contest {
    fn build(workspace: &Workspace, is_mimalloc: bool) -> Result<Self> {
        let mut command = cargo();
        let folder = if is_mimalloc {
            command.args(["build", "--features", "mimalloc"]);
            "contest-mimalloc"
        } else {
            command.arg("build");
            "contest"
        };
        let target = workspace.target.join(folder);
        command
            .args(["--release", "--locked", "--target-dir"])
            .arg(&target)
            .current_dir(workspace.root.join(FOLDER));
        run_command(&mut command)?;
        Ok(Self {
            program: target.join("release/contest"),
            target,
        })
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name);
        command
    }

    /// Take the record, and bring everything that shows it up to date.
    fn record(&self, root: &Path, options: &Options) -> Result<()> {
        let (times, counts) = (
            self.target.join("times.tsv"),
            self.target.join("counts.tsv"),
        );
        let before = load();
        let mut command = self.command("run");
        if options.large {
            command.arg("--large");
        }
        run_command(command.arg("--out").arg(&times))?;
        let after = load();

        let machine = Machine::of(root)?;
        let mut head = machine.lines();
        let ran = shown(&command);
        let mimalloc = if options.mimalloc { " --mimalloc" } else { "" };
        head.push(format!(
            "command: {}, by cargo xtask bench --record{mimalloc}",
            in_folder(&ran, self)
        ));
        head.push(format!("load: {before} before, {after} after"));
        if options.mimalloc {
            let text = joined(&head, &read(&times)?, "");
            return write(&root.join(path_today(&machine, "contest-mimalloc")), &text);
        }
        run_command(self.command("count").arg("--out").arg(&counts))?;
        let text = joined(&head, &read(&times)?, &read(&counts)?);
        let path = path_today(&machine, "contest");
        write(&root.join(&path), &text)?;

        let record = root.join(&path);
        let charts = root.join(CHARTS);
        run_command(self.command("plot").arg(&record).arg("--out").arg(charts))?;
        let tables = output(self.command("table").arg(&record))?;
        let page = read(&root.join(PAGE))?;
        let section = section(&path.display().to_string(), &head, &tables, options.large);
        let page = replaced(&page, &section).ok_or_else(lacks_markers)?;
        write(&root.join(PAGE), &page)
    }
}

/// The command without the folder it was built in, which is of one machine only.
fn in_folder(command: &str, contest: &Contest) -> String {
    command
        .replace(&contest.program.display().to_string(), "contest")
        .replace(&format!("{}/", contest.target.display()), "")
}

/// One record of times and counts, with this head.
fn joined(head: &[String], times: &str, counts: &str) -> String {
    let head = head.iter().map(|line| format!("# {line}\n"));
    // The line that names the columns stands in both.
    let counts = counts.lines().filter(|line| !line.starts_with("row\t"));
    let counts = counts.map(|line| format!("{line}\n"));
    head.chain([times.to_owned()]).chain(counts).collect()
}

/// What stands between the markers on the page.
///
/// The chart of growth is there only if four million entries were measured.
fn section(record: &str, head: &[String], tables: &str, is_large: bool) -> String {
    let head = head.iter().map(|line| format!("- {line}\n"));
    let head: String = head.collect();
    let charts = [
        ("How many times as fast as each rival", "contest-speed"),
        ("How many times as fast as each tree", "contest-speed-trees"),
        ("Bytes an entry", "contest-memory"),
        ("Lookups as entries become more", "contest-growth"),
    ];
    let shown = if is_large { &charts[..] } else { &charts[..3] };
    let shown = shown.iter();
    let charts: String = shown
        .map(|(title, name)| format!("![{title}](images/{name}.svg)\n"))
        .collect();
    format!("\nFrom [`{record}`](../{record}):\n\n{head}\n{tables}\n{charts}\n")
}

/// The page with something else between the markers; `None` if it lacks one.
fn replaced(page: &str, section: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{section}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_between_the_markers_is_replaced() {
        let page = format!("# Title\n\n{BEGIN}old\n{END}\nmore\n");
        let expected = format!("# Title\n\n{BEGIN}new\n{END}\nmore\n");
        assert_eq!(replaced(&page, "new\n"), Some(expected));
        assert_eq!(replaced("# Title\n", "new\n"), None);
    }

    #[test]
    fn the_page_has_both_markers() {
        let root = crate::workspace::root();
        let page = read(&root.join(PAGE)).unwrap();
        assert!(replaced(&page, "").is_some());
    }

    #[test]
    fn times_and_counts_become_one_record() {
        let head = ["commit: 1".to_owned()];
        let times = "row\tcontestant\nfillseq\tstrata\n";
        let counts = "row\tcontestant\ninstructions/get\tstrata\n";
        assert_eq!(
            joined(&head, times, counts),
            "# commit: 1\nrow\tcontestant\nfillseq\tstrata\ninstructions/get\tstrata\n",
        );
    }
}
