//! The one error of this crate.

/// Why a kernel refused its arguments. Nothing was written to any output.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// A slice's length does not follow from the shape.
    #[error("{op}: `{name}` has {got} values where the shape needs {expected}")]
    Length {
        /// The function called.
        op: &'static str,
        /// The argument.
        name: &'static str,
        /// Values it must have.
        expected: usize,
        /// Values it has.
        got: usize,
    },
    /// A slice does not consist of whole rows.
    #[error("{op}: `{name}` has {got} values, which is no multiple of {of}")]
    NotAMultiple {
        /// The function called.
        op: &'static str,
        /// The argument.
        name: &'static str,
        /// Values of one row.
        of: usize,
        /// Values it has.
        got: usize,
    },
    /// A size that must be at least one is zero.
    #[error("{op}: {name} is 0, expected at least 1")]
    Zero {
        /// The function called.
        op: &'static str,
        /// The size.
        name: &'static str,
    },
    /// A size is larger than the function can do.
    #[error("{op}: {name} is {got}, expected at most {most}")]
    TooLarge {
        /// The function called.
        op: &'static str,
        /// The size.
        name: &'static str,
        /// The largest it may be.
        most: usize,
        /// What it is.
        got: usize,
    },
    /// A window does not fit into the (padded) image.
    #[error("{op}: a window of {kernel:?} does not fit into an image of {image:?}, padding included")]
    WindowTooLarge {
        /// The function called.
        op: &'static str,
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Height and width of the image, padding included.
        image: [usize; 2],
    },
    /// The number of values does not fit into the address space.
    #[error("{op}: the number of values in `{name}` overflows; expected at most {}", isize::MAX)]
    Overflow {
        /// The function called.
        op: &'static str,
        /// The argument.
        name: &'static str,
    },
    /// An index, of a class or of a position, points outside.
    #[error("{op}: `{name}[{at}]` is {got}, expected less than {below}")]
    IndexOutOfRange {
        /// The function called.
        op: &'static str,
        /// The argument.
        name: &'static str,
        /// Where in the argument.
        at: usize,
        /// What must not be reached.
        below: usize,
        /// What is there.
        got: usize,
    },
    /// A fraction lies outside `[0, 1]`.
    #[error("{op}: {name} is {got}, expected a value from 0 to 1")]
    NotAFraction {
        /// The function called.
        op: &'static str,
        /// The argument.
        name: &'static str,
        /// Its value.
        got: f32,
    },
}

/// Checks one argument's length.
pub(crate) fn expect_len(
    op: &'static str,
    name: &'static str,
    got: usize,
    expected: usize,
) -> Result<(), ShapeError> {
    if got == expected { Ok(()) } else { Err(ShapeError::Length { op, name, expected, got }) }
}

/// Checks that no size is zero.
pub(crate) fn expect_positive(op: &'static str, sizes: &[(&'static str, usize)]) -> Result<(), ShapeError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some((name, _)) => Err(ShapeError::Zero { op, name }),
        None => Ok(()),
    }
}

/// The product of `sizes`, if that many values can exist.
pub(crate) fn volume(op: &'static str, name: &'static str, sizes: &[usize]) -> Result<usize, ShapeError> {
    // The non-zero sizes alone must fit, so that an empty batch does not hide an overflow.
    let bytes = sizes.iter().filter(|s| **s != 0).try_fold(size_of::<f32>(), |n, s| n.checked_mul(*s));
    match bytes {
        Some(n) if isize::try_from(n).is_ok() => Ok(sizes.iter().product()),
        _ => Err(ShapeError::Overflow { op, name }),
    }
}
