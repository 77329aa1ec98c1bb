//! TFRecord: how events follow each other in a file.

use std::io::{self, Write};

/// Writes a record: the data's length (eight bytes, little-endian), its masked checksum, the data, their masked checksum.
///
/// Source: <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>.
pub(crate) fn write(file: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    file.write_all(&length)?;
    file.write_all(&masked(crc32c::crc32c(&length)).to_le_bytes())?;
    file.write_all(data)?;
    file.write_all(&masked(crc32c::crc32c(data)).to_le_bytes())
}

/// ((crc >> 15) | (crc << 17)) + 0xa282ead8, so that the checksum of data that hold checksums stays one.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, B.4: 32 zeros, 32 ones, 0 to 31 upwards.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c::crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c::crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_record_is_what_tensorboard_writes() {
        // tensorboard.summary.writer.record_writer.RecordWriter, of b"wick".
        let mut file = Vec::new();
        write(&mut file, b"wick").unwrap();
        assert_eq!(file, [4, 0, 0, 0, 0, 0, 0, 0, 66, 69, 82, 4, 119, 105, 99, 107, 226, 81, 91, 122]);
    }
}
