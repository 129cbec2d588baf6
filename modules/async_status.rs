use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::kit::{Failure, Result, System};

/// Tells how a task that runs in the background is getting on.
///
/// The result is that of the module once it has finished; until then `finished` is false. Use it with `until`, or
/// clean up behind a job with `mode: cleanup`.
///
/// # Examples
///
/// ```yaml
/// - name: Wait for the job
///   async_status:
///     jid: "{{ job.ansible_job_id }}"
///   register: status
///
/// - name: Clean up behind it
///   async_status: {jid: "{{ job.ansible_job_id }}", mode: cleanup}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The job's name: the `ansible_job_id` of the task that started it.
    pub jid: String,
    /// What to do.
    #[serde(default)]
    pub mode: Mode,
    /// Set by the control node: the directory of job files.
    #[schemars(skip)]
    #[serde(default, rename = "_async_dir")]
    pub dir: Option<String>,
    /// Set by the control node: what has finished is cleaned up at once.
    #[schemars(skip)]
    #[serde(default, rename = "_erase")]
    pub erase: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Tells the job's state, or its result.
    #[default]
    Status,
    /// Removes the job's file.
    Cleanup,
}

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<()> {
    let dir = sys.expand(args.dir.as_deref().unwrap_or("~/.ansible_async"))?;
    let file = PathBuf::from(dir).join(&args.jid);
    let shown = file.to_string_lossy().into_owned();
    let place = if args.mode == Mode::Cleanup { "erased" } else { "results_file" };
    let texts = [("stdout", json!("")), ("stderr", json!(""))];
    let told = |started: bool, finished: bool| {
        let state = [
            ("ansible_job_id", json!(args.jid)),
            (place, json!(shown)),
            ("started", json!(started)),
            ("finished", json!(finished)),
        ];
        texts.iter().cloned().chain(state).map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()
    };
    let Some(text) = sys.read_text_if_there(&file)? else {
        return Err(Failure::new("could not find job").with_all(told(true, true)));
    };
    if args.mode == Mode::Cleanup {
        sys.discard(&file)?;
        sys.adopt(told(false, false));
        return Ok(());
    }
    // Whoever writes it without renaming may not be done yet.
    let state = match serde_json::from_str(&text) {
        Ok(Json::Object(state)) => state,
        _ => Map::new(),
    };
    let finished = !state.is_empty() && !state.contains_key("started");
    let mut result = told(true, finished);
    result.extend(state.into_iter().filter(|(key, _)| key != "started" && key != "finished"));
    if finished && args.erase {
        sys.discard(&file)?;
    }
    sys.adopt(result);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::kit::trial::Trial;

    /// With that in the job's file.
    fn check(file: Option<&str>, args: Json, expected: Json) -> Trial {
        let trial = Trial::of("async_status");
        if let Some(text) = file {
            trial.host.file("/jobs/j1.1", text);
        }
        let mut all = json!({"jid": "j1.1", "_async_dir": "/jobs"});
        all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
        let got = trial.run_exact(&all);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(got.get(key).unwrap_or(&Json::Null), value, "{key} of {got:#}");
        }
        trial
    }

    #[test]
    fn tells_the_state_of_a_job() {
        check(
            Some(r#"{"started": true, "finished": false, "ansible_job_id": "j1.1"}"#),
            json!({}),
            json!({"started": true, "finished": false, "changed": false, "results_file": "/jobs/j1.1"}),
        );
        // As older releases of Ansible write it, and one that is just being written.
        check(Some(r#"{"started": 1, "finished": 0}"#), json!({}), json!({"finished": false}));
        check(Some(""), json!({}), json!({"started": true, "finished": false}));
        check(
            Some(r#"{"changed": true, "rc": 0, "stdout": "hi"}"#),
            json!({}),
            json!({"finished": true, "changed": true, "stdout": "hi", "stderr": "", "failed": null}),
        );
        check(
            Some(r#"{"failed": true, "msg": "Timeout exceeded"}"#),
            json!({}),
            json!({"finished": true, "failed": true, "msg": "Timeout exceeded", "changed": false}),
        );
        check(None, json!({}), json!({"failed": true, "finished": true, "msg": "could not find job"}));
    }

    #[test]
    fn cleans_up() {
        let done = r#"{"changed": true}"#;
        let gone = |trial: Trial| trial.host.read("/jobs/j1.1").is_none();
        assert!(gone(check(
            Some(done),
            json!({"mode": "cleanup"}),
            json!({"erased": "/jobs/j1.1", "changed": false, "finished": false})
        )));
        assert!(gone(check(Some(done), json!({"_erase": true}), json!({"changed": true, "finished": true}))));
        let running = r#"{"started": true, "finished": false}"#;
        assert!(!gone(check(Some(running), json!({"_erase": true}), json!({"finished": false}))));
    }
}
