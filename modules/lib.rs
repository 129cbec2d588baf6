//! fanfare's native modules, and the kit they are written with.
//!
//! `ls modules` is the index: one file per module, named as the user types it.

use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::kit::{Failure, Result, Spec, System};

mod crypto;
mod databases;
mod docker;
pub mod kit;
#[cfg(test)]
mod laws;
mod lvm;
mod mysql;
mod postgresql;
mod rabbitmq;

mod acl;
mod alternatives;
mod apache2_module;
mod apk;
mod apt;
mod apt_key;
mod apt_repository;
mod archive;
pub mod assemble;
mod async_status;
mod at;
mod authorized_key;
mod blockinfile;
mod capabilities;
mod command;
mod composer;
pub mod copy;
mod cron;
mod dconf;
mod deb822_repository;
mod debconf;
mod django_manage;
mod dnf;
mod docker_compose_v2;
mod docker_container;
mod docker_container_exec;
mod docker_container_info;
mod docker_host_info;
mod docker_image;
mod docker_image_export;
mod docker_image_info;
mod docker_image_load;
mod docker_image_pull;
mod docker_image_push;
mod docker_image_remove;
mod docker_image_tag;
mod docker_login;
mod docker_network;
mod docker_network_info;
mod docker_prune;
mod docker_volume;
mod docker_volume_info;
mod dpkg_selections;
mod expect;
pub mod fetch;
mod file;
mod filesystem;
mod find;
mod firewalld;
mod flatpak;
mod flatpak_remote;
mod gem;
mod get_url;
mod getent;
mod git;
mod git_config;
mod group;
mod homebrew;
mod homebrew_cask;
mod homebrew_tap;
mod hostname;
mod htpasswd;
mod ini_file;
mod interfaces_file;
mod iptables;
mod java_cert;
mod known_hosts;
mod launchd;
mod lineinfile;
mod locale_gen;
mod lvg;
mod lvol;
mod mail;
mod make;
mod modprobe;
mod monit;
mod mount;
mod mount_facts;
mod mysql_db;
mod mysql_info;
mod mysql_query;
mod mysql_user;
mod mysql_variables;
mod nmcli;
mod npm;
mod openssh_keypair;
mod openssl_csr;
mod openssl_dhparam;
mod openssl_pkcs12;
mod openssl_privatekey;
mod openssl_publickey;
mod openwrt_init;
mod opkg;
mod package;
mod package_facts;
mod pacman;
mod pam_limits;
mod pamd;
mod parted;
mod patch;
mod ping;
mod pip;
mod pkgng;
mod postgresql_db;
mod postgresql_ext;
mod postgresql_pg_hba;
mod postgresql_ping;
mod postgresql_privs;
mod postgresql_query;
mod postgresql_schema;
mod postgresql_set;
mod postgresql_user;
mod rabbitmq_plugin;
mod rabbitmq_user;
mod rabbitmq_vhost;
mod raw;
mod read_csv;
mod replace;
mod rpm_key;
mod runit;
mod script;
mod seboolean;
mod sefcontext;
mod selinux;
mod seport;
mod service;
mod service_facts;
mod setup;
mod shell;
mod slurp;
mod snap;
mod stat;
mod subversion;
mod sudoers;
mod supervisorctl;
mod synchronize;
mod sysctl;
mod sysrc;
mod systemd;
mod sysvinit;
mod tempfile;
pub mod template;
mod timezone;
mod ufw;
mod unarchive;
mod uri;
mod user;
mod wait_for;
mod wakeonlan;
mod x509_certificate;
mod x509_certificate_info;
mod xml;
mod yum_repository;
mod zypper;
mod zypper_repository;

// The table. One line a module, sorted (a test holds it against the directory). A second name comes behind a bar:
// `systemd | systemd_service`. The worker runs by this table, the control node validates and documents by it.
//
// Both lists are merged line by line (.gitattributes): after a rebase only their order may need a look.
table! {
    acl,
    alternatives,
    apache2_module,
    apk,
    apt,
    apt_key,
    apt_repository,
    archive,
    assemble,
    async_status,
    at,
    authorized_key,
    blockinfile,
    capabilities,
    command,
    composer,
    copy,
    cron,
    dconf,
    deb822_repository,
    debconf,
    django_manage,
    dnf | dnf5 | yum,
    docker_compose_v2,
    docker_container,
    docker_container_exec,
    docker_container_info,
    docker_host_info,
    docker_image,
    docker_image_export,
    docker_image_info,
    docker_image_load,
    docker_image_pull,
    docker_image_push,
    docker_image_remove,
    docker_image_tag,
    docker_login,
    docker_network,
    docker_network_info,
    docker_prune,
    docker_volume,
    docker_volume_info,
    dpkg_selections,
    expect,
    fetch,
    file,
    filesystem,
    find,
    firewalld,
    flatpak,
    flatpak_remote,
    gem,
    get_url,
    getent,
    git,
    git_config,
    group,
    homebrew,
    homebrew_cask,
    homebrew_tap,
    hostname,
    htpasswd,
    ini_file,
    interfaces_file,
    iptables,
    java_cert,
    known_hosts,
    launchd,
    lineinfile,
    locale_gen,
    lvg,
    lvol,
    mail,
    make,
    modprobe,
    monit,
    mount,
    mount_facts,
    mysql_db,
    mysql_info,
    mysql_query,
    mysql_user,
    mysql_variables,
    nmcli,
    npm,
    openssh_keypair,
    openssl_csr,
    openssl_dhparam,
    openssl_pkcs12,
    openssl_privatekey,
    openssl_publickey,
    openwrt_init,
    opkg,
    package,
    package_facts,
    pacman,
    pam_limits,
    pamd,
    parted,
    patch,
    ping,
    pip,
    pkgng,
    postgresql_db,
    postgresql_ext,
    postgresql_pg_hba,
    postgresql_ping,
    postgresql_privs,
    postgresql_query,
    postgresql_schema,
    postgresql_set,
    postgresql_user,
    rabbitmq_plugin,
    rabbitmq_user,
    rabbitmq_vhost,
    raw,
    read_csv,
    replace,
    rpm_key,
    runit,
    script,
    seboolean,
    sefcontext,
    selinux,
    seport,
    service,
    service_facts,
    setup,
    shell,
    slurp,
    snap,
    stat,
    subversion,
    sudoers,
    supervisorctl,
    synchronize,
    sysctl,
    sysrc,
    systemd | systemd_service,
    sysvinit,
    tempfile,
    template,
    timezone,
    ufw,
    unarchive,
    uri,
    user,
    wait_for,
    wakeonlan,
    x509_certificate,
    x509_certificate_info,
    xml,
    yum_repository,
    zypper,
    zypper_repository,
}

/// A row of the table: what a module is called and what it takes.
pub struct Module {
    /// Canonical, as the user types it.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    spec: fn() -> &'static Spec,
}

impl Module {
    /// What it takes, and its documentation.
    pub fn spec(&self) -> &'static Spec {
        (self.spec)()
    }
}

/// Collections, and modules of theirs that ours are: one a line, since lists of this file are merged line by line. All
/// are also known by their short names.
const COLLECTIONS: &[(&str, &str)] = &[
    // What was community.mysql's until its version 6.
    ("ansible.mysql", "mysql_db"),
    ("ansible.mysql", "mysql_info"),
    ("ansible.mysql", "mysql_query"),
    ("ansible.mysql", "mysql_user"),
    ("ansible.mysql", "mysql_variables"),
    ("ansible.posix", "acl"),
    ("ansible.posix", "at"),
    ("ansible.posix", "authorized_key"),
    ("ansible.posix", "firewalld"),
    ("ansible.posix", "mount"),
    ("ansible.posix", "patch"),
    ("ansible.posix", "seboolean"),
    ("ansible.posix", "selinux"),
    ("ansible.posix", "synchronize"),
    ("ansible.posix", "sysctl"),
    ("community.crypto", "openssh_keypair"),
    ("community.crypto", "openssl_csr"),
    ("community.crypto", "openssl_dhparam"),
    ("community.crypto", "openssl_pkcs12"),
    ("community.crypto", "openssl_privatekey"),
    ("community.crypto", "openssl_publickey"),
    ("community.crypto", "x509_certificate"),
    ("community.crypto", "x509_certificate_info"),
    ("community.docker", "docker_compose_v2"),
    ("community.docker", "docker_container"),
    ("community.docker", "docker_container_exec"),
    ("community.docker", "docker_container_info"),
    ("community.docker", "docker_host_info"),
    ("community.docker", "docker_image"),
    ("community.docker", "docker_image_export"),
    ("community.docker", "docker_image_info"),
    ("community.docker", "docker_image_load"),
    ("community.docker", "docker_image_pull"),
    ("community.docker", "docker_image_push"),
    ("community.docker", "docker_image_remove"),
    ("community.docker", "docker_image_tag"),
    ("community.docker", "docker_login"),
    ("community.docker", "docker_network"),
    ("community.docker", "docker_network_info"),
    ("community.docker", "docker_prune"),
    ("community.docker", "docker_volume"),
    ("community.docker", "docker_volume_info"),
    ("community.general", "alternatives"),
    ("community.general", "apache2_module"),
    ("community.general", "apk"),
    ("community.general", "archive"),
    ("community.general", "capabilities"),
    ("community.general", "composer"),
    ("community.general", "dconf"),
    ("community.general", "django_manage"),
    ("community.general", "filesystem"),
    ("community.general", "flatpak"),
    ("community.general", "flatpak_remote"),
    ("community.general", "gem"),
    ("community.general", "git_config"),
    ("community.general", "homebrew"),
    ("community.general", "homebrew_cask"),
    ("community.general", "homebrew_tap"),
    ("community.general", "htpasswd"),
    ("community.general", "ini_file"),
    ("community.general", "interfaces_file"),
    ("community.general", "java_cert"),
    ("community.general", "launchd"),
    ("community.general", "locale_gen"),
    ("community.general", "lvg"),
    ("community.general", "lvol"),
    ("community.general", "mail"),
    ("community.general", "make"),
    ("community.general", "modprobe"),
    ("community.general", "monit"),
    ("community.general", "nmcli"),
    ("community.general", "npm"),
    ("community.general", "openwrt_init"),
    ("community.general", "opkg"),
    ("community.general", "pacman"),
    ("community.general", "pam_limits"),
    ("community.general", "pamd"),
    ("community.general", "parted"),
    ("community.general", "pkgng"),
    ("community.general", "read_csv"),
    ("community.general", "runit"),
    ("community.general", "sefcontext"),
    ("community.general", "seport"),
    ("community.general", "snap"),
    ("community.general", "sudoers"),
    ("community.general", "supervisorctl"),
    ("community.general", "sysrc"),
    ("community.general", "timezone"),
    ("community.general", "ufw"),
    ("community.general", "wakeonlan"),
    ("community.general", "xml"),
    ("community.general", "zypper"),
    ("community.general", "zypper_repository"),
    ("community.mysql", "mysql_db"),
    ("community.mysql", "mysql_info"),
    ("community.mysql", "mysql_query"),
    ("community.mysql", "mysql_user"),
    ("community.mysql", "mysql_variables"),
    ("community.postgresql", "postgresql_db"),
    ("community.postgresql", "postgresql_ext"),
    ("community.postgresql", "postgresql_pg_hba"),
    ("community.postgresql", "postgresql_ping"),
    ("community.postgresql", "postgresql_privs"),
    ("community.postgresql", "postgresql_query"),
    ("community.postgresql", "postgresql_schema"),
    ("community.postgresql", "postgresql_set"),
    ("community.postgresql", "postgresql_user"),
    ("community.general", "ufw"),
    ("community.rabbitmq", "rabbitmq_plugin"),
    ("community.rabbitmq", "rabbitmq_user"),
    ("community.rabbitmq", "rabbitmq_vhost"),
];

/// What stands before the name of a module of Ansible's own, or of a collection that has one of that name.
pub fn short(name: &str) -> &str {
    let own = ["ansible.builtin.", "ansible.legacy."].iter().find_map(|prefix| name.strip_prefix(prefix));
    let collected = || {
        let (collection, short) = name.rsplit_once('.')?;
        COLLECTIONS.contains(&(collection, short)).then_some(short)
    };
    own.or_else(collected).unwrap_or(name)
}

/// Whether the module of that name gets what `module_defaults` gives that group.
pub fn is_in_group(module: &str, group: &str) -> bool {
    let collection = match group {
        "docker" | "community.docker.docker" => "community.docker",
        "community.rabbitmq.rabbitmq" => "community.rabbitmq",
        "community.postgresql.all" => "community.postgresql",
        // One extends the other.
        "ansible.mysql.all" | "community.mysql.all" => "community.mysql",
        _ => return false,
    };
    COLLECTIONS.contains(&(collection, short(module)))
}

/// The module with that name: short, an alias, or with its collection (`ansible.builtin.copy`).
pub fn find(name: &str) -> Option<&'static Module> {
    let short = short(name);
    MODULES.iter().find(|module| module.name == short || module.aliases.contains(&short))
}

fn call<A: DeserializeOwned, R: Serialize>(
    run: fn(A, &mut System<'_>) -> Result<R>,
    args: Json,
    sys: &mut System<'_>,
) -> Result<Json> {
    let args = serde_json::from_value(args).map_err(|e| Failure::new(format!("bad arguments: {e}")))?;
    let results = run(args, sys)?;
    serde_json::to_value(results).map_err(|e| Failure::new(format!("the result is no JSON: {e}")))
}

/// Lists modules, sorted. The specifications and the functions are two tables, so that the worker, which only
/// runs, carries no documentation.
macro_rules! table {
    ($($name:ident $(| $alias:ident)*),* $(,)?) => {
        /// All modules, sorted by name.
        pub static MODULES: &[Module] = &[$(Module {
            name: stringify!($name),
            aliases: &[$(stringify!($alias)),*],
            spec: || {
                static SPEC: OnceLock<Spec> = OnceLock::new();
                SPEC.get_or_init(|| Spec::of::<$name::Args>(stringify!($name)))
            },
        }),*];

        /// Runs the module with that canonical name; `None` when there is none. The arguments are exact, as
        /// [`Spec::normalise`] makes them.
        pub fn run(name: &str, args: Json, sys: &mut System<'_>) -> Option<Result<Json>> {
            match name {
                $(stringify!($name) => Some(call($name::run, args, sys)),)*
                _ => None,
            }
        }
    };
}
use table;
