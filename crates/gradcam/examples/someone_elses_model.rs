//! Explain a model that is not ours: a little network of `candle_nn` layers, channels first, that tells pluses, crosses
//! and scattered dots apart, wherever they are in an image. It is trained on the spot; then we look where it looks, by every
//! method.
//!
//! `cargo run -p wick-gradcam --example someone_elses_model`
#![allow(clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::error::Error;

use candle_core::{DType, Device, Tensor};
use candle_nn::{
    AdamW, Conv2d, Conv2dConfig, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, conv2d, linear,
    loss,
};
use wick_gradcam::{CamOptions, Heatmap, ImageLayout, Layer, Method, Target, explain_with, guided_relu};

const SIZE: usize = 16;
const SHAPE: usize = 5;
const NAMES: [&str; 3] = ["a plus", "a cross", "scattered dots"];

/// Which rectifier the model runs with: candle's, or one for guided backpropagation.
type Relu = fn(&Tensor) -> candle_core::Result<Tensor>;

/// A model as one finds them: nothing in it knows of explanations, but that its rectifier can be replaced, which only the guided
/// methods ask for.
struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    linear: Linear,
}

impl Net {
    fn new(vb: VarBuilder) -> candle_core::Result<Self> {
        let same = Conv2dConfig { padding: 1, ..Default::default() };
        Ok(Self {
            conv1: conv2d(1, 8, 3, same, vb.pp("conv1"))?,
            conv2: conv2d(8, 16, 3, Conv2dConfig { stride: 2, ..same }, vb.pp("conv2"))?,
            linear: linear(16, 3, vb.pp("linear"))?,
        })
    }

    /// `(N, 1, 16, 16)` to `(N, 16, 8, 8)`
    fn features(&self, images: &Tensor, relu: Relu) -> candle_core::Result<Tensor> {
        relu(&self.conv2.forward(&relu(&self.conv1.forward(images)?)?)?)
    }

    /// `(N, 16, 8, 8)` to `(N, 3)`
    fn classify(&self, features: &Tensor) -> candle_core::Result<Tensor> {
        self.linear.forward(&features.mean((2, 3))?)
    }
}

/// Uniform numbers in `[0, 1)`, the same at every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f32) as usize
    }
}

struct Image {
    pixels: Vec<f32>,
    label: u32,
    corner: (usize, usize),
}

/// On noise, nine bright pixels: a plus, a cross, or scattered.
fn draw(label: usize, random: &mut Random) -> Image {
    let mut pixels: Vec<f32> = (0..SIZE * SIZE).map(|_| 0.4 * random.next()).collect();
    let (top, left) = (random.below(SIZE - SHAPE), random.below(SIZE - SHAPE));
    for i in 0..SHAPE {
        let middle = SHAPE / 2;
        for (y, x) in [[(i, middle), (middle, i)], [(i, i), (i, SHAPE - 1 - i)]][label.min(1)] {
            let place = (top + y) * SIZE + left + x;
            pixels[if label < 2 { place } else { random.below(SIZE * SIZE) }] = 1.0;
        }
    }
    Image { pixels, label: label as u32, corner: (top, left) }
}

fn batch(images: &[Image]) -> candle_core::Result<(Tensor, Tensor)> {
    let pixels: Vec<f32> = images.iter().flat_map(|i| i.pixels.iter().copied()).collect();
    let labels: Vec<u32> = images.iter().map(|i| i.label).collect();
    let n = images.len();
    Ok((
        Tensor::from_vec(pixels, (n, 1, SIZE, SIZE), &Device::Cpu)?,
        Tensor::from_vec(labels, n, &Device::Cpu)?,
    ))
}

/// Starts from the same weights at every run: candle's own are not seeded on the CPU.
fn seed_weights(variables: &VarMap, random: &mut Random) -> candle_core::Result<()> {
    let data = variables.data().lock().map_err(|e| candle_core::Error::Msg(e.to_string()))?;
    let mut names: Vec<_> = data.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    for (_, var) in names {
        let fan_in: usize = var.dims()[1..].iter().product::<usize>().max(8);
        let bound = (3.0 / fan_in as f32).sqrt();
        let values: Vec<f32> = (0..var.elem_count()).map(|_| bound * (2.0 * random.next() - 1.0)).collect();
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu)?)?;
    }
    Ok(())
}

fn shade(values: &[f32], row: usize) -> String {
    let ramp: Vec<char> = " .:-=+*#%@".chars().collect();
    let pixel = |v: &f32| ramp[((v * 9.99) as usize).min(9)].to_string().repeat(2);
    values[row * SIZE..][..SIZE].iter().map(pixel).collect()
}

fn trained(random: &mut Random) -> candle_core::Result<Net> {
    let variables = VarMap::new();
    let net = Net::new(VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
    seed_weights(&variables, random)?;
    let mut adam = AdamW::new(variables.all_vars(), ParamsAdamW { lr: 1e-2, ..Default::default() })?;
    for step in 1..=300 {
        let images: Vec<Image> = (0..32).map(|i| draw(i % 3, random)).collect();
        let (pixels, labels) = batch(&images)?;
        let loss = loss::cross_entropy(&net.classify(&net.features(&pixels, Tensor::relu)?)?, &labels)?;
        adam.backward_step(&loss)?;
        if step % 100 == 0 {
            println!("step {step}: loss {:.4}", loss.to_scalar::<f32>()?);
        }
    }
    Ok(net)
}

fn main() -> Result<(), Box<dyn Error>> {
    shares_of_heat().map(drop)
}

/// A method, and how much of its heat lies within the shape of each image.
type Share = (Method, Vec<f32>);

/// Shows where each method looks, and gives how much of its heat lies within the shape of each image.
fn shares_of_heat() -> Result<Vec<Share>, Box<dyn Error>> {
    let mut random = Random(1);
    let net = trained(&mut random)?;
    let images = [0, 0, 1, 1].map(|label| draw(label, &mut random));
    // Two closures are all that is asked of a model: to the activations of a layer, and on to the logits. Maps are channels-last, so
    // this model's features are permuted, and back. The third closure is for guided backpropagation only.
    let features = |x: &Tensor| net.features(x, Tensor::relu)?.permute((0, 2, 3, 1))?.contiguous();
    let head = |a: &Tensor| net.classify(&a.permute((0, 3, 1, 2))?);
    let guided = |x: &Tensor| net.classify(&net.features(x, guided_relu)?);
    let layers = [Layer::new("conv2", features, head).guided(guided)];
    let options = CamOptions { layout: ImageLayout::ChannelsFirst, ..CamOptions::default() };
    let pixels = batch(&images)?.0;
    let explain = |method| explain_with(method, &pixels, &layers, &Target::Predicted, &options);

    let explained = explain(Method::GradCam)?;
    for (image, (map, &seen)) in images.iter().zip(explained.heatmaps.iter().zip(&explained.predicted)) {
        println!(
            "\n{}, seen as {}: where Grad-CAM finds it ({:?})",
            NAMES[image.label as usize], NAMES[seen as usize], map.status
        );
        for row in 0..SIZE {
            println!("{} | {}", shade(&image.pixels, row), shade(&map.values, row));
        }
    }

    let area = 100.0 * (SHAPE * SHAPE) as f32 / (SIZE * SIZE) as f32;
    println!("\nOf the heat, so much lies within the shape, which covers {area:.0} % of the image:");
    let mut all = Vec::new();
    for method in Method::ALL {
        let maps = explain(method)?.heatmaps;
        let shares: Vec<f32> = images.iter().zip(&maps).map(|(image, map)| share(image, map)).collect();
        let told: Vec<String> = shares.iter().map(|share| format!("{:3.0} %", 100.0 * share)).collect();
        println!("{:24}{}", method.title(), told.join("  "));
        all.push((method, shares));
    }
    Ok(all)
}

/// How much of a map lies within the shape.
fn share(image: &Image, map: &Heatmap) -> f32 {
    let (top, left) = image.corner;
    let inside =
        |p: usize| (top..top + SHAPE).contains(&(p / SIZE)) && (left..left + SHAPE).contains(&(p % SIZE));
    let heat = |keep: &dyn Fn(usize) -> bool| -> f32 {
        map.values.iter().enumerate().filter(|(p, _)| keep(*p)).map(|(_, v)| v).sum()
    };
    heat(&inside) / heat(&|_| true).max(f32::MIN_POSITIVE)
}

#[test]
fn the_heat_lies_on_the_shapes() {
    let area = (SHAPE * SHAPE) as f32 / (SIZE * SIZE) as f32;
    for (method, shares) in shares_of_heat().unwrap() {
        let mean = shares.iter().sum::<f32>() / shares.len() as f32;
        assert!(mean > 2.0 * area, "{}: {shares:?} within, of an area of {area}", method.title());
    }
}
