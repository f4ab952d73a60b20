//! `ccfs listen`: receives callbacks.

use std::time::Duration;

use ccfs::{Callback, Listener};
use serde::Serialize;

use crate::args::ListenArgs;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::{interrupt, output};

#[derive(Serialize)]
struct Line<'a> {
    response_id: &'a str,
    file_name: &'a str,
    account_id: Option<&'a str>,
}

pub(crate) fn run(settings: &Settings, args: &ListenArgs) -> Result<(), Failure> {
    let listener = Listener::builder(&settings.credentials()?)
        .bind(args.bind)
        .map_err(|error| Failure::new(Kind::Network, format_args!("{} cannot be listened on: {error}", args.bind)))?;
    eprintln!("listening on http://{}", listener.address());
    while !interrupt::came() {
        match listener.recv_timeout(Duration::from_millis(50)).map(|event| event.callback) {
            Some(Ok(callback)) => {
                print(&callback)?;
                if args.once {
                    return Ok(());
                }
            }
            Some(Err(refusal)) => eprintln!("refused: {refusal}"),
            None => {}
        }
    }
    Err(Failure::new(Kind::Interrupted, "interrupted"))
}

fn print(callback: &Callback) -> Result<(), Failure> {
    output::json(&Line {
        response_id: callback.response_id.as_str(),
        file_name: callback.file_name.as_str(),
        account_id: callback.account_id.as_deref(),
    })
}
