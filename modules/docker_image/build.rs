//! How an image is built.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use crate::docker::context::Context;
use crate::docker::engine::{Engine, Question, Upload, query};
use crate::docker::image::lines;
use crate::docker::{at, registry, text, words};
use crate::kit::args::Kind;
use crate::kit::{Failure, Result, Suboptions, System};

const FIELDS: [&str; 16] = [
    "args",
    "cache_from",
    "container_limits",
    "dockerfile",
    "etc_hosts",
    "http_timeout",
    "labels",
    "network",
    "nocache",
    "path",
    "platform",
    "pull",
    "rm",
    "shm_size",
    "target",
    "use_config_proxy",
];

pub struct Wish {
    pub path: String,
    dockerfile: Option<String>,
    args: Map<String, Json>,
    labels: Option<Map<String, Json>>,
    cache_from: Option<Vec<String>>,
    hosts: Option<Map<String, Json>>,
    network: Option<String>,
    platform: Option<String>,
    target: Option<String>,
    shm_size: Option<String>,
    limits: Vec<(&'static str, String)>,
    pull: bool,
    nocache: bool,
    rm: bool,
    patience: Option<Duration>,
    use_proxy: bool,
}

impl Wish {
    pub fn of(given: &Map<String, Json>) -> Result<Self> {
        let fields = Suboptions::of("build", given, &FIELDS)?;
        let size = |option: &str, text: &str| {
            Kind::Bytes
                .convert(&text.into())
                .map(|size| size.to_string())
                .map_err(|why| Failure::new(format!("Failed to convert build.{option} to bytes: {why}")))
        };
        let mut limits = Vec::new();
        if let Some(Json::Object(given)) = fields.raw("container_limits") {
            let known = ["cpusetcpus", "cpushares", "memory", "memswap"];
            let fields = Suboptions::of("build.container_limits", given, &known)?;
            for (option, bytes) in
                [("memory", true), ("memswap", true), ("cpushares", false), ("cpusetcpus", false)]
            {
                if let Some(text) = fields.text(option)? {
                    let value = if bytes { size(option, &text)? } else { text };
                    limits.push((option, value));
                }
            }
        }
        let patience = fields.int("http_timeout")?.and_then(|seconds| u64::try_from(seconds).ok());
        let shm_size = fields.text("shm_size")?.map(|text| size("shm_size", &text)).transpose()?;
        let labels = fields.raw("labels").and_then(Json::as_object).map(words::labels).transpose()?;
        let args = fields.raw("args").and_then(Json::as_object).map(words::texts);
        Ok(Self {
            path: fields.needed("path")?,
            dockerfile: fields.text("dockerfile")?,
            args: args.unwrap_or_default(),
            labels,
            cache_from: fields.texts("cache_from")?,
            hosts: fields.mapping("etc_hosts")?,
            network: fields.text("network")?,
            platform: fields.text("platform")?,
            target: fields.text("target")?,
            shm_size,
            limits,
            pull: fields.flag("pull")?.unwrap_or_default(),
            nocache: fields.flag("nocache")?.unwrap_or_default(),
            rm: fields.flag("rm")?.unwrap_or(true),
            patience: patience.map(Duration::from_secs),
            use_proxy: fields.flag("use_config_proxy")?.unwrap_or_default(),
        })
    }

    /// Builds the image of that name; gives what the engine said.
    pub fn run(&self, repository: &str, tag: &str, engine: &Engine, sys: &mut System<'_>) -> Result<String> {
        let context = Context::of(Path::new(&self.path), self.dockerfile.as_deref(), sys)?;
        let said = self.send(repository, tag, &context, engine, sys);
        sys.discard(&context.archive)?;
        said
    }

    fn send(
        &self,
        repository: &str,
        tag: &str,
        context: &Context,
        engine: &Engine,
        sys: &mut System<'_>,
    ) -> Result<String> {
        let config = registry::config(&registry::config_path(sys)?, sys)?;
        let mut args = if self.use_proxy { proxies(&config) } else { Map::new() };
        args.extend(self.args.clone());
        let json = |value: Option<Json>| value.map(|value| value.to_string());
        let name = format!("{repository}:{tag}");
        let flag = |flag: bool| if flag { "True" } else { "False" };
        let hosts = self.hosts.as_ref().map(|hosts| {
            let host = |(name, address): (&String, &Json)| {
                format!("{name}:{}", address.as_str().unwrap_or_default())
            };
            hosts.iter().map(host).collect::<Vec<_>>().join(",")
        });
        let args = (!args.is_empty()).then_some(args);
        let (args, labels) = (json(args.map(Json::from)), json(self.labels.clone().map(Json::from)));
        let cache = json(self.cache_from.clone().map(Json::from));
        let mut values = vec![
            ("t", Some(name.as_str())),
            ("q", Some("False")),
            ("nocache", Some(flag(self.nocache))),
            ("rm", Some(flag(self.rm))),
            ("forcerm", Some(flag(self.rm))),
            ("pull", Some(flag(self.pull))),
            ("dockerfile", context.dockerfile.as_deref()),
            ("buildargs", args.as_deref()),
            ("labels", labels.as_deref()),
            ("cachefrom", cache.as_deref()),
            ("extrahosts", hosts.as_deref()),
            ("networkmode", self.network.as_deref()),
            ("platform", self.platform.as_deref()),
            ("target", self.target.as_deref()),
            ("shmsize", self.shm_size.as_deref()),
        ];
        values.extend(self.limits.iter().map(|(name, value)| (*name, Some(value.as_str()))));
        let path = query("/build", &values);
        let headers = registry::all_logins(&config, sys)?;
        let question =
            Question { headers: &headers, patience: self.patience, ..Question::new("POST", &path) };
        let upload = Upload { kind: "application/x-tar", path: &context.archive };
        let reply = engine.ask(&question, Some(upload), sys);
        let reply = reply.map_err(|error| error.context("An unexpected Docker error occurred"))?;
        let mut logs = Vec::new();
        let told = lines(reply, &mut |line| {
            if let Some(text) = line.get("stream").and_then(Json::as_str) {
                logs.push(text.strip_suffix('\n').unwrap_or(text).to_owned());
            }
        });
        told.map_err(|error| {
            error.worded(|error| {
                let logs: Vec<String> = logs.iter().map(|line| format!("'{line}'")).collect();
                let (code, message, logs) = (error.code, error.message, logs.join(", "));
                format!("Error building {repository} - code: {code}, message: {message}, logs: [{logs}]")
            })
        })?;
        Ok(logs.join("\n"))
    }
}

/// What the client's file says of proxies, as variables.
fn proxies(config: &Json) -> Map<String, Json> {
    let given = at(config, "proxies/default");
    let names = [
        ("httpProxy", "http_proxy"),
        ("httpsProxy", "https_proxy"),
        ("ftpProxy", "ftp_proxy"),
        ("noProxy", "no_proxy"),
    ];
    let found = names.iter().filter(|(key, _)| !text(given, key).is_empty());
    found
        .flat_map(|(key, name)| {
            let value = json!(text(given, key));
            [(name.to_uppercase(), value.clone()), ((*name).to_owned(), value)]
        })
        .collect()
}
