//! The sizes of a convolution and what follows from them.

use crate::error::{ShapeError, expect_len, expect_positive, volume};

/// Sizes of a two-dimensional convolution of a `(N, H, W, C_in)` input with a `(KH, KW, C_in, C_out)` weight, the same
/// stride and padding (with zeros) along both axes. The output is `(N, H_out, W_out, C_out)` with
/// `H_out = (H + 2·padding − KH) / stride + 1`, rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conv2dShape {
    /// Images, N. May be 0.
    pub batch: usize,
    /// Rows of the input, H.
    pub height: usize,
    /// Columns of the input, W.
    pub width: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// KH, KW.
    pub kernel: [usize; 2],
    /// Step of the window, in input pixels.
    pub stride: usize,
    /// Zeros around the input on each side, in pixels.
    pub padding: usize,
}

impl Conv2dShape {
    /// Itself, if there is such a convolution.
    ///
    /// # Errors
    /// A size other than the batch is zero, the window is larger than the padded input, or a tensor has more values
    /// than memory could hold.
    pub fn checked(&self) -> Result<Self, ShapeError> {
        const OP: &str = "conv2d";
        expect_positive(
            OP,
            &[
                ("height", self.height),
                ("width", self.width),
                ("in_channels", self.in_channels),
                ("out_channels", self.out_channels),
                ("kernel height", self.kernel[0]),
                ("kernel width", self.kernel[1]),
                ("stride", self.stride),
            ],
        )?;
        let padded = |size: usize| {
            self.padding
                .checked_mul(2)
                .and_then(|p| p.checked_add(size))
                .filter(|s| *s <= isize::MAX as usize)
        };
        let (Some(height), Some(width)) = (padded(self.height), padded(self.width)) else {
            return Err(ShapeError::Overflow { op: OP, name: "x" });
        };
        if self.kernel[0] > height || self.kernel[1] > width {
            return Err(ShapeError::WindowTooLarge { op: OP, kernel: self.kernel, image: [height, width] });
        }
        let [kh, kw] = self.kernel;
        volume(OP, "x", &[self.batch, self.height, self.width, self.in_channels])?;
        volume(OP, "weight", &[kh, kw, self.in_channels, self.out_channels])?;
        volume(OP, "y", &[self.batch, self.out_height(), self.out_width(), self.out_channels])?;
        Ok(*self)
    }

    /// Rows of the output; 0 where the window does not fit.
    pub fn out_height(&self) -> usize {
        steps(self.height, self.kernel[0], self.stride, self.padding)
    }

    /// Columns of the output; 0 where the window does not fit.
    pub fn out_width(&self) -> usize {
        steps(self.width, self.kernel[1], self.stride, self.padding)
    }

    /// Values in the input, N·H·W·C_in.
    pub fn input_len(&self) -> usize {
        self.batch * self.height * self.width * self.in_channels
    }

    /// Values in the weight, KH·KW·C_in·C_out.
    pub fn weight_len(&self) -> usize {
        self.taps() * self.in_channels * self.out_channels
    }

    /// Values in the output, N·H_out·W_out·C_out.
    pub fn output_len(&self) -> usize {
        self.out_pixels() * self.out_channels
    }

    /// Floating-point operations of one direct forward pass, a multiply-add counted as two.
    pub fn flops(&self) -> f64 {
        2.0 * self.out_pixels() as f64 * self.weight_len() as f64
    }

    /// KH·KW.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// N·H_out·W_out.
    pub(crate) fn out_pixels(&self) -> usize {
        self.batch * self.out_height() * self.out_width()
    }

    /// Checks the shape and the three slices' lengths.
    pub(crate) fn expect(
        &self,
        op: &'static str,
        input: (&'static str, usize),
        weight: (&'static str, usize),
        output: (&'static str, usize),
    ) -> Result<(), ShapeError> {
        self.checked()?;
        expect_len(op, input.0, input.1, self.input_len())?;
        expect_len(op, weight.0, weight.1, self.weight_len())?;
        expect_len(op, output.0, output.1, self.output_len())
    }
}

fn steps(size: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    match (size + 2 * padding).checked_sub(kernel) {
        Some(room) if stride > 0 => room / stride + 1,
        _ => 0,
    }
}
