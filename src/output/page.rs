use super::style::{Meaning, Painter};

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Out,
    /// Warnings and errors.
    Err,
}

/// What a callback has to say about an event: pieces of text in order, each for one stream.
#[derive(Debug)]
pub struct Page {
    pub painter: Painter,
    /// Columns that banners fill.
    pub width: usize,
    pieces: Vec<(Stream, String)>,
}

impl Page {
    pub fn new(painter: Painter, width: usize) -> Self {
        Self { painter, width, pieces: Vec::new() }
    }

    /// Adds a line (or several) in the colour of its meaning.
    pub fn line(&mut self, stream: Stream, meaning: Meaning, text: &str) {
        let painted = self.painter.paint(meaning, text);
        self.raw(stream, &painted);
        self.raw(stream, "\n");
    }

    /// Adds a line to stdout.
    pub fn out(&mut self, meaning: Meaning, text: &str) {
        self.line(Stream::Out, meaning, text);
    }

    /// Adds text as it is.
    pub fn raw(&mut self, stream: Stream, text: &str) {
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == stream => piece.push_str(text),
            _ => self.pieces.push((stream, text.to_owned())),
        }
    }

    /// Takes what has been added since the last time.
    pub fn take(&mut self) -> Vec<(Stream, String)> {
        std::mem::take(&mut self.pieces)
    }
}
