"""parquet: the records of jsonl as a table, one row for each page, with its cells in it."""

from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from lib.documents.document import Document, Sources
from lib.documents.rows import rows

ROWS_AT_ONCE = 256
CELL = pa.struct([("bbox", pa.list_(pa.int64())), ("category", pa.string()), ("text", pa.string())])
SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("number", pa.int64()),
        ("source", pa.string()),
        ("source_page", pa.int64()),
        ("sha256", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("trust", pa.float64()),
        ("model", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("rotation", pa.int64()),
        ("text", pa.string()),
        ("cells", pa.list_(CELL)),
    ]
)


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.parquet."""
    found = rows(document, sources)
    path = folder / f"{document.name}.parquet"
    with path.open("wb") as file, ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        while some := list(islice(found, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(some, schema=SCHEMA))
    return []
