//! The network of `fixtures/golden/small_cams.py`, in f64 and channels first, as someone else would write it.

use crate::golden;
use candle_core::{DType, Device, Result, Tensor, Var};
use wick_gradcam::{CamOptions, Explained, ImageLayout, Layer, Method, Target, explain_with, guided_relu};

/// Which rectifiers it has.
type Relu = fn(&Tensor) -> Result<Tensor>;

pub struct SmallNetwork {
    parameters: Vec<Tensor>,
}

fn filled(k: u64, shape: &[usize], offset: f32) -> Tensor {
    let values = golden::uniform(golden::SEED + k, shape.iter().product(), 0.5);
    let values: Vec<f32> = values.into_iter().map(|v| v + offset).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
}

/// `(2, 3, 10, 12)`
pub fn images() -> Tensor {
    let values = golden::uniform(golden::SEED + 750, 2 * 3 * 10 * 12, 1.0);
    Tensor::from_vec(values, (2, 3, 10, 12), &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
}

pub fn target() -> Target {
    Target::Classes(vec![1, 3])
}

pub fn channels_first() -> CamOptions {
    CamOptions { layout: ImageLayout::ChannelsFirst, ..CamOptions::default() }
}

impl SmallNetwork {
    pub fn new() -> Self {
        let norm: [(&[usize], f32); 4] = [(&[6], 1.0), (&[6], 0.0), (&[6], 0.0), (&[6], 1.0)];
        let mut shapes: Vec<(&[usize], f32)> = vec![(&[6, 3, 3, 3], 0.0)];
        shapes.extend(norm);
        shapes.push((&[6, 6, 3, 3], 0.0));
        shapes.extend(norm);
        let rest: [(&[usize], f32); 3] = [(&[8, 6, 3, 3], 0.0), (&[4, 8], 0.0), (&[4], 0.0)];
        shapes.extend(rest);
        let parameter =
            |(k, (shape, offset)): (usize, &(&[usize], f32))| filled(700 + k as u64, shape, *offset);
        Self { parameters: shapes.iter().enumerate().map(parameter).collect() }
    }

    fn conv(&self, x: &Tensor, at: usize, stride: usize) -> Result<Tensor> {
        x.conv2d(&self.parameters[at], 1, stride, 1, 1)
    }

    fn norm(&self, x: &Tensor, at: usize) -> Result<Tensor> {
        let of = |k: usize| self.parameters[at + k].reshape((1, 6, 1, 1));
        let scale = (of(0)? / of(3)?.affine(1.0, 1e-5)?.sqrt()?)?;
        x.broadcast_sub(&of(2)?)?.broadcast_mul(&scale)?.broadcast_add(&of(1)?)
    }

    fn block(&self, x: &Tensor, relu: Relu) -> Result<Tensor> {
        let x = relu(&self.norm(&self.conv(x, 0, 1)?, 1)?)?;
        relu(&(self.norm(&self.conv(&x, 5, 1)?, 6)? + x)?)
    }

    fn last(&self, x: &Tensor, relu: Relu) -> Result<Tensor> {
        relu(&self.conv(x, 10, 2)?)
    }

    fn linear(&self, x: &Tensor) -> Result<Tensor> {
        x.mean((2, 3))?.matmul(&self.parameters[11].t()?)?.broadcast_add(&self.parameters[12])
    }

    pub fn guided(&self, x: &Tensor) -> Result<Tensor> {
        self.linear(&self.last(&self.block(x, guided_relu)?, guided_relu)?)
    }

    fn features(&self, x: &Tensor, last: bool) -> Result<Tensor> {
        let block = self.block(x, Tensor::relu)?;
        let features = if last { self.last(&block, Tensor::relu)? } else { block };
        features.permute((0, 2, 3, 1))?.contiguous()
    }

    fn head(&self, a: &Tensor, last: bool) -> Result<Tensor> {
        let a = a.permute((0, 3, 1, 2))?.contiguous()?;
        self.linear(&if last { a } else { self.last(&a, Tensor::relu)? })
    }

    /// `block` or `last`.
    pub fn layer(&self, name: &str) -> Layer<'_> {
        let last = name == "last";
        let features = move |x: &Tensor| self.features(x, last);
        Layer::new(name, features, move |a: &Tensor| self.head(a, last)).guided(|x| self.guided(x))
    }

    /// The same, with a head that candle does not see: its gradient is made elsewhere.
    pub fn foreign_layer(&self, name: &str) -> Layer<'_> {
        let last = name == "last";
        let features = move |x: &Tensor| self.features(x, last);
        let head = move |a: &Tensor| Ok(self.head(&a.detach(), last)?.detach());
        let gradient = move |a: &Tensor, dlogits: &Tensor| {
            let a = Var::from_tensor(&a.detach())?;
            let mut store = (self.head(&a, last)? * dlogits)?.sum_all()?.backward()?;
            store.remove(&a).ok_or_else(|| candle_core::Error::msg("the head reads nothing"))
        };
        Layer::new(name, features, head).differentiated(gradient).guided(|x| self.guided(x))
    }

    /// Looks at `layers`, joined by `+`.
    pub fn explain(&self, method: Method, layers: &str, options: &CamOptions) -> Explained {
        let layers: Vec<Layer> = layers.split('+').map(|name| self.layer(name)).collect();
        explain_with(method, &images(), &layers, &target(), options).unwrap()
    }
}
