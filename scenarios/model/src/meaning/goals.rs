//! The goals of thresholds, read in the units of their metrics.

use judge::plan::{Expression, ExpressionError};
use serde_json::Value;
use types::metric::{self, Metric};

use super::top;
use crate::diagnostic::{Code, Diagnostic, Problems, quoted};
use crate::tree::{Path, Tree};

/// Reads the goals of `tree` one by one, so that all bad ones are reported; leaves in `value` the
/// metrics whose goals are sound.
pub(crate) fn take_thresholds(tree: &Tree, value: &mut Value, problems: &mut Problems) {
    let Some(thresholds) = value.get_mut("thresholds").and_then(Value::as_object_mut) else {
        return;
    };
    thresholds.retain(|name, goals| {
        let Some(metric) = metric::find(name) else {
            return false;
        };
        let path = top("thresholds").key(name.as_str());
        let texts: Vec<(Path, &str)> = match goals {
            Value::Array(goals) => {
                let texts = goals
                    .iter()
                    .enumerate()
                    .filter_map(|(index, goal)| Some((path.index(index), goal.as_str()?)));
                texts.collect()
            }
            goal => goal.as_str().map(|text| (path, text)).into_iter().collect(),
        };
        let mut sound = true;
        for (path, text) in texts {
            if let Err(error) = Expression::parse(metric, text) {
                sound = false;
                problems.add(goal(metric, text, &error).at(tree.locate(&path)).path(path.to_string()));
            }
        }
        sound
    });
}

fn goal(metric: &Metric, text: &str, error: &ExpressionError) -> Diagnostic {
    let code = match error {
        ExpressionError::Quantity { .. }
        | ExpressionError::NotANumber { .. }
        | ExpressionError::NotAShare { .. } => Code::WrongUnit,
        _ => Code::BadThreshold,
    };
    let message = error.to_string();
    let (what, help) = message.split_once("; ").unwrap_or((&message, ""));
    Diagnostic::new(code, format!("the goal {} {what}", quoted(text)))
        .note(format!("{} is the {}", quoted(metric.name), metric.about))
        .help_if((!help.is_empty()).then(|| help.to_owned()))
}
