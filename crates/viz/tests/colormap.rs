//! Jet, byte for byte as OpenCV 4.11's `applyColorMap(…, COLORMAP_JET)` draws it.

#![allow(clippy::unwrap_used)]

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;

use wick_viz::Colormap;

fn expected(name: &str) -> Vec<u8> {
    let all: serde_json::Value = serde_json::from_str(&golden::read("transforms.json")).unwrap();
    all[name].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u8).collect()
}

fn jet(channel: impl Iterator<Item = u8>) -> Vec<u8> {
    channel.flat_map(|v| Colormap::Jet.color(v)).collect()
}

/// The smooth image's first channel, (7·row + 3·column) mod 256, holds all 256 values.
#[test]
fn jet_of_a_smooth_image() {
    let channel = (0..1024u32).map(|i| ((7 * (i / 32) + 3 * (i % 32)) % 256) as u8);
    assert_eq!(jet(channel), expected("jet_smooth"));
}

#[test]
fn jet_of_a_noise_image() {
    let byte = |i: u64| (golden::splitmix64((golden::SEED + 30) * 1_000_003 + i) >> 56) as u8;
    assert_eq!(jet((0..1024).map(|i| byte(3 * i))), expected("jet_noise"));
}
