//! Names of metrics and spans, and the set-up of logs. Everybody may use it; it depends on nothing of ours.

pub mod exporter;
pub mod logs;
pub mod names;
