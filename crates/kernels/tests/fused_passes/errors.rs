//! What fused passes refuse, and by which name.

use wick_kernels::fused::*;
use wick_kernels::{Conv2dShape, Pool2dShape, ShapeError};

type Result = std::result::Result<(), ShapeError>;

/// Everything here is of these sizes, inputs as outputs.
const EXTENT: Extent = Extent { images: 2, pixels: 3, channels: 4 };
const PER_CHANNEL: usize = 4;
const PER_IMAGE: usize = 8;
const WHOLE: usize = 24;

const CONVOLUTION: Conv2dShape = Conv2dShape {
    batch: 2,
    height: 3,
    width: 1,
    in_channels: 4,
    out_channels: 4,
    kernel: [1, 1],
    stride: 1,
    padding: 0,
};
const WEIGHT: [f32; 16] = [0.0; 16];
const POOL: Pool2dShape = Pool2dShape { batch: 2, height: 3, width: 1, channels: 4, kernel: 1, stride: 1 };

/// Enough of anything.
static VALUES: [f32; 64] = [0.0; 64];

fn some(n: usize) -> &'static [f32] {
    &VALUES[..n]
}

fn per_channel(n: usize) -> Coefficients<'static> {
    Coefficients::PerChannel(some(n))
}

fn per_image(n: usize) -> Coefficients<'static> {
    Coefficients::PerImage(some(n))
}

/// The name that an argument goes by, the values it needs, and those it has.
type Wrong = (&'static str, usize, usize);

fn wrong(op: &'static str, (name, expected, got): Wrong) -> Result {
    Err(ShapeError::Length { op, name, expected, got })
}

/// Sources with one wrong length each. `name`: of the whole argument.
fn wrong_sources(name: &'static str) -> Vec<(Wrong, Source<'static, f32>)> {
    let normalised =
        |x, scale, shift| Source::Normalised { x: some(x), scale, shift, activation: Activation::Relu };
    let gradient = |g, y, a, b, c| Source::Gradient { g: some(g), y: some(y), a, b, c };
    let (channel, image) = (per_channel(PER_CHANNEL), per_image(PER_IMAGE));
    vec![
        ((name, WHOLE, 23), Source::Plain(some(23))),
        ((name, WHOLE, 25), Source::Plain(some(25))),
        ((name, WHOLE, 0), normalised(0, channel, channel)),
        (("scale", PER_CHANNEL, 5), normalised(WHOLE, per_channel(5), channel)),
        (("scale", PER_IMAGE, 4), normalised(WHOLE, per_image(4), image)),
        (("shift", PER_CHANNEL, 3), normalised(WHOLE, image, per_channel(3))),
        (("shift", PER_IMAGE, 7), normalised(WHOLE, channel, per_image(7))),
        ((name, WHOLE, 12), gradient(12, WHOLE, channel, channel, channel)),
        (("y", WHOLE, 23), gradient(WHOLE, 23, channel, channel, channel)),
        (("a", PER_CHANNEL, 8), gradient(WHOLE, WHOLE, per_channel(8), image, image)),
        (("b", PER_IMAGE, 9), gradient(WHOLE, WHOLE, channel, per_image(9), channel)),
        (("c", PER_CHANNEL, 0), gradient(WHOLE, WHOLE, image, image, per_channel(0))),
        ((name, PER_IMAGE, 4), Source::Spread(some(4))),
    ]
}

#[test]
fn sources_of_another_size() {
    let source = Source::Plain(some(WHOLE));
    type Pass<'a> = (&'static str, &'static str, &'a dyn Fn(Source<f32>, &mut [f32]) -> Result);
    let passes: [Pass; 8] = [
        ("combine", "x", &|x, y| combine(EXTENT, &[source, x], Sink::plain(y))),
        ("max_pool2d", "x", &|x, y| max_pool2d(&POOL, x, None, Sink::plain(y))),
        ("max_pool2d_gradient", "dy", &|dy, dx| max_pool2d_gradient(&POOL, dy, &[0; WHOLE], Sink::plain(dx))),
        ("global_avg_pool2d", "x", &|x, y| global_avg_pool2d(EXTENT, x, &mut y[..PER_IMAGE])),
        ("conv2d", "x", &|x, y| conv2d(&CONVOLUTION, Algorithm::Direct, x, &WEIGHT, Sink::plain(y))),
        ("conv2d_input_gradient", "dy", &|dy, dx| {
            conv2d_input_gradient(&CONVOLUTION, Algorithm::Direct, dy, &WEIGHT, Sink::plain(dx))
        }),
        ("conv2d_weight_gradient", "x", &|x, dw| {
            conv2d_weight_gradient(&CONVOLUTION, Algorithm::Direct, x, source, &mut dw[..WEIGHT.len()])
        }),
        ("conv2d_weight_gradient", "dy", &|dy, dw| {
            conv2d_weight_gradient(&CONVOLUTION, Algorithm::Direct, source, dy, &mut dw[..WEIGHT.len()])
        }),
    ];
    for (op, name, pass) in passes {
        for (what, source) in wrong_sources(name) {
            let mut out = [7.0; WHOLE];
            assert_eq!(pass(source, &mut out), wrong(op, what), "{op} {source:?}");
            assert_eq!(out, [7.0; WHOLE], "{op} wrote although it refused");
        }
        assert_eq!(pass(source, &mut [7.0; WHOLE]), Ok(()), "{op}");
    }
}

/// A sink with one wrong length: how long its place is, and its epilogue, with room for some sums.
type WrongSink = (Wrong, usize, fn(&mut [f32]) -> Epilogue<f32>);

/// Sinks with one wrong length each. `name`: of the whole argument.
fn wrong_sinks(name: &'static str) -> Vec<WrongSink> {
    fn affine<'a>(
        scale: Option<Coefficients<'a>>,
        shift: Option<Coefficients<'a>>,
        residual: Option<&'a [f32]>,
    ) -> Epilogue<'a, f32> {
        Epilogue::Affine { scale, shift, residual, activation: Activation::Relu }
    }
    fn normalised(
        y: usize,
        scale: Coefficients<'static>,
        shift: Coefficients<'static>,
    ) -> Gate<'static, f32> {
        Gate::Normalised { y: some(y), scale, shift, activation: Activation::Gelu }
    }
    fn gated<'a>(gate: Gate<'a, f32>, sums: &'a mut [f32]) -> Epilogue<'a, f32> {
        Epilogue::Gradient { gate, with: [None, None], sums: &mut sums[..PER_IMAGE] }
    }
    fn with<'a>(with: [Option<usize>; 2], sums: &'a mut [f32]) -> Epilogue<'a, f32> {
        Epilogue::Gradient { gate: Gate::Open, with: with.map(|n| n.map(some)), sums }
    }
    vec![
        ((name, WHOLE, 23), 23, |_| Epilogue::None),
        ((name, WHOLE, 25), 25, |sums| Epilogue::Statistics { sums: &mut sums[..16] }),
        (("sums", 16, 8), WHOLE, |sums| Epilogue::Statistics { sums: &mut sums[..8] }),
        (("scale", PER_CHANNEL, 8), WHOLE, |_| affine(Some(per_channel(8)), None, None)),
        (("shift", PER_IMAGE, 4), WHOLE, |_| affine(None, Some(per_image(4)), None)),
        (("residual", WHOLE, 8), WHOLE, |_| affine(None, None, Some(some(8)))),
        (("gate", WHOLE, 0), WHOLE, |sums| gated(Gate::Positive(some(0)), sums)),
        (("gate", WHOLE, 25), WHOLE, |sums| gated(normalised(25, per_channel(4), per_channel(4)), sums)),
        (("scale", PER_CHANNEL, 1), WHOLE, |sums| gated(normalised(24, per_channel(1), per_image(8)), sums)),
        (("shift", PER_IMAGE, 9), WHOLE, |sums| gated(normalised(24, per_channel(4), per_image(9)), sums)),
        (("with", WHOLE, 4), WHOLE, |sums| with([Some(4), None], &mut sums[..16])),
        (("with", WHOLE, 5), WHOLE, |sums| with([None, Some(5)], &mut sums[..16])),
        (("sums", 8, 16), WHOLE, |sums| with([None, None], &mut sums[..16])),
        (("sums", 16, 24), WHOLE, |sums| with([None, Some(WHOLE)], &mut sums[..24])),
        (("sums", 24, 16), WHOLE, |sums| with([Some(WHOLE); 2], &mut sums[..16])),
    ]
}

#[test]
fn sinks_of_another_size() {
    let source = Source::Plain(some(WHOLE));
    type Pass<'a> = (&'static str, &'static str, &'a dyn Fn(Sink<f32>) -> Result);
    let passes: [Pass; 5] = [
        ("combine", "y", &|y| combine(EXTENT, &[source], y)),
        ("max_pool2d", "y", &|y| max_pool2d(&POOL, source, None, y)),
        ("max_pool2d_gradient", "dx", &|dx| max_pool2d_gradient(&POOL, source, &[0; WHOLE], dx)),
        ("conv2d", "y", &|y| conv2d(&CONVOLUTION, Algorithm::Direct, source, &WEIGHT, y)),
        ("conv2d_input_gradient", "dx", &|dx| {
            conv2d_input_gradient(&CONVOLUTION, Algorithm::Direct, source, &WEIGHT, dx)
        }),
    ];
    for (op, name, pass) in passes {
        for (what, len, epilogue) in wrong_sinks(name) {
            let (mut to, mut sums) = ([7.0; 25], [7.0; 24]);
            let sink = Sink { to: &mut to[..len], write: Write::Overwrite, epilogue: epilogue(&mut sums) };
            assert_eq!(pass(sink), wrong(op, what));
            assert_eq!((to, sums), ([7.0; 25], [7.0; 24]), "{op} wrote although it refused");
        }
    }
}

#[test]
fn other_arguments_of_another_size() {
    let x = Source::Plain(some(WHOLE));
    let to = &mut [7.0; WHOLE][..];
    let indices = max_pool2d(&POOL, x, Some(&mut [0; 23]), Sink::plain(to));
    assert_eq!(indices, wrong("max_pool2d", ("indices", WHOLE, 23)));
    let indices = max_pool2d_gradient(&POOL, x, &[0; 25], Sink::plain(to));
    assert_eq!(indices, wrong("max_pool2d_gradient", ("indices", WHOLE, 25)));
    let mean = global_avg_pool2d(EXTENT, x, &mut to[..7]);
    assert_eq!(mean, wrong("global_avg_pool2d", ("y", PER_IMAGE, 7)));
    let weight = conv2d(&CONVOLUTION, Algorithm::Tiles4, x, some(15), Sink::plain(to));
    assert_eq!(weight, wrong("conv2d", ("weight", 16, 15)));
    let weight = conv2d_input_gradient(&CONVOLUTION, Algorithm::Tiles4, x, some(17), Sink::plain(to));
    assert_eq!(weight, wrong("conv2d_input_gradient", ("weight", 16, 17)));
    let dw = conv2d_weight_gradient(&CONVOLUTION, Algorithm::Tiles4, x, x, &mut to[..15]);
    assert_eq!(dw, wrong("conv2d_weight_gradient", ("dw", 16, 15)));
    assert_eq!(to, [7.0; WHOLE]);
}

#[test]
fn places_outside_a_window() {
    let shape = Pool2dShape { batch: 1, height: 4, width: 2, channels: 1, kernel: 2, stride: 2 };
    let mut dx = [7.0; 8];
    let error =
        max_pool2d_gradient(&shape, Source::Plain(&[1.0, 1.0]), &[3, 4], Sink::plain(&mut dx)).unwrap_err();
    let op = "max_pool2d_gradient";
    assert_eq!(error, ShapeError::IndexOutOfRange { op, name: "indices", at: 1, below: 4, got: 4 });
    assert_eq!(dx, [7.0; 8]);
}

#[test]
fn impossible_shapes() {
    let pool = |shape: Pool2dShape| {
        let forward = max_pool2d::<f32>(&shape, Source::Plain(&[]), None, Sink::plain(&mut []));
        let backward = max_pool2d_gradient::<f32>(&shape, Source::Plain(&[]), &[], Sink::plain(&mut []));
        assert_eq!(forward.is_err(), backward.is_err());
        forward.unwrap_err()
    };
    assert_eq!(pool(Pool2dShape { kernel: 0, ..POOL }), ShapeError::Zero { op: "pool2d", name: "kernel" });
    assert_eq!(pool(Pool2dShape { stride: 0, ..POOL }), ShapeError::Zero { op: "pool2d", name: "stride" });
    let (kernel, image) = ([2, 2], [3, 1]);
    let too_large = ShapeError::WindowTooLarge { op: "pool2d", kernel, image };
    assert_eq!(pool(Pool2dShape { kernel: 2, ..POOL }), too_large);
    let many_places = pool(Pool2dShape { height: 17, width: 17, kernel: 17, ..POOL });
    assert_eq!(many_places.to_string(), "max_pool2d: kernel is 17, expected at most 16");

    let mean = |extent| global_avg_pool2d::<f32>(extent, Source::Plain(&[]), &mut []).unwrap_err();
    let op = "global_avg_pool2d";
    assert_eq!(mean(Extent { pixels: 0, ..EXTENT }), ShapeError::Zero { op, name: "pixels" });
    assert_eq!(mean(Extent { channels: 0, ..EXTENT }), ShapeError::Zero { op, name: "channels" });
    // Whose product, were it to wrap around, would be 0.
    let huge = Extent { images: 1 << 40, pixels: 1 << 20, channels: 1 << 4 };
    assert_eq!(mean(huge), ShapeError::Overflow { op, name: "x" });
    let combined = combine::<f32>(huge, &[], Sink::plain(&mut []));
    assert_eq!(combined, Err(ShapeError::Overflow { op: "combine", name: "y" }));

    let none = Conv2dShape { stride: 0, ..CONVOLUTION };
    let convolution = |error: Result| assert!(matches!(error, Err(ShapeError::Zero { .. })), "{error:?}");
    let x: Source<f32> = Source::Plain(&[]);
    convolution(conv2d(&none, Algorithm::Direct, x, &WEIGHT, Sink::plain(&mut [])));
    convolution(conv2d_input_gradient(&none, Algorithm::Direct, x, &WEIGHT, Sink::plain(&mut [])));
    convolution(conv2d_weight_gradient(&none, Algorithm::Direct, x, x, &mut []));
}
