//! Interop: of what the real LevelDB and Mojang's wrote, `strata` makes databases that they open; the
//! example store and LevelDB read what the other has left.
//!
//! LevelDB comes from the Python registry as `plyvel`, Mojang's as `amulet-leveldb`, in a virtual environment
//! of their own beneath the target directory; the scripts are in `xtask/interop`. Without Python, or without a
//! network the first time, there is no LevelDB to ask, and whoever called decides whether that is a failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::run::{Failure, Outcome, Result, cargo, output, run as run_command};
use crate::workspace::Workspace;

/// What is installed: the package, its version, and the name it is imported by. plyvel's LevelDB, 1.22,
/// made the fixtures; amulet-leveldb bundles Mojang's, which compresses with zlib and raw deflate.
const PACKAGES: [(&str, &str, &str); 2] = [
    ("plyvel", "1.5.1", "plyvel"),
    ("amulet-leveldb", "1.0.7", "leveldb"),
];

/// The scripts that are given the program and the seed.
const SCRIPTS: [&str; 4] = ["interop.py", "damage.py", "recover.py", "mojang.py"];

/// Lines of `outcomes.tsv` that are asked of LevelDB again; all of them take ten seconds.
const OUTCOMES_CHECKED: &str = "400";

/// The seed unless another is given: a failure should come again.
pub(crate) const SEED: u64 = 1;

/// Options of `cargo xtask interop`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The seed of the random databases and damages
    #[arg(long, default_value_t = SEED)]
    seed: u64,
}

/// `cargo xtask interop`: having no LevelDB is a failure.
pub(crate) fn run(options: &Options) -> Result<()> {
    match check(&Workspace::load()?, options.seed)? {
        Outcome::Passed => Ok(()),
        Outcome::LeftOut(reason) => Err(Failure::new(format!(
            "there is no LevelDB to ask: {reason}"
        ))),
    }
}

/// Build the program and run the scripts, if there is a LevelDB to ask.
pub(crate) fn check(workspace: &Workspace, seed: u64) -> Result<Outcome> {
    let python = match leveldb(&workspace.target.join("interop")) {
        Ok(python) => python,
        Err(reason) => return Ok(Outcome::LeftOut(reason)),
    };
    let program = build_strata(workspace)?;
    let seed = seed.to_string();
    let script = |name: &str| {
        let mut command = Command::new(&python);
        // No compiled modules: they would lie beside the scripts.
        command
            .arg("-B")
            .arg(format!("xtask/interop/{name}"))
            .current_dir(&workspace.root);
        command
    };
    run_command(script("make_sample.py").arg("--check"))?;
    run_command(script("make_damage.py").args(["--check", OUTCOMES_CHECKED]))?;
    for name in SCRIPTS {
        run_command(
            script(name)
                .arg("--strata")
                .arg(&program)
                .args(["--seed", &seed]),
        )?;
    }
    let store = build_store(workspace)?;
    run_command(
        script("store.py")
            .arg("--store")
            .arg(&store)
            .arg("--strata")
            .arg(&program)
            .args(["--seed", &seed]),
    )?;
    Ok(Outcome::Passed)
}

/// Build the example store, and answer where it is.
fn build_store(workspace: &Workspace) -> Result<PathBuf> {
    let package = ["-p", "strata-write-buffer", "--example", "store"];
    run_command(
        cargo()
            .args(["build", "--quiet", "--release"])
            .args(package)
            .current_dir(&workspace.root),
    )?;
    Ok(workspace
        .target
        .join("release/examples")
        .join(format!("store{}", std::env::consts::EXE_SUFFIX)))
}

/// Build the program as users run it, and answer where it is.
pub(crate) fn build_strata(workspace: &Workspace) -> Result<PathBuf> {
    run_command(
        cargo()
            .args(["build", "--quiet", "--release", "-p", "strata-cli"])
            .current_dir(&workspace.root),
    )?;
    Ok(workspace
        .target
        .join("release")
        .join(format!("strata{}", std::env::consts::EXE_SUFFIX)))
}

/// A Python that has LevelDB, made in `folder` unless it is there; or the reason why there is none.
pub(crate) fn leveldb(folder: &Path) -> std::result::Result<PathBuf, String> {
    let environment = folder.join("venv");
    let python = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if has_leveldb(&python) {
        return Ok(python);
    }
    let outer = ["python3", "python"]
        .into_iter()
        .find(|name| is_python3(name))
        .ok_or("python3 was not found")?;
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let packages = PACKAGES.map(|(package, version, _)| format!("{package}=={version}"));
    let shown = packages.join(" and ");
    println!("installing {shown} into {}", environment.display());
    output(
        Command::new(outer)
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )
    .map_err(|failure| format!("no virtual environment could be made: {}", failure.message))?;
    let install = ["-m", "pip", "install", "--quiet"];
    output(
        Command::new(&python)
            .args(install)
            .arg("--disable-pip-version-check")
            .args(&packages),
    )
    .map_err(|failure| format!("{shown} could not be installed: {}", failure.message))?;
    if has_leveldb(&python) {
        Ok(python)
    } else {
        Err(format!("{shown} were installed and cannot be imported"))
    }
}

/// Whether this Python imports all packages in our versions.
fn has_leveldb(python: &Path) -> bool {
    PACKAGES.iter().all(|(package, version, module)| {
        let script = format!(
            "import {module}, importlib.metadata; print(importlib.metadata.version({package:?}))"
        );
        output(Command::new(python).args(["-c", &script]))
            .is_ok_and(|found| found.trim() == *version)
    })
}

/// Whether this is the name of a Python 3.
fn is_python3(name: &str) -> bool {
    output(Command::new(name).args(["-c", "import sys; print(sys.version_info[0])"]))
        .is_ok_and(|version| version.trim() == "3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_that_does_not_exist_has_no_leveldb() {
        assert!(!has_leveldb(Path::new("no-such-python")));
        assert!(!is_python3("no-such-python"));
    }

    #[test]
    fn every_script_that_is_run_exists() {
        let folder = crate::workspace::root().join("xtask/interop");
        let others = ["make_sample.py", "make_damage.py", "store.py"];
        for name in others.into_iter().chain(SCRIPTS) {
            assert!(folder.join(name).exists(), "{name}");
        }
    }
}
