//! Running commands: each is shown as it could be typed, and one that fails ends the task.

use std::fmt::Display;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why a task ended early: a sentence, and the status this process then ends with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) status: u8,
}

impl Failure {
    /// A failure of our own finding, with status 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 1,
        }
    }

    /// The failure to do something with a file or a command that could not be started.
    pub(crate) fn while_doing(what: impl Display, error: impl Display) -> Self {
        Self::new(format!("{what}: {error}"))
    }
}

/// What came of a check that did not fail.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// It could not be run, for this reason.
    LeftOut(String),
}

/// What every task answers.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The Cargo that runs us, so that a toolchain chosen on the command line stays chosen.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Show the command, run it with our own input and output, and fail with its status.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command
        .status()
        .map_err(|error| Failure::while_doing(shown(command), error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure {
        message: format!("`{}` failed: {status}", shown(command)),
        status: status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    })
}

/// Run the command without showing it, and answer with what it printed.
///
/// What it says on standard error becomes part of the failure.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::while_doing(shown(command), error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!(
            "`{}` failed: {}\n{}",
            shown(command),
            output.status,
            said.trim_end()
        )));
    }
    String::from_utf8(output.stdout).map_err(|error| Failure::while_doing(shown(command), error))
}

/// The command as it could be typed in a shell: its variables, the program's name, its arguments.
pub(crate) fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| {
            format!(
                "{}={}",
                name.to_string_lossy(),
                quoted(&value.to_string_lossy())
            )
        })
    });
    let path = Path::new(command.get_program());
    let program = match path.file_name() {
        Some(name) if name == "cargo" => name.to_string_lossy(),
        _ => command.get_program().to_string_lossy(),
    };
    let arguments = command
        .get_args()
        .map(|argument| quoted(&argument.to_string_lossy()));
    variables
        .chain([quoted(&program)])
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The word as a shell would have to be given it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_could_be_typed() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command
            .args(["doc", "--no-deps", "two words", ""])
            .env("RUSTDOCFLAGS", "-D warnings")
            .env_remove("OTHER");
        assert_eq!(
            shown(&command),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'two words' ''"
        );
    }

    #[test]
    fn a_quote_survives_quoting() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_command_that_fails_is_named_with_its_status() {
        let failure = run(cargo().arg("--no-such-option").stderr(Stdio::null())).unwrap_err();
        assert!(
            failure
                .message
                .starts_with("`cargo --no-such-option` failed"),
            "{}",
            failure.message
        );
        assert_ne!(failure.status, 0);
    }

    #[test]
    fn a_command_that_does_not_exist_is_named() {
        let failure = output(&mut Command::new("no-such-program")).unwrap_err();
        assert!(
            failure.message.starts_with("no-such-program: "),
            "{}",
            failure.message
        );
    }
}
