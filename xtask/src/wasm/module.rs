//! As much of a WebAssembly module as says what it imports and what its functions are called.

use std::collections::BTreeSet;

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
/// The part of the custom section `name` that names functions.
const FUNCTION_NAMES: u8 = 1;

/// A module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    /// `env.puts`.
    pub(super) imports: Vec<String>,
    pub(super) functions: BTreeSet<String>,
}

impl Module {
    /// Returns `None` for bytes that are not a module, and for unknown kinds of imports.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = Bytes(bytes.strip_prefix(b"\0asm\x01\0\0\0")?);
        let mut module = Self::default();
        while !rest.0.is_empty() {
            let (kind, mut section) = (rest.byte()?, rest.block()?);
            match kind {
                IMPORT => {
                    for _ in 0..section.number()? {
                        let (from, what) = (section.text()?, section.text()?);
                        module.imports.push(format!("{from}.{what}"));
                        // Only functions, with the number of their type: anything else ends it, because one import is wrong already.
                        if section.byte()? != 0 {
                            break;
                        }
                        section.number()?;
                    }
                }
                CUSTOM if section.text()? == "name" => module.names(section)?,
                _ => {}
            }
        }
        Some(module)
    }

    fn names(&mut self, mut section: Bytes<'_>) -> Option<()> {
        while !section.0.is_empty() {
            let (kind, mut part) = (section.byte()?, section.block()?);
            if kind == FUNCTION_NAMES {
                for _ in 0..part.number()? {
                    part.number()?;
                    self.functions.insert(part.text()?.to_owned());
                }
            }
        }
        Some(())
    }
}

struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number in LEB128.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for place in 0..5 {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A length, and as many bytes.
    fn block(&mut self) -> Option<Self> {
        let len = self.number()?;
        let (block, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(Self(block))
    }

    fn text(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.block()?.0).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_and_names_are_read() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        assert_eq!(Module::read(&module), Some(Module::default()));
        module.extend(b"\x02\x0c\x01\x03env\x04puts\0\0");
        module.extend(b"\x00\x0e\x04name\x01\x07\x01\x00\x04main");
        assert_eq!(Module::read(&module[..module.len() - 1]), None, "cut");
        let read = Module::read(&module).unwrap();
        assert_eq!(read.imports, ["env.puts"]);
        assert_eq!(read.functions.into_iter().collect::<Vec<_>>(), ["main"]);
        assert_eq!(Module::read(b"no module"), None);
    }
}
