//! Gradients of images, with running statistics.

use wick_kernels::Precision;

use super::{Case, distance, executor, reference};
use crate::execute::Engine;
use crate::plan::{ConvInputs, Finish, NormKind, Plan, Work};
use crate::{Algorithm, Executor, Options};

fn of_images(case: &Case, executor: &mut Executor, dlogits: &[f32]) -> Vec<f32> {
    let p: Vec<&[f32]> = case.parameters.iter().map(Vec::as_slice).collect();
    executor.input_gradient(&p, &case.images, dlogits).unwrap()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

/// f32 through some ten layers: as the gradients of parameters.
#[test]
fn f32_is_the_reference() {
    for case in Case::all() {
        let want = case.expected(reference::Mode::Evaluate);
        let mut executor = executor(&case.graph, Precision::F32);
        let got = of_images(&case, &mut executor, &narrow(&want.dlogits));
        let error = distance(&got, &want.of_images, 0.0);
        assert!(error < 1e-4, "{}: {error:e}", case.name);
        // Whatever the executor did before, and whatever it does next.
        let step = case.step(&mut executor, 5);
        assert!(got == of_images(&case, &mut executor, &narrow(&want.dlogits)), "{}", case.name);
        assert!(step == case.step(&mut executor, 5), "{}", case.name);
    }
}

/// The plan of devices whose convolutions read tensors as they are, carried out here.
#[test]
fn inputs_of_convolutions_may_be_written() {
    for case in Case::all() {
        let options = Options { algorithm: Algorithm::Direct, ..Options::default() };
        let mut engine = Engine::<f32>::new(&case.graph, options, ConvInputs::Written).unwrap();
        let p: Vec<&[f32]> = case.parameters.iter().map(Vec::as_slice).collect();
        let want = case.expected(reference::Mode::Evaluate);
        let got = engine.input_gradient(&p, &case.images, &narrow(&want.dlogits)).unwrap();
        let error = distance(&got, &want.of_images, 0.0);
        assert!(error < 1e-4, "{}: {error:e}", case.name);
    }
}

/// As the gradients of parameters are in bf16.
#[test]
fn bf16_is_near_the_reference() {
    for case in Case::all() {
        let want = case.expected(reference::Mode::Evaluate);
        let got = of_images(&case, &mut executor(&case.graph, Precision::Bf16), &narrow(&want.dlogits));
        let error = distance(&got, &want.of_images, 0.0);
        assert!(error < 0.2, "{}: {error}", case.name);
    }
}

/// Central differences of the reference's own loss: what is compared with above is right.
#[test]
fn the_reference_is_differentiated_rightly() {
    for mut case in Case::all() {
        let want = case.expected(reference::Mode::Evaluate).of_images;
        let h = 1.0 / 1024.0;
        let (mut checked, mut wrong) = (0, 0);
        for at in (0..case.images.len()).step_by(37) {
            let value = case.images[at];
            let mut loss = |by: f32| {
                case.images[at] = value + by;
                case.expected(reference::Mode::Evaluate).loss
            };
            let got = (loss(h) - loss(-h)) / (2.0 * f64::from(h));
            case.images[at] = value;
            checked += 1;
            wrong += usize::from((got - want[at]).abs() > 1e-5 + 1e-2 * want[at].abs());
        }
        // Where a rectifier or a pool changes its mind within the step, the difference is of two slopes.
        assert!(wrong * 10 <= checked, "{}: {wrong} of {checked}", case.name);
    }
}

#[test]
fn no_weight_has_a_gradient_and_no_batch_is_measured() {
    for case in Case::all() {
        for inputs in [ConvInputs::OnTheFly, ConvInputs::Written] {
            let plan = Plan::input_gradient(&case.graph, inputs).unwrap();
            let is_batch = |norm: &usize| {
                matches!(case.graph.norms()[*norm].kind, NormKind::Batch { .. } | NormKind::Bias)
            };
            for pass in plan.forward.iter().chain(&plan.backward) {
                assert!(!matches!(pass.work, Work::ConvWeightGradient { .. }), "{}", case.name);
                let measured = match pass.write.as_ref().map(|write| &write.finish) {
                    Some(Finish::Statistics(norms)) => norms.clone(),
                    Some(Finish::Gradient(point)) => point.norms.iter().map(|(norm, _)| *norm).collect(),
                    _ => Vec::new(),
                };
                assert!(!measured.iter().any(is_batch), "{}: {}", case.name, pass.layer);
            }
            let of_input = plan.of_input.unwrap();
            assert_eq!(plan.sizes[of_input], plan.sizes[0], "{}", case.name);
        }
        assert_eq!(Plan::training(&case.graph, ConvInputs::Written).unwrap().of_input, None);
    }
}

#[test]
fn another_number_of_gradients_is_refused() {
    let case = Case::all().remove(0);
    let p: Vec<&[f32]> = case.parameters.iter().map(Vec::as_slice).collect();
    let said = executor(&case.graph, Precision::F32).input_gradient(&p, &case.images, &[1.0; 14]);
    let said = said.unwrap_err().to_string();
    assert!(said.contains("gradient of the logits: expected 15 values, got 14"), "{said}");
}
