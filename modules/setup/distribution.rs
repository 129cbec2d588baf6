//! Which distribution, in Ansible's names.

use std::path::Path;

use super::{Facts, line, os_release};
use crate::kit::{Result, System};

/// `ID` of os-release -> Ansible's name.
const NAMES: &[(&str, &str)] = &[
    ("almalinux", "AlmaLinux"),
    ("alpine", "Alpine"),
    ("alt", "Altlinux"),
    ("altlinux", "Altlinux"),
    ("amzn", "Amazon"),
    ("arch", "Archlinux"),
    ("archarm", "Archlinux"),
    ("centos", "CentOS"),
    ("clear-linux-os", "Clear Linux"),
    ("coreos", "Coreos"),
    ("debian", "Debian"),
    ("deepin", "Deepin"),
    ("devuan", "Devuan"),
    ("fedora", "Fedora"),
    ("flatcar", "Flatcar"),
    ("gentoo", "Gentoo"),
    ("kali", "Kali"),
    ("linuxmint", "Linux Mint"),
    ("manjaro", "Manjaro"),
    ("nixos", "NixOS"),
    ("ol", "OracleLinux"),
    ("openEuler", "openEuler"),
    ("opensuse", "openSUSE"),
    ("opensuse-leap", "openSUSE Leap"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed"),
    ("parrot", "Parrot"),
    ("photon", "VMware Photon OS"),
    ("pop", "Pop!_OS"),
    ("raspbian", "Debian"),
    ("rhel", "RedHat"),
    ("rocky", "Rocky"),
    ("sled", "SLED"),
    ("sles", "SLES"),
    ("sles_sap", "SLES_SAP"),
    ("ubuntu", "Ubuntu"),
    ("void", "Void"),
    ("virtuozzo", "Virtuozzo"),
];

/// Ansible's families, by distribution.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "RedHat",
        &[
            "RedHat",
            "Fedora",
            "CentOS",
            "Scientific",
            "SLC",
            "Ascendos",
            "CloudLinux",
            "PSBM",
            "OracleLinux",
            "OVS",
            "OEL",
            "Amazon",
            "Amzn",
            "Virtuozzo",
            "XenServer",
            "Alibaba",
            "EulerOS",
            "openEuler",
            "AlmaLinux",
            "Rocky",
            "TencentOS",
            "EuroLinux",
            "Kylin Linux Advanced Server",
            "MIRACLE",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Raspbian",
            "Neon",
            "KDE neon",
            "Linux Mint",
            "SteamOS",
            "Devuan",
            "Kali",
            "Cumulus Linux",
            "Pop!_OS",
            "Parrot",
            "Pardus GNU/Linux",
            "Uos",
            "Deepin",
            "OSMC",
            "Linux Mint Debian Edition",
        ],
    ),
    (
        "Suse",
        &[
            "SuSE",
            "SLES",
            "SLED",
            "openSUSE",
            "openSUSE Tumbleweed",
            "SLES_SAP",
            "SUSE_LINUX",
            "openSUSE Leap",
            "ALP-Dolomite",
            "SL-Micro",
            "openSUSE MicroOS",
        ],
    ),
    ("Archlinux", &["Archlinux", "Antergos", "Manjaro", "Manjaro-ARM"]),
    ("Altlinux", &["Altlinux"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
    ("Alpine", &["Alpine"]),
    ("ClearLinux", &["Clear Linux", "Clear Linux Mix"]),
    ("Flatcar", &["Flatcar"]),
];

pub(super) fn gather(sys: &mut System<'_>, facts: &mut Facts) -> Result<()> {
    let (path, text) = ["/etc/os-release", "/usr/lib/os-release"]
        .into_iter()
        .find_map(|path| Some((path, line(sys, path)?)))
        .unwrap_or(("/etc/os-release", String::new()));
    let release = os_release::parse(&text);
    let get = |key: &str| release.get(key).cloned().unwrap_or_default();
    let id = get("ID");
    let name = NAMES.iter().find(|(known, _)| *known == id).map_or_else(
        || if get("NAME").is_empty() { "OtherLinux".to_owned() } else { first_word(&get("NAME")) },
        |(_, name)| (*name).to_owned(),
    );
    let family = FAMILIES
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map_or(name.as_str(), |(family, _)| *family);
    let version = version(sys, &name, &get("VERSION_ID"), &get("VERSION"))?;
    let codename = codename(sys, &name, &get("VERSION_CODENAME"), &get("VERSION"));
    let mut put = |fact: &str, value: &str| facts.insert(fact.to_owned(), value.into());
    put("distribution", &name);
    put("distribution_version", if version.is_empty() { "NA" } else { &version });
    let mut parts = version.split('.');
    let major = parts.next().filter(|major| !major.is_empty()).unwrap_or("NA");
    put("distribution_major_version", major);
    if let Some(minor) = parts.next().filter(|_| name == "Debian") {
        put("distribution_minor_version", minor);
    }
    put("distribution_release", if codename.is_empty() { "NA" } else { &codename });
    put("os_family", family);
    put("distribution_file_path", path);
    let variety = match family {
        "RedHat" if name != "Amazon" => "RedHat",
        "Suse" => "SUSE",
        "Debian" => "Debian",
        _ => &name,
    };
    put("distribution_file_variety", variety);
    facts.insert("distribution_file_parsed".to_owned(), true.into());
    Ok(())
}

fn first_word(name: &str) -> String {
    name.split_whitespace().next().unwrap_or(name).to_owned()
}

/// The version as Ansible gives it: with the point release where another file knows it.
fn version(sys: &System<'_>, name: &str, id: &str, long: &str) -> Result<String> {
    let exact = match name {
        "Debian" => {
            line(sys, "/etc/debian_version").filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        }
        "CentOS" | "RedHat" | "Rocky" | "AlmaLinux" => {
            // `VERSION_ID` of CentOS 7 lacks the rest: `CentOS Linux release 7.9.2009 (Core)`.
            let text = line(sys, "/etc/redhat-release").unwrap_or_default();
            text.split_whitespace()
                .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
                .map(|word| word.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
        }
        "Alpine" => line(sys, "/etc/alpine-release"),
        "Archlinux" if !sys.exists(Path::new("/etc/lsb-release"))? => Some("rolling".to_owned()),
        "Ubuntu" => Some(id.to_owned()),
        _ => None,
    };
    let fallback = if id.is_empty() { long } else { id };
    Ok(exact.unwrap_or_else(|| fallback.to_owned()))
}

fn codename(sys: &System<'_>, name: &str, codename: &str, long: &str) -> String {
    if !codename.is_empty() && name != "Fedora" {
        return codename.to_owned();
    }
    // `VERSION="7 (Core)"`, `release 9.3 (Plow)`
    let in_parentheses = |text: &str| {
        let (_, rest) = text.rsplit_once('(')?;
        Some(rest.split_once(')')?.0.to_owned())
    };
    let release = line(sys, "/etc/redhat-release").unwrap_or_default();
    let found = in_parentheses(&release).or_else(|| in_parentheses(long)).unwrap_or_default();
    if name == "Fedora" { String::new() } else { found }
}
