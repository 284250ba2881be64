"""Archives as packs have them, made of files and taken apart into them."""

import io

from harness.dust.canonical_zip import Reader, Writer

Files = dict[str, bytes]


def archive(files: Files) -> bytes:
    """Return the archive of files, in their order."""
    out = io.BytesIO()
    writer = Writer(out)
    for name, content in files.items():
        writer.add(name, content)
    writer.close()
    return out.getvalue()


def files_of(octets: bytes) -> Files:
    """Return the files of an archive, in their order."""
    reader = Reader(io.BytesIO(octets))
    return {one.name: reader.read(one, 1 << 30) for one in reader.entries}
