"""Files encrypted at rest: the keys, a container that streams, and opening files whether they are encrypted or not.

Knows no documents, no data folder, no Django: whoever writes or reads a file that people handed in does it by
`files.py`. Without a key in the environment files are written as they are.
"""
