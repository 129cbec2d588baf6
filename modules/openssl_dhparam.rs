use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::crypto::der::{self, Element};
use crate::crypto::file::Options;
use crate::crypto::openssl::Openssl;
use crate::crypto::pem;
use crate::kit::{Failure, Result, System};
use crate::lineinfile::State;

/// Makes Diffie-Hellman parameters, by the target's `openssl`. That takes its time.
///
/// # Examples
///
/// ```yaml
/// - name: Parameters of 4096 bits
///   openssl_dhparam: {path: /etc/ssl/dhparams.pem}
///
/// - name: Smaller ones
///   openssl_dhparam: {path: /etc/ssl/dhparams.pem, size: 2048}
/// ```
#[derive(Deserialize, JsonSchema)]
pub struct Args {
    #[serde(flatten)]
    pub file: Options,
    /// The size in bits.
    #[serde(default = "size")]
    pub size: u64,
    /// Means nothing here: the target's `openssl` does the work.
    #[serde(default)]
    #[expect(dead_code, reason = "there is one way")]
    pub select_crypto_backend: Backend,
}

fn size() -> u64 {
    4096
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    #[default]
    Auto,
    Cryptography,
    Openssl,
}

#[derive(Serialize)]
pub struct Returns {
    filename: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dhparams: Option<Json>,
}

/// What openssl makes.
const SIZES: RangeInclusive<u64> = 512..=10_000;

pub(crate) fn run(args: Args, sys: &mut System<'_>) -> Result<Returns> {
    let mut returns = Returns {
        filename: args.file.name(),
        size: args.size,
        backup_file: None,
        dhparams: args.file.return_content.then_some(Json::Null),
    };
    if args.file.state == State::Absent {
        returns.backup_file = args.file.remove(sys)?;
        return Ok(returns);
    }
    if !SIZES.contains(&args.size) {
        let (least, most) = SIZES.into_inner();
        return Err(Failure::new(format!("size: {} is out of range: {least} to {most}", args.size)));
    }
    let openssl = Openssl::find(sys)?;
    let mut content = args.file.content(sys)?.unwrap_or_default();
    if !args.file.force && bits(&content) == Some(args.size) {
        args.file.settle(sys)?;
    } else {
        let command = openssl.command("dhparam").arg(args.size.to_string());
        // Nobody waits minutes for numbers that are thrown away: a check makes up a file.
        content = if sys.is_check() { made_up(args.size) } else { Openssl::must(command, sys)?.stdout };
        returns.backup_file = args.file.write(&content, sys)?;
    }
    returns.dhparams = args.file.return_content.then(|| String::from_utf8_lossy(&content).into());
    Ok(returns)
}

/// The size of the parameters of a file.
fn bits(content: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(content).ok()?;
    let block = pem::block(text, &["DH PARAMETERS", "X9.42 DH PARAMETERS"])?;
    let prime = Element::of(&block.content)?.elements().next()?.content_of(der::INTEGER)?;
    let mut digits = prime.iter().skip_while(|byte| **byte == 0);
    let first = digits.next()?;
    Some(u64::from(8 - first.leading_zeros()) + u64::try_from(digits.count()).ok()? * 8)
}

/// A file that says it has that size.
fn made_up(size: u64) -> Vec<u8> {
    let mut prime = vec![0u8; usize::try_from(size.div_ceil(8)).unwrap_or_default()];
    if let Some(first) = prime.first_mut() {
        *first = 1 << ((size + 7) % 8);
    }
    let whole = der::holding(der::SEQUENCE, &[der::integer(&prime), der::integer(&[2])]);
    pem::encode("DH PARAMETERS", &whole).into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{bits, made_up};
    use crate::kit::Output;
    use crate::kit::trial::Trial;

    #[test]
    fn parameters_stay_where_they_have_the_size() {
        for size in [512, 1023, 2048, 4096] {
            assert_eq!(bits(&made_up(size)), Some(size));
        }
        let trial = Trial::of("openssl_dhparam");
        trial.host.program("/usr/bin/openssl").script("/usr/bin/openssl dhparam", |command, _| {
            let size = command.argv.last().unwrap().to_str().unwrap().parse().unwrap();
            Output { stdout: made_up(size), ..Output::default() }
        });
        let args = json!({"path": "/etc/dh.pem", "size": 2048});
        let result = trial.lawful(&args);
        assert_eq!((&result["changed"], &result["size"]), (&json!(true), &json!(2048)));
        assert_eq!(trial.lawful(&json!({"path": "/etc/dh.pem", "size": 1024}))["changed"], true);
        // A copy is kept also of a file that comes out the same.
        let anew = json!({"path": "/etc/dh.pem", "size": 1024, "force": true, "backup": true});
        assert!(trial.run(&anew)["backup_file"].is_string());
        assert_eq!(trial.lawful(&json!({"path": "/etc/dh.pem", "state": "absent"}))["changed"], true);
        assert_eq!(trial.host.meta("/etc/dh.pem"), None);
    }

    #[test]
    fn a_size_has_bounds() {
        for size in [0, 511, 10_001, u64::MAX] {
            let got = Trial::of("openssl_dhparam").check(&json!({"path": "/etc/dh.pem", "size": size}));
            assert_eq!(got["msg"], format!("size: {size} is out of range: 512 to 10000"));
        }
    }

    #[test]
    fn without_the_program_it_says_so() {
        let result = Trial::of("openssl_dhparam").run(&json!({"path": "/etc/dh.pem"}));
        assert!(result["msg"].as_str().unwrap().contains("openssl"), "{result}");
    }
}
