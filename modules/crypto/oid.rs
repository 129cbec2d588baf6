//! Numbers of what stands in names and extensions, and what they are called: short, long, number.

type Row = (&'static str, &'static str, &'static str);

/// Parts of a name.
const ATTRIBUTES: &[Row] = &[
    ("CN", "commonName", "2.5.4.3"),
    ("SN", "surname", "2.5.4.4"),
    ("serialNumber", "serialNumber", "2.5.4.5"),
    ("C", "countryName", "2.5.4.6"),
    ("L", "localityName", "2.5.4.7"),
    ("ST", "stateOrProvinceName", "2.5.4.8"),
    ("street", "streetAddress", "2.5.4.9"),
    ("O", "organizationName", "2.5.4.10"),
    ("OU", "organizationalUnitName", "2.5.4.11"),
    ("title", "title", "2.5.4.12"),
    ("description", "description", "2.5.4.13"),
    ("businessCategory", "businessCategory", "2.5.4.15"),
    ("postalAddress", "postalAddress", "2.5.4.16"),
    ("postalCode", "postalCode", "2.5.4.17"),
    ("telephoneNumber", "telephoneNumber", "2.5.4.20"),
    ("name", "name", "2.5.4.41"),
    ("GN", "givenName", "2.5.4.42"),
    ("initials", "initials", "2.5.4.43"),
    ("generationQualifier", "generationQualifier", "2.5.4.44"),
    ("x500UniqueIdentifier", "x500UniqueIdentifier", "2.5.4.45"),
    ("dnQualifier", "dnQualifier", "2.5.4.46"),
    ("pseudonym", "pseudonym", "2.5.4.65"),
    ("organizationIdentifier", "organizationIdentifier", "2.5.4.97"),
    ("UID", "userId", "0.9.2342.19200300.100.1.1"),
    ("mail", "rfc822Mailbox", "0.9.2342.19200300.100.1.3"),
    ("DC", "domainComponent", "0.9.2342.19200300.100.1.25"),
    ("emailAddress", "emailAddress", "1.2.840.113549.1.9.1"),
    ("unstructuredName", "unstructuredName", "1.2.840.113549.1.9.2"),
    ("jurisdictionL", "jurisdictionLocalityName", "1.3.6.1.4.1.311.60.2.1.1"),
    ("jurisdictionST", "jurisdictionStateOrProvinceName", "1.3.6.1.4.1.311.60.2.1.2"),
    ("jurisdictionC", "jurisdictionCountryName", "1.3.6.1.4.1.311.60.2.1.3"),
];

/// What a key may be used for, by `extended_key_usage`.
const PURPOSES: &[Row] = &[
    ("anyExtendedKeyUsage", "Any Extended Key Usage", "2.5.29.37.0"),
    ("serverAuth", "TLS Web Server Authentication", "1.3.6.1.5.5.7.3.1"),
    ("clientAuth", "TLS Web Client Authentication", "1.3.6.1.5.5.7.3.2"),
    ("codeSigning", "Code Signing", "1.3.6.1.5.5.7.3.3"),
    ("emailProtection", "E-mail Protection", "1.3.6.1.5.5.7.3.4"),
    ("ipsecEndSystem", "IPSec End System", "1.3.6.1.5.5.7.3.5"),
    ("ipsecTunnel", "IPSec Tunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsecUser", "IPSec User", "1.3.6.1.5.5.7.3.7"),
    ("timeStamping", "Time Stamping", "1.3.6.1.5.5.7.3.8"),
    ("OCSPSigning", "OCSP Signing", "1.3.6.1.5.5.7.3.9"),
    ("DVCS", "dvcs", "1.3.6.1.5.5.7.3.10"),
    ("ipsecIKE", "ipsec Internet Key Exchange", "1.3.6.1.5.5.7.3.17"),
    ("secureShellClient", "SSH Client", "1.3.6.1.5.5.7.3.21"),
    ("secureShellServer", "SSH Server", "1.3.6.1.5.5.7.3.22"),
    ("biometricInfo", "Biometric Info", "1.3.6.1.5.5.7.1.2"),
    ("qcStatements", "qcStatements", "1.3.6.1.5.5.7.1.3"),
    ("msCodeInd", "Microsoft Individual Code Signing", "1.3.6.1.4.1.311.2.1.21"),
    ("msCodeCom", "Microsoft Commercial Code Signing", "1.3.6.1.4.1.311.2.1.22"),
    ("msSmartcardLogin", "Microsoft Smartcard Login", "1.3.6.1.4.1.311.20.2.2"),
    ("msUPN", "Microsoft User Principal Name", "1.3.6.1.4.1.311.20.2.3"),
    ("pkInitKDC", "Signing KDC Response", "1.3.6.1.5.2.3.5"),
];

/// How certificates are signed.
const SIGNATURES: &[(&str, &str)] = &[
    ("sha1WithRSAEncryption", "1.2.840.113549.1.1.5"),
    ("sha224WithRSAEncryption", "1.2.840.113549.1.1.14"),
    ("sha256WithRSAEncryption", "1.2.840.113549.1.1.11"),
    ("sha384WithRSAEncryption", "1.2.840.113549.1.1.12"),
    ("sha512WithRSAEncryption", "1.2.840.113549.1.1.13"),
    ("ecdsa-with-SHA1", "1.2.840.10045.4.1"),
    ("ecdsa-with-SHA224", "1.2.840.10045.4.3.1"),
    ("ecdsa-with-SHA256", "1.2.840.10045.4.3.2"),
    ("ecdsa-with-SHA384", "1.2.840.10045.4.3.3"),
    ("ecdsa-with-SHA512", "1.2.840.10045.4.3.4"),
    ("dsa-with-sha1", "1.2.840.10040.4.3"),
    ("dsa-with-sha224", "2.16.840.1.101.3.4.3.1"),
    ("dsa-with-sha256", "2.16.840.1.101.3.4.3.2"),
    ("dsa-with-sha384", "2.16.840.1.101.3.4.3.3"),
    ("dsa-with-sha512", "2.16.840.1.101.3.4.3.4"),
    ("RSASSA-PSS", "1.2.840.113549.1.1.10"),
    ("ED25519", "1.3.101.112"),
    ("ED448", "1.3.101.113"),
];

/// The number of a part of a name, given in any of its forms.
pub fn attribute(name: &str) -> Option<String> {
    number(ATTRIBUTES, name)
}

pub fn attribute_name(number: &str) -> &str {
    long(ATTRIBUTES, number)
}

pub fn attribute_short(number: &str) -> &str {
    ATTRIBUTES.iter().find(|(.., known)| *known == number).map_or(number, |(short, ..)| short)
}

pub fn purpose(name: &str) -> Option<String> {
    number(PURPOSES, name)
}

pub fn purpose_name(number: &str) -> &str {
    long(PURPOSES, number)
}

pub fn signature(name: &str) -> Option<&'static str> {
    SIGNATURES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

pub fn signature_name(number: &str) -> &str {
    SIGNATURES.iter().find(|(_, known)| *known == number).map_or(number, |(name, _)| name)
}

fn number(rows: &[Row], name: &str) -> Option<String> {
    let known = rows.iter().find(|(short, long, _)| *short == name || *long == name);
    let is_number = || name.contains('.') && name.split('.').all(|arc| arc.parse::<u64>().is_ok());
    known.map(|(.., number)| (*number).to_owned()).or_else(|| is_number().then(|| name.to_owned()))
}

fn long<'n>(rows: &[Row], number: &'n str) -> &'n str {
    rows.iter().find(|(.., known)| *known == number).map_or(number, |(_, long, _)| long)
}
