//! Receiving callbacks with axum and an async store.
//!
//! Run it with `cargo run -p ccfs-tests --example axum_receiver`. It prints:
//!
//! ```text
//! refused: request is not signed
//! received …_….zip: … bytes
//! answers to the server: 503, 200, 200
//! ```
//!
//! `App::accept` has the steps of `ccfs_proto::callback` with `.await` in between. `Store` is in place
//! of a database; here it is down when the server calls first.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use ccfs::proto::callback::{
    Answer, Begin, Callback, Delivery, JobKey, MemoryGuard, Receiver, ReplayGuard, with_request,
};
use ccfs::{
    AsyncClient, Config, DownloadAgentSkillInfoFile, QueryAgentSkillInfoData, Timestamp, Trust,
};
use ccfs_emulator::{Emulator, Fault};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

struct App {
    receiver: Receiver,
    store: Store,
    accepted: mpsc::UnboundedSender<Callback>,
}

impl App {
    /// Accepts a callback once. If the store fails, the server is to call again.
    async fn accept(&self, delivery: Delivery) -> Result<Answer, StoreError> {
        let Delivery { callback, key, .. } = delivery;
        match self.store.begin(&key).await? {
            Begin::First => {}
            Begin::Pending => return Ok(Answer::BUSY),
            Begin::Done => return Ok(Answer::RECEIVED),
        }
        // Inserting it twice changes nothing, so a failed or lost commit needs no undoing.
        if let Err(error) = self.store.insert(&callback).await {
            self.store.roll_back(&key).await?;
            return Err(error);
        }
        if self.store.commit(&key).await? {
            // Another task processes it, so that the answer does not wait. After a restart, that
            // task begins with what it finds in the store.
            let _ = self.accepted.send(callback);
        }
        Ok(Answer::RECEIVED)
    }
}

/// The handler of the callback URL, for every method.
async fn receive(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, Callback::BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let answer = match with_request(&head, &body, |view| app.receiver.check(view, now())) {
        // In a separate task: axum drops the handler when the client disconnects, and a job that is
        // committed must be handed over.
        Ok(delivery) => match tokio::spawn(async move { app.accept(delivery).await }).await {
            Ok(Ok(answer)) => answer,
            _ => Answer::BUSY,
        },
        Err(error) => {
            println!("refused: {error}");
            error.answer()
        }
    };
    (answer.status, [(CONTENT_TYPE, "application/json")], answer.body).into_response()
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// In place of a database with a table of jobs and a table of files.
#[derive(Default)]
struct Store {
    jobs: Mutex<MemoryGuard>,
    files: Mutex<HashSet<String>>,
    was_down: AtomicBool,
}

#[derive(Debug)]
struct StoreError;

impl Store {
    async fn begin(&self, key: &JobKey) -> Result<Begin, StoreError> {
        self.jobs.lock().await.begin(key, now()).map_err(|never| match never {})
    }

    async fn commit(&self, key: &JobKey) -> Result<bool, StoreError> {
        self.jobs.lock().await.commit(key, now()).map_err(|never| match never {})
    }

    async fn roll_back(&self, key: &JobKey) -> Result<(), StoreError> {
        self.jobs.lock().await.roll_back(key).map_err(|never| match never {})
    }

    async fn insert(&self, callback: &Callback) -> Result<(), StoreError> {
        if !self.was_down.swap(true, Ordering::Relaxed) {
            return Err(StoreError);
        }
        self.files.lock().await.insert(callback.file_name.to_string());
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator =
        Emulator::builder().rows(500).callback_attempts(3, Duration::from_millis(50)).start()?;
    // After a 200, the server signs the callback again and repeats it.
    emulator.faults().add(Fault::CallbackDuplicate.times(1));

    let (accepted, mut callbacks) = mpsc::unbounded_channel();
    let receiver = Receiver::new(&emulator.credentials());
    let app = Arc::new(App { receiver, store: Store::default(), accepted });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/callback", any(receive)).with_state(app);
    tokio::spawn(async { axum::serve(listener, router).await });

    // Any client may send a request; without the keys it is not a callback.
    let mut stranger = TcpStream::connect(address).await?;
    let request =
        b"POST /callback HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    stranger.write_all(request).await?;
    let mut response = String::new();
    stranger.read_to_string(&mut response).await?;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");

    let trust = Trust::none().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let config = Config::new(emulator.endpoint().clone(), emulator.credentials());
    let client = AsyncClient::with_trust(config, &trust)?;
    let query = QueryAgentSkillInfoData::new(
        "2023-04-05 00:00:00".parse()?,
        "2023-04-06 00:00:00".parse()?,
        format!("http://{address}/callback"),
    );
    client.call(query).await?;
    let callback = callbacks.recv().await.ok_or("the receiver ended")?;
    let download = DownloadAgentSkillInfoFile::new(callback.file_name.clone());
    let mut file = Vec::new();
    client.download(download).to_writer(&mut file).await?;
    println!("received {}: {} bytes", callback.file_name, file.len());

    while emulator.callbacks().len() < 3 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let statuses: Vec<String> = emulator
        .callbacks()
        .iter()
        .filter_map(|attempt| Some(attempt.status?.to_string()))
        .collect();
    println!("answers to the server: {}", statuses.join(", "));
    assert!(callbacks.try_recv().is_err(), "the repetition is not accepted again");
    Ok(())
}
