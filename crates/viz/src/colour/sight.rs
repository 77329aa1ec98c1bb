//! What colours are to people who do not see red and green apart: for tests of whether a figure can be read.

use super::palette::Colour;

/// How someone sees colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Normal,
    /// Without the cones for red.
    Protanopia,
    /// Without the cones for green.
    Deuteranopia,
}

impl Sight {
    pub(crate) const ALL: [Self; 3] = [Self::Normal, Self::Protanopia, Self::Deuteranopia];

    /// Machado, Oliveira and Fernandes, *A Physiologically-based Model for Simulation of Color Vision Deficiency*, 2009, table 1,
    /// severity 1.0, on linear RGB.
    fn matrix(self) -> [[f64; 3]; 3] {
        match self {
            Self::Normal => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            Self::Protanopia => [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
            Self::Deuteranopia => [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        }
    }

    /// CIE 1976 L*a*b* (D65) of what is seen.
    pub(crate) fn lab(self, colour: Colour) -> [f64; 3] {
        let rgb = colour.map(|v| luminance([v; 3]));
        let [r, g, b] =
            self.matrix().map(|row| row.iter().zip(rgb).map(|(m, v)| m * v).sum::<f64>().clamp(0.0, 1.0));
        let xyz = [
            (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
        ];
        let [x, y, z] = xyz.map(|t| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    /// ΔE (CIE 1976) of two colours.
    pub(crate) fn difference(self, a: Colour, b: Colour) -> f64 {
        self.lab(a).iter().zip(self.lab(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }
}

/// Relative luminance as WCAG 2.2 defines it.
pub(crate) fn luminance(colour: Colour) -> f64 {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}
