//! Wick and PyTorch in turn.

use serde::{Deserialize, Serialize};

use super::measurement::Measurement;
use super::spread::Spread;
use super::{peer, table};

/// Both, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Round {
    pub(super) ours: Measurement,
    pub(super) peer: Measurement,
}

/// All rounds. The keys of a single measurement hold the medians of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Comparison {
    pub(super) work: String,
    pub(super) precision: String,
    pub(super) batch: usize,
    pub(super) threads: usize,
    pub(super) img_per_s: f64,
    pub(super) eval_img_per_s: f64,
    pub(super) peak_rss_mb: Option<f64>,
    /// PyTorch's version and setting.
    pub(super) peer: String,
    pub(super) peer_img_per_s: f64,
    pub(super) peer_eval_img_per_s: f64,
    pub(super) peer_peak_rss_mb: Option<f64>,
    /// Ours over the peer's.
    pub(super) ratio: f64,
    pub(super) eval_ratio: f64,
    pub(super) rss_ratio: Option<f64>,
    pub(super) rounds: Vec<Round>,
}

pub(super) type Figure = fn(&Measurement) -> Option<f64>;

pub(super) const TRAINING: Figure = |m| Some(m.img_per_s);
pub(super) const EVALUATION: Figure = |m| Some(m.eval_img_per_s);
pub(super) const MEMORY: Figure = |m| m.peak_rss_mb;

impl Comparison {
    /// `None` of no rounds.
    pub(super) fn of(rounds: Vec<Round>) -> Option<Self> {
        let Measurement { work, precision, batch, threads, .. } = rounds.first()?.ours.clone();
        let median = |figure: Figure, of: usize| Some(spreads(&rounds, figure)[of]?.median);
        let ours = |figure| median(figure, 0);
        let theirs = |figure| median(figure, 1);
        let ratio = |figure| median(figure, 2);
        Some(Self {
            work,
            precision,
            batch,
            threads,
            img_per_s: ours(TRAINING)?,
            eval_img_per_s: ours(EVALUATION)?,
            peak_rss_mb: ours(MEMORY),
            peer: peers(&rounds)?,
            peer_img_per_s: theirs(TRAINING)?,
            peer_eval_img_per_s: theirs(EVALUATION)?,
            peer_peak_rss_mb: theirs(MEMORY),
            ratio: ratio(TRAINING)?,
            eval_ratio: ratio(EVALUATION)?,
            rss_ratio: ratio(MEMORY),
            rounds,
        })
    }

    /// Ours, the peer's, and ours over the peer's.
    pub(super) fn spreads(&self, figure: Figure) -> [Option<Spread>; 3] {
        spreads(&self.rounds, figure)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { work, precision, batch, threads, .. } = self;
        let mut rows = vec![["", "Wick", "PyTorch", "Wick / PyTorch"].map(String::from).to_vec()];
        let figures: [(&str, Figure); 3] = [
            ("training, images/s", TRAINING),
            ("evaluation, images/s", EVALUATION),
            ("peak memory, MiB", MEMORY),
        ];
        for (name, figure) in figures {
            let cells = self.spreads(figure).map(table::spread);
            rows.push([name.into()].into_iter().chain(cells).collect());
        }
        let errors: [(&str, Figure); 2] =
            [("error of logits", |m| m.logits_error), ("error of gradients", |m| m.gradient_error)];
        for (name, figure) in errors {
            let [ours, theirs, _] = self.spreads(figure);
            let [ours, theirs] = [ours, theirs].map(|s| table::error(s.map(|s| s.median)));
            rows.push(vec![name.into(), ours, theirs]);
        }
        format!(
            "{work}, {precision}, batch {batch}, {threads} threads: {} rounds, in turn, each a process\n\
             PyTorch is {} in training. Of Wick before and after PyTorch, and of PyTorch's settings, each round's best\n\
             rates count.\n\n{}\n\
             Medians over the rounds (lowest–highest); errors are distances from f64 on a batch of four.\n",
            self.rounds.len(),
            self.peer,
            table::aligned(&rows)
        )
    }
}

/// The settings that counted.
fn peers(rounds: &[Round]) -> Option<String> {
    let mut names: Vec<_> = rounds.iter().map(|round| peer::name(&round.peer)).collect();
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| names.join(" or "))
}

/// Ours, theirs, ours over theirs.
fn spreads(rounds: &[Round], figure: Figure) -> [Option<Spread>; 3] {
    let pairs: Vec<_> = rounds.iter().map(|round| (figure(&round.ours), figure(&round.peer))).collect();
    let ours = Spread::of(pairs.iter().map(|(ours, _)| *ours));
    let theirs = Spread::of(pairs.iter().map(|(_, theirs)| *theirs));
    [ours, theirs, Spread::ratio(&pairs)]
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::measurement::tests::example;
    use super::*;

    pub(crate) fn rounds() -> Vec<Round> {
        let round = |ours, peer| Round { ours, peer };
        vec![
            round(example(280.0, 900.0, 700.0), example(120.0, 400.0, 1240.0)),
            round(example(290.0, 800.0, 720.0), example(125.0, 390.0, 1200.0)),
            round(example(270.0, 850.0, 710.0), example(124.0, 410.0, 1250.0)),
        ]
    }

    #[test]
    fn medians_and_their_ratios() {
        let comparison = Comparison::of(rounds()).unwrap();
        assert_eq!((comparison.img_per_s, comparison.peer_img_per_s), (280.0, 124.0));
        assert_eq!((comparison.ratio, comparison.eval_ratio), (2.2581, 2.125));
        assert_eq!(comparison.rss_ratio, Some(0.57258));
        assert_eq!(Comparison::of(Vec::new()), None);
        let line = serde_json::to_string(&comparison).unwrap();
        assert_eq!(serde_json::from_str::<Comparison>(&line).unwrap(), comparison);
    }

    #[test]
    fn the_table_names_and_aligns() {
        let text = Comparison::of(rounds()).unwrap().text();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "resnet18, f32, batch 128, 2 threads: 3 rounds",
            "torch 2.15.0, compiled, tcmalloc",
            "training, images/s 280 (270–290) 124 (120–125) 2.26 (2.18–2.33)",
            "error of logits 1.0e-6 1.0e-6",
        ] {
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    #[test]
    fn memory_that_one_side_does_not_tell_has_no_ratio() {
        let mut rounds = rounds();
        rounds[1].peer.peak_rss_mb = None;
        let comparison = Comparison::of(rounds).unwrap();
        assert_eq!((comparison.peer_peak_rss_mb, comparison.rss_ratio), (None, None));
        assert!(comparison.text().contains('–'));
    }
}
