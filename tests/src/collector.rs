//! Collects everything that a process logs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// Collects records of `log`, and events and spans of `tracing`, at every level.
#[derive(Debug)]
pub struct Collector {
    records: Mutex<Vec<(String, String)>>,
    /// Whether to collect ureq's TRACE records as well. `ccfs-ureq`, "Logging", says why they should stay off.
    bytes_of_ureq: AtomicBool,
}

static COLLECTOR: Collector =
    Collector { records: Mutex::new(Vec::new()), bytes_of_ureq: AtomicBool::new(false) };
static INSTALLED: Once = Once::new();
static ALONE: Mutex<()> = Mutex::new(());

/// Collects logs until it is dropped; other tests of the process wait for that.
#[derive(Debug)]
pub struct Logged(#[allow(dead_code)] MutexGuard<'static, ()>);

impl Collector {
    /// Installs it for the whole process, and clears it. `bytes_of_ureq`: whether to collect ureq's TRACE records as well.
    #[must_use]
    pub fn alone(bytes_of_ureq: bool) -> Logged {
        let guard = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        INSTALLED.call_once(|| {
            log::set_logger(&COLLECTOR).unwrap();
            log::set_max_level(log::LevelFilter::Trace);
            tracing::subscriber::set_global_default(Spans).unwrap();
        });
        COLLECTOR.bytes_of_ureq.store(bytes_of_ureq, Ordering::SeqCst);
        COLLECTOR.records.lock().unwrap().clear();
        Logged(guard)
    }

    fn push(&self, target: &str, text: String) {
        self.records.lock().unwrap().push((target.to_owned(), text));
    }
}

impl Logged {
    /// The targets that logged, and the records of each in order, so that a dump over several lines stays in one piece.
    pub fn by_target(&self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::<String, String>::new();
        for (target, text) in &*COLLECTOR.records.lock().unwrap() {
            writeln!(texts.entry(target.clone()).or_default(), "{text}").unwrap();
        }
        texts
    }
}

impl log::Log for Collector {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        let bytes = metadata.level() == log::Level::Trace && metadata.target().starts_with("ureq");
        !bytes || self.bytes_of_ureq.load(Ordering::SeqCst)
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            self.push(record.target(), record.args().to_string());
        }
    }

    fn flush(&self) {}
}

struct Spans;

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        let mut text = span.metadata().name().to_owned();
        span.record(&mut Fields(&mut text));
        COLLECTOR.push(span.metadata().target(), text);
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        let mut text = String::new();
        values.record(&mut Fields(&mut text));
        COLLECTOR.push("(a span)", text);
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = event.metadata().name().to_owned();
        event.record(&mut Fields(&mut text));
        COLLECTOR.push(event.metadata().target(), text);
    }

    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
