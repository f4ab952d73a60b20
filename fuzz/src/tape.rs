//! Reads bytes as a script: one decision after another, and zeros after the end.

/// The rest of an input.
pub(crate) struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self(input)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    /// Two bytes, the higher one first.
    pub(crate) fn number(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }

    /// Chooses one of `choices`.
    pub(crate) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()].clone()
    }

    /// The next bytes, fewer at the end.
    pub(crate) fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes whose number is the next byte.
    pub(crate) fn some(&mut self) -> &'a [u8] {
        let length = self.byte().into();
        self.bytes(length)
    }

    /// Text whose length is the next byte.
    pub(crate) fn text(&mut self) -> &'a str {
        text(self.some())
    }

    /// All remaining bytes.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// The longest prefix that is UTF-8.
pub(crate) fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Lengths of pieces, repeated in a cycle, from four bytes; a length may be 0.
#[derive(Clone, Copy)]
pub(crate) struct Cuts {
    lengths: [usize; 4],
    nth: usize,
}

impl Cuts {
    pub(crate) fn of(tape: &mut Tape<'_>) -> Self {
        let lengths = std::array::from_fn(|_| tape.byte().into());
        // A cycle without a byte would never end: then everything is one piece.
        Self { lengths: if lengths == [0; 4] { [usize::MAX; 4] } else { lengths }, nth: 0 }
    }

    /// Everything as one piece.
    pub(crate) fn none() -> Self {
        Self { lengths: [usize::MAX; 4], nth: 0 }
    }

    /// The same with longer pieces.
    pub(crate) fn times(self, factor: usize) -> Self {
        Self { lengths: self.lengths.map(|length| length.saturating_mul(factor)), ..self }
    }

    /// The length of the next piece, at most `left`.
    pub(crate) fn next(&mut self, left: usize) -> usize {
        let length = self.lengths[self.nth % 4];
        self.nth += 1;
        length.min(left)
    }

    /// `bytes` in pieces.
    pub(crate) fn pieces(mut self, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = bytes;
        std::iter::from_fn(move || {
            let left = rest.len();
            let (piece, behind) = (left > 0).then(|| rest.split_at(self.next(left)))?;
            rest = behind;
            Some(piece)
        })
    }
}
