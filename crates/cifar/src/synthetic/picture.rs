//! One picture: a shape on a ground, often with a ribbon in front.

use std::f32::consts::{PI, TAU};

use super::random::Random;
use super::shape::Shape;
use super::texture::{Cloud, colour, mix};
use crate::{CHANNELS, HEIGHT, IMAGE_BYTES, WIDTH};

/// Radius of a shape in pixels: large enough that a hole of 16 × 16 seldom leaves nothing to recognise.
const RADIUS: (f32, f32) = (8.5, 13.5);
/// The largest shift from the middle, in pixels; less for shapes that would leave the picture.
const SHIFT: f32 = 5.0;
/// The largest turn either way, in radians (about 11°): a square must not become a diamond.
const TURN: f32 = 0.2;
/// Share of pictures that show light on dark. It decides what a linear classifier can do: with half, next to nothing; with
/// nearly all, more than 60 %.
const LIGHT_ON_DARK: f32 = 0.65;
/// Mean brightness of ground and shape, and how far apart they are.
const BRIGHTNESS: (f32, f32) = (0.4, 0.6);
const CONTRAST: (f32, f32) = (0.22, 0.6);
/// How far a surface's two colours lie apart in brightness.
const UNEVEN: f32 = 0.25;
const SATURATION: (f32, f32) = (0.05, 0.32);
/// Half the range of the noise on each channel; its standard deviation is 0.41 of it.
const GRAIN: f32 = 0.22;
/// Share of pictures with a ribbon, half its width in pixels, and how far from the middle it passes.
const RIBBONS: f32 = 0.4;
const RIBBON: (f32, f32) = (1.5, 4.0);
const RIBBON_SHIFT: f32 = 12.0;

/// Draws `shape` into `image`, `(HEIGHT, WIDTH, CHANNELS)` bytes.
pub(super) fn draw(shape: Shape, random: &mut Random, image: &mut [u8; IMAGE_BYTES]) {
    let radius = random.between(RADIUS);
    let shift = SHIFT.min(WIDTH as f32 / 2.0 - radius);
    let (shift_x, shift_y) = (random.between((-shift, shift)), random.between((-shift, shift)));
    let (sin, cos) = random.between((-TURN, TURN)).sin_cos();

    let brightness = random.between(BRIGHTNESS);
    let contrast = random.between(CONTRAST) * if random.chance(LIGHT_ON_DARK) { 0.5 } else { -0.5 };
    let ground = surface(random, brightness - contrast);
    let figure = surface(random, brightness + contrast);
    let ribbon = random.chance(RIBBONS).then(|| Ribbon::new(random));

    for (row, line) in image.chunks_exact_mut(WIDTH * CHANNELS).enumerate() {
        for (column, pixel) in line.chunks_exact_mut(CHANNELS).enumerate() {
            // From the middle of the picture to the middle of the pixel.
            let (x, y) = (column as f32 + 0.5 - WIDTH as f32 / 2.0, row as f32 + 0.5 - HEIGHT as f32 / 2.0);
            let (dx, dy) = ((x - shift_x) / radius, (y - shift_y) / radius);
            let distance = shape.distance(dx * cos + dy * sin, dy * cos - dx * sin) * radius;
            let mut shade = mix(ground(row, column), figure(row, column), covered(distance));
            if let Some(ribbon) = &ribbon {
                shade = mix(shade, ribbon.colour, covered(ribbon.distance(x, y)));
            }
            for ((byte, channel), grain) in pixel.iter_mut().zip(shade).zip(random.noise()) {
                *byte = ((channel + GRAIN * grain) * 255.0 + 0.5) as u8; // `as` cuts off at 0 and 255
            }
        }
    }
}

/// How much of a pixel is covered by what has its edge at this signed distance, in pixels, from the pixel's middle.
fn covered(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// A ground of two related colours, clouded: a colour for each row and column.
fn surface(random: &mut Random, luma: f32) -> impl Fn(usize, usize) -> [f32; 3] + use<> {
    let hue = random.between((0.0, TAU));
    let other_hue = hue + random.between((-1.0, 1.0));
    let first = colour(luma - UNEVEN / 2.0, hue, random.between(SATURATION));
    let second = colour(luma + UNEVEN / 2.0, other_hue, random.between(SATURATION));
    let cloud = Cloud::new(random);
    move |row, column| mix(first, second, cloud.at(row, column))
}

/// A straight strip from edge to edge.
struct Ribbon {
    normal: (f32, f32),
    offset: f32,
    half_width: f32,
    colour: [f32; 3],
}

impl Ribbon {
    fn new(random: &mut Random) -> Self {
        let (sin, cos) = random.between((0.0, PI)).sin_cos();
        Self {
            normal: (sin, cos),
            offset: random.between((-RIBBON_SHIFT, RIBBON_SHIFT)),
            half_width: random.between(RIBBON),
            colour: colour(
                random.between((0.1, 0.9)),
                random.between((0.0, TAU)),
                random.between(SATURATION),
            ),
        }
    }

    fn distance(&self, x: f32, y: f32) -> f32 {
        (x * self.normal.0 + y * self.normal.1 - self.offset).abs() - self.half_width
    }
}
