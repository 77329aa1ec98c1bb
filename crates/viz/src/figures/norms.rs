use super::{headline, look::series};
use crate::{
    Chart, VizError,
    chart::{
        Axis, Legend, Marker, Panel, Place, Series, Side, Stroke, Words, draw_panel, finite, key, log10,
    },
    colour::palette::{MUTED, THREAD},
    error::same_length,
    format,
    text::{self, Anchor, Style},
};

const FIGURE: &str = "norms";
const WIDTH: f64 = 1040.0;
const PANEL: f64 = 420.0;
/// Keys of the legend stand in rows of this many.
const COLUMNS: usize = 5;
const ROW: f64 = 24.0;
/// More layers than this are drawn as one, under the last name.
const LAYERS: usize = 15;

/// The norms of one parameter over time, in [`norms`]; NaN and infinities are gaps.
#[derive(Clone, Copy, Debug)]
pub struct ParameterNorms<'a> {
    /// As `layer1.0.conv1.weight`: what comes before the first dot is its layer.
    pub name: &'a str,
    /// The parameter's Euclidean norm at each step.
    pub weight: &'a [f64],
    /// That of its gradient; empty where it is not known.
    pub gradient: &'a [f64],
}

/// What [`norms`] draws.
#[derive(Clone, Copy, Debug, Default)]
pub struct Norms<'a> {
    /// The steps at which norms were taken.
    pub steps: &'a [f64],
    /// Any number of parameters.
    pub parameters: &'a [ParameterNorms<'a>],
}

/// The norms of a layer's parameters as one vector, at each step; NaN where one of them is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorms {
    /// What its parameters' names begin with; of several in one, the first's and the last's.
    pub name: String,
    /// √(Σ‖p‖²) over its parameters.
    pub weight: Vec<f64>,
    /// The same of their gradients, as far as they are known.
    pub gradient: Vec<f64>,
}

/// How [`norms`] draws.
#[derive(Clone, Debug)]
pub struct NormsOptions {
    /// Above everything, if any.
    pub title: Option<String>,
    /// Of which steps the gradients are, if that is to be said: `each epoch's last step`.
    pub gradients_of: Option<String>,
}

impl Default for NormsOptions {
    fn default() -> Self {
        Self { title: Some("Norms of weights and gradients".to_owned()), gradients_of: None }
    }
}

/// The norms of each layer, in the order in which their first parameters stand; of more than `most` layers the last are one.
///
/// # Errors
/// As [`norms`], and [`VizError::OutOfRange`] if `most` is 0.
pub fn layer_norms(data: &Norms<'_>, most: usize) -> Result<Vec<LayerNorms>, VizError> {
    check(data)?;
    if most == 0 {
        let what = format!("{FIGURE}: the most layers");
        return Err(VizError::OutOfRange { what, expected: "1 or more".to_owned(), got: most.to_string() });
    }
    let steps = || 0..data.steps.len();
    let told = |layer: Layer<'_>| LayerNorms {
        weight: steps().map(|step| layer.norm(|p| p.weight, step)).collect(),
        gradient: steps().map(|step| layer.norm(|p| p.gradient, step)).collect(),
        name: layer.name,
    };
    Ok(layers(data.parameters, most).into_iter().map(told).collect())
}

/// Norms over the steps on logarithmic scales, weights on the left and gradients on the right: each layer, the root of the sum of its
/// parameters' squares, as a line of its own colour, and each parameter as a thin grey one behind them.
///
/// # Errors
/// [`VizError::Empty`] without a step or a parameter, [`VizError::Length`] where there is not one norm a step.
pub fn norms(data: &Norms<'_>, options: &NormsOptions) -> Result<Chart, VizError> {
    check(data)?;
    let layers = layers(data.parameters, LAYERS);
    let head = if options.title.is_some() { 40.0 } else { 8.0 };
    let rows = layers.len().div_ceil(COLUMNS) + 1;
    let legend = ROW * rows as f64;
    let half = WIDTH / 2.0;
    let [weights, gradients] = [
        panel(data, &layers, ("Weights", "norm of the weights"), |p| p.weight),
        panel(data, &layers, ("Gradients", "norm of the gradient"), |p| p.gradient),
    ];
    let words = Words {
        title: options.title.clone().unwrap_or_else(|| "Norms of weights and gradients".to_owned()),
        description: description(data, &layers, options),
    };
    Ok(Chart::draw(FIGURE, (WIDTH, head + legend + PANEL + 4.0), words, |brush| {
        headline(brush, options.title.as_deref(), WIDTH);
        let column = (WIDTH - 60.0) / COLUMNS as f64;
        for (i, layer) in layers.iter().enumerate() {
            let (x, y) = (40.0 + column * (i % COLUMNS) as f64, head + ROW * ((i / COLUMNS) as f64 + 0.5));
            key(brush, &series(i, layer.name.clone(), &[]), (x, y), x + column - 12.0);
        }
        let gradients_of = options.gradients_of.as_ref().map(|steps| format!("; gradients: of {steps}"));
        let says = format!(
            "coloured: a layer, the root of the sum of its parameters' squares; grey: each parameter alone{}",
            gradients_of.unwrap_or_default()
        );
        let style = Style::regular(13.0, MUTED);
        let says = text::elide(&says, style, WIDTH as f32 - 60.0);
        brush.text_centred(&says, style, Anchor::Start, (40.0, head + legend - ROW / 2.0));
        let place = |x| Place { x, y: head + legend, width: half, height: PANEL };
        draw_panel(brush, &weights, place(0.0));
        draw_panel(brush, &gradients, place(half));
    }))
}

fn check(data: &Norms<'_>) -> Result<(), VizError> {
    for (what, n) in
        [("the list of steps", data.steps.len()), ("the list of parameters", data.parameters.len())]
    {
        if n == 0 {
            return Err(VizError::Empty { figure: FIGURE, what });
        }
    }
    for parameter in data.parameters {
        let name = parameter.name;
        same_length(
            FIGURE,
            &format!("norms of {name}, one a step"),
            data.steps.len(),
            parameter.weight.len(),
        )?;
        if !parameter.gradient.is_empty() {
            let what = format!("gradient norms of {name}, one a step");
            same_length(FIGURE, &what, data.steps.len(), parameter.gradient.len())?;
        }
    }
    Ok(())
}

struct Layer<'a> {
    name: String,
    parameters: Vec<&'a ParameterNorms<'a>>,
}

/// The layers in the order in which their first parameters stand, `most` at most.
fn layers<'a>(parameters: &'a [ParameterNorms<'a>], most: usize) -> Vec<Layer<'a>> {
    let mut layers: Vec<Layer<'a>> = Vec::new();
    for parameter in parameters {
        let name = parameter.name.split('.').next().unwrap_or_default();
        match layers.iter_mut().find(|layer| layer.name == name) {
            Some(layer) => layer.parameters.push(parameter),
            None => layers.push(Layer { name: name.to_owned(), parameters: vec![parameter] }),
        }
    }
    if layers.len() > most {
        let rest = layers.split_off(most - 1);
        let name = format!("{} to {}", rest[0].name, rest[rest.len() - 1].name);
        layers
            .push(Layer { name, parameters: rest.into_iter().flat_map(|layer| layer.parameters).collect() });
    }
    layers
}

impl Layer<'_> {
    /// The norm of all its parameters as one vector; NaN at a step where one of them is not known.
    fn norm<'a>(&'a self, of: fn(&'a ParameterNorms<'a>) -> &'a [f64], step: usize) -> f64 {
        let known = self.parameters.iter().map(|p| of(p)).filter(|norms| !norms.is_empty());
        let squares: Vec<f64> = known.map(|norms| norms[step].powi(2)).collect();
        if squares.is_empty() { f64::NAN } else { squares.iter().sum::<f64>().sqrt() }
    }
}

fn panel<'a>(
    data: &'a Norms<'a>,
    layers: &'a [Layer<'a>],
    (title, label): (&str, &str),
    of: fn(&'a ParameterNorms<'a>) -> &'a [f64],
) -> Panel {
    let line = |norm: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        data.steps.iter().enumerate().map(|(i, &step)| (step, log10(norm(i)))).collect()
    };
    let mut lines: Vec<Series> = Vec::new();
    let crowd = layers.iter().filter(|layer| layer.parameters.len() > 1).flat_map(|layer| &layer.parameters);
    for parameter in crowd.filter(|p| !of(p).is_empty()) {
        lines.push(Series {
            name: String::new(),
            note: String::new(),
            points: line(&|i| of(parameter)[i]),
            colour: THREAD,
            width: 0.8,
            stroke: Stroke::Solid,
            marker: Marker::None,
            side: Side::Left,
        });
    }
    for (i, layer) in layers.iter().enumerate() {
        lines.push(series(i, layer.name.clone(), &line(&|step| layer.norm(of, step))));
    }
    let values: Vec<f64> = lines.iter().flat_map(|l| l.points.iter().map(|p| p.1)).collect();
    Panel {
        title: title.to_owned(),
        aside: largest(data, of),
        x: Axis::numbers("step", data.steps.iter().copied(), 7),
        y: Axis::log10(&format!("{label}, log scale"), values.into_iter(), 0.04),
        right: None,
        bars: Vec::new(),
        bands: Vec::new(),
        series: lines,
        swatches: Vec::new(),
        legend: Legend::Elsewhere,
        flags: Vec::new(),
        gutter: 0.0,
    }
}

/// Which parameter's norm is the greatest at the last step.
fn largest<'a>(data: &'a Norms<'a>, of: fn(&'a ParameterNorms<'a>) -> &'a [f64]) -> String {
    let last = |p: &'a ParameterNorms<'a>| of(p).last().copied().and_then(finite);
    let known = data.parameters.iter().filter_map(|p| Some((p.name, last(p)?)));
    let greatest = known.max_by(|a, b| a.1.total_cmp(&b.1));
    greatest.map_or_else(String::new, |(name, norm)| {
        format!("greatest at the end: {name}, {}", format::digits(norm))
    })
}

fn description(data: &Norms<'_>, layers: &[Layer<'_>], options: &NormsOptions) -> String {
    let last = data.steps.len() - 1;
    let mut says =
        format!("{} parameters in {} layers, {} steps.", data.parameters.len(), layers.len(), last + 1);
    if let Some(steps) = &options.gradients_of {
        says.push_str(&format!(" Gradients are of {steps}."));
    }
    for layer in layers {
        says.push_str(&format!(
            " {}: weights {} to {}, gradient {} to {}.",
            layer.name,
            format::digits(layer.norm(|p| p.weight, 0)),
            format::digits(layer.norm(|p| p.weight, last)),
            format::digits(layer.norm(|p| p.gradient, 0)),
            format::digits(layer.norm(|p| p.gradient, last)),
        ));
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layers_norm_is_that_of_its_parameters_together() {
        let of = |name, weight, gradient| ParameterNorms { name, weight, gradient };
        let parameters = [
            of("conv1.weight", &[3.0, 1.0][..], &[0.5, f64::NAN][..]),
            of("linear.weight", &[1.0, 2.0], &[]),
            of("conv1.bias", &[4.0, 0.0], &[1.2, 1.0]),
        ];
        let data = Norms { steps: &[1.0, 2.0], parameters: &parameters };
        let layers = layer_norms(&data, 2).unwrap();
        assert_eq!(layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["conv1", "linear"]);
        assert_eq!(layers[0].weight, [5.0, 1.0]);
        assert!((layers[0].gradient[0] - 1.3).abs() < 1e-12);
        assert!(layers[0].gradient[1].is_nan() && layers[1].gradient.iter().all(|norm| norm.is_nan()));
    }

    #[test]
    fn many_layers_end_in_one() {
        let names: Vec<String> = (0..40).map(|i| format!("block{i}.weight")).collect();
        let parameters: Vec<_> =
            names.iter().map(|name| ParameterNorms { name, weight: &[1.0], gradient: &[] }).collect();
        let data = Norms { steps: &[1.0], parameters: &parameters };
        let layers = layer_norms(&data, 15).unwrap();
        assert_eq!((layers.len(), layers[14].name.as_str()), (15, "block14 to block39"));
        assert!((layers[14].weight[0] - 26f64.sqrt()).abs() < 1e-12);
        assert!(matches!(layer_norms(&data, 0), Err(VizError::OutOfRange { .. })));
    }

    #[test]
    fn it_is_said_of_which_steps_gradients_are() {
        let parameters = [ParameterNorms { name: "conv1.weight", weight: &[1.0], gradient: &[0.5] }];
        let data = Norms { steps: &[9.0], parameters: &parameters };
        let says = |gradients_of: Option<&str>| {
            let options =
                NormsOptions { gradients_of: gradients_of.map(str::to_owned), ..Default::default() };
            norms(&data, &options).unwrap().description().to_owned()
        };
        assert!(
            says(Some("each epoch's last step")).contains(" Gradients are of each epoch's last step. conv1:")
        );
        assert!(!says(None).contains("Gradients are"));
    }
}
