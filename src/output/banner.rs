use unicode_width::UnicodeWidthStr;

/// Columns where no terminal says otherwise.
pub const DEFAULT_WIDTH: usize = 79;

/// A title with stars to the edge of the screen, at least three.
pub fn banner(title: &str, width: usize) -> String {
    let title = title.trim();
    let stars = width.saturating_sub(title.width()).max(3);
    format!("{title} {}", "*".repeat(stars))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_the_line() {
        assert_eq!(banner("TASK [x]", 20), "TASK [x] ************");
        assert_eq!(banner("日本", 10), "日本 ******");
        assert_eq!(banner("long enough", 5), "long enough ***");
    }
}
