//! Charts of horizontal bars in groups, as SVG.

use std::path::Path;

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};

const WIDTH: i32 = 940;
/// Where bars begin; what a group is called stands to the left.
const LEFT: i32 = 290;
/// Where the longest bar ends; its number stands to the right.
const RIGHT: i32 = WIDTH - 60;
const BAR_HEIGHT: i32 = 12;
const GROUP_GAP: i32 = 12;
/// Above the bars: the title, a line of the legend, and the numbers of the axis.
const TOP: i32 = 92;
/// The height of another line of the legend, in pixels.
const LEGEND_LINE: i32 = 18;
const BOTTOM: i32 = 14;

const INK: RGBColor = RGBColor(0x26, 0x26, 0x26);
const FAINT: RGBColor = RGBColor(0xd4, 0xd4, 0xd4);
const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Okabe and Ito's colours, which the colour-blind can tell apart.
const COLOURS: [RGBColor; 9] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xf0, 0xe4, 0x42),
    RGBColor(0x88, 0x88, 0x88),
    RGBColor(0x26, 0x26, 0x26),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn<'a> = Result<
    (),
    DrawingAreaErrorKind<<SVGBackend<'a> as plotters::prelude::DrawingBackend>::ErrorType>,
>;

/// A chart.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// What the bars of a colour are.
    pub(crate) series: Vec<String>,
    pub(crate) groups: Vec<Group>,
    /// Behind each number, and on the axis.
    pub(crate) unit: &'static str,
}

/// The bars of one thing.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) label: String,
    pub(crate) bars: Vec<Bar>,
}

/// A bar, and a mark beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bar {
    /// Which of the chart's.
    pub(crate) series: usize,
    pub(crate) value: f64,
    pub(crate) target: Option<f64>,
}

impl Chart {
    /// Draws the chart to a file.
    ///
    /// # Errors
    ///
    /// A sentence that names the file.
    pub(crate) fn draw(&self, path: &Path) -> Result<(), String> {
        let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let size = (WIDTH.unsigned_abs(), self.height().unsigned_abs());
        let area = SVGBackend::new(path, size).into_drawing_area();
        self.draw_all(&area).map_err(|error| fault(&error))?;
        area.present().map_err(|error| fault(&error))
    }

    /// Where each series stands in the legend: as many in a line as fit.
    fn legend(&self) -> Vec<(i32, i32)> {
        let (mut left, mut line) = (16, 0);
        let place = |series: &String| {
            // About as wide as a sans-serif of this size.
            let width = 44 + 8 * i32::try_from(series.len()).unwrap_or_default();
            if left > 16 && left + width > WIDTH {
                (left, line) = (16, line + LEGEND_LINE);
            }
            let place = (left, line);
            left += width;
            place
        };
        self.series.iter().map(place).collect()
    }

    /// Where the bars begin.
    fn top(&self) -> i32 {
        TOP + self.legend().last().map_or(0, |&(_, line)| line)
    }

    fn height(&self) -> i32 {
        let groups = self.groups.iter().map(Group::height);
        self.top() + groups.map(|height| height + GROUP_GAP).sum::<i32>() + BOTTOM
    }

    fn draw_all<'a>(&self, area: &Area<'a>) -> Drawn<'a> {
        area.fill(&PAPER)?;
        text(area, &self.title, (16, 22), 20.0, HPos::Left)?;
        self.draw_legend(area)?;
        let values = self.groups.iter().flat_map(|group| &group.bars);
        let values = values.flat_map(|bar| [bar.value, bar.target.unwrap_or_default()]);
        let (step, mut top) = (step(values.fold(0.0, f64::max)), self.top());
        let most = step * 5.0;
        for tick in 0..=5 {
            let value = step * f64::from(tick);
            let at = position(value, most);
            line(area, [(at, top - 8), (at, self.height() - BOTTOM)], FAINT)?;
            let label = format!("{}{}", short(value), self.unit);
            text(area, &label, (at, top - 17), 14.0, HPos::Center)?;
        }
        for group in &self.groups {
            self.draw_group(area, group, top, most)?;
            top += group.height() + GROUP_GAP;
        }
        line(
            area,
            [(LEFT, self.top() - 8), (LEFT, self.height() - BOTTOM)],
            INK,
        )
    }

    fn draw_legend<'a>(&self, area: &Area<'a>) -> Drawn<'a> {
        let places = self.legend().into_iter().zip(&self.series);
        for (((left, line), series), colour) in places.zip(COLOURS) {
            let square = [(left, 43 + line), (left + 11, 54 + line)];
            area.draw(&Rectangle::new(square, colour.filled()))?;
            text(area, series, (left + 17, 49 + line), 15.5, HPos::Left)?;
        }
        Ok(())
    }

    fn draw_group<'a>(&self, area: &Area<'a>, group: &Group, top: i32, most: f64) -> Drawn<'a> {
        let middle = top + group.height() / 2;
        text(area, &group.label, (LEFT - 10, middle), 15.5, HPos::Right)?;
        let tops = (0..).map(|bar| top + bar * BAR_HEIGHT);
        for (bar, top) in group.bars.iter().zip(tops) {
            let (end, bottom) = (position(bar.value, most), top + BAR_HEIGHT);
            let colour = COLOURS[bar.series % COLOURS.len()];
            area.draw(&Rectangle::new(
                [(LEFT, top), (end, bottom - 1)],
                colour.filled(),
            ))?;
            let mut after = end;
            if let Some(target) = bar.target {
                let at = position(target, most);
                line(area, [(at, top), (at, bottom - 1)], INK)?;
                if (after..after + 40).contains(&at) {
                    after = at;
                }
            }
            let label = format!("{}{}", short(bar.value), self.unit);
            text(
                area,
                &label,
                (after + 5, top + BAR_HEIGHT / 2),
                12.5,
                HPos::Left,
            )?;
        }
        Ok(())
    }
}

impl Group {
    fn height(&self) -> i32 {
        BAR_HEIGHT * i32::try_from(self.bars.len()).unwrap_or_default()
    }
}

fn text<'a>(area: &Area<'a>, text: &str, at: (i32, i32), size: f64, from: HPos) -> Drawn<'a> {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&INK);
    let style = style.pos(Pos::new(from, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))
}

fn line<'a>(area: &Area<'a>, ends: [(i32, i32); 2], colour: RGBColor) -> Drawn<'a> {
    area.draw(&PathElement::new(ends.to_vec(), colour.stroke_width(1)))
}

fn position(value: f64, most: f64) -> i32 {
    let along = (value / most).clamp(0.0, 1.0) * f64::from(RIGHT - LEFT);
    #[expect(clippy::cast_possible_truncation, reason = "it is between two i32s")]
    let along = along.round() as i32;
    LEFT + along
}

/// A round number of which five are at least `most`.
fn step(most: f64) -> f64 {
    let least = (most / 5.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    let steps = factors.map(|factor| factor * power);
    steps
        .into_iter()
        .find(|&step| step >= least)
        .unwrap_or(10.0 * power)
}

fn short(value: f64) -> String {
    if value >= 100.0 || value == value.trunc() {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_steps_reach_the_longest_bar() {
        assert_eq!(step(12.0), 2.5);
        assert_eq!(step(5.0), 1.0);
        assert_eq!(step(3954.0), 1000.0);
        assert!((step(0.3) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_legend_takes_as_many_lines_as_it_needs() {
        let chart = |series: usize| Chart {
            title: String::new(),
            series: vec!["crossbeam-skiplist".to_owned(); series],
            groups: Vec::new(),
            unit: "",
        };
        assert_eq!(chart(4).top(), TOP);
        let places = chart(9).legend();
        assert_eq!(chart(9).top(), TOP + 2 * LEGEND_LINE);
        assert!(places.iter().all(|&(left, _)| left + 188 <= WIDTH));
    }

    #[test]
    fn a_chart_shows_its_labels_and_numbers() {
        let bar = |series, value| Bar {
            series,
            value,
            target: Some(5.0),
        };
        let chart = Chart {
            title: "A title".to_owned(),
            series: vec!["one".to_owned(), "two".to_owned()],
            groups: vec![Group {
                label: "a group".to_owned(),
                bars: vec![bar(0, 3.25), bar(1, 7.0)],
            }],
            unit: "x",
        };
        let path = std::env::temp_dir().join(format!("chart-{}.svg", std::process::id()));
        chart.draw(&path).unwrap();
        let svg = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for shown in ["A title", "one", "two", "a group", "3.2x", "7x", "10x"] {
            assert!(svg.contains(&format!("\n{shown}\n")), "{shown}: {svg}");
        }
    }
}
