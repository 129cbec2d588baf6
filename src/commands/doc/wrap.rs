/// Columns of a page.
const WIDTH: usize = 88;

/// Breaks paragraphs at spaces and indents them; lines that are a list or code keep their breaks.
pub fn wrap(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut wrapped = String::new();
    for paragraph in text.trim().split("\n\n") {
        if !wrapped.is_empty() {
            wrapped.push('\n');
        }
        for line in lines(paragraph, WIDTH.saturating_sub(indent)) {
            wrapped.push_str(&margin);
            wrapped.push_str(&line);
            wrapped.push('\n');
        }
    }
    wrapped
}

fn lines(paragraph: &str, width: usize) -> Vec<String> {
    let is_fixed = |line: &str| line.starts_with([' ', '-', '*', '|', '`']);
    if paragraph.lines().any(is_fixed) {
        return paragraph.lines().map(|line| line.trim_end().to_owned()).collect();
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.extend(Some(line).filter(|line| !line.is_empty()));
    lines
}
