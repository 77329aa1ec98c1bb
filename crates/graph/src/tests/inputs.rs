//! What networks are run on.

use wick_graph::{Graph, Parameter, Role, Shape};

/// Repeatable noise in ±1.
fn noise(seed: u64, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Parameters of a graph, such that activations keep their size.
pub fn parameters(graph: &Graph) -> Vec<Vec<f32>> {
    let values = |(seed, p): (usize, &Parameter)| {
        let noise = noise(seed as u64 + 1, p.len());
        let fan_in = p.shape[..p.shape.len() - 1].iter().product::<usize>() as f32;
        match (&p.role, p.shape.len()) {
            (Role::RunningVariance, _) => noise.iter().map(|v| 1.0 + 0.5 * v).collect(),
            (_, 1) if p.name.ends_with("weight") => noise.iter().map(|v| 1.0 + 0.3 * v).collect(),
            (_, 1) => noise.iter().map(|v| 0.3 * v).collect(),
            (_, 2) => noise,
            _ => noise.iter().map(|v| v * (6.0 / fan_in).sqrt()).collect::<Vec<f32>>(),
        }
    };
    graph.parameters().iter().enumerate().map(values).collect()
}

/// So many images for a graph.
pub fn images(graph: &Graph, count: usize) -> Vec<f32> {
    let image = match graph.shape(graph.input()) {
        Some(Shape::Map(map)) => map.iter().product::<usize>(),
        _ => 0,
    };
    noise(99, count * image)
}
