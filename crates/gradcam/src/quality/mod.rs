//! How well maps explain what a network says, whichever way they were made.
//!
//! A map claims that some pixels matter more than others. So the network is shown the images with pixels taken away, or with
//! nothing else, and its score of the class explained is watched:
//!
//! | figure | the network sees | better |
//! |---|---|---|
//! | [`deletion`] | the image, ever more of its most important pixels replaced | the smaller the [`area`](Curve::area) |
//! | [`insertion`] | a blurred image, ever more of its most important pixels put back | the larger |
//! | [`road`] | the image, its most or its least important pixels filled in from their neighbours | [`combined`](Road::combined), the larger |
//! | [`confidence`] | the image times the map | the smaller the [`average_drop`], the larger the [`increase_in_confidence`] |
//!
//! What the figures are worth, only a comparison shows: [`random_map`] makes the map that any method has to beat.
//!
//! The model is any function from images `(N, H, W, C)` to logits `(N, K)`. Each image's figures depend on nothing but itself, its
//! map and its place in the list, not on how many go through at once.

mod baseline;
mod confidence;
mod curve;
mod impute;
mod noise;
mod options;
mod order;
mod road;
mod samples;
mod score;

pub use baseline::{Baseline, Blur};
pub use confidence::{ConfidenceChange, average_drop, confidence, increase_in_confidence};
pub use curve::{Curve, deletion, insertion};
pub use impute::impute_linearly;
pub use noise::random_map;
pub use options::{ConfidenceOptions, CurveOptions, RoadOptions};
pub use road::{Road, road};
pub use samples::Samples;
pub use score::Score;
