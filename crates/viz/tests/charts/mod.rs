//! One chart of each kind, of fixed data.

#[allow(dead_code)] // each file of tests takes what it needs
#[path = "../../examples/gallery/made_up.rs"]
pub(crate) mod made_up;

use made_up::{bins, parameter_norms, range_test, run};
use wick_viz::*;

pub(crate) fn learning(epochs: usize, change: impl Fn(&mut made_up::Run)) -> Chart {
    let mut r = run(epochs);
    change(&mut r);
    let data = Curves {
        train_loss: &r.train_loss,
        test_loss: &r.test_loss,
        train_accuracy: &r.train_accuracy,
        test_accuracy: &r.test_accuracy,
        lr: &r.lr,
        momentum: &r.momentum,
    };
    curves(&data, &CurvesOptions::default()).unwrap()
}

pub(crate) fn recipes() -> Chart {
    let epochs = 12;
    let seed = |offset: usize, shift: f64| {
        let r = run(epochs + offset);
        let loss: Vec<f64> = r.test_loss[..epochs].iter().map(|l| l + 0.2 * shift).collect();
        let wave = |e: usize| 0.01 * ((e * (offset + 2)) as f64).sin();
        let accuracy =
            r.test_accuracy.iter().take(epochs).zip(0..).map(|(a, e)| a - shift + wave(e)).collect();
        (loss, accuracy)
    };
    let of = |shift: f64| -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        (0..3).map(|k| seed(k, shift + 0.015 * k as f64)).unzip()
    };
    let (mut first, second, mut alone) = (of(0.0), of(0.08), seed(1, 0.2));
    first.0[1][5] = f64::NAN;
    alone.0.truncate(1);
    alone.1.truncate(1);
    let (loss, accuracy): (Vec<Vec<f64>>, Vec<Vec<f64>>) = ([alone.0].into(), [alone.1].into());
    let groups = [
        ComparedRuns { name: "s9-ghostbn", loss: &first.0, accuracy: &first.1 },
        ComparedRuns {
            name: "s9-ghostbn, optim.momentum.nesterov = 0.9",
            loss: &second.0,
            accuracy: &second.1,
        },
        ComparedRuns { name: "one epoch of one seed", loss: &loss, accuracy: &accuracy },
    ];
    let options = ComparisonOptions { title: Some("Three recipes".to_owned()), ..Default::default() };
    comparison(&groups, &options).unwrap()
}

pub(crate) fn range() -> Chart {
    let (lr, loss, smoothed) = range_test(100);
    let suggestions =
        [("steepest gradient", 5.09e-3), ("valley", 4.1e-3), ("slide", 0.09), ("none", f64::NAN)]
            .map(|(name, lr)| Suggestion { name, lr });
    let data = LrFinder { lr: &lr, loss: &loss, smoothed: &smoothed, suggestions: &suggestions };
    lr_finder(&data, &LrFinderOptions::default()).unwrap()
}

pub(crate) fn one_cycle() -> Chart {
    let r = run(80);
    let data = LrSchedule { lr: &r.lr, momentum: &r.momentum };
    let options = LrScheduleOptions { title: Some("One cycle".to_owned()), steps_per_epoch: Some(20) };
    lr_schedule(&data, &options).unwrap()
}

pub(crate) fn classes() -> Chart {
    let classes = [
        ("airplane", 0.938, Some(0.94)),
        ("a <very> old & \"rare\" bird", 0.75, Some(0.889)),
        ("cat", f64::NAN, None),
    ]
    .map(|(name, accuracy, published)| ClassAccuracy { name, accuracy, published });
    per_class(&classes, &PerClassOptions::default()).unwrap()
}

pub(crate) fn calibration() -> Chart {
    let bins: Vec<_> = bins(12)
        .into_iter()
        .map(|(lower, upper, images, confidence, accuracy)| ReliabilityBin {
            lower,
            upper,
            images,
            confidence: Some(confidence),
            accuracy: Some(accuracy),
        })
        .collect();
    let data = Reliability { bins: &bins, expected_error: 0.0312, maximum_error: 0.1431 };
    reliability(&data, &ReliabilityOptions::default()).unwrap()
}

pub(crate) fn resnet_norms() -> Chart {
    let all = parameter_norms(30);
    let parameters: Vec<_> =
        all.iter().map(|(name, weight, gradient)| ParameterNorms { name, weight, gradient }).collect();
    let steps: Vec<f64> = (0..30).map(|i| f64::from(i * 391)).collect();
    let gradients_of = Some("each epoch's last step".to_owned());
    let options = NormsOptions { gradients_of, ..Default::default() };
    norms(&Norms { steps: &steps, parameters: &parameters }, &options).unwrap()
}
