"""The question answering engine: documents in, cited answers out. Knows no HTTP, no users and no Django."""
