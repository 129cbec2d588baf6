mod command;
mod compare;
mod container;
mod devices;
mod environment;
mod health;
mod image;
mod lifecycle;
mod mounts;
mod networks;
mod plain;
mod ports;
mod present;
mod size;
#[cfg(test)]
mod tests;
mod versions;
mod wish;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::docker::EngineOptions;
use crate::kit::{FilePath, Result, System};

/// Manages Docker containers.
///
/// The engine is asked by its own interface, through its socket: the target needs neither Python nor the program
/// `docker`. A container whose configuration is not as it is wanted is made anew; what can change in a running one
/// (limits, its restart policy, its networks) does so there. What is not given is not looked at.
///
/// # Examples
///
/// ```yaml
/// - name: A web server runs
///   docker_container:
///     name: web
///     image: nginx:1.27
///     restart_policy: unless-stopped
///     ports: ["8080:80", "127.0.0.1:8443:443"]
///     volumes: ["/srv/www:/usr/share/nginx/html:ro", "cache:/var/cache/nginx"]
///     env: {TZ: Europe/Vienna}
///     labels: {team: web}
///
/// - name: It is of a network, known there by another name
///   docker_container:
///     name: db
///     image: postgres:16
///     networks:
///       - {name: backend, aliases: [database], ipv4_address: 172.20.0.5}
///     memory: 512M
///     healthcheck: {test: [CMD, pg_isready, -U, postgres], interval: 10s, retries: 5}
///
/// - name: Its configuration is what is said here, no more
///   docker_container:
///     name: agent
///     image: example/agent
///     env: {LEVEL: info}
///     comparisons: {image: ignore, env: strict, "*": ignore}
///
/// - name: It starts anew
///   docker_container: {name: web, restart: true}
///
/// - name: It is gone
///   docker_container: {name: old, state: absent}
/// ```
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(extend("required_by" = {"log_options": ["log_driver"], "restart_retries": ["restart_policy"]}))]
pub struct Args {
    /// Its name, or its id.
    pub name: String,
    /// What is to be.
    #[serde(default)]
    pub state: State,
    /// The image: a name, without a tag that of `latest`, or an id. Needed where there is no container yet.
    pub image: Option<String>,
    /// When the image is pulled: `never`, `missing` (or `false`), `always` (or `true`).
    #[serde(default = "missing")]
    pub pull: Json,
    /// What check mode foretells of an image that is there and would be pulled.
    #[serde(default)]
    pub pull_check_mode_behavior: PullForetold,
    /// Whether a container of the same image under another name is made anew.
    #[serde(default)]
    pub image_name_mismatch: NameMismatch,
    /// What becomes of the image's labels that `labels` does not have, where those are compared strictly.
    #[serde(default)]
    pub image_label_mismatch: LabelMismatch,
    /// The image whose defaults count in comparisons: the wanted one, or the container's.
    #[serde(default)]
    pub image_comparison: ImageComparison,
    /// How options are compared with the container's: `strict`, `ignore`, and of lists and mappings
    /// `allow_more_present`. `*` stands for all others.
    pub comparisons: Option<Map<String, Json>>,
    /// `compatibility` has defaults for options that are not given.
    #[serde(default)]
    pub container_default_behavior: DefaultBehavior,
    /// Whether the container is made anew in any case.
    #[serde(default)]
    pub recreate: bool,
    /// Whether a container that is as it should be is started anew.
    #[serde(default)]
    pub restart: bool,
    /// Whether its processes are frozen.
    pub paused: Option<bool>,
    /// Whether a container is killed, not stopped.
    #[serde(default)]
    #[schemars(extend("aliases" = ["forcekill"]))]
    pub force_kill: bool,
    /// The signal to kill with.
    pub kill_signal: Option<String>,
    /// Whether nameless volumes of a container that goes are kept.
    #[serde(default = "yes")]
    pub keep_volumes: bool,
    /// How many seconds a container that goes may take for it.
    pub removal_wait_timeout: Option<f64>,
    /// How many seconds it may take to be healthy; none and less: forever.
    #[serde(default = "five_minutes")]
    pub healthy_wait_timeout: f64,
    /// Whether nobody waits for its command to end.
    pub detach: Option<bool>,
    /// With `detach: false`: whether a container whose command ended well goes.
    #[serde(default)]
    pub cleanup: bool,
    /// With `detach: false`: whether what the command said stands in the target's log, too, by its program `logger`.
    #[serde(default)]
    pub output_logs: bool,
    /// Its networks.
    pub networks: Option<Vec<Map<String, Json>>>,
    /// Whether `networks` are all: the usual network is not one of them.
    #[serde(default = "yes")]
    pub networks_cli_compatible: bool,
    #[serde(flatten)]
    pub engine: EngineOptions,
    #[serde(flatten)]
    pub process: Process,
    #[serde(flatten)]
    pub resources: Resources,
    #[serde(flatten)]
    pub surroundings: Surroundings,
}

/// What runs, and how.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// The command: text, which is split as a shell does, or a list.
    pub command: Option<Json>,
    /// The program, in place of the image's.
    pub entrypoint: Option<Vec<String>>,
    /// How lists are taken for `command` and `entrypoint`: as they are, or joined and split anew.
    #[serde(default)]
    pub command_handling: CommandHandling,
    /// Variables of its environment.
    pub env: Option<Map<String, Json>>,
    /// A file on the target with such variables, `NAME=value` on each line.
    pub env_file: Option<FilePath>,
    /// Who it runs as: `user`, `uid`, `user:group`.
    pub user: Option<String>,
    /// More groups of its process.
    pub groups: Option<Vec<String>>,
    /// Where it runs.
    pub working_dir: Option<String>,
    /// Whether its input stays open.
    pub interactive: Option<bool>,
    /// Whether it has a terminal.
    pub tty: Option<bool>,
    /// Whether an init runs in it.
    pub init: Option<bool>,
    /// The signal to stop it.
    pub stop_signal: Option<String>,
    /// How many seconds it has to stop.
    pub stop_timeout: Option<i64>,
    /// When the engine starts it anew.
    pub restart_policy: Option<RestartPolicy>,
    /// How often that is tried, with `on-failure`.
    pub restart_retries: Option<i64>,
    /// Whether the engine removes it when it ends.
    pub auto_remove: Option<bool>,
    /// How it is known to be well: `test` (text for a shell, or `[CMD, …]`, `[CMD-SHELL, …]`, `[NONE]`), `interval`,
    /// `timeout`, `start_period`, `start_interval` (`1m30s`), `retries`, `test_cli_compatible`.
    pub healthcheck: Option<Map<String, Json>>,
    /// Labels.
    pub labels: Option<Map<String, Json>>,
    /// The driver of its log.
    pub log_driver: Option<String>,
    /// Options of that driver.
    #[schemars(extend("aliases" = ["log_opt"]))]
    pub log_options: Option<Map<String, Json>>,
    /// The platform of its image: `os[/arch[/variant]]`.
    pub platform: Option<String>,
    /// What runs it.
    pub runtime: Option<String>,
}

/// How much it may have of the machine.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// The weight of its input and output, 10 to 1000.
    pub blkio_weight: Option<i64>,
    /// The period of the scheduler, in microseconds.
    pub cpu_period: Option<i64>,
    /// How much of a period it may have.
    pub cpu_quota: Option<i64>,
    /// Its weight among others.
    pub cpu_shares: Option<i64>,
    /// How many processors it may use: `1.5`.
    pub cpus: Option<f64>,
    /// Which processors: `0-2`, `1,3`.
    pub cpuset_cpus: Option<String>,
    /// Which nodes of memory.
    pub cpuset_mems: Option<String>,
    /// The limit of memory: `512M`.
    pub memory: Option<String>,
    /// The limit it is pressed to when memory is short.
    pub memory_reservation: Option<String>,
    /// The limit of memory and swap together; `unlimited` or `-1`: none.
    pub memory_swap: Option<String>,
    /// How readily its memory is swapped, 0 to 100.
    pub memory_swappiness: Option<i64>,
    /// The limit of the kernel's memory.
    pub kernel_memory: Option<String>,
    /// Whether it is spared when memory is out.
    pub oom_killer: Option<bool>,
    /// How readily it is not.
    pub oom_score_adj: Option<i64>,
    /// How many processes; `-1`: any number.
    pub pids_limit: Option<i64>,
    /// The size of `/dev/shm`.
    pub shm_size: Option<String>,
    /// Limits of its processes: `nofile:1024:2048`.
    pub ulimits: Option<Vec<String>>,
    /// Devices it may use: `/dev/a:/dev/b:rwm`.
    pub devices: Option<Vec<String>>,
    /// How many bytes a second it reads from a device: `path`, `rate`.
    pub device_read_bps: Option<Vec<Map<String, Json>>>,
    /// How many bytes a second it writes to a device: `path`, `rate`.
    pub device_write_bps: Option<Vec<Map<String, Json>>>,
    /// How often a second it reads from a device: `path`, `rate`.
    pub device_read_iops: Option<Vec<Map<String, Json>>>,
    /// How often a second it writes to a device: `path`, `rate`.
    pub device_write_iops: Option<Vec<Map<String, Json>>>,
    /// Devices a driver gives it: `driver`, `count`, `device_ids`, `capabilities`, `options`.
    pub device_requests: Option<Vec<Map<String, Json>>>,
    /// Rules for devices: `c 42:* rmw`.
    pub device_cgroup_rules: Option<Vec<String>>,
    /// Options of its file system.
    pub storage_opts: Option<Map<String, Json>>,
}

/// What it sees around it, and what sees it.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Surroundings {
    /// Ports others reach it by: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, and ranges of both.
    #[schemars(extend("aliases" = ["ports"]))]
    pub published_ports: Option<Vec<String>>,
    /// Whether all ports are published that are exposed.
    pub publish_all_ports: Option<bool>,
    /// Ports it listens on: `80`, `9000-9010/udp`.
    #[schemars(extend("aliases" = ["exposed", "expose"]))]
    pub exposed_ports: Option<Vec<String>>,
    /// The address of published ports that name none; empty: all of both families.
    pub default_host_ip: Option<String>,
    /// Volumes: `/host:/container[:mode]`, `name:/container`, `/container`.
    pub volumes: Option<Vec<String>>,
    /// Mounts: `type`, `source`, `target`, `read_only` …
    pub mounts: Option<Vec<Map<String, Json>>>,
    /// The driver of its volumes.
    pub volume_driver: Option<String>,
    /// Containers whose volumes it has, too.
    pub volumes_from: Option<Vec<String>>,
    /// File systems in memory: `/run`, `/tmp:size=10M`.
    pub tmpfs: Option<Vec<String>>,
    /// Whether its file system cannot be written to.
    pub read_only: Option<bool>,
    /// Its network, else that of the first of `networks`: `bridge`, `host`, `none`, `container:NAME`, a name.
    pub network_mode: Option<String>,
    /// Containers it knows by name: `name:alias`.
    pub links: Option<Vec<String>>,
    /// Its hardware address.
    pub mac_address: Option<String>,
    /// Its name.
    pub hostname: Option<String>,
    /// Its domain.
    pub domainname: Option<String>,
    /// Servers of names.
    pub dns_servers: Option<Vec<String>>,
    /// Options for names.
    pub dns_opts: Option<Vec<String>>,
    /// Domains that names are looked for in.
    pub dns_search_domains: Option<Vec<String>>,
    /// Names and addresses for its `/etc/hosts`.
    pub etc_hosts: Option<Map<String, Json>>,
    /// Whether it may do all that the machine can.
    pub privileged: Option<bool>,
    /// Capabilities it has besides the usual ones.
    pub capabilities: Option<Vec<String>>,
    /// Capabilities it does not have.
    pub cap_drop: Option<Vec<String>>,
    /// Options of security modules: `label=user:USER`, `no-new-privileges`.
    pub security_opts: Option<Vec<String>>,
    /// Settings of its kernel.
    pub sysctls: Option<Map<String, Json>>,
    /// The group of control groups it is in.
    pub cgroup_parent: Option<String>,
    /// Whose control groups it sees.
    pub cgroupns_mode: Option<CgroupNs>,
    /// Whose shared memory it sees.
    pub ipc_mode: Option<String>,
    /// Whose processes it sees.
    pub pid_mode: Option<String>,
    /// Whose users it has.
    pub userns_mode: Option<String>,
    /// Whose name it has.
    pub uts: Option<String>,
}

/// Enums of options, as playbooks write them. The first word is the default.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$each])* #[serde(rename = $word)] $variant),*
        }
    )*};
}

words! {
    State {
        /// It is there, and runs.
        #[default] Started = "started",
        /// It is there.
        Present = "present",
        /// It is there, runs, and is well.
        Healthy = "healthy",
        /// It is there, and does not run.
        Stopped = "stopped",
        /// It is not there.
        Absent = "absent",
    }
    PullForetold {
        /// A change where the image is not there.
        #[default] ImageNotPresent = "image_not_present",
        /// A change in any case.
        Always = "always",
    }
    NameMismatch { #[default] Recreate = "recreate", Ignore = "ignore" }
    LabelMismatch { #[default] Ignore = "ignore", Fail = "fail" }
    ImageComparison { #[default] Desired = "desired-image", Current = "current-image" }
    DefaultBehavior { #[default] NoDefaults = "no_defaults", Compatibility = "compatibility" }
    CommandHandling { #[default] Correct = "correct", Compatibility = "compatibility" }
    RestartPolicy {
        #[default] No = "no", OnFailure = "on-failure", Always = "always", UnlessStopped = "unless-stopped",
    }
    CgroupNs { #[default] Host = "host", Private = "private" }
}

fn missing() -> Json {
    "missing".into()
}

fn yes() -> bool {
    true
}

fn five_minutes() -> f64 {
    300.0
}

pub(crate) fn run(mut args: Args, sys: &mut System<'_>) -> Result<Map<String, Json>> {
    if args.container_default_behavior == DefaultBehavior::Compatibility {
        args.have_defaults();
    }
    present::run(&args, sys)
}

impl Args {
    /// What older versions of Ansible's module had in place of what is not given.
    fn have_defaults(&mut self) {
        for option in [
            &mut self.process.auto_remove,
            &mut self.process.init,
            &mut self.process.interactive,
            &mut self.process.tty,
            &mut self.paused,
            &mut self.surroundings.privileged,
            &mut self.surroundings.read_only,
        ] {
            option.get_or_insert(false);
        }
        self.detach.get_or_insert(true);
        self.resources.memory.get_or_insert_with(|| "0".to_owned());
    }
}
