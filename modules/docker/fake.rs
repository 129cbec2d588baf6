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
    pub volumes: Vec<Json>,
    /// What it says of what it pruned.
    pub pruned: Json,
    /// What an image is as an archive.
    pub archive: Vec<u8>,
    /// What a command in a container says.
    pub said: Vec<u8>,
    /// What the last one ends with.
    code: u8,
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
        let sent = asked.split_once("\r\n\r\n").map_or("", |(_, sent)| sent);
        let shown = if body.is_null() { sent.replace('\0', "") } else { body.to_string() };
        kept.asked.push(format!("{method} {target} {shown}"));
    }
    // Names of images may hold slashes.
    let path = path.trim_start_matches('/');
    let named = path.strip_prefix("images/").and_then(|rest| rest.rsplit_once('/'));
    let parts: Vec<&str> = match named {
        Some((name, verb)) if ["json", "tag", "push", "get"].contains(&verb) => vec!["images", name, verb],
        _ => path.split('/').collect(),
    };
    if let ("GET", ["images", _, "get"]) = (method, parts.as_slice()) {
        let head = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n", kept.archive.len());
        return [head.as_bytes(), &kept.archive].concat();
    }
    let starts = matches!(parts.as_slice(), ["exec", _, "start"]) && body["Detach"] == false;
    let bytes = match (method, parts.as_slice()) {
        ("GET", ["images", "get"]) => Some(&kept.archive),
        ("POST", _) if starts => Some(&kept.said),
        ("GET", ["containers", _, "logs"]) => Some(&kept.said),
        _ => None,
    };
    if let Some(bytes) = bytes {
        return [&b"HTTP/1.1 200 X\r\n\r\n"[..], bytes].concat();
    }
    let (status, told) = kept.answer(method, &parts, query, &body);
    let told = if told.is_null() { String::new() } else { told.to_string() };
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{told}", told.len()).into_bytes()
}

fn missing(what: &str) -> (u16, Json) {
    (404, json!({"message": format!("No such {what}")}))
}

fn plain(name: &str) -> String {
    name.replace("%3A", ":").replace("%2F", "/")
}

fn has_name(image: &Json, name: &str) -> bool {
    image["Id"] == name || image["RepoTags"].as_array().unwrap().iter().any(|tag| tag == name)
}

fn value<'a>(query: &'a str, key: &str) -> &'a str {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default()
}

impl Kept {
    fn answer(&mut self, method: &str, parts: &[&str], query: &str, body: &Json) -> (u16, Json) {
        match (method, parts) {
            ("GET", ["info"]) => (200, json!({"Name": "here"})),
            ("GET", ["system", "df"]) => (200, json!({"LayersSize": 7, "Images": []})),
            ("GET", ["volumes"]) => (200, json!({"Volumes": self.volumes})),
            ("GET", ["networks"]) => (200, self.networks.clone().into()),
            ("GET", ["containers", "json"]) => (200, self.containers.clone().into()),
            ("POST", ["containers", "nope", "exec"]) => missing("container: nope"),
            ("POST", ["containers", _, "exec"]) => {
                self.code = if body["Cmd"][0] == "false" { 3 } else { 0 };
                (201, json!({"Id": "e1"}))
            }
            ("POST", ["exec", _, "start"]) => (200, Json::Null),
            ("GET", ["exec", _, "json"]) => (200, json!({"ExitCode": self.code})),
            ("GET", ["version"]) => (200, json!({"ApiVersion": "1.41"})),
            ("GET", ["images", name, "json"]) => {
                let name = plain(name);
                let found = self.images.iter().find(|image| has_name(image, &name));
                found.map_or_else(|| missing("image"), |image| (200, image.clone()))
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
            ("POST", ["images", name, "tag"]) => {
                let (name, new) =
                    (plain(name), format!("{}:{}", plain(value(query, "repo")), value(query, "tag")));
                let tagged = self.images.iter_mut().find(|image| has_name(image, &name)).unwrap();
                tagged["RepoTags"].as_array_mut().unwrap().push(new.into());
                (201, Json::Null)
            }
            ("POST", ["images", _, "push"]) => (200, json!({"status": "Pushed"})),
            ("POST", ["images", "load"]) => {
                self.images.push(image("loaded:1", 77));
                (200, json!({"stream": "Loaded image: loaded:1\n"}))
            }
            ("POST", ["build"]) => {
                self.images.push(image(&plain(value(query, "t")), 78));
                (200, json!({"stream": "Step 1/1 : FROM scratch\n"}))
            }
            ("DELETE", ["images", name]) => {
                let name = plain(name);
                self.images.retain(|image| !has_name(image, &name));
                (200, json!([]))
            }
            ("POST", [_, "prune"]) => (200, self.pruned.clone()),
            ("GET", ["images", "json"]) => (200, self.images.clone().into()),
            ("GET", ["networks", name]) => {
                let found = self.networks.iter().find(|one| one["Name"] == *name || one["Id"] == *name);
                found.map_or_else(|| missing("network"), |network| (200, self.with_members(network)))
            }
            ("POST", ["networks", "create"]) => {
                self.count += 1;
                let mut network = body.clone();
                network["Id"] = id(self.count).into();
                self.networks.push(network);
                (201, json!({"Id": id(self.count), "Warning": ""}))
            }
            ("DELETE", ["networks", name]) => {
                self.networks.retain(|one| one["Name"] != *name);
                (204, Json::Null)
            }
            ("POST", ["auth"]) if body["password"] == "wrong" => (500, json!({"message": "unauthorized"})),
            ("POST", ["auth"]) => (200, json!({"IdentityToken": "", "Status": "Login Succeeded"})),
            ("GET", ["volumes", name]) => {
                let found = self.volumes.iter().find(|one| one["Name"] == *name);
                found.map_or_else(|| missing("volume"), |volume| (200, volume.clone()))
            }
            ("POST", ["volumes", "create"]) => {
                let mut volume = body.clone();
                volume["Options"] = body["DriverOpts"].clone();
                self.volumes.push(volume.clone());
                (201, volume)
            }
            ("DELETE", ["volumes", name]) => {
                self.volumes.retain(|one| one["Name"] != *name);
                (204, Json::Null)
            }
            ("POST", ["networks", name, verb]) => {
                let container = body["Container"].as_str().unwrap();
                let named = format!("/{container}");
                let is_it = |one: &&mut Json| one["Id"] == container || one["Name"] == named;
                let container = self.containers.iter_mut().find(is_it).unwrap();
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

    fn with_members(&self, network: &Json) -> Json {
        let name = network["Name"].as_str().unwrap();
        let is_member = |one: &&Json| one["NetworkSettings"]["Networks"].get(name).is_some();
        let member = |one: &Json| {
            let name = one["Name"].as_str().unwrap().trim_start_matches('/').to_owned();
            (one["Id"].as_str().unwrap().to_owned(), json!({"Name": name}))
        };
        let members: Map<String, Json> = self.containers.iter().filter(is_member).map(member).collect();
        let mut network = network.clone();
        network["Containers"] = members.into();
        network
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
        let starts = container["Config"]["Cmd"] != json!(["nope"]);
        let mut be = |state: &str, is: bool| container["State"][state] = is.into();
        match (method, verb) {
            ("GET", ["json"]) => return (200, container.clone()),
            ("POST", ["start" | "restart"]) if !starts => {
                return (400, json!({"message": "exec: nope: not found"}));
            }
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
                let code = container["Config"]["Cmd"].as_array().filter(|words| words[0] == "ends");
                let code = code.and_then(|words| words[1].as_str()?.parse::<u8>().ok()).unwrap_or(0);
                return (200, json!({"StatusCode": code}));
            }
            ("DELETE", []) => drop(self.containers.remove(at)),
            _ => return missing("page"),
        }
        (204, Json::Null)
    }
}
