//! Records: figures of one run, as lines of fields with a tab between two.
//!
//! ```text
//! # what the figures were taken on, in lines of comment
//! row         contestant   unit  entries  median   min      max      rounds
//! readrandom  inline-list  ns    1000000  2213.04  2204.11  2260.36  5
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What the columns are called, in the line before the figures.
const COLUMNS: &str = "row\tcontestant\tunit\tentries\tmedian\tmin\tmax\trounds";

/// The figures of a row and a contestant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) row: String,
    pub(crate) contestant: String,
    pub(crate) unit: String,
    pub(crate) entries: u64,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) rounds: usize,
}

impl Figure {
    /// The figures of a row, of all its rounds; `None` if there was none.
    pub(crate) fn of(
        row: String,
        contestant: &str,
        unit: &str,
        entries: u64,
        mut rounds: Vec<f64>,
    ) -> Option<Self> {
        rounds.sort_by(f64::total_cmp);
        let (min, max) = (*rounds.first()?, *rounds.last()?);
        let upper = rounds.len() / 2;
        let lower = (rounds.len() - 1) / 2;
        Some(Self {
            row,
            contestant: contestant.to_owned(),
            unit: unit.to_owned(),
            entries,
            median: f64::midpoint(rounds[lower], rounds[upper]),
            min,
            max,
            rounds: rounds.len(),
        })
    }

    fn line(&self) -> String {
        let Self {
            row,
            contestant,
            unit,
            entries,
            median,
            min,
            max,
            rounds,
        } = self;
        format!("{row}\t{contestant}\t{unit}\t{entries}\t{median:.2}\t{min:.2}\t{max:.2}\t{rounds}")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let figure = Self {
            row: fields.next()?.to_owned(),
            contestant: fields.next()?.to_owned(),
            unit: fields.next()?.to_owned(),
            entries: fields.next()?.parse().ok()?,
            median: fields.next()?.parse().ok()?,
            min: fields.next()?.parse().ok()?,
            max: fields.next()?.parse().ok()?,
            rounds: fields.next()?.parse().ok()?,
        };
        fields.next().is_none().then_some(figure)
    }
}

/// All figures of a run, and the comment above them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) comment: Vec<String>,
    pub(crate) figures: Vec<Figure>,
}

impl Record {
    /// The record as text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for line in &self.comment {
            // Writing to a string can't fail.
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "{COLUMNS}");
        for figure in &self.figures {
            let _ = writeln!(text, "{}", figure.line());
        }
        text
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// A sentence that says which line is none of a record.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut record = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(comment) = line.strip_prefix('#') {
                record.comment.push(comment.trim_start().to_owned());
            } else if line != COLUMNS {
                let figure = Figure::parse(line)
                    .ok_or_else(|| format!("line {number} is not {COLUMNS:?}: {line:?}"))?;
                record.figures.push(figure);
            }
        }
        Ok(record)
    }

    /// Reads a record from a file.
    ///
    /// # Errors
    ///
    /// A sentence that names the file.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|sentence| format!("{}: {sentence}", path.display()))
    }

    /// The figure of a row and a contestant.
    pub(crate) fn figure(&self, row: &str, contestant: &str) -> Option<&Figure> {
        self.figures
            .iter()
            .find(|figure| figure.row == row && figure.contestant == contestant)
    }

    /// The median of a row and a contestant.
    pub(crate) fn median(&self, row: &str, contestant: &str) -> Option<f64> {
        self.figure(row, contestant).map(|figure| figure.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(rounds: &[f64]) -> Option<Figure> {
        Figure::of(
            "readrandom".to_owned(),
            "fjall",
            "ns",
            1000,
            rounds.to_vec(),
        )
    }

    #[test]
    fn a_figure_is_the_median_with_what_lies_around_it() {
        let odd = figure(&[3.0, 1.0, 9.0]).unwrap();
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 3.0, 9.0));
        let even = figure(&[4.0, 1.0, 2.0, 9.0]).unwrap();
        assert_eq!(even.median, 3.0);
        assert_eq!(figure(&[]), None);
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = Record {
            comment: vec!["commit: 1234".to_owned()],
            figures: vec![figure(&[1.25, 2.5, 3.0]).unwrap()],
        };
        let text = record.to_text();
        assert_eq!(
            text,
            "# commit: 1234\n\
             row\tcontestant\tunit\tentries\tmedian\tmin\tmax\trounds\n\
             readrandom\tfjall\tns\t1000\t2.50\t1.25\t3.00\t3\n",
        );
        assert_eq!(Record::parse(&text), Ok(record));
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let sentence = Record::parse("# a\nreadrandom\tfjall\tns\n").unwrap_err();
        assert!(sentence.starts_with("line 2 is not"), "{sentence}");
    }
}
