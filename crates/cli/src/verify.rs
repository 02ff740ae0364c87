//! `strata verify`: of every file what is sound, damaged or missing.

use std::io::{self, Write};

use serde::Serialize;
use strata_database::{ManifestState, Standing, StoredKind, Verified};
use strata_files::CURRENT;

use crate::answer::{Dropped, File, Findings, Mentioned, count};
use crate::args::VerifyArguments;
use crate::failure::Failure;
use crate::open::Opened;
use crate::show::write_json_line;
use crate::status::Status;

#[derive(Debug, Serialize)]
struct Answer {
    manifest: String,
    files: Vec<FileAnswer>,
    /// The findings of listing the directory: missing files, files that are something else.
    #[serde(flatten)]
    findings: Findings,
}

#[derive(Debug, Serialize)]
struct FileAnswer {
    #[serde(flatten)]
    file: File,
    sound: bool,
    entries: u64,
    #[serde(flatten)]
    findings: Findings,
}

pub(crate) fn run(arguments: &VerifyArguments, output: &mut impl Write) -> Result<Status, Failure> {
    let opened = Opened::new(&arguments.input)?;
    if !matches!(opened.database.files(), [file] if file.kind == StoredKind::Manifest) {
        opened.database.require_files(&opened.read)?;
    }
    let mut answer = Answer {
        manifest: manifest(&opened),
        files: Vec::new(),
        findings: Findings::default(),
    };
    opened
        .database
        .report_findings(&mut |report| answer.findings.take(report));
    if !arguments.json {
        writeln!(output, "{}", arguments.input.path.display()).map_err(Failure::output)?;
        writeln!(output, "  manifest   {}", answer.manifest).map_err(Failure::output)?;
    }
    let mut is_damaged = !answer.findings.dropped.is_empty();
    for (number, file) in (0..).zip(opened.database.files()) {
        let Some(verified) = opened.database.verify(number, &opened.read)? else {
            continue;
        };
        let is_needed = !matches!(
            file.standing,
            Standing::Obsolete | Standing::Unfinished | Standing::Ignored
        );
        is_damaged |= verified.is_damaged && is_needed;
        let file = file_answer(File::new(file), verified);
        if !arguments.json {
            print_file(&file, output)
                .and_then(|()| output.flush())
                .map_err(Failure::output)?;
        }
        answer.files.push(file);
    }
    let opens = match opened.database.manifest() {
        ManifestState::Usable(_) => !answer
            .findings
            .mentioned
            .iter()
            .any(|it| it.file == CURRENT),
        ManifestState::Unusable { .. } => !opened.database.path().is_dir(),
        _ => true,
    };
    let printed = match arguments.json {
        true => write_json_line(output, &answer),
        false => print_rest(&answer, is_damaged, opens, output),
    };
    printed.map_err(Failure::output)?;
    Ok(Status::of_drops(is_damaged || !opens))
}

/// The manifest's state, in a few words.
fn manifest(opened: &Opened) -> String {
    match opened.database.manifest() {
        ManifestState::Usable(version) => {
            let comparator = version.comparator.as_deref().unwrap_or_default();
            format!(
                "sound: {}, sorted by {}",
                count(version.files().count() as u64, "table", "tables"),
                strata_dbformat::escape(comparator)
            )
        }
        ManifestState::Unusable { why, .. } => format!("not usable: {why}"),
        _ => "none".to_owned(),
    }
}

fn file_answer(file: File, verified: Verified) -> FileAnswer {
    let mut answer = FileAnswer {
        file,
        sound: !verified.is_damaged,
        entries: verified.entries,
        findings: Findings::default(),
    };
    for report in verified.reports {
        answer.findings.take(report);
    }
    answer
}

fn print_file(answer: &FileAnswer, output: &mut impl Write) -> io::Result<()> {
    let verdict = match (answer.sound, answer.file.standing) {
        (true, _) => "sound",
        (false, "obsolete" | "unfinished" | "ignored") => "left over",
        (false, _) => "damaged",
    };
    let File {
        file,
        kind,
        standing,
        bytes,
        ..
    } = &answer.file;
    let entries = answer.entries;
    writeln!(
        output,
        "  {verdict:<10} {file}  {kind}, {standing}, {bytes} bytes, {entries} entries"
    )?;
    for Dropped {
        offset,
        bytes,
        reason,
        keys,
        ..
    } in &answer.findings.dropped
    {
        let keys = keys.as_ref().map(|keys| format!(" ({keys})"));
        let keys = keys.unwrap_or_default();
        writeln!(
            output,
            "    dropped  {bytes} bytes at offset {offset}: {reason}{keys}"
        )?;
    }
    for Mentioned { offset, what, .. } in &answer.findings.mentioned {
        writeln!(output, "    at offset {offset}: {what}")?;
    }
    Ok(())
}

fn print_rest(
    answer: &Answer,
    is_damaged: bool,
    opens: bool,
    output: &mut impl Write,
) -> io::Result<()> {
    for dropped in &answer.findings.dropped {
        let Dropped { file, reason, .. } = dropped;
        let keys = dropped.keys.as_ref().map(|keys| format!(" ({keys})"));
        let keys = keys.unwrap_or_default();
        writeln!(output, "  lost       {file}: {reason}{keys}")?;
    }
    for Mentioned { file, what, .. } in &answer.findings.mentioned {
        writeln!(output, "  mentioned  {file}: {what}")?;
    }
    writeln!(
        output,
        "{}",
        match (is_damaged, opens) {
            (true, _) => "damaged: `strata recover` makes a database of what is intact",
            (false, false) => {
                "the tables and logs are sound, and no LevelDB opens this without its manifest: \
                 `strata recover` makes a database of them"
            }
            (false, true) => "everything that is live is sound",
        }
    )
}
