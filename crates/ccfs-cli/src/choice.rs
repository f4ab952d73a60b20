//! Options whose value is one of several names.

use ccfs::archive::{Charset, IndexKind, OnBadRow};
use ccfs::pull::Format;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

pub(crate) fn format() -> impl TypedValueParser<Value = Format> {
    one_of(Format::ALL.map(|format| {
        let is_parquet = format == Format::Parquet;
        let help = is_parquet.then_some("Typed columns, for databases and data frames");
        (format.to_string(), help, format)
    }))
}

pub(crate) fn kind() -> impl TypedValueParser<Value = IndexKind> {
    one_of(IndexKind::ALL.map(|kind| (kind.to_string(), None, kind)))
}

pub(crate) fn charset() -> impl TypedValueParser<Value = Charset> {
    one_of(Charset::ALL.map(|charset| {
        let help = (charset == Charset::Gb18030).then_some("Includes GBK and GB2312");
        (charset.to_string().to_lowercase(), help, charset)
    }))
}

pub(crate) fn on_bad_row() -> impl TypedValueParser<Value = OnBadRow> {
    one_of([
        ("stop".to_owned(), Some("Stop and print its position"), OnBadRow::Stop),
        (
            "skip".to_owned(),
            Some("Skip it, count it, and print its position on stderr"),
            OnBadRow::Skip,
        ),
    ])
}

/// Parses one of several names, each with its help.
fn one_of<T: Clone + Send + Sync + 'static, const N: usize>(
    choices: [(String, Option<&'static str>, T); N],
) -> impl TypedValueParser<Value = T> {
    let values = choices.clone().map(|(name, help, _)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).try_map(move |given| {
        let chosen = choices.iter().find(|(name, ..)| *name == given);
        chosen.map(|(.., value)| value.clone()).ok_or("unknown name")
    })
}
