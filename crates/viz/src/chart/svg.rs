//! Shapes to SVG. plotters' own SVG backend puts everything on whole pixels and leaves text to the reader's fonts; here each letter
//! is an outline of the bundled font, written once and used wherever it stands.

use super::{
    Chart, Place, SvgOptions,
    brush::{Direction, Point, Shape},
};
use crate::{
    Theme,
    colour::{
        PAIRS,
        palette::{Colour, WHITE},
    },
    text::{self, Anchor, Style, Weight},
};
use std::collections::{BTreeMap, btree_map::Entry};
use std::fmt::Write;

/// How near a pointer has to come to be told something.
const REACH: f64 = 9.0;

/// The chart made of `shapes`.
pub(super) fn write(chart: &Chart, shapes: &[Shape], options: &SvgOptions) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let mut page = Page {
        theme: options.theme,
        id: options.id.chars().map(allowed).collect(),
        letters: BTreeMap::new(),
        body: String::new(),
    };
    let (width, height) = (chart.width(), chart.height());
    page.fill(&[Place { x: 0.0, y: 0.0, width: f64::from(width), height: f64::from(height) }], WHITE);
    shapes.iter().for_each(|shape| page.draw(shape));
    let style = if options.theme == Theme::Auto { dark_style() } else { String::new() };
    let letters: String = page.letters.values().map(String::as_str).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"wick-chart\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>{}</title>\n<desc>{}</desc>\n{style}<defs>{letters}</defs>\n{}</svg>\n",
        escape(chart.title()),
        escape(chart.description()),
        page.body
    )
}

/// The dark colours, for readers who prefer them; in print the light ones stay.
fn dark_style() -> String {
    let rules = PAIRS.iter().map(|&(light, dark)| {
        let (light, dark) = (hex(light), hex(dark));
        format!(
            ".wick-chart [fill=\"{light}\"]{{fill:{dark}}}.wick-chart [stroke=\"{light}\"]{{stroke:{dark}}}"
        )
    });
    format!("<style>@media screen and (prefers-color-scheme:dark){{{}}}</style>\n", rules.collect::<String>())
}

struct Page {
    theme: Theme,
    id: String,
    /// The outlines of the letters used, by weight and letter.
    letters: BTreeMap<(Weight, char), String>,
    body: String,
}

impl Page {
    fn colour(&self, colour: Colour) -> String {
        hex(self.theme.colour(colour))
    }

    fn draw(&mut self, shape: &Shape) {
        match shape {
            Shape::Lines { segments, colour, width } => {
                let colour = self.colour(*colour);
                let ends = "fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\"";
                let (path, width) = (lines(segments), number(*width));
                self.put(&format!(
                    "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"{width}\" {ends}/>"
                ));
            }
            Shape::Fills { places, colour } => self.fill(places, *colour),
            Shape::Disc { centre, radius, colour } => {
                let (x, y, r) = (number(centre.0), number(centre.1), number(*radius));
                let colour = self.colour(*colour);
                self.put(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{colour}\"/>"));
            }
            Shape::Polygon { corners, colour, share } => {
                let colour = self.colour(*colour);
                let corners: Vec<String> =
                    corners.iter().map(|p| format!("{},{}", number(p.0), number(p.1))).collect();
                let share = match *share {
                    1.0 => String::new(),
                    share => format!(" fill-opacity=\"{}\"", number(share)),
                };
                self.put(&format!("<polygon points=\"{}\" fill=\"{colour}\"{share}/>", corners.join(" ")));
            }
            Shape::Text { text, style, anchor, at, direction } => {
                self.text(text, *style, *anchor, *at, *direction);
            }
            Shape::Tip { at, text } => {
                let (x, y, r) = (number(at.0), number(at.1), number(REACH));
                let text = escape(text);
                self.put(&format!(
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"transparent\"><title>{text}</title></circle>"
                ));
            }
        }
    }

    fn put(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    fn fill(&mut self, places: &[Place], colour: Colour) {
        let colour = self.colour(colour);
        let path: String = places
            .iter()
            .map(|p| {
                let (x, y, w, h) = (number(p.x), number(p.y), number(p.width), number(p.height));
                format!("M{x} {y}h{w}v{h}h-{w}z")
            })
            .collect();
        self.put(&format!("<path d=\"{path}\" fill=\"{colour}\"/>"));
    }

    fn text(&mut self, text: &str, style: Style, anchor: Anchor, (x, y): Point, direction: Direction) {
        let scale = f64::from(style.size / text::units_per_em(style.weight));
        let width = f64::from(text::width(text, style));
        let start = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        let place = match direction {
            Direction::Rightwards => format!("translate({} {})", number(x + start), number(y)),
            Direction::Upwards => format!("translate({} {})rotate(-90)", number(x), number(y - start)),
        };
        let colour = self.colour(style.colour);
        let mut uses = String::new();
        let mut along = 0.0;
        for letter in text.chars() {
            if let Some(id) = self.letter(style.weight, letter) {
                let _ = write!(uses, "<use href=\"#{id}\" x=\"{}\"/>", f64::from(along).round());
            }
            along += text::advance(letter, style.weight);
        }
        // Letters are drawn upwards from the baseline, in units of the font.
        self.put(&format!(
            "<g transform=\"{place}scale({scale:.6} -{scale:.6})\" fill=\"{colour}\">{uses}</g>"
        ));
    }

    /// The id of a letter's outline; `None` for a letter that leaves no ink.
    fn letter(&mut self, weight: Weight, letter: char) -> Option<String> {
        let kind = match weight {
            Weight::Regular => "r",
            Weight::Bold => "b",
        };
        let id = format!("{}-{kind}{:x}", self.id, u32::from(letter));
        if let Entry::Vacant(place) = self.letters.entry((weight, letter)) {
            let path = text::outline(letter, weight);
            if path.is_empty() {
                return None;
            }
            place.insert(format!("<path id=\"{id}\" d=\"{path}\"/>"));
        }
        Some(id)
    }
}

/// A path through `segments`, of which one that begins where the last ended goes on.
fn lines(segments: &[(Point, Point)]) -> String {
    let mut path = String::new();
    let mut end = None;
    for (a, b) in segments {
        if end != Some(*a) {
            let _ = write!(path, "M{} {}", number(a.0), number(a.1));
        }
        let _ = write!(path, "L{} {}", number(b.0), number(b.1));
        end = Some(*b);
    }
    path
}

/// At most two decimals, and none that are nought.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn hex([r, g, b]: Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// `text` as XML may hold it: what means something there escaped, control characters as spaces, and what XML 1.0 cannot hold left out.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text::one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([1.0, 0.5, -0.001, 12.346, 100.0].map(number), ["1", "0.5", "0", "12.35", "100"]);
    }

    #[test]
    fn lines_go_on_where_they_ended() {
        let (a, b, c) = ((0.0, 0.0), (1.0, 1.0), (2.0, 0.5));
        assert_eq!(lines(&[(a, b), (b, c), (a, c)]), "M0 0L1 1L2 0.5M0 0L2 0.5");
    }

    #[test]
    fn what_means_something_in_xml_is_escaped() {
        assert_eq!(escape("a<b> & \"c\"\n\u{ffff}"), "a&lt;b&gt; &amp; &quot;c&quot; ");
    }
}
