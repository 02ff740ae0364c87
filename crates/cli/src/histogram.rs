//! How sizes are distributed.

use std::io::{self, Write};

use serde::Serialize;

/// How wide the bar of the largest class is, in characters.
const BAR: u64 = 40;

/// Sizes in classes: none, 1, 2 to 3, 4 to 7, and so on.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Histogram {
    count: u64,
    total: u64,
    smallest: Option<u64>,
    largest: Option<u64>,
    classes: Vec<Class>,
}

/// How many sizes are `from` to `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Class {
    from: u64,
    to: u64,
    count: u64,
}

impl Histogram {
    pub(crate) fn add(&mut self, size: u64) {
        let class = (u64::BITS - size.leading_zeros()) as usize;
        while self.classes.len() <= class {
            let from = match self.classes.len() {
                0 => 0,
                length => 1 << (length - 1),
            };
            self.classes.push(Class {
                from,
                to: (from * 2).saturating_sub(1).max(from),
                count: 0,
            });
        }
        self.classes[class].count += 1;
        self.count += 1;
        self.total += size;
        self.smallest = Some(self.smallest.map_or(size, |smallest| smallest.min(size)));
        self.largest = Some(self.largest.map_or(size, |largest| largest.max(size)));
    }

    pub(crate) fn print(&self, what: &str, output: &mut impl Write) -> io::Result<()> {
        let (Some(smallest), Some(largest)) = (self.smallest, self.largest) else {
            return Ok(());
        };
        let mean = self.total / self.count;
        writeln!(
            output,
            "  {what}: {smallest} to {largest} bytes, {mean} on average"
        )?;
        let most = self
            .classes
            .iter()
            .map(|class| class.count)
            .max()
            .unwrap_or(1);
        let used = self.classes.iter().skip_while(|class| class.count == 0);
        for Class { from, to, count } in used {
            let bar = (count * BAR).div_ceil(most);
            let bar = "#".repeat(usize::try_from(bar).unwrap_or(0));
            writeln!(output, "    {from:>9} to {to:<9} {count:>9}  {bar}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_powers_of_two() {
        let mut histogram = Histogram::default();
        for size in [0, 1, 2, 3, 4, 7, 8, 8, 8] {
            histogram.add(size);
        }
        let classes: Vec<_> = histogram
            .classes
            .iter()
            .map(|class| (class.from, class.to, class.count))
            .collect();
        assert_eq!(
            classes,
            [(0, 0, 1), (1, 1, 1), (2, 3, 2), (4, 7, 2), (8, 15, 3)]
        );
        assert_eq!((histogram.smallest, histogram.largest), (Some(0), Some(8)));
        let mut shown = Vec::new();
        histogram.print("sizes", &mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(
            shown.starts_with("  sizes: 0 to 8 bytes, 4 on average\n"),
            "{shown}"
        );
        assert_eq!(shown.lines().count(), 6);
    }
}
