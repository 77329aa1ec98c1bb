use super::brush::{Brush, Drawn, FAMILY};
use crate::{VizError, colour::palette::WHITE, sheet::PIXEL_LIMIT, text};
use image::{Rgb, RgbImage};
use plotters::{
    prelude::{BitMapBackend, IntoDrawingArea},
    style::{FontStyle, register_font},
};
use std::sync::Once;

/// How much larger a chart is drawn before it is averaged down.
const ZOOM: u32 = 3;

/// A white picture of `width` × `height` pixels with what `draw` draws.
pub(crate) fn rasterize(
    figure: &'static str,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Brush<'_, BitMapBackend<'_>>) -> Drawn<BitMapBackend<'static>>,
) -> Result<RgbImage, VizError> {
    register();
    let (wide, high) = (u64::from(width), u64::from(height));
    if wide * high > PIXEL_LIMIT / u64::from(ZOOM * ZOOM) {
        let limit = PIXEL_LIMIT / u64::from(ZOOM * ZOOM);
        return Err(VizError::TooLarge { figure, width: wide, height: high, limit });
    }
    let mut large = RgbImage::from_pixel(width * ZOOM, height * ZOOM, Rgb(WHITE));
    {
        let area = BitMapBackend::with_buffer(&mut large, (width * ZOOM, height * ZOOM)).into_drawing_area();
        let failed = |e: &dyn std::fmt::Display| VizError::Draw { figure, detail: e.to_string() };
        draw(&Brush::new(&area, f64::from(ZOOM))).map_err(|e| failed(&e))?;
        area.present().map_err(|e| failed(&e))?;
    }
    Ok(RgbImage::from_fn(width, height, |x, y| average(&large, x * ZOOM, y * ZOOM)))
}

fn average(large: &RgbImage, x: u32, y: u32) -> Rgb<u8> {
    let mut sum = [0u32; 3];
    for (dx, dy) in (0..ZOOM).flat_map(|dy| (0..ZOOM).map(move |dx| (dx, dy))) {
        let pixel = large.get_pixel(x + dx, y + dy);
        for (s, &v) in sum.iter_mut().zip(&pixel.0) {
            *s += u32::from(v);
        }
    }
    Rgb(sum.map(|s| ((s + ZOOM * ZOOM / 2) / (ZOOM * ZOOM)) as u8))
}

/// Tells plotters of the bundled font, once; it then asks the system for none.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (style, file) in [(FontStyle::Normal, text::REGULAR_FILE), (FontStyle::Bold, text::BOLD_FILE)] {
            // It fails only on a file that is no font; a figure then says that the font is missing.
            let _ = register_font(FAMILY, style, file);
        }
    });
}
