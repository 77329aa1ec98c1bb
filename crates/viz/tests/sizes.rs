//! No size and no value makes a figure panic; mismatches are errors that say what was expected.

use proptest::{collection::vec, prelude::*};
use wick_viz::*;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -3.0..3.0f64,
        2 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::MAX),
        1 => Just(0.0),
        1 => Just(1e-300),
        1 => Just(-1e25),
    ]
}

fn either(full: &[f64], given: bool) -> &[f64] {
    if given { full } else { &[] }
}

#[test]
fn filters_without_sides_are_refused() {
    let layout = FilterLayout::Oihw;
    let data = Filters { weights: &[], count: usize::MAX, height: 0, width: 3, layout };
    let error = filters(&data, &FiltersOptions::default()).unwrap_err().to_string();
    assert!(error.contains("at least 1") && error.contains("0×3"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn curves_of_anything(values in vec(vec(number(), 6), 0..70), given in vec(any::<bool>(), 6), first in 0usize..3, log in 0usize..3) {
        let column = |i: usize| values.iter().map(|v| v[i]).collect::<Vec<_>>();
        let c: Vec<Vec<f64>> = (0..6).map(column).collect();
        let data = Curves {
            train_loss: either(&c[0], given[0]),
            test_loss: either(&c[1], given[1]),
            train_accuracy: either(&c[2], given[2]),
            test_accuracy: either(&c[3], given[3]),
            lr: either(&c[4], given[4]),
            momentum: either(&c[5], given[5]),
        };
        let loss_scale = [LossScale::Auto, LossScale::Linear, LossScale::Log][log];
        let options = CurvesOptions { first_epoch: first, loss_scale, ..Default::default() };
        match curves(&data, &options) {
            Ok(picture) => prop_assert_eq!(picture.width(), 1040),
            Err(e) => {
                let empty = matches!(e, VizError::Empty { .. });
                prop_assert!(empty && (values.is_empty() || !given.contains(&true)));
            },
        }
    }

    #[test]
    fn range_tests_of_anything(values in vec([number(), number(), number()], 1..40), smooth: bool, marks in vec(("[a-z \n]{0,60}", number()), 0..9)) {
        let c: Vec<Vec<f64>> = (0..3).map(|i| values.iter().map(|v| v[i]).collect()).collect();
        let suggestions: Vec<_> = marks.iter().map(|(name, lr)| Suggestion { name, lr: *lr }).collect();
        let data = LrFinder { lr: &c[0], loss: &c[1], smoothed: either(&c[2], smooth), suggestions: &suggestions };
        prop_assert_eq!(lr_finder(&data, &LrFinderOptions::default()).unwrap().width(), 960);
        let options = LrScheduleOptions { steps_per_epoch: Some(values.len() % 5), ..Default::default() };
        let data = LrSchedule { lr: &c[0], momentum: either(&c[1], smooth) };
        prop_assert_eq!(lr_schedule(&data, &options).unwrap().width(), 960);
    }

    #[test]
    fn matrices_of_anything(n in 1usize..45, seed: u64, name in "[a-zäß \t]{0,40}") {
        let counts: Vec<u64> = (0..n * n).map(|i| seed.wrapping_mul(i as u64 * 977 + 1) >> (seed % 64)).collect();
        let names = vec![name; n];
        prop_assert!(confusion(&counts, &names, &ConfusionOptions::default()).is_ok());
        prop_assert!(confusion(&counts[1..], &names, &ConfusionOptions::default()).is_err());
    }

    #[test]
    fn galleries_of_anything(
        sizes in vec((1usize..40, 1usize..40, 1usize..6, 1usize..6), 0..8),
        probability in number(),
        columns in 1usize..5,
        zoom in prop_oneof![Just(None), (1u32..4).prop_map(Some)],
        names in ("[a-z \n]{0,80}", ".{0,80}"),
    ) {
        let rgb = vec![77u8; 40 * 40 * 3];
        let values: Vec<f32> = (0..25).map(|i| (i * 7 % 5) as f32).collect();
        let photo = |s: &(usize, usize, usize, usize)| Photo::new(&rgb[..s.0 * s.1 * 3], s.0, s.1).unwrap();
        let mistakes: Vec<_> = sizes
            .iter()
            .map(|s| Mistake { image: photo(s), index: Some(columns), truth: &names.0, predicted: &names.1, probability })
            .collect();
        let title = (columns > 2).then(|| names.0.clone());
        let options = GalleryOptions { columns: Some(columns), zoom, title: title.clone(), ..Default::default() };
        prop_assert!(misclassified(&mistakes, &options).is_ok());

        let cases: Vec<_> = sizes
            .iter()
            .map(|s| CamCase {
                image: photo(s),
                index: Some(columns),
                map: HeatMap::new(&values[..s.2 * s.3], s.2, s.3).unwrap(),
                truth: &names.0,
                predicted: &names.1,
                probability,
            })
            .collect();
        let options = CamGridOptions { columns: Some(columns), zoom, title: title.clone(), ..Default::default() };
        prop_assert!(cam_grid(&cases, &options).is_ok());

        let maps = vec![HeatMap::new(&values, 5, 5).unwrap(); columns];
        let compared: Vec<_> = cases
            .iter()
            .map(|c| ComparedCams { image: c.image, index: c.index, maps: &maps, truth: c.truth, predicted: c.predicted, probability })
            .collect();
        let heads = vec![&names.1; columns];
        let groups = [None, Some(names.0.as_str())].map(|heading| CamGroup { heading, cases: &compared });
        let options = CamComparisonOptions { title: title.clone(), zoom, ..Default::default() };
        prop_assert!(cam_comparison(&heads, &groups, &options).is_ok());
        let classes: Vec<_> = cases
            .iter()
            .map(|c| ClassCam { name: c.truth, mean_image: c.image, map: c.map, images: columns * 1000 })
            .collect();
        let options = ClassCamsOptions { title: title.clone(), zoom, columns, ..Default::default() };
        prop_assert!(class_cams(&classes, &options).is_ok());
        let calls: Vec<_> = cases
            .iter()
            .map(|c| CloseCall { image: c.image, index: c.index, first: c.truth, second: c.predicted, probabilities: [probability, 0.1] })
            .collect();
        let options = GalleryOptions { order: Order::LeastConfident, title: title.clone(), zoom, columns: Some(columns), ..Default::default() };
        prop_assert!(unsure(&calls, &options).is_ok());

        let photos: Vec<_> = sizes.iter().map(photo).collect();
        let rows: Vec<_> = (0..photos.len())
            .map(|i| AugmentationRow { original: photos[i], draws: &photos[..i], caption: &names.1 })
            .collect();
        let options = AugmentationsOptions { title, zoom, ..Default::default() };
        prop_assert!(augmentations(&rows, &options).is_ok());
    }

    #[test]
    fn maps_of_any_size(h in 1usize..9, w in 1usize..9, to in (1usize..40, 1usize..40), values in vec(-1e38f32..1e38, 64)) {
        let map = HeatMap::new(&values[..h * w], h, w).unwrap();
        let out = map.resized(to.0, to.1).unwrap();
        let (low, high) = values[..h * w].iter().fold((f32::MAX, f32::MIN), |(l, u), &v| (l.min(v), u.max(v)));
        // A weighted mean lies between the values, but for the rounding of three sums.
        let slack = 1e-6 * low.abs().max(high.abs());
        prop_assert!(out.iter().all(|&v| v >= low - slack && v <= high + slack));
        let scaled = min_max(&out);
        prop_assert!(scaled.values.iter().all(|v| (0.0..=1.0).contains(v)));
    }
}

#[test]
fn mismatches_say_what_was_expected() {
    let data = Curves { train_loss: &[1.0, 2.0], test_loss: &[1.0], ..Default::default() };
    let error = curves(&data, &CurvesOptions::default()).unwrap_err();
    assert!(matches!(error, VizError::Length { expected: 2, got: 1, .. }));
    assert_eq!(
        error.to_string(),
        "curves: test losses, one an epoch: expected 2 values, got 1; the slices must belong to the same data"
    );
    let data = LrFinder { lr: &[0.1, 0.2], loss: &[1.0; 3], ..Default::default() };
    let error = lr_finder(&data, &LrFinderOptions::default()).unwrap_err();
    assert!(matches!(error, VizError::Length { expected: 2, got: 3, .. }));
    let data = LrSchedule { lr: &[0.1, 0.2], momentum: &[0.9] };
    assert!(matches!(lr_schedule(&data, &LrScheduleOptions::default()), Err(VizError::Length { .. })));
    let error = confusion(&[1, 2, 3], &["a", "b"], &ConfusionOptions::default()).unwrap_err();
    assert!(matches!(error, VizError::Length { expected: 4, got: 3, .. }));
}

#[test]
fn nothing_is_an_error_or_said() {
    assert!(matches!(curves(&Curves::default(), &CurvesOptions::default()), Err(VizError::Empty { .. })));
    assert!(matches!(
        lr_finder(&LrFinder::default(), &LrFinderOptions::default()),
        Err(VizError::Empty { .. })
    ));
    let none = lr_schedule(&LrSchedule::default(), &LrScheduleOptions::default());
    assert!(matches!(none, Err(VizError::Empty { .. })));
    assert!(matches!(confusion::<&str>(&[], &[], &ConfusionOptions::default()), Err(VizError::Empty { .. })));
    let dark = |p: RgbImage| p.pixels().filter(|p| p.0[0] < 160).count();
    assert!(dark(misclassified(&[], &GalleryOptions::default()).unwrap()) > 100, "words are drawn");
    assert!(dark(cam_grid(&[], &CamGridOptions::default()).unwrap()) > 100);
    assert!(dark(cam_comparison(&["Grad-CAM"], &[], &CamComparisonOptions::default()).unwrap()) > 100);
    assert!(dark(class_cams(&[], &ClassCamsOptions::default()).unwrap()) > 100);
    assert!(dark(unsure(&[], &GalleryOptions::default()).unwrap()) > 100);
    assert!(dark(augmentations(&[], &AugmentationsOptions::default()).unwrap()) > 100);
}

#[test]
fn absurd_sizes_are_errors() {
    let rgb = [0u8; 3];
    let image = Photo::new(&rgb, 1, 1).unwrap();
    let mistakes = vec![Mistake { image, index: None, truth: "cat", predicted: "dog", probability: 0.5 }; 3];
    let of = |options: GalleryOptions| misclassified(&mistakes, &options);
    assert!(matches!(
        of(GalleryOptions { columns: Some(0), ..Default::default() }),
        Err(VizError::OutOfRange { .. })
    ));
    assert!(matches!(
        of(GalleryOptions { zoom: Some(0), ..Default::default() }),
        Err(VizError::OutOfRange { .. })
    ));
    let huge = GalleryOptions { zoom: Some(u32::MAX), ..Default::default() };
    assert!(matches!(of(huge), Err(VizError::TooLarge { .. })));
    let names = vec!["x"; 6000];
    let big = confusion(&vec![0; 36_000_000], &names, &ConfusionOptions::default());
    assert!(matches!(big, Err(VizError::TooLarge { .. })));
}

#[test]
fn charts_of_wrong_numbers_are_errors() {
    assert!(matches!(per_class(&[], &PerClassOptions::default()), Err(VizError::Empty { .. })));
    let bin =
        |lower, accuracy| ReliabilityBin { lower, upper: 1.0, images: 1, confidence: Some(0.5), accuracy };
    let of = |bins: &[ReliabilityBin]| {
        let data = Reliability { bins, expected_error: 0.1, maximum_error: 0.1 };
        reliability(&data, &ReliabilityOptions::default())
    };
    assert!(of(&[bin(0.5, Some(1.0)), bin(0.0, None)]).is_ok());
    assert!(matches!(of(&[]), Err(VizError::Empty { .. })));
    for wrong in [bin(-0.1, None), bin(f64::NAN, None), bin(0.0, Some(50.0))] {
        let error = of(&[bin(0.0, None), wrong]).unwrap_err().to_string();
        assert!(error.contains("bin 1: expected ends, confidence and accuracy from 0 to 1"), "{error}");
    }
    let of = |steps: &[f64], weight: &[f64], gradient: &[f64]| {
        let parameters = [ParameterNorms { name: "conv1.weight", weight, gradient }];
        norms(&Norms { steps, parameters: &parameters }, &NormsOptions::default())
    };
    assert!(of(&[1.0, f64::NAN], &[0.0, f64::INFINITY], &[]).is_ok(), "gaps, and no gradient at all");
    assert!(matches!(of(&[], &[], &[]), Err(VizError::Empty { .. })));
    let error = of(&[1.0, 2.0], &[1.0], &[]).unwrap_err().to_string();
    assert!(error.contains("norms of conv1.weight, one a step: expected 2 values, got 1"), "{error}");
    assert!(matches!(of(&[1.0], &[1.0], &[1.0, 2.0]), Err(VizError::Length { .. })));
}

#[test]
fn every_case_has_a_map_for_each_column() {
    let (rgb, value) = ([9u8; 3], [1.0]);
    let (image, map) = (Photo::new(&rgb, 1, 1).unwrap(), HeatMap::new(&value, 1, 1).unwrap());
    let case =
        ComparedCams { image, index: None, maps: &[map], truth: "a", predicted: "b", probability: 0.5 };
    let error = cam_comparison(
        &["Grad-CAM", "Layer-CAM"],
        &[CamGroup { heading: None, cases: &[case] }],
        &CamComparisonOptions::default(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "comparison of class activation maps: maps of a case, one for each column: expected 2 values, got 1; the slices \
         must belong to the same data"
    );
    let class = ClassCam { name: "a", mean_image: image, map, images: 1 };
    let none = ClassCamsOptions { columns: 0, ..Default::default() };
    assert!(matches!(class_cams(&[class], &none), Err(VizError::OutOfRange { .. })));
}

/// Sizes worked out by hand from the layout, so that nothing is cut off unseen.
#[test]
fn pictures_have_the_sizes_of_their_layout() {
    let rgb = [9u8; 32 * 32 * 3];
    let image = Photo::new(&rgb, 32, 32).unwrap();
    // Two 24 px margins; cells of 128 px (wider than the captions) and gaps of 20; a caption of 8 + 3·20.
    let mistakes = vec![Mistake { image, index: None, truth: "a", predicted: "b", probability: 0.5 }; 7];
    let picture =
        misclassified(&mistakes, &GalleryOptions { columns: Some(3), ..Default::default() }).unwrap();
    assert_eq!(picture.dimensions(), (48 + 3 * 128 + 2 * 20, 48 + 3 * (128 + 68) + 2 * 20));
    // The image in the first cell is there, enlarged: inside a frame of one pixel at the margin.
    assert!((24..152).all(|x| (24..152).all(|y| picture.get_pixel(x, y).0 == [9; 3])));
    assert_ne!(picture.get_pixel(23, 30).0, [9; 3]);
    let map = [0.0, 1.0, 2.0, 3.0];
    let map = HeatMap::new(&map, 2, 2).unwrap();
    let cases = vec![CamCase { image, index: None, map, truth: "a", predicted: "b", probability: 0.5 }; 5];
    let picture = cam_grid(&cases, &CamGridOptions { zoom: Some(4), ..Default::default() }).unwrap();
    assert_eq!(picture.width(), 48 + 2 * (3 * 128 + 2 * 6) + 32);
    // Heads make three columns of the five cases, and a line above them: two rows of 128 px and a caption's 20 + 22 instead of three.
    let heads = ["layer2", "layer3", "layer4"].map(str::to_owned).to_vec();
    let headed = CamGridOptions { zoom: Some(4), heads, ..Default::default() };
    let headed = cam_grid(&cases, &headed).unwrap();
    assert_eq!(headed.width(), 48 + 3 * (3 * 128 + 2 * 6) + 2 * 32);
    assert_eq!(headed.height() + (128 + 20 + 22) - 24, picture.height());
    // Heads of a comparison push its rows down by 20 px a line.
    let compared =
        [ComparedCams { image, index: None, maps: &[map], truth: "a", predicted: "b", probability: 0.5 }];
    let height = |head, heading| {
        let groups = [CamGroup { heading, cases: &compared }];
        cam_comparison(&[head], &groups, &CamComparisonOptions::default()).unwrap().height()
    };
    assert_eq!(height("LayerCAM\nfor cat\nat layer3", None), height("LayerCAM", None) + 40);
    assert_eq!(height("LayerCAM", Some("Misclassified")), height("LayerCAM", None) + 30);
}

/// A group of more than twelve has two blocks where both are within 2000 px: 13 images seven rows of 128 + 8 px, 12 images twelve.
#[test]
fn many_images_stand_in_two_blocks() {
    let (rgb, value) = ([9u8; 32 * 32 * 3], [1.0]);
    let (image, map) = (Photo::new(&rgb, 32, 32).unwrap(), HeatMap::new(&value, 1, 1).unwrap());
    let size = |columns: usize, cases: usize| {
        let maps = vec![map; columns];
        let case =
            ComparedCams { image, index: Some(7), maps: &maps, truth: "a", predicted: "b", probability: 0.5 };
        let cases = vec![case; cases];
        let groups = [CamGroup { heading: None, cases: &cases }];
        cam_comparison(&vec!["Grad-CAM"; columns], &groups, &CamComparisonOptions::default())
            .unwrap()
            .dimensions()
    };
    let ((one, twelve), (two, thirteen)) = (size(3, 12), size(3, 13));
    assert_eq!(two - 48, 2 * (one - 48) + 40);
    assert_eq!(twelve - thirteen, 5 * (128 + 8));
    assert_eq!(size(12, 13).0, size(12, 12).0, "too wide for two");
}

/// As many as CIFAR has test images, each with its words: enlarged where the picture has room for it.
#[test]
fn galleries_have_room_for_thousands() {
    let rgb = [9u8; 32 * 32 * 3];
    let image = Photo::new(&rgb, 32, 32).unwrap();
    let mistake =
        Mistake { image, index: Some(9999), truth: "automobile", predicted: "automobile", probability: 0.5 };
    let of = |n: usize| misclassified(&vec![mistake; n], &GalleryOptions::default()).unwrap();
    let square = |picture: &RgbImage| f64::from(picture.width()) / f64::from(picture.height());
    for (n, zoom) in [(201, 2), (5000, 2), (10_000, 1)] {
        let picture = of(n);
        assert!((0.8..1.25).contains(&square(&picture)), "{n}: {:?}", picture.dimensions());
        let edge = 24 + 32 * zoom;
        assert!((24..edge).all(|x| picture.get_pixel(x, 24).0 == [9; 3]), "{n}");
        assert_ne!(picture.get_pixel(edge, 24).0, [9; 3], "{n}");
    }
    // Ten columns of a caption's width, 20 rows.
    assert_eq!(of(200).height(), 48 + 20 * (128 + 68 + 20) - 20);
}
