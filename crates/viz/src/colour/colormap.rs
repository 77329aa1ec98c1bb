use super::tables::{TURBO, VIRIDIS};

/// A map from a number to a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colormap {
    /// Blue, cyan, yellow, red; byte for byte OpenCV's `COLORMAP_JET`, which published class activation maps are drawn in.
    Jet,
    /// Dark violet to yellow, evenly brighter, also without red and green: Matplotlib's default.
    #[default]
    Viridis,
    /// Jet's order of colours without its false edges (Google, 2019).
    Turbo,
}

impl Colormap {
    /// The three maps.
    pub const ALL: [Self; 3] = [Self::Jet, Self::Viridis, Self::Turbo];

    /// Lower-case name, as used on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jet => "jet",
            Self::Viridis => "viridis",
            Self::Turbo => "turbo",
        }
    }

    /// The red, green and blue of step `index` of 256.
    pub fn color(self, index: u8) -> [u8; 3] {
        let from = |table: &[u8; 768]| std::array::from_fn(|c| table[3 * usize::from(index) + c]);
        match self {
            Self::Jet => jet(index),
            Self::Viridis => from(&VIRIDIS),
            Self::Turbo => from(&TURBO),
        }
    }

    /// The colour of `value` in 0..=1, which takes step ⌊255·value⌋ as pytorch-grad-cam's `show_cam_on_image` does; what is
    /// outside takes the nearest end, NaN the lowest.
    pub fn at(self, value: f32) -> [u8; 3] {
        self.color((value * 255.0) as u8) // a float-to-integer cast saturates, and takes NaN to 0
    }
}

/// OpenCV 4's table holds clamp(1.5 − |4i/255 − c|) for the centres c = 3 (red), 2 (green), 1 (blue), and rounds its
/// 255-fold half to even.
fn jet(index: u8) -> [u8; 3] {
    if index == 159 {
        return [254, 255, 1]; // the table's blue is a hair below a half here
    }
    let x = 4.0 * f32::from(index);
    [765.0, 510.0, 255.0]
        .map(|centre: f32| (382.5 - (x - centre).abs()).clamp(0.0, 255.0).round_ties_even() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middles_are_the_published_ones() {
        let hex = |m: Colormap, i: u8| m.color(i).iter().fold(0u32, |a, &v| a << 8 | u32::from(v));
        assert_eq!([hex(Colormap::Viridis, 0), hex(Colormap::Viridis, 255)], [0x440154, 0xfde725]);
        assert_eq!([hex(Colormap::Turbo, 0), hex(Colormap::Turbo, 255)], [0x30123b, 0x7a0403]);
        assert_eq!([hex(Colormap::Jet, 0), hex(Colormap::Jet, 255)], [0x000080, 0x800000]);
        assert_eq!(Colormap::Viridis.color(128), [33, 145, 140]);
    }

    #[test]
    fn values_outside_take_the_ends() {
        for map in Colormap::ALL {
            assert_eq!(map.at(-3.0), map.color(0));
            assert_eq!(map.at(f32::NAN), map.color(0));
            assert_eq!(map.at(7.0), map.color(255));
            assert_eq!(map.at(0.5), map.color(127)); // ⌊127.5⌋
        }
    }
}
