//! `strata dump MANIFEST-…`: a manifest's edits.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use strata_manifest::{ManifestReader, ManifestReport};
use strata_wal::Report;

use crate::failure::Failure;
use crate::show::tell;
use crate::status::Status;

pub(crate) fn dump(path: &Path, output: &mut impl Write) -> Result<Status, Failure> {
    let file = File::open(path).map_err(|error| Failure::at("can't open", path, error))?;
    let mut reader = ManifestReader::new(file);
    let mut is_damaged = false;
    let mut report = |report: ManifestReport| {
        let is_drop = match report {
            ManifestReport::Log(report) => matches!(report, Report::Dropped(_)),
            _ => true,
        };
        is_damaged |= is_drop;
        tell(format_args!("{}: {report}", path.display()));
    };
    loop {
        let record = reader
            .next_edit(&mut report)
            .map_err(|error| Failure::at("can't read", path, error))?;
        let Some(record) = record else { break };
        writeln!(output, "{record}").map_err(Failure::output)?;
    }
    Ok(Status::of_drops(is_damaged))
}
