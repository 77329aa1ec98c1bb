//! Which methods explain.

use anyhow::{Context, Result};
use wick_gradcam::{Method, Needs};

/// Reads a method's name, for the command line: an unknown one names the nearest and lists all.
pub fn parse(name: &str) -> Result<Method, String> {
    name.parse().map_err(|_| {
        let lower = name.to_lowercase();
        let distance = |m: &Method| strsim::damerau_levenshtein(&lower, m.name());
        let nearest = Method::ALL.into_iter().min_by_key(distance);
        let near = nearest.filter(|m| distance(m) <= m.name().len() / 2);
        let near = near.map_or_else(String::new, |m| format!("did you mean `{}`? ", m.name()));
        format!("{near}the methods are {}", Method::ALL.map(Method::name).join(", "))
    })
}

/// Those that a recipe names.
pub fn of_recipe(names: &[String]) -> Result<Vec<Method>> {
    let method = |name: &String| {
        parse(name)
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("the recipe's evaluate.cam_methods names `{name}`"))
    };
    names.iter().map(method).collect()
}

/// All that take about a pass through the network for each batch of images.
pub fn quick() -> Vec<Method> {
    Method::ALL.into_iter().filter(|m| !is_slow(*m)).collect()
}

/// Whether a method takes a pass through the network for each channel of each image.
pub fn is_slow(method: Method) -> bool {
    method.needs() == Needs::ForwardPasses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_method_names_the_nearest_and_all() {
        assert_eq!(parse("LayerCAM"), Ok(Method::LayerCam));
        let told = parse("layrcam").unwrap_err();
        assert!(told.starts_with("did you mean `layercam`? the methods are gradcam, gradcam++, "), "{told}");
        assert!(parse("saliency-by-telepathy").unwrap_err().starts_with("the methods are gradcam"));
        let recipe = of_recipe(&["gradcam".to_owned(), "scorcam".to_owned()]).unwrap_err();
        assert!(format!("{recipe:#}").contains("names `scorcam`: did you mean `scorecam`?"), "{recipe:#}");
    }

    #[test]
    fn quick_methods_leave_out_the_slow() {
        let left_out: Vec<Method> = Method::ALL.into_iter().filter(|m| !quick().contains(m)).collect();
        assert_eq!(left_out, [Method::ScoreCam, Method::AblationCam]);
    }
}
