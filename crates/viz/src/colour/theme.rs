//! Which of the palette's two sets of colours a chart is drawn in.

use super::palette::{
    BLUE, BROWN, Colour, FAINT, FRAME, GREEN, GRID, INK, MUTED, PURPLE, SHADE, THREAD, VERMILLION, WHITE,
};

/// The page that a chart is drawn for; either way it has an opaque ground of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on white.
    Light,
    /// Light on near-black.
    Dark,
    /// In an SVG as the reader's browser prefers (`prefers-color-scheme`), light in print and where nothing is preferred. In a
    /// PNG light.
    #[default]
    Auto,
}

/// Each colour of the palette beside the one that stands for it on a dark page.
pub(crate) const PAIRS: [(Colour, Colour); 13] = [
    (WHITE, [20, 22, 27]),
    (INK, [234, 236, 240]),
    (MUTED, [172, 177, 185]),
    (FRAME, [134, 140, 149]),
    (GRID, [48, 52, 60]),
    (BLUE, [96, 178, 240]),
    (VERMILLION, [255, 143, 74]),
    (GREEN, [58, 196, 158]),
    (PURPLE, [236, 180, 228]),
    (BROWN, [250, 232, 130]),
    (FAINT, [84, 125, 158]),
    (THREAD, [66, 71, 80]),
    (SHADE, [112, 118, 128]),
];

impl Theme {
    /// The colour that stands for `light`.
    pub(crate) fn colour(self, light: Colour) -> Colour {
        match self {
            Self::Light | Self::Auto => light,
            Self::Dark => PAIRS.iter().find(|pair| pair.0 == light).map_or(light, |pair| pair.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colour::palette::CYCLE;
    use crate::colour::sight::{Sight, luminance};

    /// Contrast as WCAG 2.2 defines it.
    fn contrast(a: Colour, b: Colour) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_by_wcags_examples() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
        assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.005, "the darkest grey that fails is #777");
    }

    /// WCAG 2.2: 4.5 for text (1.4.3), 3 for what has to be seen to understand a figure (1.4.11). Lines' colours write text too.
    #[test]
    fn text_and_lines_stand_out_on_both_pages() {
        for theme in [Theme::Light, Theme::Dark] {
            let paper = theme.colour(WHITE);
            for text in [INK, MUTED].iter().chain(&CYCLE) {
                let contrast = contrast(theme.colour(*text), paper);
                assert!(contrast >= 4.5, "{text:?}, {theme:?}: {contrast:.2}");
            }
            for line in [FRAME, FAINT, SHADE] {
                let contrast = contrast(theme.colour(line), paper);
                assert!(contrast >= 3.0, "{line:?}, {theme:?}: {contrast:.2}");
            }
        }
    }

    /// ΔE 1976 of 14 is told apart at a glance; train and test, the pair that is looked at most, by far more.
    #[test]
    fn colours_differ_for_those_who_do_not_see_red_and_green_apart() {
        for theme in [Theme::Light, Theme::Dark] {
            for sight in [Sight::Protanopia, Sight::Deuteranopia] {
                let difference = |a: Colour, b: Colour| sight.difference(theme.colour(a), theme.colour(b));
                for (i, &a) in CYCLE.iter().enumerate() {
                    for &b in &CYCLE[i + 1..] {
                        assert!(difference(a, b) > 14.0, "{a:?} {b:?} {theme:?}: {:.1}", difference(a, b));
                    }
                }
                assert!(difference(BLUE, VERMILLION) > 60.0);
            }
        }
    }
}
