//! One pass over slices of equal length, split between threads where it pays. Elements are independent, so the result
//! does not depend on the split.

use super::{Gradient, Real};
use rayon::prelude::*;

/// Elements a task: 128 KiB of f32, some microseconds of work, above what handing it to a thread costs.
pub(crate) const CHUNK: usize = 1 << 15;

/// `f(&mut parameter, gradient)` for every element.
pub fn update<T: Real>(
    parameter: &mut [T],
    gradient: Gradient<'_, T>,
    f: impl Fn(&mut T, T) + Copy + Send + Sync,
) {
    let pass = move |p: &mut [T], g: Gradient<T>| {
        for (p, &value) in p.iter_mut().zip(g.untreated()) {
            let g = g.treated(value, *p);
            f(p, g);
        }
    };
    if parameter.len() <= CHUNK {
        return pass(parameter, gradient);
    }
    parameter.par_chunks_mut(CHUNK).zip(gradient.chunks(CHUNK)).for_each(|(p, g)| pass(p, g));
}

/// `f(&mut parameter, gradient, &mut a)` for every element.
pub fn update_with_one<T: Real>(
    parameter: &mut [T],
    gradient: Gradient<'_, T>,
    a: &mut [T],
    f: impl Fn(&mut T, T, &mut T) + Copy + Send + Sync,
) {
    let pass = move |p: &mut [T], g: Gradient<T>, a: &mut [T]| {
        for ((p, &value), a) in p.iter_mut().zip(g.untreated()).zip(a) {
            let g = g.treated(value, *p);
            f(p, g, a);
        }
    };
    if parameter.len() <= CHUNK {
        return pass(parameter, gradient, a);
    }
    parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.chunks(CHUNK))
        .zip(a.par_chunks_mut(CHUNK))
        .for_each(|((p, g), a)| pass(p, g, a));
}

/// `f(&mut parameter, gradient, &mut a, &mut b)` for every element.
pub fn update_with_two<T: Real>(
    parameter: &mut [T],
    gradient: Gradient<'_, T>,
    a: &mut [T],
    b: &mut [T],
    f: impl Fn(&mut T, T, &mut T, &mut T) + Copy + Send + Sync,
) {
    let pass = move |p: &mut [T], g: Gradient<T>, a: &mut [T], b: &mut [T]| {
        for (((p, &value), a), b) in p.iter_mut().zip(g.untreated()).zip(a).zip(b) {
            let g = g.treated(value, *p);
            f(p, g, a, b);
        }
    };
    if parameter.len() <= CHUNK {
        return pass(parameter, gradient, a, b);
    }
    parameter
        .par_chunks_mut(CHUNK)
        .zip(gradient.chunks(CHUNK))
        .zip(a.par_chunks_mut(CHUNK))
        .zip(b.par_chunks_mut(CHUNK))
        .for_each(|(((p, g), a), b)| pass(p, g, a, b));
}
