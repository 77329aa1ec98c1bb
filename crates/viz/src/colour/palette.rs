//! The colours of lines and text. Lines are from Okabe and Ito's palette (darkened, so that they also serve as text on
//! white), told apart by people who do not see red and green apart; no figure relies on colour alone.

pub(crate) type Colour = [u8; 3];

pub(crate) const WHITE: Colour = [255; 3];
pub(crate) const INK: Colour = [32, 33, 36];
pub(crate) const MUTED: Colour = [90, 94, 100];
pub(crate) const FRAME: Colour = [120, 124, 130];
pub(crate) const GRID: Colour = [228, 230, 233];

pub(crate) const BLUE: Colour = [0, 98, 155];
pub(crate) const VERMILLION: Colour = [200, 80, 0];
pub(crate) const GREEN: Colour = [0, 117, 90];
pub(crate) const PURPLE: Colour = [142, 69, 133];
pub(crate) const BROWN: Colour = [120, 94, 10];

/// For things of one kind, in order.
pub(crate) const CYCLE: [Colour; 5] = [VERMILLION, GREEN, PURPLE, BLUE, BROWN];

/// `colour` with `share` (0 to 1) of it left and white for the rest.
pub(crate) fn tint(colour: Colour, share: f64) -> Colour {
    mix(WHITE, colour, share)
}

/// The colour at `t` (0 to 1) on the straight line from `a` to `b`.
pub(crate) fn mix(a: Colour, b: Colour, t: f64) -> Colour {
    std::array::from_fn(|c| (f64::from(a[c]) + (f64::from(b[c]) - f64::from(a[c])) * t).round() as u8)
}

/// Brightness from 0 to 255: the luma of ITU-R BT.601.
pub(crate) fn luma([r, g, b]: Colour) -> f32 {
    0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b)
}

/// Dark or white, whichever is legible on `ground`.
pub(crate) fn ink_on(ground: Colour) -> Colour {
    if luma(ground) < 140.0 { WHITE } else { INK }
}
