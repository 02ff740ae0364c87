//! The program beside LevelDB: how fast `strata` lists, verifies and recovers, and the record of it.
//!
//! `xtask/interop/measure.py` does the measuring, and its first lines say how. This builds the program, and
//! when a record is asked for says what it was taken on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::interop::leveldb;
use crate::record::{Machine, load, path_today, read, refuse_changes, write};
use crate::run::{Failure, Result, cargo, run as run_command, shown};
use crate::workspace::Workspace;

/// Options of `cargo xtask rescue`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// 50 MB and a log of 100 000 entries, for orientation
    #[arg(long)]
    quick: bool,
    /// Measure 2 GB and a log of two million entries, and write the record
    #[arg(long, conflicts_with = "quick")]
    record: bool,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

/// `cargo xtask rescue`: build the program, and measure it beside LevelDB.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    if options.record {
        refuse_changes(&workspace.root)?;
    }
    let python = leveldb(&workspace.target.join("interop"))
        .map_err(|reason| Failure::new(format!("there is no LevelDB to measure: {reason}")))?;
    let program = build(&workspace)?;
    let target = workspace.target.join("rescue");
    let folder = target.join(if options.quick { "quick" } else { "data" });
    fs::create_dir_all(&folder).map_err(|error| Failure::while_doing(folder.display(), error))?;
    let record = target.join("rescue.tsv");
    let mut command = Command::new(python);
    command
        .args(["-B", "xtask/interop/measure.py", "--strata"])
        .arg(&program)
        .arg("--folder")
        .arg(&folder)
        .args(["--rounds", &options.rounds.to_string()])
        .arg("--out")
        .arg(&record)
        .current_dir(&workspace.root);
    if options.quick {
        command.args(["--megabytes", "50", "--log-entries", "100000"]);
    }
    let before = load();
    run_command(&mut command)?;
    if options.record {
        let ran = without_folder(&shown(&command), &workspace.target);
        let load = format!("load: {before} before, {} after", load());
        keep(&workspace.root, &record, &ran, &load)?;
    }
    Ok(())
}

/// Build the program as it is measured, and answer where it is.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut command = cargo();
    command
        .args(["build", "--quiet", "--profile", "bench", "-p", "strata-cli"])
        .arg("--target-dir")
        .arg(workspace.target.join("rescue"))
        .current_dir(&workspace.root);
    run_command(&mut command)?;
    Ok(workspace
        .target
        .join("rescue/release")
        .join(format!("strata{}", std::env::consts::EXE_SUFFIX)))
}

/// Keep the record, with a head that says what it was taken on.
fn keep(root: &Path, record: &Path, command: &str, load: &str) -> Result<()> {
    let machine = Machine::of(root)?;
    let mut head = machine.lines();
    head.push(format!(
        "command: {command}, by cargo xtask rescue --record"
    ));
    head.push(load.to_owned());
    let head: String = head.iter().map(|line| format!("# {line}\n")).collect();
    let path = root.join(path_today(&machine, "rescue"));
    write(&path, &(head + &read(record)?))
}

/// The command without the folder it was built in, which is of one machine only.
fn without_folder(command: &str, target: &Path) -> String {
    command.replace(&format!("{}/", target.display()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_a_record_names_no_folder_of_this_machine() {
        let command =
            "/somewhere/interop/venv/bin/python measure.py --folder /somewhere/rescue/data";
        assert_eq!(
            without_folder(command, Path::new("/somewhere")),
            "interop/venv/bin/python measure.py --folder rescue/data"
        );
    }

    #[test]
    fn the_script_exists() {
        let script = crate::workspace::root().join("xtask/interop/measure.py");
        assert!(script.exists());
    }
}
