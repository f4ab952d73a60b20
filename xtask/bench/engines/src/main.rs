//! Runs a query on a folder of Parquet files with DataFusion, for `cargo xtask engines`.
//!
//! `bench-engines ZONE FOLDER QUERY`: `ZONE` is the time zone of the session, and the query names the files of the
//! folder `t`. Writes the rows to stdout as an Arrow IPC stream.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::datasource::file_format::options::ParquetReadOptions;
use datafusion::prelude::{SessionConfig, SessionContext};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-engines: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [zone, folder, query] = words.as_slice() else {
        return Err("usage: bench-engines ZONE FOLDER QUERY".into());
    };
    let config = SessionConfig::new()
        .with_target_partitions(2)
        .set_str("datafusion.execution.time_zone", zone);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (schema, batches) = runtime.block_on(async {
        let context = SessionContext::new_with_config(config);
        let days = vec![("day".to_owned(), DataType::Date32)];
        let options = ParquetReadOptions::new().table_partition_cols(days);
        context.register_parquet("t", folder, options).await?;
        let frame = context.sql(query).await?;
        let schema = frame.schema().inner().clone();
        Ok::<_, datafusion::error::DataFusionError>((schema, frame.collect().await?))
    })?;
    let mut writer = StreamWriter::try_new(io::stdout().lock(), &schema)?;
    for batch in &batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(())
}
