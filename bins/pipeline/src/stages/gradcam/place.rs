//! Where methods look: `--layer`.

use std::fmt;

use anyhow::{Result, ensure};
use wick_models::Network;

/// A layer, or several whose maps are averaged: `layer4`, `layer3+layer4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    layers: Vec<String>,
}

impl Place {
    /// Reads the layers of a network, joined by `+`.
    pub fn read(asked: &str, network: &Network) -> Result<Self> {
        let known = network.model.layers();
        let layers: Vec<String> = asked.split('+').map(|layer| layer.trim().to_owned()).collect();
        for (i, layer) in layers.iter().enumerate() {
            ensure!(
                !layer.is_empty(),
                "--layer \"{asked}\" has an empty name; expected layers such as {} or {}",
                known.join(","),
                known.join("+")
            );
            ensure!(
                known.contains(&layer.as_str()),
                "{} has no layer {layer}; it has {}",
                network.architecture,
                known.join(", ")
            );
            ensure!(
                !layers[..i].contains(layer),
                "--layer {asked} names {layer} twice; name each layer once"
            );
        }
        Ok(Self { layers })
    }

    /// Those that the command line names, to be drawn side by side.
    pub fn read_all(asked: &[String], network: &Network) -> Result<Vec<Self>> {
        let mut places: Vec<Self> = Vec::new();
        for asked in asked {
            let place = Self::read(asked, network)?;
            ensure!(
                !places.iter().any(|other| other.is_same(&place)),
                "--layer names {place} twice; name each once"
            );
            places.push(place);
        }
        Ok(places)
    }

    /// The layers' names.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// Whether the same layers are averaged, in whatever order.
    fn is_same(&self, other: &Self) -> bool {
        self.layers.len() == other.layers.len()
            && self.layers.iter().all(|layer| other.layers.contains(layer))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.layers.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;
    use wick_models::Architecture;

    #[test]
    fn commas_part_and_plusses_join() {
        let network = Network::new(Architecture::Speedrun, 10, 0, &Device::Cpu).unwrap();
        let read = |asked: &[&str]| {
            let asked: Vec<String> = asked.iter().map(|&a| a.to_owned()).collect();
            let places = Place::read_all(&asked, &network);
            places.map(|places| places.iter().map(Place::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read(&["group2", "group2+group3"]).unwrap(), ["group2", "group2+group3"]);
        for (asked, words) in [
            (&["layer4"][..], "speedrun has no layer layer4; it has "),
            (&["group2+"], "--layer \"group2+\" has an empty name"),
            (&["group2+group2"], "names group2 twice"),
            (&["group3", "group2", "group3"], "--layer names group3 twice"),
            (&["group2+group3", "group3+group2"], "--layer names group3+group2 twice"),
        ] {
            let told = read(asked).unwrap_err().to_string();
            assert!(told.contains(words), "{asked:?}: {told}");
        }
    }
}
