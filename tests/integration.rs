//! The one integration binary: what needs the built program or real hosts. One module a topic.

mod support;
