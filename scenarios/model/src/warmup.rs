//! The warm-up: how much of a run's beginning is left out of what is measured.

use play::plan::{Group, Join, Start};
use types::Duration;

/// How long a network settles before it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warmup {
    /// So long.
    For(Duration),
    /// As long as the plan says that the network needs.
    Auto,
}

impl Default for Warmup {
    fn default() -> Self {
        Self::For(Duration::ZERO)
    }
}

/// The word for [`Warmup::Auto`].
const AUTO: &str = "auto";

impl Warmup {
    /// How long it is for these groups. `auto` is told from the plan, not from the numbers that are to be judged: it lasts
    /// until the last newcomer of the plan has come and, unless an oracle filled the tables, everybody has refreshed its
    /// own once more.
    pub(crate) fn resolve<'a>(
        self,
        start: Start,
        groups: impl Iterator<Item = &'a Group> + Clone,
    ) -> Duration {
        if let Self::For(given) = self {
            return given;
        }
        let joined = groups.clone().map(|group| match group.join {
            Join::At(time) | Join::Ramp(time) | Join::Poisson(time) => time,
        });
        let joined = joined.max().unwrap_or_default();
        let refreshed = groups.map(|group| group.node.kad.refresh_interval).max().unwrap_or_default();
        match start {
            Start::Oracle if joined == Duration::ZERO => Duration::ZERO,
            Start::Oracle | Start::Join => joined + refreshed,
        }
    }
}

impl<'de> serde::Deserialize<'de> for Warmup {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == AUTO {
            return Ok(Self::Auto);
        }
        Duration::deserialize(serde::de::value::StringDeserializer::new(text)).map(Self::For)
    }
}

impl schemars::JsonSchema for Warmup {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Warmup".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let duration = generator.subschema_for::<Duration>();
        schemars::json_schema!({
            "description": "How long a network settles: a duration, or `auto`.",
            "anyOf": [{"const": AUTO, "description": "Until the plan's last newcomer has come and all tables were refreshed once more."}, duration],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_waits_for_the_last_newcomer_and_a_refresh() {
        let mut late = Group::of(10);
        late.join = Join::Ramp(Duration::from_mins(2));
        late.node.kad.refresh_interval = Duration::from_mins(7);
        let groups = [Group::of(5), late];
        let auto = |start, groups: &[Group]| Warmup::Auto.resolve(start, groups.iter());
        assert_eq!(auto(Start::Join, &groups), Duration::from_mins(9));
        assert_eq!(auto(Start::Oracle, &groups), Duration::from_mins(9));
        assert_eq!(auto(Start::Oracle, &groups[..1]), Duration::ZERO);
        assert_eq!(auto(Start::Join, &groups[..1]), Group::of(5).node.kad.refresh_interval);
        assert_eq!(
            Warmup::For(Duration::from_secs(3)).resolve(Start::Join, groups.iter()),
            Duration::from_secs(3)
        );
    }
}
