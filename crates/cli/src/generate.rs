//! `strata completions` and `strata man`: what a package of the program brings along, made from
//! its own command line.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap_complete::Shell;

use crate::failure::Failure;

/// Writes a script that completes the program's arguments in `shell`.
pub(crate) fn completions(
    mut command: clap::Command,
    shell: Shell,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let name = command.get_name().to_owned();
    // In memory first: the generators panic if they can't write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output
        .write_all(&script)
        .and_then(|()| output.flush())
        .map_err(Failure::output)
}

/// Writes a manual page for the program and one for each of its commands into the directory
/// `out`, which is made if there is none: `strata.1`, `strata-dump.1` and so on. Pages that are
/// there are replaced.
pub(crate) fn manual(command: clap::Command, out: &Path) -> Result<(), Failure> {
    fs::create_dir_all(out)
        .and_then(|()| clap_mangen::generate_to(command, out))
        .map_err(|error| Failure::at("can't write manual pages into", out, error))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, ValueEnum};

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn each_shell_gets_a_script_that_names_the_commands() {
        for &shell in Shell::value_variants() {
            let mut script = Vec::new();
            completions(Arguments::command(), shell, &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            for word in ["strata", "dump", "recover", "--salvage"] {
                // Fish names options without their dashes.
                assert!(
                    script.contains(word.trim_start_matches('-')),
                    "{shell}: {word}"
                );
            }
        }
    }

    #[test]
    fn each_command_gets_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("share/man/man1");
        for _ in 0..2 {
            manual(Arguments::command(), &out).unwrap();
        }
        for command in Arguments::command().get_subcommands() {
            let page = out.join(format!("strata-{}.1", command.get_name()));
            let page = fs::read_to_string(page).unwrap();
            assert!(page.contains(".TH"), "{page}");
        }
        let page = fs::read_to_string(out.join("strata.1")).unwrap();
        assert!(page.contains("Exit status"), "{page}");
    }

    #[test]
    fn a_place_that_is_no_directory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = manual(Arguments::command(), &file).unwrap_err().to_string();
        assert!(
            error.starts_with("can't write manual pages into"),
            "{error}"
        );
    }
}
