use super::samples::ImageSize;
use crate::CamError;
use crate::dot::dot;

/// The eight neighbours of a pixel (down, right) and their weights, which come to 1.
const NEIGHBOURS: [(isize, isize, f64); 8] = [
    (1, 1, 1.0 / 12.0),
    (0, 1, 1.0 / 6.0),
    (-1, 1, 1.0 / 12.0),
    (1, -1, 1.0 / 12.0),
    (0, -1, 1.0 / 6.0),
    (-1, -1, 1.0 / 12.0),
    (1, 0, 1.0 / 6.0),
    (-1, 0, 1.0 / 6.0),
];
/// The residual at which the equations count as solved, relative to their right-hand side: far below an f32's rounding.
const SOLVED: f64 = 1e-9;

/// Fills in pixels of an image `(height, width, channels)` linearly, so that each is the weighted mean of its neighbours:
/// 1/6 for those beside it, 1/12 for those across a corner, and in proportion at the image's edges (Rong et al. 2022, ROAD, §4.2).
///
/// `removed` are their places, row by row, each named once. The equations are symmetric and positive definite as long as one pixel
/// remains, and solved by conjugate gradients. `image` is not looked at there. Where all are removed, nothing is changed.
///
/// # Errors
/// [`CamError::Setting`] where `image` is not of that size, or a place lies outside of it.
pub fn impute_linearly(
    image: &mut [f32],
    (height, width, channels): (usize, usize, usize),
    removed: &[usize],
) -> Result<(), CamError> {
    let values = height.checked_mul(width).and_then(|area| area.checked_mul(channels));
    if values != Some(image.len()) {
        return Err(CamError::Setting {
            name: "image to be filled in",
            expected: format!("{height}×{width} pixels of {channels} channels"),
            got: format!("{} values", image.len()),
        });
    }
    let size = ImageSize { height, width, channels };
    if let Some(place) = removed.iter().find(|place| **place >= size.area()) {
        return Err(CamError::Setting {
            name: "pixel to be filled in",
            expected: format!("below {}", size.area()),
            got: place.to_string(),
        });
    }
    if removed.is_empty() || removed.len() >= size.area() {
        return Ok(());
    }
    let equations = Equations::new(size, removed);
    for channel in 0..channels {
        let solution = equations.solve(image, channel);
        for (&pixel, value) in removed.iter().zip(solution) {
            image[pixel * channels + channel] = value as f32;
        }
    }
    Ok(())
}

/// One for each pixel removed: its share of weights within the image times its value, less the removed neighbours' weighed
/// values, is the known neighbours' weighed values.
struct Equations {
    channels: usize,
    diagonal: Vec<f64>,
    /// By equation, the unknowns among the neighbours, by their number.
    unknown: Vec<Vec<(usize, f64)>>,
    /// By equation, the known pixels among the neighbours, by their place.
    known: Vec<Vec<(usize, f64)>>,
}

impl Equations {
    fn new(size: ImageSize, removed: &[usize]) -> Self {
        let mut number = vec![None; size.area()];
        removed.iter().enumerate().for_each(|(i, &pixel)| number[pixel] = Some(i));
        let (mut diagonal, mut unknown, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for &pixel in removed {
            let (y, x) = (pixel / size.width, pixel % size.width);
            let (mut sum, mut theirs, mut given) = (0.0, Vec::new(), Vec::new());
            for (down, right, weight) in NEIGHBOURS {
                let (Some(y), Some(x)) = (y.checked_add_signed(down), x.checked_add_signed(right)) else {
                    continue;
                };
                if y >= size.height || x >= size.width {
                    continue;
                }
                sum += weight;
                match number[y * size.width + x] {
                    Some(i) => theirs.push((i, weight)),
                    None => given.push((y * size.width + x, weight)),
                }
            }
            diagonal.push(sum);
            unknown.push(theirs);
            known.push(given);
        }
        Self { channels: size.channels, diagonal, unknown, known }
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        let row = |(i, theirs): (usize, &Vec<(usize, f64)>)| {
            self.diagonal[i] * x[i] - theirs.iter().map(|&(j, weight)| weight * x[j]).sum::<f64>()
        };
        self.unknown.iter().enumerate().map(row).collect()
    }

    /// Conjugate gradients (Hestenes and Stiefel 1952) from 0.
    fn solve(&self, image: &[f32], channel: usize) -> Vec<f64> {
        let value =
            |&(pixel, weight): &(usize, f64)| weight * f64::from(image[pixel * self.channels + channel]);
        let mut residual: Vec<f64> = self.known.iter().map(|given| given.iter().map(value).sum()).collect();
        let mut x = vec![0.0; residual.len()];
        let mut direction = residual.clone();
        let mut norm = dot(&residual, &residual);
        let enough = norm * SOLVED * SOLVED;
        // In exact arithmetic as many steps suffice as there are unknowns; rounding may ask for some more.
        for _ in 0..2 * x.len() {
            if norm <= enough {
                break;
            }
            let image = self.times(&direction);
            let step = norm / dot(&direction, &image);
            add(&mut x, step, &direction);
            add(&mut residual, -step, &image);
            let next = dot(&residual, &residual);
            let kept = next / norm;
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + kept * *d);
            norm = next;
        }
        x
    }
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(t, w)| *t += times * w);
}
