//! An archive that is pushed in chunks.

use std::fmt;

use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::ReadOptions;
use crate::record::{Record, Typed};
use crate::source::CHUNK;
use crate::zip::{Next, Unzip};

/// A push parser for a whole archive: chunks of its bytes in, cut anyhow, records out. It does no I/O.
///
/// For an async caller, or for another runtime. The records are those that [`Archive`](crate::Archive) gives, whatever
/// the cuts, and memory stays the same however long the archive is. As with [`ArchiveStream`](crate::ArchiveStream), the
/// directory comes last: the archive is whole once the records of [`finish`](Self::finish) have ended without an error.
///
/// A bad row is an error that the caller may pass over by asking for the next record. After any other error no record
/// follows.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, ArchiveParser, Error};
///
/// fn agents(chunks: impl Iterator<Item = Vec<u8>>) -> Result<Vec<Option<i64>>, Error> {
///     let mut agents = Vec::new();
///     let mut parser = ArchiveParser::<AgentSkillChange>::new();
///     for chunk in chunks {
///         let mut fed = parser.feed(&chunk);
///         while let Some(change) = fed.next_record()? {
///             agents.push(change.agent_id());
///         }
///     }
///     let mut rest = parser.finish();
///     while let Some(change) = rest.next_record()? {
///         agents.push(change.agent_id());
///     }
///     Ok(agents)
/// }
/// # assert!(agents([b"PK".to_vec()].into_iter()).is_err());
/// ```
pub struct ArchiveParser<T: Record> {
    unzip: Unzip,
    options: ReadOptions,
    /// The member at hand, if it is wanted.
    typed: Option<Typed<T>>,
    /// What came out of the member, and how far it was read.
    output: Vec<u8>,
    given: usize,
    at: usize,
    /// All of the member came out.
    whole: bool,
    failed: bool,
}

/// The records of the bytes fed to an [`ArchiveParser`].
///
/// Ask until there is none: bytes that no record was asked of are lost when this is dropped.
pub struct FedArchive<'p, T: Record> {
    parser: &'p mut ArchiveParser<T>,
    input: &'p [u8],
    taken: usize,
    last: bool,
}

impl<T: Record> ArchiveParser<T> {
    /// A parser with the default [`ReadOptions`].
    pub fn new() -> Self {
        Self::with_options(&ReadOptions::new())
    }

    /// A parser.
    pub fn with_options(options: &ReadOptions) -> Self {
        Self {
            unzip: Unzip::new(*options.get_limits()),
            options: options.clone(),
            typed: None,
            output: vec![0; CHUNK],
            given: 0,
            at: 0,
            whole: false,
            failed: false,
        }
    }

    /// Takes the next bytes.
    pub fn feed<'p>(&'p mut self, chunk: &'p [u8]) -> FedArchive<'p, T> {
        FedArchive { parser: self, input: chunk, taken: 0, last: false }
    }

    /// Says that no bytes follow. If the archive is not whole, the next record is an error.
    pub fn finish(&mut self) -> FedArchive<'_, T> {
        FedArchive { parser: self, input: &[], taken: 0, last: true }
    }
}

impl<T: Record> Default for ArchiveParser<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Record> FedArchive<'_, T> {
    /// The next record; `None` when more bytes are needed, or, behind [`finish`](ArchiveParser::finish), at the end.
    pub fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error> {
        let parser = &mut *self.parser;
        if parser.failed {
            return Ok(None);
        }
        let located = loop {
            if let Some(typed) = &mut parser.typed {
                match typed.next(&parser.output[..parser.given], &mut parser.at, parser.whole) {
                    Ok(Some(located)) => break located,
                    Ok(None) => {}
                    Err(error) => {
                        parser.failed = !matches!(error, Error::Row(_));
                        return Err(error);
                    }
                }
            }
            (parser.at, parser.given) = (0, 0);
            let next =
                parser.unzip.next(self.input, &mut self.taken, &mut parser.output, self.last);
            match next.inspect_err(|_| parser.failed = true)? {
                Next::NeedInput | Next::End => return Ok(None),
                Next::Begin(name) => {
                    let kind = IndexKind::of_name(&name).filter(|&kind| T::reads(kind));
                    parser.typed = kind.map(|kind| Typed::new(kind, Some(name), &parser.options));
                    parser.whole = false;
                }
                Next::Data(length) => parser.given = length,
                Next::Finish => parser.whole = true,
            }
        };
        Ok(parser.typed.as_ref().map(|typed| typed.view(located, &parser.output[..parser.given])))
    }
}

impl<T: Record> fmt::Debug for ArchiveParser<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveParser").field("unzip", &self.unzip).finish_non_exhaustive()
    }
}

impl<T: Record> fmt::Debug for FedArchive<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FedArchive")
            .field("left", &(self.input.len() - self.taken))
            .finish_non_exhaustive()
    }
}
