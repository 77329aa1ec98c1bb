//! How large parameters and their gradients are.

use candle_core::Tensor;
use candle_core::backprop::GradStore;
use wick_models::Parameters;
use wick_optim::Weights;
use wick_runs::NormRow;

use super::engine::Engine;
use super::{Event, Observer, Training};
use crate::TrainError;

impl Training<'_> {
    /// The norms that the epoch's last step left, once it is done.
    pub(super) fn measure(&mut self, observer: &mut Observer<'_>) -> Result<Vec<NormRow>, TrainError> {
        let weights = match &mut self.engine {
            Engine::Host(_) => {
                self.average.show(Weights::Trained)?;
                let trainable = self.network.parameters.trainable().into_iter();
                trainable.map(|(name, var)| Ok((name, values(&var)?))).collect::<Result<_, TrainError>>()?
            }
            Engine::Cuda(cuda) => cuda.weights()?,
        };
        let gradients = self.gradient_norms.iter().copied().chain(std::iter::repeat(None));
        let of = |((name, values), gradient_norm): (&(String, Vec<f32>), _)| NormRow {
            epoch: self.state.epoch,
            step: self.state.step,
            parameter: name.clone(),
            weight_norm: norm(values),
            gradient_norm,
        };
        let norms: Vec<NormRow> = weights.iter().zip(gradients).map(of).collect();
        observer(Event::Weights { weights: &weights, norms: &norms });
        Ok(norms)
    }
}

/// The norm of each trained parameter's gradient, if it has one.
pub(super) fn of_gradients(
    parameters: &Parameters,
    gradients: &GradStore,
) -> Result<Vec<Option<f64>>, TrainError> {
    let of = |gradient: Option<&Tensor>| gradient.map(|g| Ok(norm(&values(g)?))).transpose();
    parameters.trainable().iter().map(|(_, var)| of(gradients.get(var))).collect()
}

/// The norm of all gradients together.
pub(super) fn of_all(norms: &[Option<f64>]) -> f64 {
    norms.iter().flatten().map(|norm| norm * norm).sum::<f64>().sqrt()
}

fn values(tensor: &Tensor) -> Result<Vec<f32>, TrainError> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// The Euclidean norm, √(Σ vᵢ²), summed in f64 in an order that depends on nothing but the number of values.
fn norm(values: &[f32]) -> f64 {
    /// Sums that do not wait for each other.
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    for values in values.chunks(LANES) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    sums.iter().sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::{norm, of_all};

    #[test]
    fn norms_are_euclidean() {
        assert_eq!(norm(&[]), 0.0);
        assert_eq!(norm(&[3.0, -4.0]), 5.0);
        let values: Vec<f32> = (1..=1001).map(|n| n as f32).collect();
        // Whole numbers, and their sum, are exact in f64: n(n + 1)(2n + 1) / 6.
        assert_eq!(norm(&values), (1001.0_f64 * 1002.0 * 2003.0 / 6.0).sqrt());
        assert_eq!(norm(&[1e30]), f64::from(1e30_f32)); // whose square is no f32
        assert_eq!(of_all(&[Some(3.0), None, Some(4.0)]), 5.0);
    }
}
