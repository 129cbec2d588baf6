//! What the modules of keys, requests and certificates share.

pub mod certificate;
pub mod der;
pub mod extension;
pub mod facts;
pub mod file;
pub mod general_name;
pub mod key;
pub mod oid;
pub mod openssl;
pub mod pem;
pub mod request;
pub mod subject;
pub mod time;
