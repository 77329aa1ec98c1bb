//! One pass into every sink, against its definition.

use std::fmt::Display;

use wick_kernels::Element;
use wick_kernels::fused::{Activation, Coefficients, Epilogue, Gate, Sink, Write};

use super::{Data, assert_close, len, lines, numbers, widened};

/// An epilogue that has no place for its sums yet.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a, E> {
    None,
    Statistics,
    Affine {
        scale: Option<Coefficients<'a>>,
        shift: Option<Coefficients<'a>>,
        residual: Option<&'a [E]>,
        activation: Activation,
    },
    Gradient {
        gate: Gate<'a, E>,
        with: [Option<&'a [E]>; 2],
    },
}

impl<'a, E: Element> Kind<'a, E> {
    /// Sums a channel and image.
    pub fn sums(&self) -> usize {
        match self {
            Self::None | Self::Affine { .. } => 0,
            Self::Statistics => 2,
            Self::Gradient { with, .. } => 1 + with.iter().flatten().count(),
        }
    }

    pub fn epilogue<'s>(self, sums: &'s mut [f32]) -> Epilogue<'s, E>
    where
        'a: 's,
    {
        match self {
            Self::None => Epilogue::None,
            Self::Statistics => Epilogue::Statistics { sums },
            Self::Affine { scale, shift, residual, activation } => {
                Epilogue::Affine { scale, shift, residual, activation }
            }
            Self::Gradient { gate, with } => Epilogue::Gradient { gate, with, sums },
        }
    }

    /// Without its tensors, for messages.
    fn name(&self) -> String {
        match self {
            Self::None => "plainly".to_owned(),
            Self::Statistics => "statistics".to_owned(),
            Self::Affine { scale, shift, residual, activation } => format!(
                "affine, scale {}, shift {}, residual {}, {activation:?}",
                scale.is_some(),
                shift.is_some(),
                residual.is_some()
            ),
            Self::Gradient { gate, with } => {
                let gate = match gate {
                    Gate::Open => "open".to_owned(),
                    Gate::Positive(_) => "positive".to_owned(),
                    Gate::Normalised { activation, .. } => format!("{activation:?}"),
                };
                format!("gradient, gate {gate}, with {:?}", with.map(|y| y.is_some()))
            }
        }
    }
}

/// How far results may be off.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// Any value.
    pub absolute: f32,
    /// Besides, as a share of the value.
    pub relative: f32,
    /// Sums over the pixels of an image.
    pub sums: f32,
}

/// Compares two passes over `data.extent`, sent into every sink with `data`.
pub fn check_sinks<E: Element>(
    what: impl Display,
    data: &Data<E>,
    tolerance: Tolerance,
    got: impl Fn(Sink<E>),
    want: impl Fn(Sink<E>),
) {
    let Tolerance { absolute, relative, sums } = tolerance;
    let start: Vec<E> = numbers(99, len(data.extent));
    for write in [Write::Overwrite, Write::Stream, Write::Add] {
        for kind in data.kinds() {
            let sent = |pass: &dyn Fn(Sink<E>)| {
                let mut to = lines(&start);
                if write != Write::Add {
                    to.fill(E::from_f32(f32::NAN));
                }
                let mut sums = vec![f32::NAN; data.extent.images * kind.sums() * data.extent.channels];
                pass(Sink { to: &mut to, write, epilogue: kind.epilogue(&mut sums) });
                (widened(&to), sums)
            };
            let ((got, got_sums), (want, want_sums)) = (sent(&got), sent(&want));
            let name = kind.name();
            assert_close(format_args!("{what}, {write:?}, {name}"), &got, &want, absolute, relative);
            assert_close(format_args!("{what}, {write:?}, sums of {name}"), &got_sums, &want_sums, sums, 0.0);
        }
    }
}
