//! The structures of a ZIP file, as bytes (PKWARE's APPNOTE, sections 4.3 and 4.5).

use super::fault::ZipFault;

pub(crate) const LOCAL: u32 = 0x0403_4B50;
pub(crate) const CENTRAL: u32 = 0x0201_4B50;
pub(crate) const END: u32 = 0x0605_4B50;
pub(crate) const END64: u32 = 0x0606_4B50;
pub(crate) const LOCATOR64: u32 = 0x0706_4B50;
const DESCRIPTOR: u32 = 0x0807_4B50;

const LOCAL_LENGTH: usize = 30;
const CENTRAL_LENGTH: usize = 46;
pub(crate) const END_LENGTH: usize = 22;
pub(crate) const END64_LENGTH: usize = 56;
pub(crate) const LOCATOR64_LENGTH: usize = 20;

/// The end of central directory with the longest comment, and the 64-bit end and its locator before it.
pub(crate) const TAIL: u64 =
    (END64_LENGTH + LOCATOR64_LENGTH + END_LENGTH + u16::MAX as usize) as u64;

/// Flags that decide how data is read. The others are hints to compressors.
const ENCRYPTED: u16 = 1 << 0 | 1 << 6 | 1 << 13;
const HAS_DESCRIPTOR: u16 = 1 << 3;
const PATCH: u16 = 1 << 5;

pub(crate) const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The longest data descriptor.
pub(crate) const DESCRIPTOR_LENGTH: usize = 24;

/// Fields that a local file header and a central directory entry have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) compressed: u64,
    pub(crate) size: u64,
}

/// A local file header, or an entry of the central directory.
#[derive(Debug, Clone)]
pub(crate) struct Header<'a> {
    pub(crate) facts: Facts,
    pub(crate) name: &'a [u8],
    /// Offset of the local header; 0 in that header itself.
    pub(crate) offset: u64,
    /// Whether the entry is that of a symbolic link.
    pub(crate) link: bool,
}

/// The end of the central directory, of 32 or of 64 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) entries: u64,
    pub(crate) directory_size: u64,
    pub(crate) directory_offset: u64,
}

impl Facts {
    /// Reads the fields, which have the same order and sizes in both structures.
    fn read(bytes: &[u8]) -> Self {
        Self {
            flags: u16_at(bytes, 0),
            method: u16_at(bytes, 2),
            crc: u32_at(bytes, 8),
            compressed: u64::from(u32_at(bytes, 12)),
            size: u64::from(u32_at(bytes, 16)),
        }
    }

    pub(crate) fn has_descriptor(&self) -> bool {
        self.flags & HAS_DESCRIPTOR != 0
    }

    /// Whether this reader can read the member.
    pub(crate) fn check_readable(&self) -> Result<(), ZipFault> {
        if self.flags & ENCRYPTED != 0 {
            return Err(ZipFault::Encrypted);
        }
        if self.flags & PATCH != 0 || !matches!(self.method, STORED | DEFLATED) {
            return Err(ZipFault::Method { method: self.method });
        }
        if self.method == STORED && self.compressed != self.size {
            return Err(ZipFault::Size);
        }
        Ok(())
    }
}

/// Length of the structure at the start of `bytes`; that of its fixed part if `bytes` are too short to compute it.
pub(crate) fn structure_length(bytes: &[u8]) -> usize {
    let (fixed, variable): (usize, &[usize]) = match u32_at(bytes, 0) {
        LOCAL => (LOCAL_LENGTH, &[26, 28]),
        CENTRAL => (CENTRAL_LENGTH, &[28, 30, 32]),
        END64 => (END64_LENGTH, &[]),
        LOCATOR64 => (LOCATOR64_LENGTH, &[]),
        _ => (END_LENGTH, &[20]),
    };
    if bytes.len() < fixed {
        return fixed;
    }
    fixed + variable.iter().map(|&at| usize_at(bytes, at)).sum::<usize>()
}

impl<'a> Header<'a> {
    /// Reads a local header or an entry, whose signature and length were checked.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, ZipFault> {
        let is_entry = u32_at(bytes, 0) == CENTRAL;
        let (fixed, facts, lengths) =
            if is_entry { (CENTRAL_LENGTH, 8, 28) } else { (LOCAL_LENGTH, 6, 26) };
        let mut facts = Facts::read(&bytes[facts..]);
        let mut offset = if is_entry { u64::from(u32_at(bytes, 42)) } else { 0 };
        let (name, rest) = bytes[fixed..].split_at(usize_at(bytes, lengths));
        let mut wide = wide_values(&rest[..usize_at(bytes, lengths + 2)])?;
        for value in [&mut facts.size, &mut facts.compressed, &mut offset] {
            if let Some(values) = wide.as_mut().filter(|_| *value == u64::from(u32::MAX)) {
                let missing = ZipFault::BadDirectory { what: "an entry lacks its 64-bit sizes" };
                let (first, rest) = values.split_first_chunk().ok_or(missing)?;
                (*value, *values) = (u64::from_le_bytes(*first), rest);
            }
        }
        if is_entry && u16_at(bytes, 34) != 0 {
            return Err(ZipFault::SeveralDisks);
        }
        // The upper half of the attributes is a Unix mode if the entry was made on Unix (3) or macOS (19).
        let has_mode = is_entry && matches!(bytes[5], 3 | 19);
        let link = has_mode && (u32_at(bytes, 38) >> 16) & 0o170_000 == 0o120_000;
        Ok(Self { facts, name, offset, link })
    }

    /// Returns the first field that differs from that of a member with this name.
    ///
    /// `zero_is_open`: zeros are unknown values, as in a local header with a data descriptor. Java writes zeros for all
    /// of them, Info-ZIP writes the sizes that it knows.
    pub(crate) fn differs_from(
        &self,
        name: &str,
        there: &Facts,
        zero_is_open: bool,
    ) -> Option<&'static str> {
        let differs = |here: u64, there: u64| here != there && !(zero_is_open && here == 0);
        let decisive = ENCRYPTED | HAS_DESCRIPTOR | PATCH;
        let here = &self.facts;
        let fields = [
            ("name", self.name != name.as_bytes()),
            ("flags", here.flags & decisive != there.flags & decisive),
            ("compression method", here.method != there.method),
            ("checksum", differs(here.crc.into(), there.crc.into())),
            ("compressed size", differs(here.compressed, there.compressed)),
            ("size", differs(here.size, there.size)),
        ];
        fields.into_iter().find_map(|(what, differs)| differs.then_some(what))
    }
}

impl End {
    /// Reads the end of central directory at the start of `bytes`, which has at least [`END_LENGTH`] bytes.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, ZipFault> {
        let (entries, size, offset) = (u16_at(bytes, 10), u32_at(bytes, 12), u32_at(bytes, 16));
        let disk = (u16_at(bytes, 4), u16_at(bytes, 6));
        let needs64 = entries == u16::MAX || size == u32::MAX || offset == u32::MAX;
        let is_first_disk = disk == (0, 0) || (needs64 && disk == (u16::MAX, u16::MAX));
        if !is_first_disk || u16_at(bytes, 8) != entries {
            return Err(ZipFault::SeveralDisks);
        }
        Ok(Self {
            entries: u64::from(entries),
            directory_size: u64::from(size),
            directory_offset: u64::from(offset),
        })
    }

    /// Whether a value of this 32-bit end differs from the 64-bit end without referring to it.
    pub(crate) fn contradicts(&self, wide: &Self) -> bool {
        let differs = |narrow: u64, mark: u64, wide: u64| narrow != mark && narrow != wide;
        differs(self.entries, u64::from(u16::MAX), wide.entries)
            || differs(self.directory_size, u64::from(u32::MAX), wide.directory_size)
            || differs(self.directory_offset, u64::from(u32::MAX), wide.directory_offset)
    }

    /// Reads the ZIP64 end of central directory at the start of `bytes`, which has at least [`END64_LENGTH`] bytes.
    pub(crate) fn read64(bytes: &[u8]) -> Result<Self, ZipFault> {
        if u32_at(bytes, 0) != END64 || u64_at(bytes, 4) != (END64_LENGTH - 12) as u64 {
            return Err(ZipFault::BadDirectory { what: "its 64-bit end is malformed" });
        }
        if (u32_at(bytes, 16), u32_at(bytes, 20)) != (0, 0)
            || u64_at(bytes, 24) != u64_at(bytes, 32)
        {
            return Err(ZipFault::SeveralDisks);
        }
        Ok(Self {
            entries: u64_at(bytes, 32),
            directory_size: u64_at(bytes, 40),
            directory_offset: u64_at(bytes, 48),
        })
    }
}

/// Offset of the 64-bit end, if `bytes` begin with its locator.
pub(crate) fn locator64(bytes: &[u8]) -> Option<u64> {
    (bytes.len() >= LOCATOR64_LENGTH && u32_at(bytes, 0) == LOCATOR64).then(|| u64_at(bytes, 8))
}

/// Length of the data descriptor with these facts at the start of `bytes`.
///
/// The signature is optional, and sizes have 32 or 64 bits; the descriptor does not say which. `fits` returns whether
/// the bytes after a descriptor of a given length can follow one.
pub(crate) fn descriptor_length(
    bytes: &[u8],
    facts: &Facts,
    fits: impl Fn(usize) -> bool,
) -> Option<usize> {
    [(4, 4), (4, 8), (0, 4), (0, 8)].into_iter().find_map(|(signature, width)| {
        let length = signature + 4 + 2 * width;
        if !fits(length) || (signature == 4 && u32_at(bytes, 0) != DESCRIPTOR) {
            return None;
        }
        let number = |at| if width == 4 { u64::from(u32_at(bytes, at)) } else { u64_at(bytes, at) };
        let says = (u32_at(bytes, signature), number(signature + 4), number(signature + 4 + width));
        (says == (facts.crc, facts.compressed, facts.size)).then_some(length)
    })
}

/// Returns the extra field with the values of more than 32 bits, if there is one.
fn wide_values(mut extra: &[u8]) -> Result<Option<&[u8]>, ZipFault> {
    let mut found = None;
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize_at(extra, 2));
        let Some(body) = extra[4..].get(..length) else {
            return Err(ZipFault::BadDirectory { what: "an extra field exceeds its entry" });
        };
        if id == 1 && found.replace(body).is_some() {
            return Err(ZipFault::BadDirectory { what: "an entry has its 64-bit sizes twice" });
        }
        extra = &extra[4 + length..];
    }
    Ok(found)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn usize_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16_at(bytes, at))
}
