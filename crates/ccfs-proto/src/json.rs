//! Reading a server's JSON without building a tree, which can take a hundred times its memory.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use serde::de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Removes a UTF-8 byte order mark.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// Any valid JSON, checked as if a tree were built: ranges of numbers, escapes and depth.
pub(crate) type Readable = Checked<false>;

/// The same without an object in which a key is repeated: parsers interpret that differently.
pub(crate) type UniqueKeys = Checked<true>;

pub(crate) struct Checked<const UNIQUE: bool>;

impl<'de, const UNIQUE: bool> Deserialize<'de> for Checked<UNIQUE> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de, const UNIQUE: bool> Visitor<'de> for Checked<UNIQUE> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(Self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        // Hashes, because the keys could take many times the memory of the JSON. Two different keys
        // have the same hash only if their sender searched for such a pair.
        let mut keys = Vec::new();
        while let Some((key, Self)) = map.next_entry::<String, Self>()? {
            if UNIQUE {
                let mut hasher = DefaultHasher::new();
                hasher.write(key.as_bytes());
                keys.push(hasher.finish());
            }
        }
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom("repeated key"));
        }
        Ok(Self)
    }
}

/// Returns complete JSON, checked.
pub(crate) fn checked(json: &[u8]) -> serde_json::Result<&RawValue> {
    serde_json::from_slice::<Readable>(json)?;
    serde_json::from_slice(json)
}

/// Reads an object or `null`: a derived struct would read an array as its fields in order, too.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    struct Object<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or null")
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        /// The default error would repeat the text.
        fn visit_str<E: Error>(self, _: &str) -> Result<Option<T>, E> {
            Err(E::custom("text instead of an object"))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    from.deserialize_any(Object(std::marker::PhantomData))
}

/// Returns the fields of an object with these names; of a field that occurs twice, the last one.
///
/// Reads up to the first error: the JSON may be cut off, or not be an object.
pub(crate) fn fields<'a, const N: usize>(
    json: &'a str,
    names: [&str; N],
) -> [Option<&'a RawValue>; N] {
    struct Reader<'n, 'f, 'a, const N: usize>([&'n str; N], &'f mut [Option<&'a RawValue>; N]);

    impl<'de, const N: usize> Visitor<'de> for Reader<'_, '_, 'de, N> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((key, value)) = map.next_entry::<String, _>()? {
                if let Some(index) = self.0.iter().position(|name| *name == key) {
                    self.1[index] = Some(value);
                }
            }
            Ok(())
        }
    }

    let mut found = [None; N];
    let _ = serde_json::Deserializer::from_str(json).deserialize_map(Reader(names, &mut found));
    found
}

/// Returns the text of a JSON string; `None` for anything else.
pub(crate) fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

/// Returns the text of a JSON string, or a number in the digits that were sent.
pub(crate) fn text_or_number(json: &RawValue) -> Option<String> {
    match json.get().as_bytes() {
        [first, ..] if *first == b'-' || first.is_ascii_digit() => Some(json.get().to_owned()),
        _ => text(json),
    }
}
