//! Against what TensorBoard's own code wrote: `checks/golden.py`.
#![allow(clippy::unwrap_used)] // in helpers as in tests

use std::fs;
use std::path::Path;

use wick_tensorboard::{
    Clock, EventWriter, HParam, HParams, Histogram, Image, Metric, Options, SessionStatus, Split,
};

const EVENTS: &[u8] = include_bytes!("golden/events.bin");
const PIXELS: &[u8] = include_bytes!("golden/pixels.png");
const HISTOGRAMS: &str = include_str!("golden/histograms.json");

fn written(folder: &Path) -> Vec<u8> {
    let options =
        Options { clock: Clock::Fixed(1_700_000_000.25), host: Some("host".into()), ..Options::default() };
    let mut events = EventWriter::resume(folder, 81, options).unwrap();
    events.scalar("loss/train", 81, 0.1).unwrap();
    events.scalar("loss/train", 82, 0.0).unwrap();
    let histogram = Histogram::new(&[-1.0, 0.0, 0.25, 0.25, 3.0]).unwrap();
    events.histogram("weights/conv1.weight", 82, &histogram).unwrap();
    events.image("figures/pixels", 82, &Image::png(PIXELS.to_vec()).unwrap()).unwrap();
    events.text("recipe", 0, "# s11 – ünïcode").unwrap();
    let metric = |tag: &str, name: &str, split| Metric { tag: tag.into(), name: name.into(), split };
    let values = [
        ("model", HParam::Text("resnet18".into())),
        ("optim.lr", HParam::Number(0.01)),
        ("optim.nesterov", HParam::Bool(true)),
    ];
    let hparams = HParams {
        values: values.map(|(name, value)| (name.to_owned(), value)).into(),
        metrics: vec![
            metric("accuracy/test", "test accuracy", Split::Held),
            metric("loss/train", "train loss", Split::Training),
        ],
    };
    events.hparams(&hparams).unwrap();
    events.end(SessionStatus::Success).unwrap();
    events.flush().unwrap();
    fs::read(events.path()).unwrap()
}

#[test]
fn an_event_file_is_tensorboards_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    assert!(written(folder.path()) == EVENTS);
}

#[test]
fn buckets_are_tensorboards() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(HISTOGRAMS).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let numbers = |v: &serde_json::Value| -> Vec<f64> {
            v.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
        };
        let values: Vec<f32> = numbers(&case["values"]).iter().map(|v| *v as f32).collect();
        let histogram = Histogram::new(&values).unwrap();
        let buckets: Vec<Vec<f64>> = case["buckets"].as_array().unwrap().iter().map(numbers).collect();
        let column = |i: usize| buckets.iter().map(|bucket| bucket[i]).collect::<Vec<_>>();
        assert_eq!(histogram.limits(), column(1));
        assert_eq!(histogram.counts(), column(2));
    }
}
