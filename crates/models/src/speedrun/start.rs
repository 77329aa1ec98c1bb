//! The weights that the speedrun begins with.

use candle_core::{Result, Tensor};

use super::group::CONVOLUTIONS;
use super::{GROUPS, LAYERS, whitening_filters};
use crate::parameters::Parameters;

/// What is added to eigenvalues, lest small ones count for too much.
const EPS: f64 = 5e-4;

/// Gives a new [`SpeedrunNet`](super::SpeedrunNet)'s `parameters` what cifar10-airbench begins with: filters that whiten `images` (`(N, H, W, 3)`,
/// f32, normalised as in training; it takes the first 5,000 of the train split), and in each convolution behind them the identity as the
/// first `C_in` filters, as `torch.nn.init.dirac_(weight[:C_in])`. The other filters stay what they are.
///
/// # Errors
/// Parameters of another network; images that [`whitening_filters`] refuses.
pub fn start_speedrun(parameters: &Parameters, images: &Tensor) -> Result<()> {
    let get = |name: &str| {
        let found = parameters.get(name);
        found.ok_or_else(|| candle_core::Error::CannotFindTensor { path: name.to_owned() }.bt())
    };
    get(&format!("{}.weight", LAYERS[0]))?.set(&whitening_filters(images, EPS)?)?;
    for (group, conv) in GROUPS.iter().flat_map(|group| CONVOLUTIONS.map(|conv| (group, conv))) {
        let weight = get(&format!("{group}.{conv}.weight"))?;
        let (kh, kw, c_in, c_out) = weight.dims4()?;
        let mut values = weight.flatten_all()?.to_vec1::<f32>()?;
        for (i, filters) in values.chunks_exact_mut(c_out).enumerate() {
            let (place, channel) = (i / c_in, i % c_in);
            let same = c_in.min(c_out);
            filters[..same].fill(0.0);
            if place == kh * kw / 2 && channel < same {
                filters[channel] = 1.0;
            }
        }
        weight.set(&Tensor::from_vec(values, weight.shape(), weight.device())?)?;
    }
    Ok(())
}
