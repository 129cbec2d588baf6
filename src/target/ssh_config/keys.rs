//! The options of `ssh_config`, and what each means to us.

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::target) enum Use {
    /// The first value counts.
    Honoured,
    /// All values count, in order.
    Accumulated,
    /// The whole rest of the line is one value.
    Command,
    /// Makes no difference here: about terminals, logs, forwardings, or OpenSSH's own way of sharing connections.
    Meaningless,
    /// Would make a difference we do not make.
    Unsupported,
}

use Use::{Accumulated, Command, Honoured, Meaningless, Unsupported};

/// Sorted by name.
const KEYS: &[(&str, Use)] = &[
    ("addkeystoagent", Meaningless),
    ("addressfamily", Honoured),
    ("batchmode", Honoured),
    ("bindaddress", Honoured),
    ("bindinterface", Unsupported),
    ("canonicaldomains", Meaningless),
    ("canonicalizefallbacklocal", Meaningless),
    ("canonicalizehostname", Unsupported),
    ("canonicalizemaxdots", Meaningless),
    ("canonicalizepermittedcnames", Meaningless),
    ("casignaturealgorithms", Unsupported),
    ("certificatefile", Accumulated),
    ("challengeresponseauthentication", Honoured),
    ("channeltimeout", Meaningless),
    ("checkhostip", Meaningless),
    ("ciphers", Honoured),
    ("clearallforwardings", Meaningless),
    ("compression", Honoured),
    ("connectionattempts", Honoured),
    ("connecttimeout", Honoured),
    ("controlmaster", Meaningless),
    ("controlpath", Meaningless),
    ("controlpersist", Meaningless),
    ("dynamicforward", Meaningless),
    ("enableescapecommandline", Meaningless),
    ("enablesshkeysign", Meaningless),
    ("escapechar", Meaningless),
    ("exitonforwardfailure", Meaningless),
    ("fingerprinthash", Meaningless),
    ("forkafterauthentication", Meaningless),
    ("forwardagent", Honoured),
    ("forwardx11", Meaningless),
    ("forwardx11timeout", Meaningless),
    ("forwardx11trusted", Meaningless),
    ("gatewayports", Meaningless),
    ("globalknownhostsfile", Honoured),
    ("gssapiauthentication", Meaningless),
    ("gssapiclientidentity", Meaningless),
    ("gssapidelegatecredentials", Meaningless),
    ("gssapikexalgorithms", Meaningless),
    ("gssapikeyexchange", Meaningless),
    ("gssapirenewalforcesrekey", Meaningless),
    ("gssapiserveridentity", Meaningless),
    ("gssapitrustdns", Meaningless),
    ("hashknownhosts", Honoured),
    ("hostbasedacceptedalgorithms", Meaningless),
    ("hostbasedauthentication", Meaningless),
    ("hostkeyalgorithms", Honoured),
    ("hostkeyalias", Honoured),
    ("hostname", Honoured),
    ("identitiesonly", Honoured),
    ("identityagent", Honoured),
    ("identityfile", Accumulated),
    ("ignoreunknown", Honoured),
    ("ipqos", Meaningless),
    ("kbdinteractiveauthentication", Honoured),
    ("kbdinteractivedevices", Meaningless),
    ("kexalgorithms", Honoured),
    ("knownhostscommand", Unsupported),
    ("localcommand", Meaningless),
    ("localforward", Meaningless),
    ("loglevel", Meaningless),
    ("logverbose", Meaningless),
    ("macs", Honoured),
    ("nohostauthenticationforlocalhost", Unsupported),
    ("numberofpasswordprompts", Meaningless),
    ("obscurekeystroketiming", Meaningless),
    ("passwordauthentication", Honoured),
    ("permitlocalcommand", Meaningless),
    ("permitremoteopen", Meaningless),
    ("pkcs11provider", Unsupported),
    ("port", Honoured),
    ("preferredauthentications", Honoured),
    ("proxycommand", Command),
    ("proxyjump", Honoured),
    ("proxyusefdpass", Unsupported),
    ("pubkeyacceptedalgorithms", Meaningless),
    ("pubkeyacceptedkeytypes", Meaningless),
    ("pubkeyauthentication", Honoured),
    ("rekeylimit", Meaningless),
    ("remotecommand", Unsupported),
    ("remoteforward", Meaningless),
    ("requesttty", Meaningless),
    ("requiredrsasize", Meaningless),
    ("revokedhostkeys", Unsupported),
    ("securitykeyprovider", Unsupported),
    ("sendenv", Meaningless),
    ("serveralivecountmax", Honoured),
    ("serveraliveinterval", Honoured),
    ("sessiontype", Unsupported),
    ("setenv", Unsupported),
    ("stdinnull", Meaningless),
    ("streamlocalbindmask", Meaningless),
    ("streamlocalbindunlink", Meaningless),
    ("stricthostkeychecking", Honoured),
    ("syslogfacility", Meaningless),
    ("tag", Unsupported),
    ("tcpkeepalive", Meaningless),
    ("tunnel", Meaningless),
    ("tunneldevice", Meaningless),
    ("updatehostkeys", Meaningless),
    ("useprivilegedport", Meaningless),
    ("user", Honoured),
    ("userknownhostsfile", Honoured),
    ("verifyhostkeydns", Meaningless),
    ("visualhostkey", Meaningless),
    ("warnweakcrypto", Meaningless),
    ("xauthlocation", Meaningless),
];

/// The option (in lower case) and its use; `None` for one that OpenSSH does not have either.
pub(in crate::target) fn find(name: &str) -> Option<(&'static str, Use)> {
    let name = match name {
        "skeyauthentication" | "tisauthentication" => "challengeresponseauthentication",
        other => other,
    };
    KEYS.iter().copied().find(|(key, _)| *key == name).map(|(key, usage)| match key {
        "challengeresponseauthentication" => ("kbdinteractiveauthentication", usage),
        _ => (key, usage),
    })
}

/// The option with the most similar name.
pub(in crate::target) fn nearest(name: &str) -> Option<&'static str> {
    let distance = |key: &str| strsim::damerau_levenshtein(key, name);
    let (best, _) = KEYS.iter().min_by_key(|(key, _)| distance(key))?;
    (distance(best) <= 3).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found_in() {
        assert!(KEYS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(find("port"), Some(("port", Honoured)));
        assert_eq!(find("tisauthentication"), Some(("kbdinteractiveauthentication", Honoured)));
        assert_eq!(find("prot"), None);
        assert_eq!(nearest("prot"), Some("port"));
        assert_eq!(nearest("hippopotamus"), None);
    }
}
