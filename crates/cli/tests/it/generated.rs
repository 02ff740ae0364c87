//! What a package of the program brings along: completions and manual pages.

use std::fs;

use crate::{strata, text};

#[test]
fn each_shell_gets_a_script_of_its_own() {
    for (shell, word) in [
        ("bash", "complete -F"),
        ("elvish", "edit:completion"),
        ("fish", "complete -c strata"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef strata"),
    ] {
        let script = strata(["completions", shell]);
        assert_eq!((script.status, script.stderr.as_str()), (0, ""));
        for word in [word, "recover", "logs-only", "by-sequence"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn each_command_has_a_page_that_says_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    let answer = strata(["man", "--out", text(&out)]);
    assert_eq!(
        (answer.status, answer.stdout.as_str()),
        (0, ""),
        "{}",
        answer.stderr
    );
    let page = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert!(page("strata.1").contains("Exit status"));
    for (command, option) in [
        ("recover", "all\\-versions"),
        ("verify", "all\\-files"),
        ("dump", "by\\-sequence"),
        ("get", "raw"),
        ("stats", "comparator"),
        ("completions", "shell"),
        ("man", "out"),
    ] {
        let page = page(&format!("strata-{command}.1"));
        assert!(page.to_lowercase().contains(option), "{command}: {page}");
    }
}
