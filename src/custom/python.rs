//! The Python that goes along with custom modules, and the call of one.

use std::io::Write;
use std::path::Path;

use fanfare_modules::kit::encode::base64;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Map, Value as Json, json};

use super::imports::{self, Roots};
use crate::diagnostic::{Diagnostic, Result};

/// What runs a module on the target.
const BOOT: &str = include_str!("python/boot.py");

macro_rules! shipped {
    ($($file:literal),* $(,)?) => {
        /// fanfare's own `ansible.module_utils`: the files below `python/`, and their texts.
        pub(super) const SHIPPED: &[(&str, &str)] = &[$(($file, include_str!(concat!("python/", $file)))),*];
    };
}

shipped! {
    "ansible/__init__.py",
    "ansible/module_utils/__init__.py",
    "ansible/module_utils/_file_attributes.py",
    "ansible/module_utils/_file_contents.py",
    "ansible/module_utils/_run_command.py",
    "ansible/module_utils/_selinux.py",
    "ansible/module_utils/_text.py",
    "ansible/module_utils/ansible_release.py",
    "ansible/module_utils/api.py",
    "ansible/module_utils/basic.py",
    "ansible/module_utils/common/__init__.py",
    "ansible/module_utils/common/_collections_compat.py",
    "ansible/module_utils/common/_utils.py",
    "ansible/module_utils/common/arg_spec.py",
    "ansible/module_utils/common/collections.py",
    "ansible/module_utils/common/dict_transformations.py",
    "ansible/module_utils/common/file.py",
    "ansible/module_utils/common/json.py",
    "ansible/module_utils/common/locale.py",
    "ansible/module_utils/common/network.py",
    "ansible/module_utils/common/parameters.py",
    "ansible/module_utils/common/process.py",
    "ansible/module_utils/common/respawn.py",
    "ansible/module_utils/common/sys_info.py",
    "ansible/module_utils/common/text/__init__.py",
    "ansible/module_utils/common/text/converters.py",
    "ansible/module_utils/common/text/formatters.py",
    "ansible/module_utils/common/validation.py",
    "ansible/module_utils/common/warnings.py",
    "ansible/module_utils/common/yaml.py",
    "ansible/module_utils/compat/__init__.py",
    "ansible/module_utils/compat/datetime.py",
    "ansible/module_utils/compat/importlib.py",
    "ansible/module_utils/compat/typing.py",
    "ansible/module_utils/compat/version.py",
    "ansible/module_utils/connection.py",
    "ansible/module_utils/datatag.py",
    "ansible/module_utils/distro.py",
    "ansible/module_utils/errors.py",
    "ansible/module_utils/facts/__init__.py",
    "ansible/module_utils/facts/utils.py",
    "ansible/module_utils/json_utils.py",
    "ansible/module_utils/parsing/__init__.py",
    "ansible/module_utils/parsing/convert_bool.py",
    "ansible/module_utils/pycompat24.py",
    "ansible/module_utils/service.py",
    "ansible/module_utils/six/__init__.py",
    "ansible/module_utils/splitter.py",
    "ansible/module_utils/urls.py",
    "ansible/release.py",
}

/// What `boot.py` is called with, but for the options. It goes to every host for every task: packed once, for Python to
/// unpack.
pub(super) fn call(
    file: &Path,
    text: &str,
    package: Option<&str>,
    roots: &Roots,
) -> Result<Map<String, Json>> {
    let files: Map<String, Json> = imports::all(text, package, roots)
        .into_iter()
        .map(|(name, file)| (name, json!({"text": file.text, "path": file.path, "package": file.is_package})))
        .collect();
    let call = json!({
        "boot": BOOT,
        "path": file.to_string_lossy(),
        "package": package,
        "source": text,
        "files": files,
    });
    let packed = pack(call.to_string().as_bytes()).map_err(|error| Diagnostic::new(error.to_string()))?;
    Ok(Map::from_iter([("packed".to_owned(), base64(&packed).into())]))
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes)?;
    packer.finish()
}

/// What was packed, for tests.
#[cfg(test)]
pub(super) fn unpacked(call: &Map<String, Json>) -> Json {
    use std::io::Read;

    let packed = fanfare_modules::kit::encode::from_base64(call["packed"].as_str().unwrap()).unwrap();
    let mut text = String::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}
