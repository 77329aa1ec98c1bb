use crate::error::{ShapeError, expect_positive, volume};

/// Sizes of a pooling of a `(N, H, W, C)` input by square windows, without padding. The output is
/// `(N, H_out, W_out, C)` with `H_out = (H − kernel) / stride + 1`, rounded down: rows and columns left over are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pool2dShape {
    /// Images, N. May be 0.
    pub batch: usize,
    /// Rows of the input, H.
    pub height: usize,
    /// Columns of the input, W.
    pub width: usize,
    /// Channels, C.
    pub channels: usize,
    /// Side of the window.
    pub kernel: usize,
    /// Step of the window.
    pub stride: usize,
}

impl Pool2dShape {
    /// Itself, if there is such a pooling.
    ///
    /// # Errors
    /// A size other than the batch is zero, the window is larger than the image, or the input has more values than memory
    /// could hold.
    pub fn checked(&self) -> Result<Self, ShapeError> {
        const OP: &str = "pool2d";
        expect_positive(
            OP,
            &[
                ("height", self.height),
                ("width", self.width),
                ("channels", self.channels),
                ("kernel", self.kernel),
                ("stride", self.stride),
            ],
        )?;
        if self.kernel > self.height || self.kernel > self.width {
            let (kernel, image) = ([self.kernel; 2], [self.height, self.width]);
            return Err(ShapeError::WindowTooLarge { op: OP, kernel, image });
        }
        volume(OP, "x", &[self.batch, self.height, self.width, self.channels])?;
        if u32::try_from(self.height * self.width).is_err() {
            return Err(ShapeError::Overflow { op: OP, name: "indices" });
        }
        Ok(*self)
    }

    /// Rows of the output; 0 where the window does not fit.
    pub fn out_height(&self) -> usize {
        self.steps(self.height)
    }

    /// Columns of the output; 0 where the window does not fit.
    pub fn out_width(&self) -> usize {
        self.steps(self.width)
    }

    /// Values in the input, N·H·W·C.
    pub fn input_len(&self) -> usize {
        self.batch * self.image_len()
    }

    /// Values in the output, N·H_out·W_out·C.
    pub fn output_len(&self) -> usize {
        self.batch * self.pooled_len()
    }

    /// H·W·C.
    pub(super) fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// H_out·W_out·C.
    pub(super) fn pooled_len(&self) -> usize {
        self.out_height() * self.out_width() * self.channels
    }

    fn steps(&self, size: usize) -> usize {
        match size.checked_sub(self.kernel) {
            Some(room) if self.stride > 0 => room / self.stride + 1,
            _ => 0,
        }
    }
}
