//! Reading a server's JSON without building a tree, which can take a hundred times its memory.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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
        let mut keys = Vec::new();
        while let Some((Key(hash), Self)) = map.next_entry()? {
            if UNIQUE {
                keys.push(hash);
            }
        }
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom("repeated key"));
        }
        Ok(Self)
    }
}

/// Hash of a key. The keys themselves could take many times the memory of the JSON, and two
/// different ones have the same hash only if their sender searched for such a pair.
struct Key(u64);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Hash;

        impl Visitor<'_> for Hash {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                let mut hasher = DefaultHasher::new();
                hasher.write(key.as_bytes());
                Ok(Key(hasher.finish()))
            }
        }

        from.deserialize_str(Hash)
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

/// Returns the last field of the object with that name. `None` when `json` is not an object.
pub(crate) fn field<'a>(json: &'a str, name: &str) -> Option<&'a RawValue> {
    struct Field<'n>(&'n str);

    impl<'de> Visitor<'de> for Field<'_> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<String>()? {
                if key == self.0 {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    serde_json::Deserializer::from_str(json).deserialize_map(Field(name)).ok().flatten()
}

/// Returns the text of a JSON string; `None` for anything else.
pub(crate) fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

/// Returns the text of a JSON string, or a number in the digits that were sent.
pub(crate) fn text_or_number(json: &RawValue) -> Option<String> {
    match json.get().as_bytes() {
        [b'-' | b'0'..=b'9', ..] => Some(json.get().to_owned()),
        _ => text(json),
    }
}
