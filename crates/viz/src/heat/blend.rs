use crate::colour::palette::luma;

/// How a heat map's colour and the photo's meet, pixel by pixel. `p` is the photo, `h` the map's colour, α the share of the map, and
/// Y(c) = 0.299 R + 0.587 G + 0.114 B the brightness (luma, ITU-R BT.601). None of them rescales the sum afterwards, which
/// would make the same photo lighter or darker with every map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blend {
    /// The map colours, the photo keeps its brightness: with the colour part C(c) = c − Y(c), which has no brightness of its own, out =
    /// Y(p) + s·((1 − α)·C(p) + α·C(h)), where s is 1, or the largest factor below 1 that keeps out within 0..=255.
    /// Y(out) = Y(p) exactly, but for rounding. Hue alone then tells values apart, which not everyone sees.
    KeepBrightness,
    /// The plain mean, out = (1 − α)·p + α·h: the map is told by brightness too, so also by who does not see red and green apart.
    #[default]
    Even,
    /// The map covers the photo only where it is high: out = (1 − αv)·p + αv·h, with v from 0 to 1 the map's value.
    /// Where the map is low, the photo is untouched.
    ByValue,
}

impl Blend {
    /// The three ways.
    pub const ALL: [Self; 3] = [Self::KeepBrightness, Self::Even, Self::ByValue];

    /// Lower-case name, as used on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeepBrightness => "keep-brightness",
            Self::Even => "even",
            Self::ByValue => "by-value",
        }
    }

    /// The colour of one pixel of the photo under a map of colour `heat` and value `value` (0 to 1), with share `alpha` (0 to 1).
    pub fn pixel(self, photo: [u8; 3], heat: [u8; 3], value: f32, alpha: f32) -> [u8; 3] {
        match self {
            Self::KeepBrightness => keep_brightness(photo, heat, alpha),
            Self::Even => mean(photo, heat, alpha),
            Self::ByValue => mean(photo, heat, alpha * value.clamp(0.0, 1.0)),
        }
    }
}

fn mean(photo: [u8; 3], heat: [u8; 3], alpha: f32) -> [u8; 3] {
    std::array::from_fn(|c| ((1.0 - alpha) * f32::from(photo[c]) + alpha * f32::from(heat[c])).round() as u8)
}

fn keep_brightness(photo: [u8; 3], heat: [u8; 3], alpha: f32) -> [u8; 3] {
    let (y, heat_y) = (luma(photo), luma(heat));
    let colour: [f32; 3] = std::array::from_fn(|c| {
        (1.0 - alpha) * (f32::from(photo[c]) - y) + alpha * (f32::from(heat[c]) - heat_y)
    });
    let room = |d: f32| match d {
        d if d > 0.0 => (255.0 - y) / d,
        d if d < 0.0 => y / -d,
        _ => 1.0,
    };
    let s = colour.iter().fold(1f32, |s, &d| s.min(room(d))).max(0.0);
    colour.map(|d| (y + s * d).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// p = (200, 100, 50): Y = 124.2, C = (75.8, −24.2, −74.2). h = (0, 0, 255): Y = 29.07, C = (−29.07, −29.07, 225.93). Half of
    /// each: (23.365, −26.635, 75.865), which fits, so out = (147.565, 97.565, 200.065).
    #[test]
    fn keep_brightness_by_hand() {
        let out = Blend::KeepBrightness.pixel([200, 100, 50], [0, 0, 255], 0.3, 0.5);
        assert_eq!(out, [148, 98, 200]);
    }

    /// p = 240 grey, h = pure blue, α = 1: C(h) = (−29.07, −29.07, 225.93), room above is 15, s = 15/225.93 = 0.066392, so
    /// out = (240 − 1.93, 240 − 1.93, 255).
    #[test]
    fn colours_fade_rather_than_clip() {
        assert_eq!(Blend::KeepBrightness.pixel([240; 3], [0, 0, 255], 1.0, 1.0), [238, 238, 255]);
        assert_eq!(Blend::KeepBrightness.pixel([0; 3], [255, 0, 0], 1.0, 1.0), [0; 3]);
        assert_eq!(Blend::KeepBrightness.pixel([255; 3], [255, 0, 0], 1.0, 1.0), [255; 3]);
    }

    #[test]
    fn means_by_hand() {
        assert_eq!(Blend::Even.pixel([100, 0, 200], [200, 100, 0], 0.0, 0.25), [125, 25, 150]);
        assert_eq!(Blend::ByValue.pixel([100, 0, 200], [200, 100, 0], 0.0, 0.25), [100, 0, 200]);
        assert_eq!(Blend::ByValue.pixel([100, 0, 200], [200, 100, 0], 0.5, 0.5), [125, 25, 150]);
    }

    #[test]
    fn no_share_leaves_the_photo() {
        for blend in Blend::ALL {
            assert_eq!(blend.pixel([13, 200, 77], [255, 0, 9], 1.0, 0.0), [13, 200, 77]);
        }
    }
}
