//! From bytes to network input and back: normalisation as a table of 256 values a channel.

use crate::size::CHANNELS;
use crate::transform::Fill;

/// `table[channel][byte]`.
pub(crate) type Table<T> = [[T; 256]; CHANNELS];

/// Every byte as itself.
pub(crate) const IDENTITY: Table<u8> = {
    let mut table = [[0; 256]; CHANNELS];
    let mut byte = 0;
    while byte < 256 {
        table[0][byte] = byte as u8;
        byte += 1;
    }
    [table[0]; CHANNELS]
};

/// `(x/255 − mean) / std`.
#[derive(Clone, Debug)]
pub(crate) struct Tone {
    table: Box<Table<f32>>,
    mean: [f32; CHANNELS],
    std: [f32; CHANNELS],
}

impl Tone {
    pub(crate) fn normalized(mean: [f32; CHANNELS], std: [f32; CHANNELS]) -> Self {
        let mut table = Box::new([[0.0; 256]; CHANNELS]);
        for (channel, row) in table.iter_mut().enumerate() {
            let (mean, std) = (f64::from(mean[channel]), f64::from(std[channel]));
            for (byte, value) in row.iter_mut().enumerate() {
                *value = ((byte as f64 / 255.0 - mean) / std) as f32;
            }
        }
        Self { table, mean, std }
    }

    /// `x/255`.
    pub(crate) fn plain() -> Self {
        Self::normalized([0.0; CHANNELS], [1.0; CHANNELS])
    }

    pub(crate) fn table(&self) -> &Table<f32> {
        &self.table
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.table.iter().flatten().all(|value| value.is_finite())
    }

    /// A fill as network input.
    pub(crate) fn values(&self, fill: Fill) -> [f32; CHANNELS] {
        match fill {
            Fill::Normalized(value) => [value; CHANNELS],
            Fill::PerChannel(values) => values,
            Fill::Bytes { bytes } => std::array::from_fn(|k| self.table[k][usize::from(bytes[k])]),
        }
    }

    /// A fill as the nearest colour.
    pub(crate) fn bytes(&self, fill: Fill) -> [u8; CHANNELS] {
        let value = self.values(fill);
        // A float-to-integer cast saturates, which is the clamp to 0..=255.
        std::array::from_fn(|k| ((value[k] * self.std[k] + self.mean[k]) * 255.0).round() as u8)
    }
}

impl Fill {
    pub(crate) fn is_finite(self) -> bool {
        match self {
            Self::Normalized(value) => value.is_finite(),
            Self::PerChannel(values) => values.iter().all(|value| value.is_finite()),
            Self::Bytes { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_normalising_and_back() {
        let tone = Tone::normalized([0.4914, 0.4822, 0.4471], [0.2469, 0.2433, 0.2615]);
        for x in 0..=255u8 {
            let bytes = [x, 255 - x, x / 2];
            assert_eq!(tone.bytes(Fill::Bytes { bytes }), bytes);
            assert_eq!(tone.bytes(Fill::PerChannel(tone.values(Fill::Bytes { bytes }))), bytes);
        }
        // Zero is the mean: 0.4914·255 = 125.3, 0.4822·255 = 122.96, 0.4471·255 = 114.01.
        assert_eq!(tone.bytes(Fill::default()), [125, 123, 114]);
        assert_eq!(tone.bytes(Fill::Normalized(1e9)), [255; 3]);
        assert_eq!(tone.bytes(Fill::Normalized(-1e9)), [0; 3]);
    }

    #[test]
    fn the_identity_table_is_one() {
        assert!(IDENTITY.iter().all(|row| row.iter().enumerate().all(|(i, x)| usize::from(*x) == i)));
    }
}
