//! PEM, the text form of keys and certificates.

use crate::kit::encode::{base64, from_base64};

/// A block: what its header says it is, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub label: String,
    /// Lines before the content: `Proc-Type: 4,ENCRYPTED`.
    pub headers: String,
    pub content: Vec<u8>,
    /// As it stands there, with its last line break.
    pub text: String,
}

/// All blocks of a text, in order. What is no block is passed over.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    let mut body = String::new();
    for line in text.lines() {
        let marked = |mark: &str| line.trim_end().strip_prefix(mark)?.strip_suffix("-----");
        if let Some(label) = marked("-----BEGIN ") {
            body.clear();
            let (label, text) = (label.to_owned(), format!("{}\n", line.trim_end()));
            open = Some(Block { label, headers: String::new(), content: Vec::new(), text });
            continue;
        }
        let Some(block) = &mut open else { continue };
        block.text.extend([line.trim_end(), "\n"]);
        if marked("-----END ").is_some() {
            if let (Some(mut block), Ok(content)) = (open.take(), from_base64(&body)) {
                block.content = content;
                found.push(block);
            }
        } else if line.contains(':') {
            block.headers.extend([line, "\n"]);
        } else {
            body.push_str(line.trim());
        }
    }
    found
}

/// The first block with one of these labels.
pub fn block(text: &str, labels: &[&str]) -> Option<Block> {
    blocks(text).into_iter().find(|block| labels.contains(&block.label.as_str()))
}

pub fn encode(label: &str, content: &[u8]) -> String {
    let body = base64(content);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.extend([line, "\n"]);
        rest = after;
    }
    text.extend(["-----END ", label, "-----\n"]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_go_both_ways() {
        let text = encode("THING", &[1; 100]);
        let all = format!("before\n{text}between\r\n{}", encode("OTHER", b"x").replace('\n', "\r\n"));
        let found = blocks(&all);
        assert_eq!(found.len(), 2);
        assert_eq!(found.first().map(|block| (block.content.len(), &block.text)), Some((100, &text)));
        assert_eq!(block(&all, &["OTHER"]).map(|block| block.content), Some(b"x".to_vec()));
        assert_eq!(block(&all, &["NONE"]), None);
        assert!(text.lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn headers_are_no_content() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        let found = blocks(text);
        let block = found.first().unwrap();
        assert!(block.headers.contains("ENCRYPTED"));
        assert_eq!(block.content, [0, 0, 0]);
    }
}
