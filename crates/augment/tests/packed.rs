//! The packed form against the list itself, bit for bit.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{CIFAR, parse, possible_list};
use proptest::prelude::*;
use wick_augment::packed::{self, KERNEL};
use wick_augment::random::splitmix64;
use wick_augment::{AugmentError, Augmentation, Drawn, Hole, Key, PackedList, Size, Step, Transform};

fn bytes(seed: u64, size: Size) -> Vec<u8> {
    (0..size.values() as u64).map(|i| (splitmix64(seed ^ i) >> 56) as u8).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn applied(packed: &PackedList, words: &[i16], image: &[u8]) -> Vec<u32> {
    let mut out = vec![f32::NAN; packed.output().values()];
    packed.apply(words, image, &mut out).unwrap();
    bits(&out)
}

/// Asserts that both forms make the same of each key's image.
fn assert_same(augmentation: &Augmentation, keys: impl IntoIterator<Item = Key>) {
    let packed = augmentation.packed().unwrap();
    let mut packer = packed.packer();
    let mut words = Vec::new();
    for key in keys {
        let image = bytes(key.index << 32, augmentation.input());
        let drawn = augmentation.draw(key);
        let mut want = vec![f32::NAN; augmentation.output().values()];
        augmentation.apply(&drawn, &image, &mut want).unwrap();
        words.clear();
        packer.pack_key(key, &mut words);
        packer.pack(&drawn, &mut words).unwrap();
        let (by_key, by_draw) = words.split_at(packed.stride());
        assert_eq!(by_key, by_draw);
        assert_eq!(applied(&packed, by_key, &image), bits(&want), "{key:?} {drawn:?}");
    }
}

fn keys(seed: u64, epochs: u64, images: u64) -> impl Iterator<Item = Key> {
    (0..epochs).flat_map(move |epoch| (0..images).map(move |index| Key { seed, epoch, index }))
}

fn is_rotation(transform: &Transform) -> bool {
    matches!(transform, Transform::Rotate { .. })
}

#[test]
fn every_recipe_that_can_be_packed_is_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bins/pipeline/recipes");
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let recipe: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let Some(list) = recipe.get("transforms") else { continue };
        let list: Vec<Transform> = list.clone().try_into().unwrap();
        let augmentation = Augmentation::new(&list, CIFAR).unwrap();
        if list.iter().filter(|transform| is_rotation(transform)).count() < 2 {
            assert_same(&augmentation, keys(1, 3, 100));
            assert_same(&augmentation.test(), keys(1, 1, 2));
            names.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    assert!(
        ["s11", "s8-layernorm-published"].iter().all(|name| names.iter().any(|n| n == name)),
        "{names:?}"
    );
}

proptest! {
    #[test]
    fn lists_with_at_most_one_rotation_are_the_same(
        wishes in prop::collection::vec((0u8..8, any::<u8>(), any::<u8>(), any::<bool>()), 0..9),
        height in 1usize..12,
        width in 1usize..12,
        seed in any::<u64>(),
    ) {
        let size = Size::new(height, width);
        let mut list = possible_list(&wishes, size);
        let mut count = 0;
        list.retain(|transform| {
            count += usize::from(is_rotation(transform));
            !is_rotation(transform) || count == 1
        });
        assert_same(&Augmentation::new(&list, size).unwrap(), keys(seed, 2, 4));
    }

    #[test]
    fn a_rotation_between_pads_is_the_same(
        limit in 0f32..180.0,
        borders in prop::array::uniform3(prop::sample::select(vec![r#""reflect101""#, "{constant = [1, 2, 253]}"])),
        first in 1usize..7,
        seed in any::<u64>(),
    ) {
        let list = parse(&format!(
            r#"{{transform = "pad", amount = {first}, border = {}}}, {{transform = "horizontal_flip"}},
            {{transform = "random_crop", height = 9, width = 8}},
            {{transform = "rotate", limit = {limit}, border = {}, p = 0.8}}, {{transform = "alternating_flip"}},
            {{transform = "pad", amount = 5, border = {}}}, {{transform = "random_crop", height = 7, width = 11}},
            {{transform = "coarse_dropout", holes = 3, height = 4, width = 5, placement = "overhanging"}}"#,
            borders[0], borders[1], borders[2],
        ));
        assert_same(&Augmentation::new(&list, Size::new(7, 10)).unwrap(), keys(seed, 2, 6));
    }
}

#[test]
fn zeros_keep_their_signs() {
    let list = parse(
        r#"{transform = "normalize", mean = [0.0, 0.2, 0.4], std = [0.5, 0.5, 0.5], p = 0.5},
        {transform = "coarse_dropout", height = 20, width = 20, fill = -0.0},
        {transform = "coarse_dropout", height = 9, width = 9, fill = {bytes = [0, 51, 102]}}"#,
    );
    let augmentation = Augmentation::new(&list, CIFAR).unwrap();
    assert_same(&augmentation, keys(0, 1, 20));
    let packed = augmentation.packed().unwrap();
    let [plain, normalized] = [0, 6].map(|i| bits(&packed.values()[packed::FILLS + i..][..6]));
    let minus = (-0f32).to_bits();
    assert_eq!(plain, [minus, minus, minus, 0, 0.2f32.to_bits(), 0.4f32.to_bits()]);
    // Of bytes, what the table has.
    let table = |channel: usize, byte: usize| packed.values()[(3 + channel) * 256 + byte].to_bits();
    assert_eq!(normalized, [minus, minus, minus, table(0, 0), table(1, 51), table(2, 102)]);
}

#[test]
fn every_word_is_where_it_is_documented() {
    let list = parse(
        r#"{transform = "pad", amount = 1, border = {constant = [1, 2, 3]}},
        {transform = "rotate", limit = 90, border = {constant = [4, 5, 6]}},
        {transform = "random_crop", height = 3, width = 2}, {transform = "horizontal_flip"},
        {transform = "coarse_dropout", holes = 2, height = 1, width = 2, fill = 0.5, p = 0.5},
        {transform = "normalize", mean = [0, 0, 0], std = [1, 1, 1], p = 0.5}"#,
    );
    let augmentation = Augmentation::new(&list, Size::new(1, 2)).unwrap();
    let packed = augmentation.packed().unwrap();
    let colors = [0x03_02_01, 0x06_05_04, 0, 0, 0, 0];
    assert_eq!(packed.integers()[..packed::COLORS], [1, 2, 3, 2, 2, 46, 3, 4, -2]);
    assert_eq!(packed.integers()[packed::COLORS..], colors);
    assert_eq!(packed.values().len(), packed::FILLS + 2 * 2 * 3);
    assert_eq!(packed.values()[packed::FILLS..], [0.5; 12]);
    assert_eq!(packed.values()[..2], [0.0, 1.0 / 255.0]);

    let hole = Hole { top: 2, left: 0, height: 1, width: 2 };
    let mut steps = vec![
        Step::Applied,
        Step::Rotated { degrees: 0.0 },
        Step::Cropped { top: 0, left: 1 },
        Step::Applied,
        Step::Erased { holes: vec![hole] },
        Step::Applied,
    ];
    let mut words = vec![7]; // what is there already stays
    packed.packer().pack(&Drawn { steps: steps.clone() }, &mut words).unwrap();
    let one = [0, 0, 0, 0x3FF0]; // of f64, lowest bits first
    let minus_zero = [0, 0, 0, i16::MIN];
    let zero = [0; 4];
    let matrix = [one, minus_zero, zero, zero, one, minus_zero]; // x is x, y is y
    let expected = [
        &[7, 1, 1, 0, 1, 2, 2, 1, 2, 0, 3, 2, 0, 0, 0, 0][..],
        matrix.as_flattened(),
        &[-1, 0, -1, -1, 0, 1, -1],
    ];
    assert_eq!(words, expected.concat());

    (steps[1], steps[4], steps[5]) = (Step::Skipped, Step::Skipped, Step::Skipped);
    words.clear();
    packed.packer().pack(&Drawn { steps }, &mut words).unwrap();
    assert_eq!(words[..7], [0, 0, -1, 0, -1, 1, 0]);
    assert_eq!(words[7..], [0; 39]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let rotate = r#"{transform = "rotate", limit = 5}"#;
    let two = parse(&format!("{rotate}, {{transform = \"horizontal_flip\"}}, {rotate}"));
    let error = Augmentation::new(&two, CIFAR).unwrap().packed().unwrap_err();
    assert_eq!(
        error.to_string(),
        "transforms[2] (rotate) cannot be packed for a GPU: a packed list holds at most one rotation; \
         take it out, or augment on the CPU"
    );
    let many = vec![Transform::HorizontalFlip { p: 0.5 }; 32_769];
    let error = Augmentation::new(&many, CIFAR).unwrap().packed().unwrap_err();
    assert!(error.to_string().starts_with("transforms[32768] (horizontal_flip)"), "{error}");
    assert!(Augmentation::new(&many[1..], CIFAR).unwrap().packed().is_ok());
}

#[test]
fn words_and_slices_of_another_list_are_refused() {
    let list = parse(
        r#"{transform = "pad", amount = 2, border = {constant = [1, 2, 3]}}, {transform = "rotate", limit = 9},
        {transform = "coarse_dropout", height = 3, width = 3}"#,
    );
    let size = Size::new(5, 6);
    let packed = Augmentation::new(&list, size).unwrap().packed().unwrap();
    let (image, mut out) = (bytes(0, size), vec![0.0; packed.output().values()]);
    let mut good = Vec::new();
    packed.packer().pack_key(Key { seed: 0, epoch: 0, index: 0 }, &mut good);
    assert!(packed.apply(&good, &image, &mut out).is_ok());

    // Two flags, 9 rows, 10 columns, a hole, 24 words of the matrix, 9 rows, 10 columns.
    for (word, value, expected) in [
        (0, 2, "0 to 1"),
        (1, -1, "0 to 1"),
        (2, 9, "-3 to 8"),
        (20, 10, "-3 to 9"),
        (11, -4, "-3 to 9"),
        (21, 10, "0 to 9"),
        (24, 11, "0 to 10"),
        (49, 5, "-3 to 4"),
        (67, 6, "-3 to 5"),
    ] {
        let mut bad = good.clone();
        bad[word] = value;
        let error = packed.apply(&bad, &image, &mut out).unwrap_err();
        let got = value.to_string();
        assert_eq!(error, AugmentError::Words { word, expected: expected.into(), got });
    }
    for far in [0x7FF0, 0x7FF8, 0x4010] {
        let mut bad = good.clone();
        bad[28] = far; // infinity, not a number, 4 pixels a column
        let error = packed.apply(&bad, &image, &mut out).unwrap_err();
        assert!(matches!(error, AugmentError::Words { word: 25, .. }), "{error}");
    }
    for (words, image, out) in [
        (&good[1..], &image[..], &mut vec![0.0; out.len()][..]),
        (&good, &image[1..], &mut vec![0.0; out.len()]),
        (&good, &image, &mut vec![0.0; out.len() - 1]),
    ] {
        assert!(matches!(packed.apply(words, image, out), Err(AugmentError::Length { .. })));
    }
    let mut words = Vec::new();
    let error = packed.packer().pack(&Drawn::default(), &mut words).unwrap_err();
    assert!(matches!(error, AugmentError::Drawn { .. }));
    assert!(words.is_empty());
}

#[test]
fn the_kernel_needs_no_header_and_reads_what_is_written() {
    assert!(KERNEL.contains("extern \"C\" __global__ void augment("));
    assert!(!KERNEL.contains("#include"));
    let (_, after) = KERNEL.split_once("enum {").unwrap();
    let names: Vec<&str> = after.split_once('}').unwrap().0.split(',').map(str::trim).collect();
    for (name, place) in [
        ("INPUT_HEIGHT", packed::INPUT_HEIGHT),
        ("INPUT_WIDTH", packed::INPUT_HEIGHT + 1),
        ("OUTPUT_HEIGHT", packed::OUTPUT_HEIGHT),
        ("OUTPUT_WIDTH", packed::OUTPUT_HEIGHT + 1),
        ("HOLES", packed::HOLES),
        ("STRIDE", packed::STRIDE),
        ("ROTATED_HEIGHT", packed::ROTATED_HEIGHT),
        ("ROTATED_WIDTH", packed::ROTATED_HEIGHT + 1),
        ("BORDER", packed::BORDER),
        ("COLORS", packed::COLORS),
    ] {
        assert_eq!(names[place], name);
    }
}
