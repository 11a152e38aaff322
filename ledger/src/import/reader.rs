//! Lines of bounded length from an input of any length.

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::line::MAX_LINE_BYTES;

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NumberedLine {
    /// Its place in the input, from 1, blank lines counted.
    pub(super) number: u64,
    /// Its bytes without the line's end; `None` when there are more than [`MAX_LINE_BYTES`].
    pub(super) text: Option<Vec<u8>>,
    /// Where the next line begins, in bytes from the start of the input.
    pub(super) end: u64,
}

/// Reads an input line by line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    offset: u64,
    text: Vec<u8>,
    is_too_long: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            offset: 0,
            text: Vec::new(),
            is_too_long: false,
        }
    }

    /// The next line that is not blank; `None` at the end. May be dropped while it waits and called again: what
    /// was read so far is kept.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<NumberedLine>> {
        loop {
            let chunk = self.input.fill_buf().await?;
            let at_end = chunk.is_empty();
            let newline = chunk.iter().position(|b| *b == b'\n');
            let part = newline.map_or(chunk, |at| &chunk[..at]);
            if self.text.len() + part.len() > MAX_LINE_BYTES + 1 {
                self.is_too_long = true;
                self.text.clear();
            } else if !self.is_too_long {
                self.text.extend_from_slice(part);
            }
            let used = newline.map_or(chunk.len(), |at| at + 1);
            self.input.consume(used);
            self.offset += u64::try_from(used).unwrap_or_default();
            if newline.is_some() || at_end {
                let line = self.finish();
                if line.is_some() || at_end {
                    return Ok(line);
                }
            }
        }
    }

    /// The line read so far, unless it is blank.
    fn finish(&mut self) -> Option<NumberedLine> {
        let mut text = std::mem::take(&mut self.text);
        let is_too_long = std::mem::take(&mut self.is_too_long);
        self.number += 1;
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        let text = (!is_too_long && text.len() <= MAX_LINE_BYTES).then_some(text);
        let is_blank = text
            .as_ref()
            .is_some_and(|text| text.iter().all(u8::is_ascii_whitespace));
        (!is_blank).then_some(NumberedLine {
            number: self.number,
            text,
            end: self.offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(input: &[u8], buffer: usize) -> Vec<(u64, Option<Vec<u8>>, u64)> {
        let mut lines = Lines::new(tokio::io::BufReader::with_capacity(buffer, input));
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push((line.number, line.text, line.end));
        }
        all
    }

    #[tokio::test]
    async fn lines_come_with_their_number_whatever_the_buffer() {
        let expected = vec![
            (1, Some(b"ab".to_vec()), 4),
            (4, Some(b"cd".to_vec()), 10),
            (5, Some(b"e".to_vec()), 11),
        ];
        for buffer in 1..12 {
            assert_eq!(
                read(b"ab\r\n\n \ncd\ne", buffer).await,
                expected,
                "{buffer}"
            );
        }
        assert!(read(b"", 4).await.is_empty());
        assert!(read(b"\n \r\n", 4).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_too_long_is_skipped_not_kept() {
        let mut input = vec![b'x'; MAX_LINE_BYTES];
        input.extend_from_slice(b"\r\n");
        input.extend(vec![b'x'; 3 * MAX_LINE_BYTES]);
        input.extend_from_slice(b"\nlast");
        let lines = read(&input, 8_192).await;
        let sizes: Vec<_> = lines
            .iter()
            .map(|(number, text, _)| (*number, text.as_ref().map(Vec::len)))
            .collect();
        assert_eq!(sizes, [(1, Some(MAX_LINE_BYTES)), (2, None), (3, Some(4))]);
    }
}
