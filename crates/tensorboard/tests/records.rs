//! What is written is read back by a decoder that shares nothing with the writer but the format's description.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use wick_tensorboard::{Clock, EventWriter, Histogram, Image, Options, TensorBoardError, event_files};

/// CRC-32C bit by bit: the reflected polynomial 0x82f63b78 (RFC 3720, 12.1).
fn crc32c(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}

fn masked(data: &[u8]) -> u32 {
    let crc = crc32c(data);
    crc.rotate_left(17).wrapping_add(0xa282_ead8)
}

/// The records of a file, whose checksums hold.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_at(8);
        let (length_sum, rest) = rest.split_at(4);
        assert_eq!(length_sum, masked(length).to_le_bytes());
        let (data, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (data_sum, rest) = rest.split_at(4);
        assert_eq!(data_sum, masked(data).to_le_bytes());
        records.push(data.to_vec());
        bytes = rest;
    }
    records
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// A message's fields: number, and what stands there as bytes (a varint as eight).
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            kind => {
                let length = match kind {
                    1 => 8,
                    5 => 4,
                    _ => varint(&mut bytes) as usize,
                };
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                value.to_vec()
            }
        };
        fields.push((key >> 3, value));
    }
    fields
}

fn field(bytes: &[u8], number: u64) -> Option<Vec<u8>> {
    fields(bytes).into_iter().find(|(n, _)| *n == number).map(|(_, value)| value)
}

fn double(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(bytes.try_into().unwrap())
}

/// Step, tag and the value's message of each summary of a file.
fn summaries(bytes: &[u8]) -> Vec<(u64, String, Vec<u8>)> {
    let summary = |event: &Vec<u8>| {
        let step = field(event, 2).map_or(0, |step| u64::from_le_bytes(step.try_into().unwrap()));
        let value = field(&field(event, 5)?, 1).unwrap();
        let tag = String::from_utf8(field(&value, 1).unwrap()).unwrap();
        Some((step, tag, value))
    };
    records(bytes).iter().filter_map(summary).collect()
}

fn options(seconds: f64) -> Options {
    Options { clock: Clock::Fixed(seconds), host: Some("host".into()), ..Options::default() }
}

fn file(folder: &Path, fill: impl FnOnce(&mut EventWriter)) -> Vec<u8> {
    let mut events = EventWriter::create(folder, options(1.5)).unwrap();
    fill(&mut events);
    events.flush().unwrap();
    fs::read(events.path()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scalars_are_read_back(points in prop::collection::vec(("[a-z/]{1,20}", 0..=i64::MAX as u64, any::<f32>()), 0..20)) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = file(folder.path(), |events| {
            for (tag, step, value) in &points {
                events.scalar(tag, *step, f64::from(*value)).unwrap();
            }
        });
        let events = records(&bytes);
        prop_assert_eq!(field(&events[0], 3).unwrap(), b"brain.Event:2");
        prop_assert!(events.iter().all(|event| double(&field(event, 1).unwrap()) == 1.5));
        let read = summaries(&bytes);
        prop_assert_eq!(read.len(), points.len());
        for ((step, tag, value), point) in read.iter().zip(&points) {
            let value = f32::from_le_bytes(field(value, 2).unwrap().try_into().unwrap());
            prop_assert_eq!((tag, *step), (&point.0, point.1));
            prop_assert!(value == point.2 || (value.is_nan() && point.2.is_nan()));
        }
    }

    #[test]
    fn a_histogram_counts_each_value_where_it_lies(values in prop::collection::vec(-1e30_f32..1e30, 1..300)) {
        let histogram = Histogram::new(&values).unwrap();
        let (limits, counts) = (histogram.limits(), histogram.counts());
        prop_assert_eq!(counts.iter().sum::<f64>(), values.len() as f64);
        prop_assert!(limits.is_sorted() && counts.len() == limits.len());
        // A value beside an inner edge may be counted on either side of it, by rounding.
        let (mut below, near) = (0.0, 1e-9 * if limits.len() > 1 { limits[1] - limits[0] } else { 0.0 });
        for (edge, count) in limits.iter().zip(counts).take(limits.len() - 1) {
            below += count;
            let fewer = |edge: f64| values.iter().filter(|v| f64::from(**v) < edge).count() as f64;
            prop_assert!(fewer(edge - near) <= below && below <= fewer(edge + near));
        }
        let folder = tempfile::tempdir().unwrap();
        let bytes = file(folder.path(), |events| events.histogram("h", 3, &histogram).unwrap());
        let [(3, tag, value)] = &summaries(&bytes)[..] else { panic!("one value of step 3") };
        let message = field(value, 5).unwrap();
        let numbers = |bytes: Vec<u8>| bytes.chunks(8).map(double).collect::<Vec<_>>();
        prop_assert_eq!(tag, "h");
        prop_assert_eq!(numbers(field(&message, 6).unwrap()), limits);
        prop_assert_eq!(numbers(field(&message, 7).unwrap()), counts);
        let sum: f64 = values.iter().map(|v| f64::from(*v)).sum();
        prop_assert_eq!(field(&message, 4).map_or(0.0, |b| double(&b)), sum);
    }

    #[test]
    fn pixels_are_read_back(width in 1_u32..9, height in 1_u32..9, seed: u8) {
        let pixels: Vec<u8> = (0..3 * width * height).map(|i| (i as u8).wrapping_mul(7).wrapping_add(seed)).collect();
        let image = Image::rgb(&pixels, width, height).unwrap();
        let decoded = image::load_from_memory(image.bytes()).unwrap().into_rgb8();
        prop_assert_eq!(decoded.dimensions(), (width, height));
        prop_assert_eq!(decoded.as_raw(), &pixels);
        let folder = tempfile::tempdir().unwrap();
        let bytes = file(folder.path(), |events| events.image("i", 0, &image).unwrap());
        let message = field(&summaries(&bytes)[0].2, 4).unwrap();
        let side = |n| u64::from_le_bytes(field(&message, n).unwrap().try_into().unwrap());
        prop_assert_eq!((side(2), side(1), side(3)), (u64::from(width), u64::from(height), 3));
        prop_assert_eq!(field(&message, 4).unwrap(), image.bytes());
    }
}

#[test]
fn files_of_a_folder_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |seconds, step| {
        let mut events = EventWriter::resume(folder.path(), step, options(seconds)).unwrap();
        events.scalar("loss", step, 1.0).unwrap();
        events.path().to_owned()
    };
    // Within a second, then with a clock that was set back.
    let written = [write(100.2, 1), write(100.9, 5), write(50.0, 9)];
    assert_eq!(event_files(folder.path()).unwrap(), written);
    let events = records(&fs::read(&written[1]).unwrap());
    let start = field(&events[1], 7).unwrap();
    assert_eq!(fields(&start), [(1, 1_u64.to_le_bytes().to_vec())]);
    assert_eq!(field(&events[1], 2).unwrap(), 5_u64.to_le_bytes());
}

#[test]
fn the_first_file_starts_and_later_ones_only_where_they_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let starts = || {
        let bytes = file(folder.path(), |events| events.scalar("loss", 7, 1.0).unwrap());
        records(&bytes).iter().filter(|event| field(event, 7).is_some()).count()
    };
    // Pictures in a file of their own, say, have nothing forgotten.
    assert_eq!((starts(), starts()), (1, 0));
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = EventWriter::create(folder.path(), options(0.0)).unwrap();
    let said = |result: Result<(), TensorBoardError>| result.unwrap_err().to_string();
    assert!(said(events.scalar("", 1, 0.0)).contains("such as `loss/train`"));
    assert!(said(events.scalar("a", u64::MAX, 0.0)).contains("at most 9223372036854775807"));
    let said = |result: Result<Histogram, TensorBoardError>| result.unwrap_err().to_string();
    assert!(said(Histogram::new(&[])).contains("got none"));
    assert!(said(Histogram::new(&[0.0, f32::NAN])).contains("value 1 is NaN"));
    let said = |result: Result<Image, TensorBoardError>| result.unwrap_err().to_string();
    assert!(said(Image::rgb(&[0; 5], 1, 2)).contains("should have 6 bytes (red, green, blue), got 5"));
    assert!(said(Image::rgb(&[], u32::MAX, u32::MAX)).contains("got 0"));
    assert!(said(Image::rgb(&[], 0, 2)).contains("at least one pixel"));
    assert!(said(Image::png(b"GIF89a".to_vec())).contains("should be a whole PNG"));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = EventWriter::create(&file.join("tb"), options(0.0)).unwrap_err().to_string();
    assert!(error.contains("cannot list the event files"), "{error}");
}
