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
pub(crate) const PURPLE: Colour = [126, 30, 116];
pub(crate) const BROWN: Colour = [84, 60, 0];
/// What lies behind a line of its colour, `BLUE`: raw values behind smoothed ones.
pub(crate) const FAINT: Colour = [98, 148, 186];
/// One of so many thin lines that only the crowd of them is to be seen.
pub(crate) const THREAD: Colour = [196, 200, 206];
/// Many things of which none stands out.
pub(crate) const SHADE: Colour = [136, 140, 147];

/// For things of one kind, in order.
pub(crate) const CYCLE: [Colour; 5] = [VERMILLION, GREEN, PURPLE, BLUE, BROWN];

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
