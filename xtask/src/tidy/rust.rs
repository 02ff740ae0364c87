//! Rules for each file of source: module docs, no marks of unfinished work, no test that is passed over,
//! functions that fit on a screen.

use super::Violation;
use super::files::File;
use crate::source::{is_word, line_of, words};

/// Longer and a function does more than one thing.
const MOST_LINES: usize = 80;

/// Macros that stand for what is not there, or that were left over.
const UNFINISHED_MACROS: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// Words in comments that put something off.
const UNFINISHED_WORDS: [&str; 3] = ["FIXME", "XXX", "TODO"];

pub(super) fn check(file: &File, found: &mut Vec<Violation>) {
    if !file.text.starts_with("//!") && !file.text.starts_with("#![doc") {
        found.push(Violation::new(
            &file.path,
            1,
            "does not begin with what the module is about, as //! or #![doc",
        ));
    }
    check_unfinished(file, found);
    check_passed_over(file, found);
    for (name, line, lines) in functions(&file.source.code) {
        if lines > MOST_LINES {
            let message = format!("the function {name} has {lines} lines, of at most {MOST_LINES}");
            found.push(Violation::new(&file.path, line, message));
        }
    }
}

/// Macros in the code and words in the comments that say that something is unfinished.
fn check_unfinished(file: &File, found: &mut Vec<Violation>) {
    let code = &file.source.code;
    for name in UNFINISHED_MACROS {
        for at in words(code, name).filter(|at| code[at + name.len()..].starts_with('!')) {
            found.push(Violation::new(
                &file.path,
                line_of(code, at),
                format!("{name}! is unfinished work"),
            ));
        }
    }
    let comments = &file.source.comments;
    for word in UNFINISHED_WORDS {
        for at in words(comments, word) {
            found.push(Violation::new(
                &file.path,
                line_of(comments, at),
                format!("{word} is unfinished work"),
            ));
        }
    }
}

/// Tests and examples that are compiled and never run.
fn check_passed_over(file: &File, found: &mut Vec<Violation>) {
    let code = &file.source.code;
    for at in words(code, "ignore") {
        let line_start = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &code[line_start..at];
        if before.ends_with("#[") || before.contains("cfg_attr(") {
            found.push(Violation::new(
                &file.path,
                line_of(code, at),
                "a test that is passed over",
            ));
        }
    }
    for (number, line) in file.source.comments.lines().enumerate() {
        let fence = line.split_once("```").map_or("", |(_, language)| language);
        if words(fence, "ignore").next().is_some() {
            found.push(Violation::new(
                &file.path,
                number + 1,
                "an example that is passed over",
            ));
        }
    }
}

/// Every function with a body: its name, the line it begins on, and how many lines it has.
fn functions(code: &str) -> Vec<(&str, usize, usize)> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let rest = code[at + 2..].trim_start();
        let length = rest.bytes().take_while(|&byte| is_word(byte)).count();
        // A pointer to a function, `fn(u8)`, has no name.
        if length > 0
            && let Some(end) = end_of_body(code.as_bytes(), at)
        {
            let line = line_of(code, at);
            found.push((&rest[..length], line, line_of(code, end) - line + 1));
        }
    }
    found
}

/// Where the body of the function that begins at `start` ends; `None` if it has no body.
fn end_of_body(code: &[u8], start: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0_usize, 0_usize);
    for (at, byte) in code.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b';' if brackets == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' => {
                braces = braces.saturating_sub(1);
                // A brace in the signature is inside brackets: an array's length, a default.
                if braces == 0 && brackets == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check(&File::new("xtask/src/a.rs", text), &mut found);
        found
            .iter()
            .map(|violation| format!("{}: {}", violation.line, violation.message))
            .collect()
    }

    #[test]
    fn a_module_that_does_not_say_what_it_is_is_found() {
        assert_eq!(sentences("//! Says.\n"), [""; 0]);
        assert_eq!(
            sentences("#![doc = include_str!(\"../README.md\")]\n"),
            [""; 0]
        );
        assert_eq!(
            sentences("use std::fs;\n"),
            ["1: does not begin with what the module is about, as //! or #![doc"],
        );
    }

    #[test]
    fn marks_of_unfinished_work_are_found() {
        let text = "//! A.\nfn f() {\n    todo!()\n}\n// FIXME later\nfn g() { unimplemented!(); dbg!(1); }\n";
        assert_eq!(
            sentences(text),
            [
                "3: todo! is unfinished work",
                "6: unimplemented! is unfinished work",
                "6: dbg! is unfinished work",
                "5: FIXME is unfinished work",
            ],
        );
    }

    #[test]
    fn the_same_words_in_strings_and_longer_names_are_not() {
        assert_eq!(
            sentences("//! A.\nfn todo_list() { f(\"XXX todo!() // FIXME\", XXX) }\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_test_that_is_passed_over_is_found() {
        for attribute in [
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "#[cfg_attr(miri, ignore)]",
        ] {
            assert_eq!(
                sentences(&format!("//! A.\n{attribute}\nfn f() {{}}\n")),
                ["2: a test that is passed over"]
            );
        }
        assert_eq!(sentences("//! A.\nfn ignore() { ignore(); }\n"), [""; 0]);
    }

    #[test]
    fn an_example_that_is_passed_over_is_found() {
        assert_eq!(
            sentences("//! A.\n//! ```ignore\n//! x\n//! ```\n"),
            ["2: an example that is passed over"]
        );
        assert_eq!(
            sentences("//! A.\n//! ```\n//! let x = 1; // ignore it\n//! ```\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_long_function_is_found() {
        let body = |lines: usize| {
            format!(
                "//! A.\nfn f(\n) {{\n{}}}\n",
                "    x();\n".repeat(lines - 3)
            )
        };
        assert_eq!(sentences(&body(MOST_LINES)), [""; 0]);
        assert_eq!(
            sentences(&body(MOST_LINES + 1)),
            ["2: the function f has 81 lines, of at most 80"]
        );
    }

    #[test]
    fn functions_are_measured_from_signature_to_closing_brace() {
        let code = "trait T { fn a(&self); }\nfn b(x: [u8; { 1 + 1 }]) -> fn(u8) {\n  if x {\n  }\n}\nfn c() {}\n";
        assert_eq!(functions(code), [("b", 2, 4), ("c", 6, 1)]);
    }
}
