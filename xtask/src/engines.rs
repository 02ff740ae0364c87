//! The engines: the write buffer beside fjall and RocksDB, in their own workspace, and the record of it.
//!
//! `benches/engines` does the measuring, and its README says how. This builds it, gives it a folder for
//! logs, and when a record is asked for says what it was taken on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::record::{Machine, load, path_today, read, refuse_changes, write};
use crate::run::{Failure, Result, cargo, run as run_command, shown};
use crate::workspace::Workspace;

/// Where the engines are, from the root.
const FOLDER: &str = "benches/engines";

/// Options of `cargo xtask engines`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// A tenth of the entries and fewer rounds, for orientation
    #[arg(long)]
    quick: bool,
    /// Measure everything, and write the record
    #[arg(long, conflicts_with_all = ["quick", "rows", "contestants"])]
    record: bool,
    /// Build RocksDB, too: it takes a C++ compiler, libclang, and twenty minutes of one core
    #[arg(long)]
    with_rocksdb: bool,
    /// Rows, or what stands in their names before or behind a `/`, separated by commas
    #[arg(long, value_name = "ROWS")]
    rows: Option<String>,
    /// Contestants, separated by commas
    #[arg(long, value_name = "NAMES")]
    contestants: Option<String>,
}

/// `cargo xtask engines`: build them, run them, and show their tables.
pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::load()?;
    if options.record {
        refuse_changes(&workspace.root)?;
    }
    let engines = Engines::build(&workspace, options.with_rocksdb)?;
    let record = engines.target.join("engines.tsv");
    let mut command = engines.run_command(options)?;
    command.arg("--out").arg(&record);
    let before = load();
    run_command(&mut command)?;
    let after = load();
    let shown_record = if options.record {
        let ran = engines.without_folder(&shown(&command));
        let load = format!("load: {before} before, {after} after");
        kept(&workspace.root, &record, &ran, &load, options.with_rocksdb)?
    } else {
        record
    };
    run_command(engines.command("table").arg(shown_record))
}

/// A stage of CI: that the engines are formatted, build, and that everybody answers right, but for
/// RocksDB, which takes too long to build.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join(FOLDER);
    run_command(cargo().args(["fmt", "--check"]).current_dir(&folder))?;
    let mut command = cargo();
    command
        .args(["test", "--quiet", "--locked", "--target-dir"])
        .arg(workspace.target.join("engines"))
        .current_dir(&folder);
    run_command(&mut command)
}

/// Keep the record, with a head that says what it was taken on; says where.
fn kept(
    root: &Path,
    record: &Path,
    command: &str,
    load: &str,
    with_rocksdb: bool,
) -> Result<PathBuf> {
    let machine = Machine::of(root)?;
    let mut head = machine.lines();
    let option = if with_rocksdb { " --with-rocksdb" } else { "" };
    head.push(format!(
        "command: {command}, by cargo xtask engines --record{option}"
    ));
    head.push(load.to_owned());
    let head: String = head.iter().map(|line| format!("# {line}\n")).collect();
    let path = root.join(path_today(&machine, "engines"));
    write(&path, &(head + &read(record)?))?;
    Ok(path)
}

/// The program, built.
struct Engines {
    program: PathBuf,
    /// Where it was built, and where what is not kept goes.
    target: PathBuf,
}

impl Engines {
    fn build(workspace: &Workspace, with_rocksdb: bool) -> Result<Self> {
        let target = workspace.target.join("engines");
        let mut command = cargo();
        command.args(["build", "--release", "--locked", "--target-dir"]);
        command.arg(&target);
        if with_rocksdb {
            command.args(["--features", "rocksdb"]);
        }
        run_command(command.current_dir(workspace.root.join(FOLDER)))?;
        Ok(Self {
            program: target.join("release/engines"),
            target,
        })
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name);
        command
    }

    /// The command that measures, with a folder for logs on the disk that Cargo builds on.
    fn run_command(&self, options: &Options) -> Result<Command> {
        let data = self.target.join("data");
        fs::create_dir_all(&data).map_err(|error| Failure::while_doing(data.display(), error))?;
        let mut command = self.command("run");
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
        command.arg("--folder").arg(data);
        Ok(command)
    }

    /// The command without the folder it was built in, which is of one machine only.
    fn without_folder(&self, command: &str) -> String {
        command
            .replace(&self.program.display().to_string(), "engines")
            .replace(&format!("{}/", self.target.display()), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_in_a_record_names_no_folder_of_this_machine() {
        let engines = Engines {
            program: PathBuf::from("/somewhere/engines/release/engines"),
            target: PathBuf::from("/somewhere/engines"),
        };
        let command = "/somewhere/engines/release/engines run --folder /somewhere/engines/data";
        assert_eq!(engines.without_folder(command), "engines run --folder data");
    }
}
