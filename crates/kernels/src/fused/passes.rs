//! The passes of each type, compiled once here: a generic function would be compiled in every crate that calls it, for minutes.

use half::bf16;

use super::convolution::Weight;
use super::{Algorithm, Extent, Sink, Source, convolution, elementwise, pooling};
use crate::convolution::Conv2dShape;
use crate::pooling::Pool2dShape;

/// Every pass over values of one type, of checked arguments.
pub trait Passes: Sized {
    #![allow(missing_docs)]
    fn conv2d(
        shape: &Conv2dShape,
        algorithm: Algorithm,
        x: Source<Self>,
        weight: Weight<Self>,
        y: Sink<Self>,
    );
    fn pack_conv2d(shape: &Conv2dShape, algorithm: Algorithm, weight: &[f32], packed: &mut [Self]);
    fn conv2d_input_gradient(
        shape: &Conv2dShape,
        algorithm: Algorithm,
        dy: Source<Self>,
        weight: &[f32],
        dx: Sink<Self>,
    );
    fn conv2d_weight_gradient(
        shape: &Conv2dShape,
        algorithm: Algorithm,
        x: Source<Self>,
        dy: Source<Self>,
        dw: &mut [f32],
    );
    fn combine(extent: Extent, terms: &[Source<Self>], sink: Sink<Self>);
    fn max_pool2d(shape: &Pool2dShape, x: Source<Self>, indices: Option<&mut [u8]>, y: Sink<Self>);
    fn max_pool2d_gradient(shape: &Pool2dShape, dy: Source<Self>, indices: &[u8], dx: Sink<Self>);
    fn global_avg_pool2d(extent: Extent, x: Source<Self>, y: &mut [f32]);
}

macro_rules! passes {
    ($type:ty) => {
        impl Passes for $type {
            fn conv2d(
                s: &Conv2dShape,
                algorithm: Algorithm,
                x: Source<Self>,
                weight: Weight<Self>,
                y: Sink<Self>,
            ) {
                convolution::forward(s, algorithm, x, weight, y);
            }

            fn pack_conv2d(s: &Conv2dShape, algorithm: Algorithm, weight: &[f32], packed: &mut [Self]) {
                convolution::pack(s, algorithm, weight, packed);
            }

            fn conv2d_input_gradient(
                s: &Conv2dShape,
                algorithm: Algorithm,
                dy: Source<Self>,
                weight: &[f32],
                dx: Sink<Self>,
            ) {
                convolution::input_gradient(s, algorithm, dy, weight, dx);
            }

            fn conv2d_weight_gradient(
                s: &Conv2dShape,
                algorithm: Algorithm,
                x: Source<Self>,
                dy: Source<Self>,
                dw: &mut [f32],
            ) {
                convolution::weight_gradient(s, algorithm, x, dy, dw);
            }

            fn combine(extent: Extent, terms: &[Source<Self>], sink: Sink<Self>) {
                elementwise::run(extent, terms, sink);
            }

            fn max_pool2d(s: &Pool2dShape, x: Source<Self>, indices: Option<&mut [u8]>, y: Sink<Self>) {
                pooling::forward(s, x, indices, y);
            }

            fn max_pool2d_gradient(s: &Pool2dShape, dy: Source<Self>, indices: &[u8], dx: Sink<Self>) {
                pooling::gradient(s, dy, indices, dx);
            }

            fn global_avg_pool2d(extent: Extent, x: Source<Self>, y: &mut [f32]) {
                pooling::mean(extent, x, y);
            }
        }
    };
}

passes!(f32);
passes!(bf16);
