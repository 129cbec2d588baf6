//! What the modules of databases share.

pub mod dump_file;
