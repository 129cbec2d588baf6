//! An engine in memory, for tests: it keeps containers and images, as its documentation says.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value as Json, json};

use crate::kit::memory::Memory;

/// What it keeps, and what it was asked.
#[derive(Default)]
pub struct Kept {
    pub containers: Vec<Json>,
    pub images: Vec<Json>,
    pub networks: Vec<Json>,
    /// Questions that change something.
    pub asked: Vec<String>,
    count: u64,
}

pub type Engine = Arc<Mutex<Kept>>;

/// An engine behind the usual socket, with the image `tiny:1`.
pub fn serve(host: &Memory) -> Engine {
    let engine = Engine::default();
    engine.lock().unwrap().images.push(image("tiny:1", 1));
    let kept = Arc::clone(&engine);
    host.serve_socket("/var/run/docker.sock", move |asked| answer(&mut kept.lock().unwrap(), asked));
    engine
}

pub fn image(name: &str, number: u64) -> Json {
    json!({
        "Id": id(number), "RepoTags": [name],
        "Config": {
            "Env": ["PATH=/bin", "A=1"], "Cmd": ["sleep", "1d"], "Labels": {"made": "here"},
            "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}},
        },
    })
}

fn id(number: u64) -> String {
    format!("sha256:{number:064x}")
}

fn answer(kept: &mut Kept, asked: &str) -> Vec<u8> {
    let (head, body) = asked.split_once("\r\n\r\n").unwrap_or((asked, ""));
    let mut words = head.split_whitespace();
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let body: Json = serde_json::from_str(body).unwrap_or_default();
    let target = target.strip_prefix("/v1.41").unwrap_or(target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if method != "GET" {
        kept.asked.push(format!("{method} {target} {body}"));
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (status, told) = kept.answer(method, &parts, query, &body);
    let told = if told.is_null() { String::new() } else { told.to_string() };
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{told}", told.len()).into_bytes()
}

fn missing(what: &str) -> (u16, Json) {
    (404, json!({"message": format!("No such {what}")}))
}

fn value<'a>(query: &'a str, key: &str) -> &'a str {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default()
}

impl Kept {
    fn answer(&mut self, method: &str, parts: &[&str], query: &str, body: &Json) -> (u16, Json) {
        match (method, parts) {
            ("GET", ["version"]) => (200, json!({"ApiVersion": "1.41"})),
            ("GET", ["images", name, "json"]) => {
                let name = name.replace("%3A", ":").replace("%2F", "/");
                let is_it = |image: &&Json| {
                    image["Id"] == name.as_str()
                        || image["RepoTags"].as_array().unwrap().iter().any(|tag| tag == name.as_str())
                };
                self.images.iter().find(is_it).map_or_else(|| missing("image"), |image| (200, image.clone()))
            }
            ("POST", ["images", "create"]) => {
                let name = format!("{}:{}", value(query, "fromImage"), value(query, "tag"));
                if name.starts_with("nope") {
                    return (200, json!({"error": "no", "errorDetail": {"code": 4, "message": "denied"}}));
                }
                self.count += 1;
                let new = image(&name, 100 + self.count);
                self.images.push(new);
                (200, json!({"status": "Pulled"}))
            }
            ("GET", ["networks", name]) => {
                let found = self.networks.iter().find(|one| one["Name"] == *name || one["Id"] == *name);
                found.map_or_else(|| missing("network"), |network| (200, network.clone()))
            }
            ("POST", ["networks", name, verb]) => {
                let container = body["Container"].as_str().unwrap();
                let container = self.containers.iter_mut().find(|one| one["Id"] == container).unwrap();
                let networks = container["NetworkSettings"]["Networks"].as_object_mut().unwrap();
                if *verb == "connect" {
                    networks.insert((*name).to_owned(), body["EndpointConfig"].clone());
                } else {
                    networks.shift_remove(*name);
                }
                (200, Json::Null)
            }
            ("POST", ["containers", "create"]) => self.create(value(query, "name"), body),
            (_, ["containers", name, verb @ ..]) => self.container(method, name, verb, body),
            _ => missing("page"),
        }
    }

    fn create(&mut self, name: &str, body: &Json) -> (u16, Json) {
        self.count += 1;
        let id = format!("{:064x}", self.count);
        let named = body["Image"].as_str().unwrap();
        let tagged = format!("{named}:latest");
        let image = self.images.iter().find(|image| {
            [&image["Id"], &image["RepoTags"][0]].iter().any(|name| **name == named || **name == tagged)
        });
        let Some(image) = image else { return missing("image") };
        let mut config = body.as_object().unwrap().clone();
        let host = config.shift_remove("HostConfig").unwrap_or_else(|| json!({}));
        let networking = config.shift_remove("NetworkingConfig").unwrap_or_default();
        let networks = networking.get("EndpointsConfig").cloned().unwrap_or_else(|| json!({"bridge": {}}));
        for (key, usual) in image["Config"].as_object().unwrap() {
            let given = config.entry(key.clone()).or_insert_with(|| json!({}));
            match (given, usual) {
                (Json::Object(given), Json::Object(usual)) => {
                    let own = std::mem::replace(given, usual.clone());
                    given.extend(own);
                }
                (given, usual) if *given == json!({}) || *given == json!([]) => *given = usual.clone(),
                (Json::Array(given), Json::Array(usual)) if key == "Env" => {
                    given.extend(usual.clone());
                }
                _ => {}
            }
        }
        self.containers.push(json!({
            "Id": id, "Name": format!("/{name}"), "Image": image["Id"], "Config": config, "HostConfig": host,
            "State": {"Status": "created", "Running": false, "Paused": false},
            "NetworkSettings": {"Networks": networks},
        }));
        (201, json!({"Id": id, "Warnings": []}))
    }

    fn container(&mut self, method: &str, name: &str, verb: &[&str], body: &Json) -> (u16, Json) {
        let whole = format!("/{name}");
        let Some(at) = self.containers.iter().position(|one| one["Name"] == whole || one["Id"] == name)
        else {
            return missing(&format!("container: {name}"));
        };
        let container = &mut self.containers[at];
        let is_paused = container["State"]["Paused"] == true;
        let mut be = |state: &str, is: bool| container["State"][state] = is.into();
        match (method, verb) {
            ("GET", ["json"]) => return (200, container.clone()),
            ("POST", ["start" | "restart"]) => be("Running", true),
            ("POST", ["stop" | "kill"]) if is_paused => {
                return (409, json!({"message": "Unpause the container before stopping or killing"}));
            }
            ("POST", ["stop" | "kill"]) => be("Running", false),
            ("POST", ["pause"]) => be("Paused", true),
            ("POST", ["unpause"]) => be("Paused", false),
            ("POST", ["update"]) => {
                let host = container["HostConfig"].as_object_mut().unwrap();
                host.extend(body.as_object().cloned().unwrap_or_else(Map::new));
                return (200, json!({"Warnings": null}));
            }
            ("POST", ["wait"]) => {
                be("Running", false);
                return (200, json!({"StatusCode": 0}));
            }
            ("DELETE", []) => drop(self.containers.remove(at)),
            _ => return missing("page"),
        }
        (204, Json::Null)
    }
}
