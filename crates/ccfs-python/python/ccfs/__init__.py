"""Client for CC-FS, the file server of Huawei's AICC call center.

Reads index archives as Arrow streams, as records or as Parquet:

>>> import ccfs
>>> archive = ccfs.open("20230406_9239cb50a8384bb0ab503441bf089446.zip")  # doctest: +SKIP
>>> table = pyarrow.table(archive.stream("agentSkillInfo"))  # doctest: +SKIP

`Client` calls a server; `Exchange`, `sign`, `verify` and `CallbackReceiver` are the protocol without
I/O, for other HTTP clients and servers.
"""

from ccfs._errors import (
    AuthError,
    DataError,
    Error,
    NetworkError,
    ServerError,
    SignatureError,
)
from ccfs._native import (
    Archive,
    Callback,
    CallbackReceiver,
    Client,
    Done,
    Exchange,
    Member,
    Now,
    Progress,
    PullProgress,
    Receive,
    Reception,
    Rewind,
    Rows,
    Schema,
    Send,
    Stream,
    Summary,
    Wait,
    Window,
    Write,
    __version__,
    open,
    schema,
    sign,
    to_parquet,
    verify,
)

__all__ = [
    "Archive",
    "AuthError",
    "Callback",
    "CallbackReceiver",
    "Client",
    "DataError",
    "Done",
    "Error",
    "Exchange",
    "Member",
    "NetworkError",
    "Now",
    "Progress",
    "PullProgress",
    "Receive",
    "Reception",
    "Rewind",
    "Rows",
    "Schema",
    "Send",
    "ServerError",
    "SignatureError",
    "Stream",
    "Summary",
    "Wait",
    "Window",
    "Write",
    "__version__",
    "open",
    "schema",
    "sign",
    "to_parquet",
    "verify",
]
