use super::caption::{HEADING, LINE, MARGIN, RIGHT, lines, nothing, title, title_size, widest, zoom};
use super::color_bar::{self, ColorBar};
use crate::{
    HeatMap, OverlayOptions, Photo, Range, RgbImage, VizError,
    colour::palette::{GRID, INK},
    enlarge,
    error::same_length,
    min_max, overlay,
    sheet::{Rect, Sheet},
    text::{self, Anchor, Style},
};

const FIGURE: &str = "comparison of class activation maps";
const GAP: u64 = 8;
/// Between the captions, the images and the maps.
const BREAK: u64 = 16;
const CAPTION_LIMIT: u64 = 180;
/// The most that a long head may widen the columns.
const HEAD_LIMIT: u64 = 128;
/// A group of more images stands in two blocks beside each other, if both fit in [`WIDTH_LIMIT`].
const ROWS: usize = 12;
const WIDTH_LIMIT: u64 = 2000;
/// Between two blocks.
const BETWEEN: u64 = 40;
/// Above each heading but the first.
const APART: u64 = 32;
/// A heading with what is below it.
const HEADED: u64 = 30;

/// An image with several maps of what the network looked at.
#[derive(Clone, Copy, Debug)]
pub struct ComparedCams<'a> {
    /// The image.
    pub image: Photo<'a>,
    /// Its number in the data set, if it has one.
    pub index: Option<usize>,
    /// A map for each column, of any size; each is resized and scaled to 0..=1 here.
    pub maps: &'a [HeatMap<'a>],
    /// The true class's name; empty where it is not known.
    pub truth: &'a str,
    /// The predicted class's name.
    pub predicted: &'a str,
    /// The probability given to the prediction, a fraction.
    pub probability: f64,
}

/// Images that belong together.
#[derive(Clone, Copy, Debug)]
pub struct CamGroup<'a> {
    /// Above them, if any.
    pub heading: Option<&'a str>,
    /// The images.
    pub cases: &'a [ComparedCams<'a>],
}

/// How [`cam_comparison`] draws.
#[derive(Clone, Debug)]
pub struct CamComparisonOptions {
    /// Above the images, if any.
    pub title: Option<String>,
    /// How many pixels wide and high each pixel becomes; `None` brings the images near 128 pixels, of more than six columns
    /// near 96.
    pub zoom: Option<u32>,
    /// Colours and share of the maps.
    pub overlay: OverlayOptions,
    /// Whether the colours are explained.
    pub color_bar: ColorBar,
    /// What the picture says if there is no case.
    pub none: String,
}

impl Default for CamComparisonOptions {
    fn default() -> Self {
        Self {
            title: None,
            zoom: None,
            overlay: OverlayOptions::default(),
            color_bar: ColorBar::Shown,
            none: "no image to explain".to_owned(),
        }
    }
}

/// For each case a row: true class, predicted class and probability, the image, enlarged without smearing, and each of its maps over
/// it, below the heads of the `columns`, such as methods or layers, which may have several lines and are broken where they are too
/// wide. Each group begins anew below its heading; of many images it has two blocks of rows, if they are narrow enough. A map whose
/// values are all equal leaves the image as it is and is said to be flat, or why ([`HeatMap::flat_since`]). Without a case, a picture
/// that says so.
///
/// # Errors
/// [`VizError::Length`] if a case has not one map for each column, [`VizError::OutOfRange`] if `zoom` is 0 or `overlay.alpha` not within
/// 0..=1, [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn cam_comparison<S: AsRef<str>>(
    columns: &[S],
    groups: &[CamGroup<'_>],
    options: &CamComparisonOptions,
) -> Result<RgbImage, VizError> {
    let cases = || groups.iter().flat_map(|group| group.cases);
    for case in cases() {
        same_length(FIGURE, "maps of a case, one for each column", columns.len(), case.maps.len())?;
    }
    let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    let layout = Layout::of(&columns, groups, options)?;
    if cases().next().is_none() {
        return nothing(FIGURE, options.title.as_deref(), &options.none);
    }
    let groups: Vec<_> = groups.iter().filter(|group| !group.cases.is_empty()).collect();
    let (head, title_width) = title_size(options.title.as_deref());
    let width = layout.width().max(title_width).saturating_add(2 * MARGIN);
    let body = groups.iter().fold(0u64, |sum, group| sum.saturating_add(layout.group(group)));
    let apart = APART * (groups.len() as u64 - 1);
    let height = body.saturating_add(apart + head + 2 * MARGIN + options.color_bar.height());
    let mut sheet = Sheet::new(FIGURE, width, height)?;
    title(&mut sheet, options.title.as_deref(), width);
    let mut y = MARGIN + head;
    for group in groups {
        layout.draw(&mut sheet, group, y, &options.overlay)?;
        y += layout.group(group) + APART;
    }
    if options.color_bar == ColorBar::Shown {
        color_bar::draw(&mut sheet, options.overlay.colormap);
    }
    Ok(sheet.into_image())
}

struct Layout {
    zoom: u32,
    /// Above the image and each map, line by line.
    heads: Vec<Vec<(String, Style)>>,
    head_height: u64,
    tile_width: u64,
    row_height: u64,
    /// Width of the captions.
    gutter: u64,
    /// Width of a block.
    block: u64,
    /// Blocks of the largest group.
    blocks: usize,
}

impl Layout {
    fn of(
        columns: &[&str],
        groups: &[CamGroup<'_>],
        options: &CamComparisonOptions,
    ) -> Result<Self, VizError> {
        let cases = || groups.iter().flat_map(|group| group.cases);
        let photos = || cases().map(|c| c.image);
        let zoom = match options.zoom {
            None if columns.len() > 6 => (3 * zoom(None, photos())? / 4).max(1),
            given => zoom(given, photos())?,
        };
        let side = |of: fn(Photo<'_>) -> usize| {
            photos().map(|p| (of(p) as u64).saturating_mul(u64::from(zoom))).max().unwrap_or(0)
        };
        let image = side(|p| p.size().width);
        let room = image.max(HEAD_LIMIT);
        let heads: Vec<Vec<_>> = ["image"]
            .iter()
            .chain(columns)
            .map(|head| head.lines().flat_map(|line| text::wrap(line, HEADING, room as f32)))
            .map(|lines| lines.map(|line| (line, HEADING)).collect())
            .collect();
        let tile_width = image.max(widest(heads.iter().flatten()).min(HEAD_LIMIT));
        let head_lines = heads.iter().map(Vec::len).max().unwrap_or(0).max(1) as u64;
        let captions: Vec<_> = cases().map(caption).collect();
        let gutter = widest(captions.iter().flatten()).min(CAPTION_LIMIT);
        let maps = (columns.len() as u64).saturating_mul(tile_width.saturating_add(GAP));
        let block = (gutter + BREAK + BREAK - GAP).saturating_add(tile_width).saturating_add(maps);
        let most = groups.iter().map(|group| group.cases.len()).max().unwrap_or(0);
        let both = block.saturating_mul(2).saturating_add(BETWEEN);
        Ok(Self {
            zoom,
            heads,
            head_height: 22 + (head_lines - 1) * LINE,
            tile_width,
            row_height: side(|p| p.size().height).max(3 * LINE),
            gutter,
            block,
            blocks: if most > ROWS && both <= WIDTH_LIMIT { 2 } else { 1 },
        })
    }

    fn width(&self) -> u64 {
        let blocks = self.blocks as u64;
        self.block.saturating_mul(blocks).saturating_add(BETWEEN * (blocks - 1))
    }

    /// Rows of a group's first block; the other has as many or one less.
    fn rows(&self, group: &CamGroup<'_>) -> usize {
        let n = group.cases.len();
        if n > ROWS { n.div_ceil(self.blocks) } else { n }
    }

    /// Height of a group.
    fn group(&self, group: &CamGroup<'_>) -> u64 {
        let heading = if group.heading.is_some() { HEADED } else { 0 };
        let rows = (self.rows(group) as u64).saturating_mul(self.row_height.saturating_add(GAP));
        rows.saturating_add(heading + self.head_height).saturating_sub(GAP)
    }

    fn draw(
        &self,
        sheet: &mut Sheet,
        group: &CamGroup<'_>,
        mut y: u64,
        how: &OverlayOptions,
    ) -> Result<(), VizError> {
        if let Some(heading) = group.heading {
            let style = Style { size: 16.0, ..RIGHT };
            let heading = text::elide(heading, style, self.width() as f32);
            sheet.text(&heading, style, Anchor::Start, MARGIN as f32, (y + 14) as f32);
            y += HEADED;
        }
        for (block, cases) in (0u64..).zip(group.cases.chunks(self.rows(group).max(1))) {
            let x = MARGIN + block * (self.block + BETWEEN);
            self.draw_heads(sheet, x, y + self.head_height);
            for (row, case) in (0u64..).zip(cases) {
                let y = y + self.head_height + row * (self.row_height + GAP);
                self.draw_row(sheet, case, (x, y), how)?;
            }
        }
        Ok(())
    }

    /// Where the image begins, and then each map, in a block that begins at `x`.
    fn places(&self, x: u64) -> impl Iterator<Item = u64> {
        let (image, tile) = (x + self.gutter + BREAK, self.tile_width);
        let map = move |column: u64| image + tile + BREAK + column * (tile + GAP);
        [image].into_iter().chain((0..).map(map))
    }

    fn draw_heads(&self, sheet: &mut Sheet, x: u64, bottom: u64) {
        for (x, lines) in self.places(x).zip(&self.heads) {
            for (above, (words, _)) in (0u64..).zip(lines.iter().rev()) {
                let words = text::elide(words, HEADING, self.tile_width as f32);
                let y = (bottom - above * LINE) as f32 - 8.0;
                sheet.text(&words, HEADING, Anchor::Middle, (x + self.tile_width / 2) as f32, y);
            }
        }
    }

    fn draw_row(
        &self,
        sheet: &mut Sheet,
        case: &ComparedCams<'_>,
        (x, y): (u64, u64),
        how: &OverlayOptions,
    ) -> Result<(), VizError> {
        let middle = y + self.row_height / 2;
        for (line, (words, style)) in (0u64..).zip(&caption(case)) {
            let words = text::elide(words, *style, self.gutter as f32);
            let centre = (middle + line * LINE) as f32 - LINE as f32;
            sheet.text_centred(&words, *style, Anchor::Start, x as f32, centre);
        }
        let image = enlarge(case.image, self.zoom)?;
        let side = (self.tile_width - u64::from(image.width())) / 2;
        let top = middle - u64::from(image.height()) / 2;
        let mut places = self.places(x).map(|x| x + side);
        if let Some(x) = places.next() {
            sheet.framed(&image, x, top);
        }
        for (x, map) in places.zip(case.maps) {
            let place = sheet.framed(&overlay(Photo::of(&image)?, *map, how)?, x, top);
            if let Range::Flat(_) = min_max(map.values()).range {
                flat(sheet, place, map.flat());
            }
        }
        Ok(())
    }
}

fn caption(case: &ComparedCams<'_>) -> [(String, Style); 3] {
    lines(case.index, case.truth, case.predicted, case.probability)
}

/// Says across the foot of a picture that its map is flat, in these words.
fn flat(sheet: &mut Sheet, place: Rect, words: &str) {
    let style = Style::regular(12.0, INK);
    let strip = Rect {
        y: (place.y + place.height).saturating_sub(18).max(place.y),
        height: 18.min(place.height),
        ..place
    };
    sheet.fill(strip, GRID);
    let words = text::elide(words, style, place.width as f32);
    let (x, y) = (place.x + place.width / 2, strip.y + strip.height / 2);
    sheet.text_centred(&words, style, Anchor::Middle, x as f32, y as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever `pipeline gradcam` writes above a column, in columns as narrow as they come.
    #[test]
    fn heads_are_broken_rather_than_cut() {
        let rgb = [9u8; 32 * 32 * 3];
        let image = Photo::new(&rgb, 32, 32).unwrap();
        let case =
            ComparedCams { image, index: None, maps: &[], truth: "a", predicted: "b", probability: 0.5 };
        let heads = [
            "Guided backpropagation",
            "EigenGrad-CAM",
            "whatever the class",
            "augment-smoothed",
            "augment- and eigen-smoothed",
            "eigen-smoothed",
            "not smoothed",
            "at the input",
            "at layer1+layer2+layer3+layer4",
        ];
        let groups = [CamGroup { heading: None, cases: &[case] }];
        let layout = Layout::of(&heads, &groups, &CamComparisonOptions::default()).unwrap();
        for (head, lines) in heads.iter().zip(&layout.heads[1..]) {
            for (line, style) in lines {
                assert_eq!(text::elide(line, *style, layout.tile_width as f32), *line, "{head}");
            }
            assert_eq!(
                lines.iter().map(|(line, _)| line.replace(' ', "")).collect::<String>(),
                head.replace(' ', "")
            );
        }
        assert_eq!(
            layout.heads[4].iter().map(|line| line.0.as_str()).collect::<Vec<_>>(),
            ["augment-", "smoothed"]
        );
    }
}
