//! Colours. Each only repeats what a word says beside it.

use console::Style;

/// What a text is, for the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The head of a table.
    Head,
    /// What is best, or done.
    Good,
    /// What looks wrong.
    Warning,
    /// What went wrong.
    Error,
}

/// Of the 256-colour palette, blue, orange and crimson: each at least 3:1 against black and against white (WCAG 2, 1.4.11), and
/// blue and orange are told apart by people who do not tell red from green.
pub const BLUE: u8 = 33;
pub const ORANGE: u8 = 166;
pub const CRIMSON: u8 = 161;

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Head => Style::new().bold(),
            Self::Good => Style::new().color256(BLUE).bold(),
            Self::Warning => Style::new().color256(ORANGE).bold(),
            Self::Error => Style::new().color256(CRIMSON).bold(),
        }
    }
}

/// Text on standard output, in colour if that takes it.
pub fn paint(text: &str, tone: Tone) -> String {
    tone.style().apply_to(text).to_string()
}

/// Text on standard error, in colour if that takes it.
pub fn paint_error(text: &str, tone: Tone) -> String {
    tone.style().for_stderr().apply_to(text).to_string()
}

/// Turns colours on or off: `NO_COLOR` (<https://no-color.org>), else `CLICOLOR_FORCE`, else whether each stream is a terminal that has
/// them and `CLICOLOR` is not 0 (<https://bixense.com/clicolors>).
pub fn choose_colours() {
    let wanted = |stream: &console::Term| {
        let value = |name: &str| std::env::var(name).ok();
        coloured(value, stream.is_term())
    };
    console::set_colors_enabled(wanted(&console::Term::stdout()));
    console::set_colors_enabled_stderr(wanted(&console::Term::stderr()));
}

fn coloured(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    is_terminal && set("CLICOLOR").as_deref() != Some("0") && set("TERM").as_deref() != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)], is_terminal: bool) -> bool {
        let value = |name: &str| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned());
        coloured(value, is_terminal)
    }

    #[test]
    fn the_environment_decides_before_the_terminal() {
        assert!(with(&[], true) && !with(&[], false));
        assert!(!with(&[("NO_COLOR", "1")], true));
        assert!(with(&[("NO_COLOR", "")], true), "an empty value asks for nothing");
        assert!(with(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!with(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!with(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(!with(&[("CLICOLOR", "0")], true) && !with(&[("TERM", "dumb")], true));
    }

    /// Relative luminance by WCAG 2.2 of a colour of xterm's 6×6×6 cube, whose levels are 0, 95, 135, 175, 215, 255.
    fn luminance(colour: u8) -> f64 {
        let cube = colour - 16;
        let channel = |level: u8| {
            let c = f64::from([0_u8, 95, 135, 175, 215, 255][usize::from(level)]) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(cube / 36) + 0.7152 * channel(cube / 6 % 6) + 0.0722 * channel(cube % 6)
    }

    #[test]
    fn colours_are_legible_on_black_and_on_white() {
        for colour in [BLUE, ORANGE, CRIMSON] {
            let on_black = (luminance(colour) + 0.05) / 0.05;
            let on_white = 1.05 / (luminance(colour) + 0.05);
            assert!(
                on_black >= 3.0 && on_white >= 3.0,
                "{colour}: {on_black:.2} on black, {on_white:.2} on white"
            );
        }
    }
}
