use crate::{
    VizError,
    photo::{Size, area},
};

/// A map of finite numbers in someone else's memory, in the order (height, width): of a class activation map's own size, say 4×4.
#[derive(Clone, Copy, Debug)]
pub struct HeatMap<'a> {
    values: &'a [f32],
    size: Size,
    /// What pictures say of it where it is flat.
    flat: &'a str,
}

impl<'a> HeatMap<'a> {
    /// The map of `height` × `width` values, row by row.
    ///
    /// # Errors
    /// [`VizError::OutOfRange`] if a side is 0, [`VizError::Length`] if there are not `height · width` values,
    /// [`VizError::NotFinite`] if one of them is NaN or infinite.
    pub fn new(values: &'a [f32], height: usize, width: usize) -> Result<Self, VizError> {
        let expected = area("heat map", height, width)?;
        if values.len() != expected {
            let what = format!("values of a heat map of {width}×{height}");
            return Err(VizError::Length { what, expected, got: values.len() });
        }
        if let Some((index, &value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(VizError::NotFinite { what: format!("heat map of {width}×{height}"), index, value });
        }
        Ok(Self { values, size: Size { height, width }, flat: "flat map" })
    }

    /// The same map, of which galleries say `why` where all its values are equal and there is nothing to draw, instead of `flat map`: say
    /// `all against`. Two or three words fit.
    #[must_use]
    pub fn flat_since(self, why: &'a str) -> Self {
        Self { flat: why, ..self }
    }

    /// What galleries say of it where all its values are equal.
    pub fn flat(&self) -> &'a str {
        self.flat
    }

    /// The values, row by row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Height and width.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The map at `height` × `width`, bilinear with half-pixel centres, as OpenCV's `resize(INTER_LINEAR)` does floats, and with
    /// it pytorch-grad-cam: value `i` of `n` new ones lies at `(i + ½)·old/n − ½`, cut to the first and the last old value.
    /// Scaling a map to 0..=1 commutes with this only up to the ends: scale afterwards.
    ///
    /// # Errors
    /// [`VizError::OutOfRange`] if a side is 0 or there would be over 100 million values.
    pub fn resized(&self, height: usize, width: usize) -> Result<Vec<f32>, VizError> {
        let n = area("resized heat map", height, width)?;
        if n as u64 > crate::sheet::PIXEL_LIMIT {
            return Err(VizError::OutOfRange {
                what: "size of a resized heat map".to_owned(),
                expected: format!("at most {} values", crate::sheet::PIXEL_LIMIT),
                got: Size { height, width }.to_string(),
            });
        }
        let columns: Vec<_> = (0..width).map(|x| source(x, width, self.size.width)).collect();
        let mut out = Vec::with_capacity(n);
        for y in 0..height {
            let (y0, y1, fy) = source(y, height, self.size.height);
            let row = |y: usize| &self.values[y * self.size.width..][..self.size.width];
            let (top, bottom) = (row(y0), row(y1));
            out.extend(columns.iter().map(|&(x0, x1, fx)| {
                let upper = top[x0] * (1.0 - fx) + top[x1] * fx;
                let lower = bottom[x0] * (1.0 - fx) + bottom[x1] * fx;
                upper * (1.0 - fy) + lower * fy
            }));
        }
        Ok(out)
    }
}

/// The two old values between which new value `i` of `n` lies, and how far it is towards the second.
fn source(i: usize, n: usize, old: usize) -> (usize, usize, f32) {
    let at = ((i as f64 + 0.5) * (old as f64 / n as f64) - 0.5).clamp(0.0, (old - 1) as f64);
    let first = at.floor() as usize;
    (first, (first + 1).min(old - 1), (at - at.floor()) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cv2.resize(np.float32([[0, 8]]), (4, 1)): positions −¼, ¼, ¾, 5/4.
    #[test]
    fn doubling_by_hand() {
        let map = HeatMap::new(&[0.0, 8.0], 1, 2).unwrap();
        assert_eq!(map.resized(1, 4).unwrap(), [0.0, 2.0, 6.0, 8.0]);
        assert_eq!(map.resized(2, 4).unwrap(), [0.0, 2.0, 6.0, 8.0, 0.0, 2.0, 6.0, 8.0]);
    }

    /// 2×2 to 3×3: positions −1/6 → 0, ½, 7/6 → 1, so the new middle is the mean of all four.
    #[test]
    fn two_by_two_to_three_by_three() {
        let map = HeatMap::new(&[1.0, 3.0, 5.0, 11.0], 2, 2).unwrap();
        assert_eq!(map.resized(3, 3).unwrap(), [1.0, 2.0, 3.0, 3.0, 5.0, 7.0, 5.0, 8.0, 11.0]);
    }

    /// Shrinking takes single points, without averaging, as OpenCV does: 4 to 2 reads at ½ and 5/2; 3 to 1 reads the middle.
    #[test]
    fn shrinking_by_hand() {
        let map = HeatMap::new(&[0.0, 2.0, 4.0, 10.0], 1, 4).unwrap();
        assert_eq!(map.resized(1, 2).unwrap(), [1.0, 7.0]);
        let map = HeatMap::new(&[9.0, 5.0, 1.0], 3, 1).unwrap();
        assert_eq!(map.resized(1, 1).unwrap(), [5.0]);
    }

    #[test]
    fn same_size_is_the_same() {
        let values: Vec<f32> = (0..35u8).map(|i| f32::from(i).sin()).collect();
        assert_eq!(HeatMap::new(&values, 5, 7).unwrap().resized(5, 7).unwrap(), values);
    }

    #[test]
    fn bad_maps_are_told_apart() {
        assert!(matches!(HeatMap::new(&[1.0], 0, 1), Err(VizError::OutOfRange { .. })));
        assert!(matches!(HeatMap::new(&[1.0], 2, 1), Err(VizError::Length { expected: 2, got: 1, .. })));
        let nan = HeatMap::new(&[1.0, f32::NAN], 2, 1);
        assert!(matches!(nan, Err(VizError::NotFinite { index: 1, .. })));
        assert!(HeatMap::new(&[1.0], 1, 1).unwrap().resized(0, 3).is_err());
        assert!(HeatMap::new(&[1.0], 1, 1).unwrap().resized(1 << 20, 1 << 20).is_err());
    }
}
