//! Every check in order: what CI runs, and what a change must pass before it is merged.
//!
//! A stage is a command, or several. They run in order and stop at the first that fails.

use std::process::Command;
use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::run::{Failure, Outcome, Result, cargo, run as run_command};
use crate::workspace::Workspace;
use crate::{bench, engines, interop, layers, tidy, tour};

/// Options of `cargo xtask ci`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Fail if the real LevelDB cannot be installed, instead of leaving interop out
    #[arg(long)]
    require_interop: bool,
    /// Run this stage and no other
    #[arg(long, value_name = "STAGE", value_parser = PossibleValuesParser::new(STAGES.map(|stage| stage.name)))]
    only: Option<String>,
}

/// A check with a name.
struct Stage {
    name: &'static str,
    run: fn(&Workspace) -> Result<Outcome>,
}

const STAGES: [Stage; 13] = [
    Stage {
        name: "fmt",
        run: fmt,
    },
    Stage {
        name: "clippy",
        run: clippy,
    },
    Stage {
        name: "docs",
        run: docs,
    },
    Stage {
        name: "layers",
        run: |_| task("layers", layers::run),
    },
    Stage {
        name: "tidy",
        run: |_| task("tidy", tidy::run),
    },
    Stage {
        name: "tests",
        run: tests,
    },
    Stage {
        name: "small-nodes",
        run: small_nodes,
    },
    Stage {
        name: "loom",
        run: loom,
    },
    Stage {
        name: "benches",
        run: benches,
    },
    Stage {
        name: "contest",
        run: contest,
    },
    Stage {
        name: "engines",
        run: engines,
    },
    Stage {
        name: "tour",
        run: |_| task("tour", tour::run),
    },
    Stage {
        name: INTEROP,
        run: interop,
    },
];

/// The one stage that needs more than Cargo.
const INTEROP: &str = "interop";

/// The word of the closing table for a stage that ran to its end.
const PASSED: &str = "passed";

/// A row of the closing table.
struct Row {
    name: &'static str,
    result: String,
    seconds: f64,
}

/// `cargo xtask ci`: run the stages and close with a table of them.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    let wanted = |stage: &&Stage| {
        options
            .only
            .as_deref()
            .is_none_or(|only| only == stage.name)
    };
    let (mut rows, mut end) = (Vec::new(), Ok(()));
    for stage in STAGES.iter().filter(wanted) {
        println!("\n== {} ==", stage.name);
        let started = Instant::now();
        let outcome = (stage.run)(&workspace);
        let seconds = started.elapsed().as_secs_f64();
        let (result, ended) = judge(stage.name, outcome, options.require_interop);
        rows.push(Row {
            name: stage.name,
            result,
            seconds,
        });
        end = ended;
        if end.is_err() {
            break;
        }
    }
    print!("\n{}", table(&rows));
    if end.is_ok() {
        println!("{}", conclusion(&rows));
    }
    end
}

/// The word for the table, and whether to go on.
fn judge(name: &str, outcome: Result<Outcome>, require_interop: bool) -> (String, Result<()>) {
    match outcome {
        Ok(Outcome::Passed) => (PASSED.to_owned(), Ok(())),
        Ok(Outcome::LeftOut(reason)) => {
            println!("{name} was LEFT OUT: {reason}");
            let word = format!("LEFT OUT: {}", reason.lines().next().unwrap_or_default());
            let end = if name == INTEROP && require_interop {
                Err(required(name, &reason))
            } else {
                Ok(())
            };
            (word, end)
        }
        Err(fault) => ("FAILED".to_owned(), Err(failed(name, fault))),
    }
}

/// The last line of a run without a failure.
fn conclusion(rows: &[Row]) -> String {
    let left_out: Vec<&str> = rows
        .iter()
        .filter(|row| row.result != PASSED)
        .map(|row| row.name)
        .collect();
    match left_out.as_slice() {
        [] => "everything passed".to_owned(),
        names => format!("everything else passed; LEFT OUT: {}", names.join(", ")),
    }
}

/// The stage that failed, why, and how to run only that.
fn failed(name: &str, fault: Failure) -> Failure {
    let message = format!(
        "the stage {name} failed: {}\nrun it alone with `cargo xtask ci --only {name}`",
        fault.message
    );
    Failure {
        message,
        status: fault.status,
    }
}

/// The failure to run a stage that was asked for.
fn required(name: &str, reason: &str) -> Failure {
    Failure::new(format!(
        "{name} is required and was left out: {reason}\nrun it alone with `cargo xtask ci --only {name} --require-{name}`"
    ))
}

/// The stages that ran, how each ended, and the seconds it took.
fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<12}{:>8}  result\n", "stage", "seconds");
    for Row {
        name,
        result,
        seconds,
    } in rows
    {
        text += &format!("{name:<12}{seconds:>8.1}  {result}\n");
    }
    let total: f64 = rows.iter().map(|row| row.seconds).sum();
    text + &format!("{:<12}{total:>8.1}\n", "total")
}

/// The packages with features that are off by default, and all of their features.
const FEATURES: [&str; 9] = [
    "--package",
    "strata-arena",
    "--package",
    "strata-memtable",
    "--package",
    "strata-block",
    "--package",
    "strata-table",
    "--all-features",
];

/// Cargo with these arguments, in the root.
fn cargo_in(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.args(arguments).current_dir(&workspace.root);
    command
}

/// A task of ours that has a name of its own, shown as it could be typed.
fn task(name: &str, run: fn() -> Result<()>) -> Result<Outcome> {
    println!("$ cargo xtask {name}");
    run().map(|()| Outcome::Passed)
}

fn fmt(workspace: &Workspace) -> Result<Outcome> {
    run_command(&mut cargo_in(workspace, &["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn clippy(workspace: &Workspace) -> Result<Outcome> {
    for packages in [&["--workspace"][..], &FEATURES] {
        let mut command = cargo_in(workspace, &["clippy", "--quiet", "--all-targets"]);
        run_command(command.args(packages).args(["--", "-D", "warnings"]))?;
    }
    Ok(Outcome::Passed)
}

/// The documentation, that of private items too: it is what a reader of the source gets.
fn docs(workspace: &Workspace) -> Result<Outcome> {
    let arguments = [
        "doc",
        "--quiet",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    run_command(cargo_in(workspace, &arguments).env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
}

/// Unit, integration, property and documentation tests; then those of the crates whose features are
/// off by default, with all of them.
fn tests(workspace: &Workspace) -> Result<Outcome> {
    for packages in [&["--workspace"][..], &FEATURES] {
        run_command(cargo_in(workspace, &["test", "--quiet"]).args(packages))?;
    }
    Ok(Outcome::Passed)
}

/// Cargo with these `--cfg`s for all crates, in a target directory of its own, which keeps what is
/// built with and without it apart.
fn cargo_with_cfgs(workspace: &Workspace, arguments: &[&str], cfgs: &[&str]) -> Command {
    let mut command = cargo_in(workspace, arguments);
    let target = workspace.target.strip_prefix(&workspace.root);
    let target = target.unwrap_or(&workspace.target).join(cfgs.join("-"));
    let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    for cfg in cfgs {
        flags.push(format!(" --cfg {cfg}"));
    }
    command
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTFLAGS", flags);
    command
}

/// The tests of the list, and of the memtable on it, with few slots a node: splits are common then,
/// and lists high. Two are left out: they say how much memory entries take with real nodes.
fn small_nodes(workspace: &Workspace) -> Result<Outcome> {
    let arguments = [
        "test",
        "--quiet",
        "--package",
        "strata-skiplist",
        "--package",
        "strata-memtable",
        "--tests",
        "--",
        "--skip",
        "memory_is_what_the_allocator_gave",
        "--skip",
        "a_full_memtable_refuses_what_does_not_fit_and_takes_what_does",
    ];
    run_command(&mut cargo_with_cfgs(
        workspace,
        &arguments,
        &["strata_small_nodes"],
    ))?;
    Ok(Outcome::Passed)
}

/// The models of the concurrent crates, under the interleavings that loom finds. Those of the list
/// leave the steps of the arena beneath it to the arena's own.
fn loom(workspace: &Workspace) -> Result<Outcome> {
    const LIST: &str = "strata-skiplist";
    let models = |folder: &str| workspace.root.join(folder).join("tests/loom.rs").exists();
    let packages = workspace
        .packages
        .iter()
        .filter(|package| models(&package.folder));
    let (list, others): (Vec<&str>, Vec<&str>) = packages
        .map(|package| package.name.as_str())
        .partition(|name| *name == LIST);
    if list.is_empty() && others.is_empty() {
        return Ok(Outcome::LeftOut("no crate has tests/loom.rs".to_owned()));
    }
    let arguments = ["test", "--quiet", "--release", "--test", "loom"];
    for (packages, cfgs) in [
        (others, &["loom"][..]),
        (list, &["loom", "strata_plain_arena"]),
    ] {
        let selected = packages.iter().flat_map(|name| ["-p", name]);
        if !packages.is_empty() {
            run_command(cargo_with_cfgs(workspace, &arguments, cfgs).args(selected))?;
        }
    }
    Ok(Outcome::Passed)
}

/// Every benchmark once: that it builds, runs and finds what it expects, not how fast it is.
///
/// The release profile shares its build with the program, and lacks the whole-program optimisation with
/// which benchmarks are measured and which takes minutes.
fn benches(workspace: &Workspace) -> Result<Outcome> {
    if workspace.package("benches").is_none() {
        return Ok(Outcome::LeftOut(
            "the workspace has no package benches".to_owned(),
        ));
    }
    let arguments = [
        "bench",
        "--quiet",
        "--package",
        "benches",
        "--profile",
        "release",
        "--",
        "--test",
    ];
    run_command(&mut cargo_in(workspace, &arguments))?;
    Ok(Outcome::Passed)
}

/// The rivals' own workspace, which no other stage looks at.
fn contest(workspace: &Workspace) -> Result<Outcome> {
    bench::check(workspace)?;
    Ok(Outcome::Passed)
}

/// The engines' own workspace, but for RocksDB.
fn engines(workspace: &Workspace) -> Result<Outcome> {
    engines::check(workspace)?;
    Ok(Outcome::Passed)
}

fn interop(workspace: &Workspace) -> Result<Outcome> {
    println!("$ cargo xtask interop");
    interop::check(workspace, interop::SEED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_how_to_run_only_that() {
        let failure = failed(
            "clippy",
            Failure {
                message: "`cargo clippy` failed".to_owned(),
                status: 101,
            },
        );
        assert_eq!(
            failure.message,
            "the stage clippy failed: `cargo clippy` failed\nrun it alone with `cargo xtask ci --only clippy`",
        );
        assert_eq!(failure.status, 101);
    }

    #[test]
    fn the_table_names_every_stage_with_its_seconds() {
        let row = |name, result: &str, seconds| Row {
            name,
            result: result.to_owned(),
            seconds,
        };
        assert_eq!(
            table(&[
                row("fmt", "passed", 0.44),
                row("interop", "LEFT OUT: python3 was not found", 12.0)
            ]),
            "stage        seconds  result\n\
             fmt              0.4  passed\n\
             interop         12.0  LEFT OUT: python3 was not found\n\
             total           12.4\n",
        );
    }

    #[test]
    fn a_stage_left_out_is_a_failure_only_if_it_is_required() {
        let left_out = || Ok(Outcome::LeftOut("python3 was not found".to_owned()));
        let (word, end) = judge(INTEROP, left_out(), false);
        assert_eq!(
            (word.as_str(), end),
            ("LEFT OUT: python3 was not found", Ok(()))
        );
        let (_, end) = judge(INTEROP, left_out(), true);
        assert!(
            end.unwrap_err()
                .message
                .starts_with("interop is required and was left out: python3 was not found")
        );
        let (_, end) = judge("benches", left_out(), true);
        assert_eq!(end, Ok(()));
    }

    #[test]
    fn the_last_line_does_not_hide_what_was_left_out() {
        let row = |name, result: &str| Row {
            name,
            result: result.to_owned(),
            seconds: 1.0,
        };
        let rows = [
            row("fmt", PASSED),
            row(INTEROP, "LEFT OUT: python3 was not found"),
        ];
        assert_eq!(
            conclusion(&rows),
            "everything else passed; LEFT OUT: interop"
        );
        assert_eq!(conclusion(&rows[..1]), "everything passed");
    }

    #[test]
    fn every_stage_has_a_name_of_its_own() {
        for (position, stage) in STAGES.iter().enumerate() {
            assert!(
                STAGES[..position]
                    .iter()
                    .all(|earlier| earlier.name != stage.name),
                "{}",
                stage.name
            );
        }
    }
}
