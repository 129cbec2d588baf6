use std::path::PathBuf;

use super::{Custom, Options, Program, Roots};

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("fanfare-custom-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn file(&self, path: &str, text: &[u8]) -> PathBuf {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn programs_are_known_by_their_text() {
    let place = Place::new("kinds");
    let check = |name: &str, text: &[u8], words: &[&str], expected: Options| {
        let file = place.file(name, text);
        let custom = Custom::load(name, &file, None, &Roots::default()).unwrap();
        match custom.program {
            Program::File { interpreter, options } => {
                assert_eq!(
                    (interpreter, options),
                    (words.iter().map(|w| (*w).to_owned()).collect(), expected),
                    "{name}"
                );
            }
            Program::Python(_) => panic!("{name} is a file"),
        }
    };
    check("old.sh", b"#!/bin/sh -e\n. $1\n", &["/bin/sh", "-e"], Options::Words);
    check("want", b"#!/usr/bin/env ruby\n# WANT_JSON\n", &["/usr/bin/env", "ruby"], Options::Json);
    check("within", b"#!/bin/sh\nx='<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>'\n", &["/bin/sh"], Options::Within);
    check("binary", b"\x7fELF\0\0", &[], Options::Json);
    let refused = |name: &str, text: &[u8]| {
        let file = place.file(name, text);
        Custom::load(name, &file, None, &Roots::default()).unwrap_err().message().to_owned()
    };
    assert_eq!(refused("bare", b"echo\n"), "module (bare) is missing interpreter line");
    assert!(refused("win.ps1", b"#!powershell\n").contains("is for Windows"));
}

#[test]
fn what_python_imports_comes_along() {
    let place = Place::new("imports");
    place.file("utils/mine.py", b"from ansible.module_utils.deep.er import x\n");
    place.file("utils/deep/__init__.py", b"");
    place.file("utils/deep/er.py", b"from .beside import y\nx = 1\n");
    place.file("utils/deep/beside.py", b"y = 2\n");
    place.file("utils/unused.py", b"");
    place.file("c/ansible_collections/acme/web/plugins/module_utils/tool.py", b"from . import other\n");
    place.file("c/ansible_collections/acme/web/plugins/module_utils/other.py", b"");
    let file = place.file(
        "own.py",
        b"#!/usr/bin/python\nfrom ansible.module_utils.mine import a\nfrom ..module_utils.tool import b\nimport json\n",
    );
    let roots = Roots { utils: vec![place.0.join("utils")], collections: vec![place.0.join("c")] };
    let custom =
        Custom::load("own", &file, Some("ansible_collections.acme.web.plugins.modules"), &roots).unwrap();
    let Program::Python(call) = custom.program else { panic!("it is Python") };
    let call = super::python::unpacked(&call);
    let files = call["files"].as_object().unwrap();
    for name in [
        "ansible.module_utils.basic",
        "ansible.module_utils.mine",
        "ansible.module_utils.deep",
        "ansible.module_utils.deep.er",
        "ansible.module_utils.deep.beside",
        "ansible_collections.acme.web.plugins.module_utils.tool",
        "ansible_collections.acme.web.plugins.module_utils.other",
    ] {
        assert!(files.contains_key(name), "{name}");
    }
    assert!(!files.contains_key("ansible.module_utils.unused") && !files.contains_key("json"));
    assert_eq!(files["ansible.module_utils.deep"]["package"], true);
}

#[test]
fn every_file_of_python_is_shipped() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/custom/python");
    let mut found = Vec::new();
    let mut dirs = vec![root.join("ansible")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ending| ending == "py") {
                found.push(path.strip_prefix(&root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    let shipped: Vec<_> = super::python::SHIPPED.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(shipped, found);
}
