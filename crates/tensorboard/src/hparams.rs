//! Hyperparameters: the settings of a run beside what came of it.

use std::collections::BTreeMap;

use prost::Message;

use crate::proto::{
    Content, DataType, DatasetType, Experiment, FLOAT, HParamInfo, HParamsData, HParamsPluginData, Kind,
    Metadata, MetricInfo, MetricName, Plain, PluginData, SessionEndInfo, SessionStartInfo, Shape, Status,
    Tensor, Value,
};

/// A run's settings, and the scalars that judge it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HParams {
    /// Settings by name.
    pub values: BTreeMap<String, HParam>,
    /// What is shown beside them, in this order.
    pub metrics: Vec<Metric>,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum HParam {
    /// A number.
    Number(f64),
    /// Words.
    Text(String),
    /// Yes or no.
    Bool(bool),
}

/// A scalar that judges a run: its last value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The scalar's tag.
    pub tag: String,
    /// What the column is called.
    pub name: String,
    /// What it was measured on.
    pub split: Split,
}

/// What a metric was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// What the network learns from.
    Training,
    /// Anything else.
    Held,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// As it should.
    Success,
    /// By an error.
    Failure,
}

impl HParams {
    /// What was tried and is measured.
    pub(crate) fn experiment(&self) -> Value {
        let hparam_infos = self
            .values
            .iter()
            .map(|(name, value)| HParamInfo { name: name.clone(), data_type: value.data_type().into() });
        let metric_infos = self.metrics.iter().map(|metric| MetricInfo {
            name: Some(MetricName { tag: metric.tag.clone() }),
            display_name: metric.name.clone(),
            dataset_type: match metric.split {
                Split::Training => DatasetType::Training,
                Split::Held => DatasetType::Validation,
            }
            .into(),
        });
        let experiment =
            Experiment { hparam_infos: hparam_infos.collect(), metric_infos: metric_infos.collect() };
        value("_hparams_/experiment", HParamsData::Experiment(experiment))
    }

    /// What this run was begun with.
    pub(crate) fn start(&self, start_time_secs: f64) -> Value {
        let hparams = self.values.iter().map(|(name, value)| (name.clone(), value.plain())).collect();
        value(
            "_hparams_/session_start_info",
            HParamsData::Start(SessionStartInfo { hparams, start_time_secs }),
        )
    }
}

impl SessionStatus {
    pub(crate) fn end(self, end_time_secs: f64) -> Value {
        let status = match self {
            Self::Success => Status::Success,
            Self::Failure => Status::Failure,
        };
        value(
            "_hparams_/session_end_info",
            HParamsData::End(SessionEndInfo { status: status.into(), end_time_secs }),
        )
    }
}

impl HParam {
    fn plain(&self) -> Plain {
        let kind = match self {
            Self::Number(number) => Kind::Number(*number),
            Self::Text(text) => Kind::Text(text.clone()),
            Self::Bool(yes) => Kind::Bool(*yes),
        };
        Plain { kind: Some(kind) }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Number(_) => DataType::Number,
            Self::Text(_) => DataType::Text,
            Self::Bool(_) => DataType::Bool,
        }
    }
}

/// The plugin reads its data from where others have their metadata, beside a tensor of nothing.
fn value(tag: &str, data: HParamsData) -> Value {
    let content = HParamsPluginData { data: Some(data) }.encode_to_vec();
    let plugin_data = PluginData { plugin_name: "hparams".to_owned(), content };
    let shape = Shape { dim: vec![crate::proto::Dimension { size: 0 }] };
    Value {
        tag: tag.to_owned(),
        content: Some(Content::Tensor(Tensor { dtype: FLOAT, shape: Some(shape), string_val: Vec::new() })),
        metadata: Some(Metadata { plugin_data: Some(plugin_data) }),
    }
}
