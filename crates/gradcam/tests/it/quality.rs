//! How well maps explain, against pytorch-grad-cam and RISE's evaluation (`fixtures/golden/quality.py`), and by hand.

use crate::{golden, values};
use candle_core::{Device, Tensor};
use wick_gradcam::CamError;
use wick_gradcam::quality::{
    Baseline, Blur, ConfidenceChange, ConfidenceOptions, Curve, CurveOptions, RoadOptions, Samples, Score,
    average_drop, confidence, deletion, impute_linearly, increase_in_confidence, insertion, random_map, road,
};

/// Both sides compute in f32, over logits of 144 products.
const TOLERANCE: f32 = 2e-5;
const N: usize = 3;
const C: usize = 3;
const H: usize = 8;
const W: usize = 6;
const K: usize = 4;
const CLASSES: [u32; N] = [0, 3, 1];
const BLUR: Blur = Blur { radius: 2, sigma: 1.5 };

/// What the reference values were made with.
struct Given {
    images: Tensor,
    maps: Vec<Vec<f32>>,
    weight: Tensor,
    reference: serde_json::Value,
}

impl Given {
    fn new() -> Self {
        let uniform = |seed, n, bound| golden::uniform(golden::SEED + seed, n, bound);
        let images = golden::nchw_to_nhwc(&uniform(600, N * C * H * W, 2.0), [N, C, H, W]);
        let maps: Vec<f32> = uniform(601, N * H * W, 1.0).iter().map(|u| (u + 1.0) / 2.0).collect();
        let weight = golden::nchw_to_nhwc(&uniform(602, K * C * H * W, 0.4), [K, C, H, W]);
        Self {
            images: Tensor::from_vec(images, (N, H, W, C), &Device::Cpu).unwrap(),
            maps: maps.chunks(H * W).map(<[f32]>::to_vec).collect(),
            weight: Tensor::from_vec(weight, (K, H * W * C), &Device::Cpu).unwrap(),
            reference: serde_json::from_str(&golden::read("quality.json")).unwrap(),
        }
    }

    fn samples(&self) -> Samples<'_> {
        Samples::new(&self.images, &self.maps, &CLASSES).unwrap()
    }

    fn model(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        x.tanh()?.flatten_from(1)?.matmul(&self.weight.t()?)
    }

    fn values(&self, key: &str) -> Vec<f32> {
        numbers(&self.reference[key])
    }
}

fn numbers(list: &serde_json::Value) -> Vec<f32> {
    list.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

fn scores(curves: &[Curve]) -> Vec<f32> {
    curves.iter().flat_map(|c| c.scores.iter().map(|&s| s as f32)).collect()
}

#[test]
fn deletion_and_insertion_are_rises() {
    let given = Given::new();
    // Batches that no curve fits into evenly.
    let options = CurveOptions { steps: 7, batch_size: 5, ..CurveOptions::deletion() };
    let curves = deletion(|x| given.model(x), &given.samples(), &options).unwrap();
    golden::assert_close("deletion", &scores(&curves), &given.values("deletion"), TOLERANCE);

    let options = CurveOptions { baseline: Baseline::Blurred(BLUR), ..options };
    let curves = insertion(|x| given.model(x), &given.samples(), &options).unwrap();
    golden::assert_close("insertion", &scores(&curves), &given.values("insertion"), TOLERANCE);
}

/// A model that returns its input shows what it is shown.
#[test]
fn blurring_is_scipys() {
    let given = Given::new();
    let mut seen = Vec::new();
    let options = CurveOptions { steps: 1, baseline: Baseline::Blurred(BLUR), ..CurveOptions::insertion() };
    let look = |x: &Tensor| {
        seen.push(x.clone());
        given.model(x)
    };
    insertion(look, &given.samples(), &options).unwrap();
    let first: Vec<f32> = (0..N).flat_map(|n| values(&seen[0].get(2 * n).unwrap())).collect();
    let expected = golden::nchw_to_nhwc(&given.values("blurred"), [N, C, H, W]);
    golden::assert_close("blurred", &first, &expected, 1e-6);
}

#[test]
fn road_is_pytorch_grad_cams() {
    let given = Given::new();
    let options = RoadOptions {
        percentiles: vec![10, 30, 50, 70, 90],
        noise: 0.0,
        batch_size: 7,
        ..Default::default()
    };
    let roads = road(|x| given.model(x), &given.samples(), &options).unwrap();
    let before: Vec<f32> = roads.iter().map(|r| r.before as f32).collect();
    golden::assert_close("before", &before, &given.values("before"), TOLERANCE);
    for (i, r) in roads.iter().enumerate() {
        for (name, got, mean) in
            [("most", &r.most, r.most_relevant_first()), ("least", &r.least, r.least_relevant_first())]
        {
            let rows = given.reference[name].as_array().unwrap();
            let expected: Vec<f32> = rows.iter().map(|row| numbers(row)[i]).collect();
            let changes: Vec<f32> = got.iter().map(|s| (s - r.before) as f32).collect();
            golden::assert_close(name, &changes, &expected, TOLERANCE);
            golden::assert_close(name, &[mean as f32], &[expected.iter().sum::<f32>() / 5.0], TOLERANCE);
        }
        assert_eq!(r.combined(), (r.least_relevant_first() - r.most_relevant_first()) / 2.0);
    }
}

#[test]
fn linear_imputation_is_pytorch_grad_cams() {
    let given = Given::new();
    let mut order: Vec<usize> = (0..H * W).collect();
    order.sort_by(|&a, &b| given.maps[0][b].total_cmp(&given.maps[0][a]));
    // 48 values at percentile 30: position 14.1, so 15 stay.
    let removed = &order[..33];
    let mut image = values(&given.images.get(0).unwrap());
    let expected = golden::nchw_to_nhwc(&given.values("imputed"), [1, C, H, W]);
    impute_linearly(&mut image, (H, W, C), removed).unwrap();
    golden::assert_close("imputed", &image, &expected, 1e-6);
}

#[test]
fn imputation_of_what_is_not_there_is_refused() {
    let refused = |size, removed: &[usize]| {
        let mut image = [1.0, 2.0, 3.0, 4.0];
        let error = impute_linearly(&mut image, size, removed).unwrap_err().to_string();
        assert_eq!(image, [1.0, 2.0, 3.0, 4.0]);
        error
    };
    let error = refused((2, 2, 1), &[0, 4]);
    assert!(error.contains("is 4; expected below 4"), "{error}");
    for size in [(2, 3, 1), (usize::MAX, 2, 2), (0, 2, 1)] {
        let error = refused(size, &[0]);
        assert!(error.contains("4 values"), "{error}");
    }
}

/// A row of three: at the edge only neighbours beside it, so the middle is the mean of the ends, however far from it they are.
#[test]
fn imputation_by_hand() {
    let mut row = [3.0, f32::NAN, 9.0];
    impute_linearly(&mut row, (1, 3, 1), &[1]).unwrap();
    assert_eq!(row, [3.0, 6.0, 9.0]);
    let mut row = [1.0, 0.0, 0.0, 4.0];
    impute_linearly(&mut row, (1, 4, 1), &[2, 1]).unwrap();
    golden::assert_close("a line", &row, &[1.0, 2.0, 3.0, 4.0], 1e-6);
    // A corner of 2×2: beside 1/6 twice, across 1/12: (2·(1 + 2) + 6) / 5.
    let mut corner = [0.0, 1.0, 2.0, 6.0];
    impute_linearly(&mut corner, (2, 2, 1), &[0]).unwrap();
    golden::assert_close("a corner", &corner, &[2.4, 1.0, 2.0, 6.0], 1e-6);
    // Nothing is known, or nothing is asked for.
    for removed in [&[0, 1, 2, 3][..], &[]] {
        let mut image = [1.0, 2.0, 3.0, 4.0];
        impute_linearly(&mut image, (2, 2, 1), removed).unwrap();
        assert_eq!(image, [1.0, 2.0, 3.0, 4.0]);
    }
}

#[test]
fn confidence_is_pytorch_grad_cams() {
    let given = Given::new();
    let changes = confidence(|x| given.model(x), &given.samples(), &ConfidenceOptions::default()).unwrap();
    let change: Vec<f32> = changes.iter().map(|c| (c.after - c.before) as f32).collect();
    golden::assert_close("change", &change, &given.values("change"), TOLERANCE);
    let drop: Vec<f32> = changes.iter().map(|c| (c.before - c.after).max(0.0) as f32).collect();
    golden::assert_close("drop", &drop, &given.values("drop"), TOLERANCE);
    let increase = given.values("increase");
    assert!(
        increase.contains(&1.0) && increase.contains(&0.0),
        "the reference should hold both: {increase:?}"
    );
    let share = f64::from(increase.iter().sum::<f32>()) / N as f64;
    assert_eq!(increase_in_confidence(&changes), Some(share));
}

#[test]
fn drops_and_increases_by_hand() {
    let change = |before, after| ConfidenceChange { before, after };
    let changes = [change(0.8, 0.2), change(0.5, 0.5), change(0.4, 0.9), change(1.0, 0.5)];
    assert_eq!(average_drop(&changes), Some((0.75 + 0.0 + 0.0 + 0.5) / 4.0));
    assert_eq!(increase_in_confidence(&changes), Some(0.25));
    assert_eq!(average_drop(&[]), None);
    assert_eq!(increase_in_confidence(&[]), None);
    assert_eq!(average_drop(&[change(-1.0, 0.0)]), None);
}

/// One image of 2×2 pixels whose logit is the sum of its pixels: the areas are those of triangles and trapezoids.
#[test]
fn curves_by_hand() {
    let image = Tensor::new(&[8f32, 4., 2., 1.], &Device::Cpu).unwrap().reshape((1, 2, 2, 1)).unwrap();
    let sum = |x: &Tensor| x.sum((1, 2, 3))?.unsqueeze(1);
    let good = [vec![0.9, 0.5, 0.2, 0.1]];
    let options = CurveOptions { steps: 4, score: Score::Logit, ..CurveOptions::deletion() };
    let curve =
        |maps: &[Vec<f32>]| deletion(sum, &Samples::new(&image, maps, &[0]).unwrap(), &options).unwrap();
    let deleted = &curve(&good)[0];
    assert_eq!(deleted.fractions, [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(deleted.scores, [15.0, 7.0, 3.0, 1.0, 0.0]);
    assert_eq!(deleted.area(), (7.5 + 7.0 + 3.0 + 1.0) / 4.0);
    // The other way round is worse, and a map that is the same everywhere goes from the first pixel to the last.
    assert_eq!(curve(&[vec![0.1, 0.2, 0.5, 0.9]])[0].scores, [15.0, 14.0, 12.0, 8.0, 0.0]);
    assert_eq!(curve(&[vec![0.0; 4]])[0].scores, deleted.scores);

    let options = CurveOptions { steps: 2, baseline: Baseline::Channels(vec![1.0]), ..options };
    let samples = Samples::new(&image, &good, &[0]).unwrap();
    assert_eq!(insertion(sum, &samples, &options).unwrap()[0].scores, [4.0, 14.0, 15.0]);
}

#[test]
fn noise_is_keyed_and_of_its_size() {
    let given = Given::new();
    let options = |noise, seed| RoadOptions { noise, seed, percentiles: vec![50], ..Default::default() };
    let run = |noise, seed| road(|x| given.model(x), &given.samples(), &options(noise, seed)).unwrap();
    assert_eq!(run(0.5, 1), run(0.5, 1));
    assert_ne!(run(0.5, 1), run(0.5, 2));
    assert_ne!(run(0.5, 1)[0].most, run(0.0, 1)[0].most);

    // Of a white image of 64×64 half of which is filled in, white again but for the noise: mean 0, deviation 0.1.
    let white = Tensor::zeros((1, 64, 64, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
    let maps = [random_map(0, 0, 64 * 64)];
    let mut seen = Vec::new();
    let look = |x: &Tensor| {
        seen = values(&x.get(1)?);
        x.flatten_from(1)?.narrow(1, 0, 1)
    };
    road(look, &Samples::new(&white, &maps, &[0]).unwrap(), &options(0.1, 3)).unwrap();
    let noise: Vec<f64> = seen.iter().filter(|v| **v != 0.0).map(|&v| v.into()).collect();
    assert_eq!(noise.len(), 2048);
    let mean = noise.iter().sum::<f64>() / 2048.0;
    let deviation = (noise.iter().map(|v| v * v).sum::<f64>() / 2048.0).sqrt();
    // Four standard errors: 0.1 / √2048 and 0.1 / √4096.
    assert!(mean.abs() < 4.0 * 0.0023 && (deviation - 0.1).abs() < 4.0 * 0.0016, "{mean} {deviation}");
}

#[test]
fn random_maps_are_keyed_and_uniform() {
    let map = random_map(7, 3, 10_000);
    assert_eq!(map, random_map(7, 3, 10_000));
    assert_ne!(map, random_map(7, 4, 10_000));
    assert_ne!(map, random_map(8, 3, 10_000));
    assert!(map.iter().all(|v| (0.0..=1.0).contains(v)));
    let mean = map.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e4;
    assert!((mean - 0.5).abs() < 4.0 * 0.0029, "{mean}"); // four standard errors, 1 / √12 / 100
}

#[test]
fn bad_input_is_named() {
    let given = Given::new();
    let message = |e: CamError| e.to_string();
    let samples = |maps: &[Vec<f32>], classes: &[u32]| {
        message(Samples::new(&given.images, maps, classes).map(|_| ()).unwrap_err())
    };
    assert!(samples(&given.maps[1..], &CLASSES).contains("the maps must be (3, 48)"));
    assert!(samples(&[vec![0.0; 48], vec![0.0; 47], vec![0.0; 48]], &CLASSES).contains("[3, 47]"));
    let nan = [vec![0.0; 48], vec![f32::NAN; 48], vec![0.0; 48]];
    assert!(samples(&nan, &CLASSES).starts_with("the maps of image 1 hold NaN"));
    assert!(samples(&given.maps, &[1]).contains("1 target classes for 3 images"));

    let curve =
        |options| message(deletion(|x| given.model(x), &given.samples(), &options).map(|_| ()).unwrap_err());
    let usual = CurveOptions::deletion;
    assert_eq!(
        curve(CurveOptions { steps: 49, ..usual() }),
        "steps is 49; expected 1 to 48, the pixels of an image"
    );
    assert_eq!(
        curve(CurveOptions { batch_size: 0, ..usual() }),
        "the batch size is 0: it must be at least 1"
    );
    let two = Baseline::Channels(vec![0.0; 2]);
    assert!(
        curve(CurveOptions { baseline: two, ..usual() }).contains("2 values; expected a value for each of")
    );
    let flat = Baseline::Blurred(Blur { radius: 1, sigma: 0.0 });
    assert_eq!(curve(CurveOptions { baseline: flat, ..usual() }), "sigma is 0; expected above 0");
    let wide = Baseline::Blurred(Blur { radius: usize::MAX, sigma: 1.0 });
    assert!(curve(CurveOptions { baseline: wide, ..usual() }).ends_with("expected at most 1000 pixels"));

    let roads =
        |options| message(road(|x| given.model(x), &given.samples(), &options).map(|_| ()).unwrap_err());
    let percentiles = |percentiles| RoadOptions { percentiles, ..Default::default() };
    assert!(roads(percentiles(vec![])).contains("percentiles is []"));
    assert!(roads(percentiles(vec![50, 100])).contains("each from 1 to 99"));
    assert!(roads(RoadOptions { noise: -1.0, ..Default::default() }).contains("noise is -1"));

    let beyond = Samples::new(&given.images, &given.maps, &[0, 1, 9]).unwrap();
    let told = deletion(|x| given.model(x), &beyond, &usual()).map(|_| ()).unwrap_err();
    assert!(message(told).contains("class 9 was asked for, for image 2"));
    let told = deletion(|x| x.mean((1, 2))?.narrow(0, 0, 1), &given.samples(), &usual()).map(|_| ());
    assert!(message(told.unwrap_err()).contains("the logits must be (64, K)"));
}
