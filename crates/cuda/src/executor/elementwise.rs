//! Kernels of passes, made for them: only what a pass does is in its kernel, sizes are constants of it, and each tensor is read
//! once.

use std::fmt::Write as _;

use wick_graph::plan::{Gate, NormId};
use wick_graph::{Activation, Graph};

use super::pass::{Elementwise, Ending, Source};
use super::place::Place;
use super::threads::{THREADS, Threads};

/// An argument of a pass's kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Parameter {
    /// A tensor that is read.
    Tensor(Place),
    /// The tensor that is written.
    Written(Place),
    Images,
    Scale(NormId),
    Shift(NormId),
    /// `a`, `b`, `c` of an input's gradient.
    Factor(NormId, usize),
    Features,
    Indices(usize),
    KeptIndices(usize),
    Sums,
}

/// A kernel's text, and what it is called with.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// With `KERNEL` for its name.
    pub text: String,
    pub parameters: Vec<Parameter>,
    pub shape: Threads,
}

/// Makes the kernel of a pass over maps of `element` (`float` or `bf16`).
pub(super) fn make(graph: &Graph, pass: &Elementwise, element: &str) -> Made {
    let mut maker = Maker {
        graph,
        pass,
        parameters: Vec::new(),
        signature: Vec::new(),
        constants: String::new(),
        body: String::new(),
        loaded: Vec::new(),
        element,
        fresh: 0,
    };
    maker.run();
    let Maker { constants, body, parameters, signature, .. } = maker;
    let t = Threads::of(pass.pixels, pass.channels);
    let slots = pass.ending.slots();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "extern \"C\" __global__ void __launch_bounds__({THREADS}) KERNEL({}) {{",
        signature.join(", ")
    );
    let _ = writeln!(
        text,
        "  constexpr int C = {}, P = {}, V = {}, L = {}, R = {};",
        pass.channels, pass.pixels, t.width, t.lanes, t.rows
    );
    let _ = writeln!(text, "  const int lane = threadIdx.x % L, row = threadIdx.x / L, image = blockIdx.x;");
    let _ = writeln!(text, "  const int c = (blockIdx.z * L + lane) * V;");
    if slots > 0 {
        let _ = writeln!(text, "  float acc[{slots}][V] = {{}};");
    }
    let _ = writeln!(text, "  if (row < R && c < C) {{");
    text.push_str(&constants);
    let _ = writeln!(text, "    const int end = min(P, (int)(blockIdx.y + 1) * {});", t.chunk);
    let _ = writeln!(text, "    for (int p = blockIdx.y * {} + row; p < end; p += R) {{", t.chunk);
    let _ = writeln!(text, "      const long long at = ((long long)image * P + p) * C + c;");
    text.push_str(&body);
    text.push_str("    }\n  }\n");
    if slots > 0 {
        let _ = writeln!(text, "  __shared__ float shared[R * L * V];");
        let _ = writeln!(
            text,
            "  float* left = sums + ((long long)image * {} + blockIdx.y) * {slots} * C;",
            t.parts
        );
        for slot in 0..slots {
            let _ = writeln!(
                text,
                "  sum_rows<L, R, V>(shared, acc[{slot}], left + {slot} * C, blockIdx.z * L * V, C);"
            );
        }
    }
    text.push_str("}\n");
    Made { text, parameters, shape: t }
}

struct Maker<'a> {
    graph: &'a Graph,
    pass: &'a Elementwise,
    parameters: Vec<Parameter>,
    signature: Vec<String>,
    /// What is read once, before the pixels.
    constants: String,
    /// What is done with each pixel.
    body: String,
    /// Names of what is there already: a tensor at a position.
    loaded: Vec<(Place, String, String)>,
    element: &'a str,
    fresh: usize,
}

impl Maker<'_> {
    fn run(&mut self) {
        let pass = self.pass;
        self.line("float v[V];");
        let names: Vec<String> = pass.sources.iter().map(|source| self.source(source, "at", "p")).collect();
        let sum = if names.is_empty() { "0.0f".to_owned() } else { each(&names) };
        self.each(&format!("v[i] = {sum};"));
        match &pass.ending {
            Ending::Nothing => self.write(),
            Ending::Sum => {
                self.write();
                self.each("acc[0][i] += v[i];");
            }
            Ending::Statistics => {
                self.write();
                self.each("acc[0][i] += v[i]; acc[1][i] += v[i] * v[i];");
            }
            Ending::Affine { norm, residual, activation } => {
                if let Some(norm) = norm {
                    let (scale, shift) = self.affine(*norm);
                    self.each(&format!("v[i] = fmaf(v[i], {scale}[i], {shift}[i]);"));
                }
                if let Some(residual) = residual {
                    let other = self.tensor(*residual, "at");
                    self.each(&format!("v[i] += {other}[i];"));
                }
                if let Some(function) = function(*activation) {
                    self.each(&format!("v[i] = {function}(v[i]);"));
                }
                self.write();
            }
            Ending::Gradient { gate, with } => {
                self.gate(*gate);
                let others: Vec<String> = with.iter().map(|place| self.tensor(*place, "at")).collect();
                self.write();
                self.each("acc[0][i] += v[i];");
                for (k, other) in others.iter().enumerate() {
                    self.each(&format!("acc[{}][i] += v[i] * {other}[i];", k + 1));
                }
            }
        }
        if pass.ending.slots() > 0 {
            self.parameter(Parameter::Sums, "float* sums");
        }
    }

    fn gate(&mut self, gate: Gate) {
        match gate {
            Gate::Open => {}
            Gate::Positive(y) => {
                let y = self.tensor(Place::Tensor(y), "at");
                self.each(&format!("v[i] = {y}[i] > 0.0f ? v[i] : 0.0f;"));
            }
            Gate::Normalised { y, norm, activation } => {
                let y = self.tensor(Place::Tensor(y), "at");
                let z = match norm {
                    Some(norm) => {
                        let (scale, shift) = self.affine(norm);
                        format!("fmaf({y}[i], {scale}[i], {shift}[i])")
                    }
                    None => format!("{y}[i]"),
                };
                if let Some(function) = function(activation) {
                    self.each(&format!("v[i] *= {function}_derivative({z});"));
                }
            }
        }
    }

    /// Stores `v`, which becomes what is stored.
    fn write(&mut self) {
        if let Some(to) = self.pass.to {
            let element = self.element;
            let name = self.parameter(Parameter::Written(to), &format!("{element}* to"));
            self.line(&format!("store({name} + at, v);"));
        }
    }

    /// Code for a source's values at `at`, pixel `pixel` of its map; the name of the array that holds them.
    fn source(&mut self, source: &Source, at: &str, pixel: &str) -> String {
        match source {
            Source::Plain(place) => self.tensor(*place, at),
            Source::Normalised { x, norm, activation } => {
                let x = self.tensor(*x, at);
                let name = self.fresh();
                let affine = match norm {
                    Some(norm) => {
                        let (scale, shift) = self.affine(*norm);
                        format!("fmaf({x}[i], {scale}[i], {shift}[i])")
                    }
                    None => format!("{x}[i]"),
                };
                let value = function(*activation).map_or(affine.clone(), |f| format!("{f}({affine})"));
                self.line(&format!("float {name}[V];"));
                self.each(&format!("{name}[i] = {value};"));
                name
            }
            Source::Gradient { g, y, norm } => {
                let (g, y) = (self.tensor(*g, at), self.tensor(*y, at));
                let [a, b, c] = [0, 1, 2].map(|k| self.coefficient(Parameter::Factor(*norm, k), *norm));
                let name = self.fresh();
                self.line(&format!("float {name}[V];"));
                self.each(&format!("{name}[i] = fmaf({a}[i], {g}[i], fmaf({b}[i], {y}[i], {c}[i]));"));
                name
            }
            Source::Spread => self.spread(),
            Source::Images => {
                let images = self.parameter(Parameter::Images, "const float* images");
                let name = self.fresh();
                self.line(&format!("float {name}[V];"));
                self.line(&format!("load({name}, {images} + {at});"));
                name
            }
            Source::Pool { pool, x } => self.pool(*pool, x),
            Source::PoolGradient { pool, dy } => self.pool_gradient(*pool, dy, pixel),
        }
    }

    fn pool(&mut self, pool: usize, x: &Source) -> String {
        let shape = self.graph.pools()[pool];
        let (k, s, w, ow) = (shape.kernel, shape.stride, shape.width, shape.out_width());
        let name = self.fresh();
        let kept =
            self.pass.keeps.map(|pool| self.parameter(Parameter::KeptIndices(pool), "unsigned char* kept"));
        self.line(&format!("float {name}[V]; unsigned char {name}_at[V] = {{}};"));
        self.line(&format!("for (int k = 0; k < {k} * {k}; k++) {{"));
        let pixel = format!("{name}_p");
        let row = format!("(p / {ow} * {s} + k / {k})");
        self.line(&format!("const int {pixel} = {row} * {w} + p % {ow} * {s} + k % {k};"));
        let at = format!("(((long long)image * {} + {pixel}) * C + c)", shape.height * w);
        let value = self.within(|maker| maker.source(x, &at, &pixel));
        // NaN is larger than anything.
        let larger = format!("k == 0 || {value}[i] > {name}[i] || {value}[i] != {value}[i]");
        self.each(&format!("if ({larger}) {{ {name}[i] = {value}[i]; {name}_at[i] = k; }}"));
        self.line("}");
        if let Some(kept) = kept {
            self.line("{ Pack<unsigned char, V> pack;");
            self.each(&format!("pack.v[i] = {name}_at[i];"));
            self.line(&format!("*reinterpret_cast<Pack<unsigned char, V>*>({kept} + at) = pack; }}"));
        }
        name
    }

    /// Each value of the input gathers from the windows that it is in.
    fn pool_gradient(&mut self, pool: usize, dy: &Source, pixel: &str) -> String {
        let shape = self.graph.pools()[pool];
        let (k, s, w) = (shape.kernel, shape.stride, shape.width);
        let (oh, ow) = (shape.out_height(), shape.out_width());
        let kept = self.parameter(Parameter::Indices(pool), "const unsigned char* indices");
        let name = self.fresh();
        self.line(&format!("float {name}[V] = {{}};"));
        self.line(&format!("for (int oy = max(0, ({pixel} / {w} - {k} + {s}) / {s}); oy < {oh} && oy * {s} <= {pixel} / {w}; oy++)"));
        self.line(&format!("for (int ox = max(0, ({pixel} % {w} - {k} + {s}) / {s}); ox < {ow} && ox * {s} <= {pixel} % {w}; ox++) {{"));
        self.line(&format!(
            "const int {name}_k = ({pixel} / {w} - oy * {s}) * {k} + {pixel} % {w} - ox * {s};"
        ));
        self.line(&format!("const int {name}_p = oy * {ow} + ox;"));
        let at = format!("(((long long)image * {} + {name}_p) * C + c)", oh * ow);
        self.line(&format!(
            "const Pack<unsigned char, V> {name}_i = *reinterpret_cast<const Pack<unsigned char, V>*>({kept} + {at});"
        ));
        let value = self.within(|maker| maker.source(dy, &at, &format!("{name}_p")));
        self.each(&format!("if ({name}_i.v[i] == {name}_k) {name}[i] += {value}[i];"));
        self.line("}");
        name
    }

    /// What is loaded in a loop is not there behind it.
    fn within<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.loaded.len();
        let result = f(self);
        self.loaded.truncate(before);
        result
    }

    fn tensor(&mut self, place: Place, at: &str) -> String {
        if let Some((_, _, name)) = self.loaded.iter().find(|(p, a, _)| *p == place && a == at) {
            return name.clone();
        }
        let element = self.element;
        // What is both read and written goes by one pointer.
        let from = match self.pass.to == Some(place) {
            true => self.parameter(Parameter::Written(place), &format!("{element}* to")),
            false => {
                let n = self.parameters.len();
                self.parameter(Parameter::Tensor(place), &format!("const {element}* __restrict__ t{n}"))
            }
        };
        let name = self.fresh();
        self.line(&format!("float {name}[V];"));
        self.line(&format!("load({name}, {from} + {at});"));
        self.loaded.push((place, at.to_owned(), name.clone()));
        name
    }

    fn spread(&mut self) -> String {
        let name = "spread".to_owned();
        if !self.parameters.contains(&Parameter::Features) {
            let share = self.pass.share;
            let features = self.parameter(Parameter::Features, "const float* __restrict__ features");
            let _ = writeln!(self.constants, "    float {name}[V];");
            let _ = writeln!(
                self.constants,
                "    for (int i = 0; i < V; i++) {name}[i] = {features}[(long long)image * C + c + i] * (float){share:?};"
            );
        }
        name
    }

    fn affine(&mut self, norm: NormId) -> (String, String) {
        (self.coefficient(Parameter::Scale(norm), norm), self.coefficient(Parameter::Shift(norm), norm))
    }

    /// One value a channel, an image's own or not: read before the pixels.
    fn coefficient(&mut self, parameter: Parameter, norm: NormId) -> String {
        let known = self.parameters.iter().position(|p| *p == parameter);
        let n = known.unwrap_or(self.parameters.len());
        let name = format!("f{n}");
        if known.is_none() {
            let from = self.parameter(parameter, &format!("const float* __restrict__ c{n}"));
            let image = if super::norm::per_image(&self.graph.norms()[norm]) {
                "(long long)image * C + "
            } else {
                ""
            };
            let _ = writeln!(self.constants, "    float {name}[V]; load({name}, {from} + {image}c);");
        }
        name
    }

    /// The name by which the kernel knows a parameter, declared by `declaration` where it is new.
    fn parameter(&mut self, parameter: Parameter, declaration: &str) -> String {
        let at = self.parameters.iter().position(|p| *p == parameter).unwrap_or_else(|| {
            self.parameters.push(parameter);
            self.signature.push(declaration.to_owned());
            self.parameters.len() - 1
        });
        let declared = &self.signature[at];
        declared.rsplit([' ', '*']).next().unwrap_or(declared).to_owned()
    }

    fn fresh(&mut self) -> String {
        self.fresh += 1;
        format!("x{}", self.fresh)
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.body, "      {text}");
    }

    /// A statement for each channel `i` of the thread's.
    fn each(&mut self, statement: &str) {
        self.line("_Pragma(\"unroll\")");
        self.line(&format!("for (int i = 0; i < V; i++) {{ {statement} }}"));
    }
}

fn each(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}[i]")).collect::<Vec<_>>().join(" + ")
}

fn function(activation: Activation) -> Option<&'static str> {
    match activation {
        Activation::None => None,
        Activation::Relu => Some("relu"),
        Activation::Gelu => Some("gelu"),
    }
}
