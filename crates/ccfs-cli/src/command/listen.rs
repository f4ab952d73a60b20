//! `ccfs listen`: receives callbacks.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use ccfs::Callback;
use serde::Serialize;

use crate::args::ListenArgs;
use crate::failure::{Failure, Kind};
use crate::receiver::Receiver;
use crate::settings::Settings;
use crate::{interrupt, output};

#[derive(Serialize)]
struct Line<'a> {
    response_id: &'a str,
    file_name: &'a str,
    account_id: Option<&'a str>,
}

pub(crate) fn run(settings: &Settings, args: &ListenArgs) -> Result<(), Failure> {
    let receiver = Receiver::start(args.bind, &settings.credentials()?)
        .map_err(|error| Failure::new(Kind::Network, format_args!("{} cannot be listened on: {error}", args.bind)))?;
    eprintln!("listening on http://{}", receiver.address);
    while !interrupt::came() {
        match receiver.events.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok(callback)) => {
                print(&callback)?;
                if args.once {
                    return Ok(());
                }
            }
            Ok(Err(error)) => eprintln!("refused: {error}"),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::new(Kind::Network, "the receiver stopped")),
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
