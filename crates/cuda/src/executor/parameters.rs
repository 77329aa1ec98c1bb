//! Parameters and their gradients: each kind in one flat buffer.

use half::bf16;
use wick_graph::Graph;

use super::expect;
use crate::device::{Device, Launch, Pointer, Program};
use crate::{Buffer, CudaError, Numbers};

/// A graph's parameters on a device. Convolution weights are (C_out, KH, KW, C_in) there, as cuDNN has them channels last.
#[derive(Debug)]
pub(crate) struct Parameters {
    /// Where each begins.
    offsets: Vec<usize>,
    values: Buffer<f32>,
    gradients: Buffer<f32>,
    /// The same values in bf16, at the same places, where that is what convolutions read.
    rounded: Option<Buffer<bf16>>,
    /// Gradients of convolutions' weights where cuDNN leaves them in bf16.
    rounded_gradients: Option<Buffer<bf16>>,
}

impl Parameters {
    /// Parameters begin at multiples of this many values.
    pub const ALIGNMENT: usize = 64;

    pub fn new(device: &Device, graph: &Graph, numbers: Numbers) -> Result<Self, CudaError> {
        let mut total = 0;
        let place = |p: &wick_graph::Parameter| {
            let at = total;
            total += p.len().next_multiple_of(Self::ALIGNMENT);
            at
        };
        let offsets = graph.parameters().iter().map(place).collect();
        let rounded = (numbers == Numbers::Bf16).then(|| device.zeros(total)).transpose()?;
        let rounded_gradients = rounded.is_some().then(|| device.zeros(total)).transpose()?;
        Ok(Self {
            offsets,
            values: device.zeros(total)?,
            gradients: device.zeros(total)?,
            rounded,
            rounded_gradients,
        })
    }

    pub fn values(&self) -> &Buffer<f32> {
        &self.values
    }

    pub fn gradients(&self) -> &Buffer<f32> {
        &self.gradients
    }

    /// Values of all, gaps included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn offset(&self, parameter: usize) -> usize {
        self.offsets[parameter]
    }

    /// The rounded values, 0 where there are none.
    pub fn rounded(&self) -> Pointer {
        self.rounded.as_ref().map_or(0, |rounded| rounded.pointer(0))
    }

    pub fn bytes(&self) -> usize {
        self.values.len() * 8 + self.rounded.as_ref().map_or(0, |r| r.len() * 4)
    }

    pub fn value(&self, parameter: usize) -> Pointer {
        self.values.pointer(self.offsets[parameter])
    }

    pub fn gradient(&self, parameter: usize) -> Pointer {
        self.gradients.pointer(self.offsets[parameter])
    }

    /// Where cuDNN leaves the gradient of a convolution's weight.
    pub fn weight_gradient(&self, parameter: usize) -> Pointer {
        match &self.rounded_gradients {
            Some(rounded) => rounded.pointer(self.offsets[parameter]),
            None => self.gradient(parameter),
        }
    }

    /// The gradients in bf16, 0 where there are none.
    pub fn rounded_gradients(&self) -> Pointer {
        self.rounded_gradients.as_ref().map_or(0, |rounded| rounded.pointer(0))
    }

    /// Writes gradients that are in bf16 to where the others are.
    pub fn widen(&self, device: &Device, program: &Program, graph: &Graph) -> Result<(), CudaError> {
        if self.rounded_gradients.is_none() {
            return Ok(());
        }
        for conv in graph.convs() {
            let count = conv.shape.weight_len();
            let launch = Launch::over(count)
                .with(self.weight_gradient(conv.weight))
                .with(count)
                .with(self.gradient(conv.weight));
            device.launch(&program.kernel("widen_bf16")?, &launch)?;
        }
        Ok(())
    }

    /// What convolutions multiply by.
    pub fn factor(&self, parameter: usize) -> Pointer {
        match &self.rounded {
            Some(rounded) => rounded.pointer(self.offsets[parameter]),
            None => self.value(parameter),
        }
    }

    pub fn set(&mut self, graph: &Graph, parameters: &[&[f32]]) -> Result<(), CudaError> {
        let flat = self.flat(graph, parameters)?;
        self.values.write(0, &flat)
    }

    /// One value each of every parameter, as they are laid out.
    pub fn flat(&self, graph: &Graph, parameters: &[&[f32]]) -> Result<Vec<f32>, CudaError> {
        expect("the list of parameters", parameters.len(), graph.parameters().len())?;
        let mut flat = vec![0.0; self.values.len()];
        for ((values, parameter), offset) in parameters.iter().zip(graph.parameters()).zip(&self.offsets) {
            expect(&parameter.name, values.len(), parameter.len())?;
            let to = &mut flat[*offset..offset + values.len()];
            match parameter.shape[..] {
                [.., out] if parameter.shape.len() == 4 => transpose(values, out, to),
                _ => to.copy_from_slice(values),
            }
        }
        Ok(flat)
    }

    /// Copies `of`, laid out as the parameters are, to one vector each.
    pub fn get(&self, graph: &Graph, of: &Buffer<f32>, to: &mut [Vec<f32>]) -> Result<(), CudaError> {
        expect("the list of parameters", to.len(), graph.parameters().len())?;
        let flat = of.to_vec()?;
        for ((to, parameter), offset) in to.iter_mut().zip(graph.parameters()).zip(&self.offsets) {
            let from = &flat[*offset..offset + parameter.len()];
            to.resize(from.len(), 0.0);
            match parameter.shape[..] {
                [.., out] if parameter.shape.len() == 4 => transpose(from, from.len() / out.max(1), to),
                _ => to.copy_from_slice(from),
            }
        }
        Ok(())
    }

    /// Rounds the values, if anything reads them rounded.
    pub fn round(&self, device: &Device, program: &Program) -> Result<(), CudaError> {
        let Some(rounded) = &self.rounded else { return Ok(()) };
        let count = self.values.len();
        let launch = Launch::over(count).with(self.values.pointer(0)).with(count).with(rounded.pointer(0));
        device.launch(&program.kernel("round_to_bf16")?, &launch)
    }
}

/// `from`, rows of `columns` values, as columns.
fn transpose(from: &[f32], columns: usize, to: &mut [f32]) {
    /// A tile's lines stay in the first-level cache.
    const TILE: usize = 32;
    let columns = columns.max(1);
    let rows = from.len() / columns;
    for first_row in (0..rows).step_by(TILE) {
        for first_column in (0..columns).step_by(TILE) {
            for c in first_column..columns.min(first_column + TILE) {
                for r in first_row..rows.min(first_row + TILE) {
                    to[c * rows + r] = from[r * columns + c];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(1, 1), (3, 70), (70, 3), (33, 64)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![0.0; from.len()];
            transpose(&from, columns, &mut to);
            assert!(
                (0..to.len()).all(|i| to[i] == from[i % rows * columns + i / rows]),
                "{rows} by {columns}"
            );
            let mut back = vec![0.0; from.len()];
            transpose(&to, rows, &mut back);
            assert_eq!(back, from);
        }
    }
}
