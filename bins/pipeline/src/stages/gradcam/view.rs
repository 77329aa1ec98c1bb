//! A method at a place, and what is said of its maps.

use wick_gradcam::{CamOptions, Method, Needs, Reduction, Smoothing};
use wick_runs::{CamIndexRow, CamSmoothing};

use super::place::Place;
use super::target::Asked;

/// A method at a place: one map of each image.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    pub method: Method,
    pub place: Place,
}

impl View {
    /// Each method at each place; one that looks at the image itself does so once.
    pub fn all(methods: &[Method], places: &[Place]) -> Vec<Self> {
        let view = |method, place: &Place| Self { method, place: place.clone() };
        let of = |&method: &Method| {
            let times = if looks_at_the_input(method) { 1 } else { places.len() };
            places.iter().take(times).map(move |place| view(method, place))
        };
        methods.iter().flat_map(of).collect()
    }

    /// The method and where it looks: `Grad-CAM at layer4`.
    pub fn title(&self) -> String {
        format!("{} at {}", self.method.title(), self.place_words())
    }

    /// Where it looks, in a table.
    pub fn layer(&self) -> String {
        if looks_at_the_input(self.method) { CamIndexRow::INPUT.to_owned() } else { self.place.to_string() }
    }

    /// Where it looks, in a sentence.
    pub fn place_words(&self) -> String {
        if looks_at_the_input(self.method) { "the input".to_owned() } else { self.place.to_string() }
    }

    /// Whether it asks for a class: what Eigen-CAM draws is the same for all of them.
    pub fn asks_for_a_class(&self) -> bool {
        self.method.needs() != Needs::Activations
    }

    /// How its maps are smoothed. Of some methods there is no principal component to take, or it is what they are anyway.
    pub fn smoothing(&self, options: &CamOptions) -> CamSmoothing {
        let takes_component =
            !matches!(self.method, Method::EigenCam | Method::EigenGradCam | Method::GuidedBackprop);
        let eigen = takes_component && options.reduction == Reduction::FirstEigenvector;
        match (options.smoothing, eigen) {
            (Smoothing::None, false) => CamSmoothing::None,
            (Smoothing::None, true) => CamSmoothing::Eigen,
            (Smoothing::Augmentations, false) => CamSmoothing::Augment,
            (Smoothing::Augmentations, true) => CamSmoothing::AugmentEigen,
        }
    }

    /// What is said of its maps besides the method.
    pub fn words(&self, asked: Asked, names: &[String], options: &CamOptions) -> Words {
        Words {
            target: self.asks_for_a_class().then(|| asked.words(names)),
            place: (!looks_at_the_input(self.method)).then(|| self.place.to_string()),
            smoothing: self.smoothing(options),
        }
    }
}

fn looks_at_the_input(method: Method) -> bool {
    method == Method::GuidedBackprop
}

/// What is said of a map besides its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// None where the method asks for none.
    target: Option<String>,
    /// None where it looks at the input.
    place: Option<String>,
    smoothing: CamSmoothing,
}

impl Words {
    /// A title of maps that begins with a name: `LayerCAM for cat at layer4, eigen-smoothed`. It says what holds of those maps of which
    /// there is something to say; where they are at several layers, none.
    pub fn title(all: &[Self], name: &str) -> String {
        let mut title = name.to_owned();
        if let Some(target) = all.iter().find_map(|words| words.target.as_deref()) {
            title += &format!(" for {target}");
        }
        match Self::places(all)[..] {
            [] if !all.is_empty() => title += " at the input",
            [place] => title += &format!(" at {place}"),
            _ => {}
        }
        match smoothed(Self::most_smoothed(all)) {
            "" => title,
            smoothing => format!("{title}, {smoothing}"),
        }
    }

    /// Of each map the lines that tell it from what its title says.
    pub fn lines(all: &[Self]) -> Vec<Vec<String>> {
        let has_target = all.iter().any(|words| words.target.is_some());
        let places = Self::places(all).len();
        let most = Self::most_smoothed(all);
        let lines = |words: &Self| {
            let target = (has_target && words.target.is_none()).then(|| "whatever the class".to_owned());
            let place = match &words.place {
                None if places > 0 => Some("at the input".to_owned()),
                Some(place) if places > 1 => Some(format!("at {place}")),
                _ => None,
            };
            let smoothing = (words.smoothing != most).then(|| match smoothed(words.smoothing) {
                "" => "not smoothed".to_owned(),
                smoothing => smoothing.to_owned(),
            });
            [target, place, smoothing].into_iter().flatten().collect()
        };
        all.iter().map(lines).collect()
    }

    /// Each place once.
    fn places(all: &[Self]) -> Vec<&str> {
        let mut places: Vec<&str> = Vec::new();
        for place in all.iter().filter_map(|words| words.place.as_deref()) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    /// What was asked for, where any method does it.
    fn most_smoothed(all: &[Self]) -> CamSmoothing {
        let ways = |smoothing: CamSmoothing| match smoothing {
            CamSmoothing::None => 0,
            CamSmoothing::Augment | CamSmoothing::Eigen => 1,
            CamSmoothing::AugmentEigen => 2,
        };
        all.iter().map(|words| words.smoothing).max_by_key(|s| ways(*s)).unwrap_or(CamSmoothing::None)
    }
}

fn smoothed(smoothing: CamSmoothing) -> &'static str {
    match smoothing {
        CamSmoothing::None => "",
        CamSmoothing::Augment => "augment-smoothed",
        CamSmoothing::Eigen => "eigen-smoothed",
        CamSmoothing::AugmentEigen => "augment- and eigen-smoothed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use wick_models::{Architecture, Network};

    fn views(methods: &[Method], layers: &[&str]) -> Vec<View> {
        let network = Network::new(Architecture::Speedrun, 10, 0, &Device::Cpu).unwrap();
        let places: Vec<Place> = layers.iter().map(|layer| Place::read(layer, &network).unwrap()).collect();
        View::all(methods, &places)
    }

    fn words(views: &[View], options: &CamOptions) -> Vec<Words> {
        let names = ["cat", "dog"].map(str::to_owned);
        views.iter().map(|view| view.words(Asked::Difference(0, 1), &names, options)).collect()
    }

    #[test]
    fn the_input_is_looked_at_once() {
        let views = views(&[Method::GradCam, Method::GuidedBackprop], &["group2", "group2+group3"]);
        let layers: Vec<(Method, String)> = views.iter().map(|view| (view.method, view.layer())).collect();
        let expected = [
            (Method::GradCam, "group2"),
            (Method::GradCam, "group2+group3"),
            (Method::GuidedBackprop, "input"),
        ];
        assert_eq!(layers, expected.map(|(method, layer)| (method, layer.to_owned())));
    }

    #[test]
    fn no_more_is_said_than_is_so() {
        let both = CamOptions {
            smoothing: Smoothing::Augmentations,
            reduction: Reduction::FirstEigenvector,
            ..CamOptions::default()
        };
        let said = |method, options| Words::title(&words(&views(&[method], &["group3"]), options), "It");
        assert_eq!(
            said(Method::LayerCam, &both),
            "It for cat rather than dog at group3, augment- and eigen-smoothed"
        );
        assert_eq!(said(Method::EigenCam, &both), "It at group3, augment-smoothed");
        let plain = CamOptions::default();
        assert_eq!(said(Method::GuidedBackprop, &plain), "It for cat rather than dog at the input");
        assert_eq!(said(Method::EigenCam, &plain), "It at group3");
    }

    #[test]
    fn a_column_says_what_its_title_does_not() {
        let eigen = CamOptions { reduction: Reduction::FirstEigenvector, ..CamOptions::default() };
        let methods = [Method::GradCam, Method::EigenCam, Method::GuidedBackprop];
        let all = words(&views(&methods, &["group3"]), &eigen);
        assert_eq!(
            Words::title(&all, "3 methods"),
            "3 methods for cat rather than dog at group3, eigen-smoothed"
        );
        let none: [&str; 0] = [];
        let lines = Words::lines(&all);
        assert_eq!(lines[0], none);
        assert_eq!(lines[1], ["whatever the class", "not smoothed"]);
        assert_eq!(lines[2], ["at the input", "not smoothed"]);

        let all = words(&views(&[Method::GradCam], &["group2", "group3"]), &CamOptions::default());
        assert_eq!(Words::title(&all, "Grad-CAM"), "Grad-CAM for cat rather than dog");
        assert_eq!(Words::lines(&all), [["at group2"], ["at group3"]]);
    }
}
