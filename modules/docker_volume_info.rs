use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::docker::EngineOptions;
use crate::docker::engine::quoted;
use crate::kit::{Result, System};

/// Tells what the Docker engine knows of a volume.
///
/// # Examples
///
/// ```yaml
/// - name: Where the volume is
///   docker_volume_info: {name: pgdata}
///   register: found
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Args {
    /// Its name.
    #[schemars(extend("aliases" = ["volume_name"]))]
    pub name: String,
    #[serde(flatten)]
    pub engine: EngineOptions,
}

#[derive(Serialize)]
pub struct Returns {
    exists: bool,
    /// As the engine tells it; null where there is none.
    volume: Option<Json>,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let engine = args.engine.open(sys)?;
    let volume = engine.get_if_there(&format!("/volumes/{}", quoted(&args.name)), sys)?;
    Ok(Returns { exists: volume.is_some(), volume })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::docker::fake;
    use crate::kit::trial::Trial;

    #[test]
    fn what_is_there_is_told() {
        let trial = Trial::of("docker_volume_info");
        let engine = fake::serve(&trial.host);
        let none = trial.check(&json!({"name": "x"}));
        assert_eq!((&none["exists"], &none["volume"]), (&false.into(), &Json::Null));
        let one = json!({"Name": "x", "Id": "1"});
        engine.lock().unwrap().volumes.push(one);
        let found = trial.run(&json!({"name": "x"}));
        assert_eq!((&found["exists"], &found["volume"]["Name"]), (&true.into(), &"x".into()));
        assert_eq!(found["changed"], false);
    }
}
